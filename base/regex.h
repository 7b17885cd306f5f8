#pragma once
/*
 * Regular expressions in RE2's syntax, which is what Envoy takes: so that a bad one is refused here, with its reason,
 * and not by a proxy. A C face on RE2 (regex.cc is the only C++ in the tree).
 */
#include "base/error.h"

#include <stdbool.h>

#define REGEX_BYTES_MAX 4096
#define REGEX_PROGRAM_MAX 100000 /* instructions after compilation: Envoy's memory is the users' */

bool regex_check(const char *pattern, struct error *error);
/* Whether the whole text matches, as Envoy asks. A bad pattern matches nothing. */
bool regex_matches(const char *pattern, const char *s);
