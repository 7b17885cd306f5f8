#pragma once
/*
 * What weftd says of its authority, for people.
 */
#include "base/json.h"

/* All of it, some lines. state: the answer to GET /ca. */
void ca_print(const struct json *state, struct text *out);
/* How a rotation goes, in one line without its end. */
void ca_print_rotation(const struct json *state, struct text *out);
bool ca_is_rotating(const struct json *state);
