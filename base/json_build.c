#include "base/json_build.h"

#include "base/heap.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* Members up to which comparing all pairs is faster than a map. */
#define PAIRWISE_MAX 12

void json_build_done(struct json_build *build)
{
	free(build->v);
	*build = (struct json_build){0};
}

void json_build_push(struct json_build *build, const struct json_member *member)
{
	build->v = heap_grow(build->v, &build->cap, build->n + 1, sizeof *build->v);
	build->v[build->n++] = *member;
}

void json_build_array(struct json_build *build, size_t from, struct json *value)
{
	value->type = JSON_ARRAY;
	value->array.n = build->n - from;
	value->array.v = ARENA_NEW_N(build->arena, const struct json *, value->array.n);
	for (size_t i = 0; i < value->array.n; i++)
		value->array.v[i] = build->v[from + i].value;
	build->n = from;
}

void json_build_object(struct json_build *build, size_t from, struct json *value)
{
	value->type = JSON_OBJECT;
	value->object.n = build->n - from;
	value->object.v = ARENA_NEW_N(build->arena, struct json_member, value->object.n);
	if (value->object.n)
		memcpy(value->object.v, build->v + from, value->object.n * sizeof *build->v);
	build->n = from;
}

bool json_build_count(struct json_build *build, size_t n, struct error *error)
{
	if (n > JSON_VALUES_MAX - build->n_values)
		return error_set(error, "more than %u values in one document", JSON_VALUES_MAX);
	build->n_values += n;
	return true;
}

const struct json_member *json_build_duplicate(const struct json *object)
{
	const struct json_member *v = object->object.v;
	size_t n = object->object.n;
	if (n <= PAIRWISE_MAX) {
		for (size_t i = 1; i < n; i++)
			for (size_t j = 0; j < i; j++)
				if (strcmp(v[i].key, v[j].key) == 0)
					return &v[i];
		return NULL;
	}
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct map seen = {0};
	for (size_t i = 0; i < n; i++) {
		void **slot = map_slot(scratch, &seen, v[i].key);
		if (*slot)
			return &v[i];
		*slot = &seen;
	}
	return NULL;
}
