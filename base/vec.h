#pragma once
/*
 * VEC(type): a growing array whose storage is in an arena.
 *
 *     VEC(const char *) names = {0};
 *     VEC_PUSH(arena, &names, "a");
 *     for (size_t i = 0; i < names.n; i++) use(names.v[i]);
 *     VEC_SORT(&names, compare);            compare as for qsort(3)
 *
 * `v` and `n` may be read directly and handed on as a (pointer, count) pair; growth abandons the old storage to the
 * arena, so pointers into `v` do not survive a push.
 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define VEC(type)                                                                                                      \
	struct {                                                                                                       \
		type *v;                                                                                               \
		size_t n, cap;                                                                                         \
	}

#define VEC_RESERVE(arena, vec, want)                                                                                  \
	do {                                                                                                           \
		__typeof__(vec) vec_r = (vec);                                                                         \
		size_t vec_want = (want);                                                                              \
		if (vec_r->cap < vec_want) {                                                                           \
			size_t vec_cap = vec_r->cap ? vec_r->cap * 2 : 4;                                              \
			if (vec_cap < vec_want)                                                                        \
				vec_cap = vec_want;                                                                    \
			void *vec_new = arena_alloc_n((arena), vec_cap, sizeof *vec_r->v);                             \
			if (vec_r->n)                                                                                  \
				memcpy(vec_new, vec_r->v, vec_r->n * sizeof *vec_r->v);                                \
			vec_r->v = vec_new;                                                                            \
			vec_r->cap = vec_cap;                                                                          \
		}                                                                                                      \
	} while (0)

#define VEC_PUSH(arena, vec, ...)                                                                                      \
	do {                                                                                                           \
		__typeof__(vec) vec_p = (vec);                                                                         \
		VEC_RESERVE((arena), vec_p, vec_p->n + 1);                                                             \
		vec_p->v[vec_p->n++] = (__VA_ARGS__);                                                                  \
	} while (0)

#define VEC_SORT(vec, compare)                                                                                         \
	do {                                                                                                           \
		__typeof__(vec) vec_s = (vec);                                                                         \
		if (vec_s->n > 1)                                                                                      \
			qsort(vec_s->v, vec_s->n, sizeof *vec_s->v, (compare));                                        \
	} while (0)
