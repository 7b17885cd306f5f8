#pragma once
/*
 * "Did you mean …?": the nearest of the words that exist.
 */
#include <stddef.h>

#define SUGGEST_BYTES_MAX 64 /* longer words are like nothing */

/* words: NULL-terminated. The one that few slips (a letter left out, added, changed or two swapped) away, or NULL. */
const char *suggest(const char *word, const char *const *words);
