#pragma once
/*
 * A bump allocator: many small values with one lifetime.
 *
 * All memory comes back zeroed and aligned for any type, and is freed together. Allocation never fails: out of
 * memory aborts (sound because every input has a cap). An arena belongs to one thread at a time; what it holds may
 * be read from any thread once it is no longer written.
 *
 *     CLEANUP(arena_freep) struct arena *arena = arena_new();
 *     struct point *p = ARENA_NEW(arena, struct point);
 *     const char *name = arena_printf(arena, "%s.%s", host, ns);
 *
 * A function that takes a `struct arena *` returns values that live in it.
 */
#include <stdarg.h>
#include <stddef.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
static inline void arena_freep(struct arena **arena)
{
	arena_free(*arena);
}

/* Zeroed; size 0 gives a valid pointer. */
__attribute__((malloc, returns_nonnull)) void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed array; aborts when n * size overflows. */
__attribute__((malloc, returns_nonnull)) void *arena_alloc_n(struct arena *arena, size_t n, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_NEW_N(arena, type, n) ((type *)arena_alloc_n((arena), (n), sizeof(type)))

__attribute__((returns_nonnull)) char *arena_strdup(struct arena *arena, const char *s);
__attribute__((returns_nonnull)) char *arena_strndup(struct arena *arena, const char *s, size_t n);
__attribute__((returns_nonnull)) void *arena_memdup(struct arena *arena, const void *data, size_t size);
__attribute__((returns_nonnull, format(printf, 2, 3))) char *arena_printf(struct arena *arena, const char *format, ...);
__attribute__((returns_nonnull)) char *arena_vprintf(struct arena *arena, const char *format, va_list args);

/* Bytes taken from the system, for metrics and caps. */
size_t arena_size(const struct arena *arena);
