#pragma once
/*
 * base64 for URLs (RFC 4648, section 5) as JSON Web Tokens have it: without padding, without white space, and with one
 * spelling for each value, so that no two texts are the same token.
 */
#include "base/arena.h"
#include "base/text.h"

#include <stddef.h>

/* NULL when it is none; *out_n bytes, and a NUL behind them. Empty is empty. */
unsigned char *base64url_decode(struct arena *arena, const char *s, size_t n, size_t *out_n);
void base64url_print(const void *data, size_t n, struct text *out);
