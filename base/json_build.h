#pragma once
/*
 * What the JSON and the YAML parser share: a stack of the children of containers that are still open. A container that
 * closes takes its children from the top, copied to the arena once and at their final number, so that growing arrays
 * leave no garbage there. Counts values against JSON_VALUES_MAX.
 *
 *     size_t from = build.n;                               a container opens
 *     json_build_push(&build, &(struct json_member){.value = child});   … its children
 *     json_build_array(&build, from, value);               it closes: the stack is back at `from`
 */
#include "base/json.h"

struct json_build {
	struct arena *arena;
	struct json_member *v; /* heap; array items have no key */
	size_t n, cap;
	size_t n_values;
};

void json_build_done(struct json_build *build);
void json_build_push(struct json_build *build, const struct json_member *member);
void json_build_array(struct json_build *build, size_t from, struct json *value);
void json_build_object(struct json_build *build, size_t from, struct json *value);
/* Adds n values; false with an error when that is too many. */
bool json_build_count(struct json_build *build, size_t n, struct error *error);
/* The second of two members with one key, or NULL. Linear. */
const struct json_member *json_build_duplicate(const struct json *object);
