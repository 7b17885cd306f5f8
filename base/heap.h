#pragma once
/*
 * Heap memory for what has a lifetime of its own: shared and counted things, tables that shrink, a thread's scratch.
 * What lives and dies together belongs in an arena.
 *
 * Allocation never fails: out of memory aborts, with a message (sound because every input has a cap). All memory comes
 * back zeroed, but what heap_grow adds; free(3) frees it. Size 0 gives a valid pointer.
 *
 *     struct stream *stream = HEAP_NEW(struct stream);
 *     table->v = heap_grow(table->v, &table->cap, table->n + 1, sizeof *table->v);
 */
#include <stddef.h>

__attribute__((malloc, returns_nonnull)) void *heap_alloc(size_t size);
/* Aborts when n * size overflows. */
__attribute__((malloc, returns_nonnull)) void *heap_alloc_n(size_t n, size_t size);
#define HEAP_NEW(type) ((type *)heap_alloc(sizeof(type)))
#define HEAP_NEW_N(type, n) ((type *)heap_alloc_n((n), sizeof(type)))
/* The array with room for `want` elements and more, its former content kept; *cap is its room. */
__attribute__((returns_nonnull)) void *heap_grow(void *v, size_t *cap, size_t want, size_t size);
__attribute__((malloc, returns_nonnull)) char *heap_strdup(const char *s);
__attribute__((malloc, returns_nonnull)) char *heap_strndup(const char *s, size_t n);

/* For whoever asks the system for memory by other ways. */
_Noreturn void heap_fail(size_t size);
