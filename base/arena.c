#include "base/arena.h"

#include "base/heap.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Chunks come from calloc(3), so large ones are the kernel's zero pages and cost nothing until touched. They double
 * from FIRST (an object's arena holds a few hundred bytes, and there are many) to MOST (so that a generation's arena
 * wastes little).
 */
#define CHUNK_FIRST 1024
#define CHUNK_MOST (256u << 10)
#define ALIGNMENT 16

#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
/* What is not handed out is poisoned, and each value is followed by poison, so that overruns are found. */
#define POISON(at, size) ASAN_POISON_MEMORY_REGION((at), (size))
#define UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#define GAP ALIGNMENT
#else
#define POISON(at, size) ((void)(at), (void)(size))
#define UNPOISON(at, size) ((void)(at), (void)(size))
#define GAP 0
#endif

struct chunk {
	struct chunk *next;
	size_t size; /* of data */
	_Alignas(ALIGNMENT) unsigned char data[];
};

/* Lies in its own first chunk. */
struct arena {
	struct chunk *chunks; /* the one being filled first */
	unsigned char *at, *end;
	size_t next_size;
	size_t size; /* taken from the system */
};

/* data_size is at most SIZE_MAX / 2. */
static struct chunk *chunk_new(size_t data_size)
{
	struct chunk *chunk = heap_alloc(data_size + sizeof *chunk);
	chunk->size = data_size;
	POISON(chunk->data, data_size);
	return chunk;
}

static size_t round_up(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

struct arena *arena_new(void)
{
	struct chunk *chunk = chunk_new(CHUNK_FIRST - sizeof(struct chunk));
	UNPOISON(chunk->data, sizeof(struct arena));
	struct arena *arena = (struct arena *)(void *)chunk->data;
	arena->chunks = chunk;
	arena->at = chunk->data + round_up(sizeof *arena) + GAP;
	arena->end = chunk->data + chunk->size;
	arena->next_size = CHUNK_FIRST * 2;
	arena->size = CHUNK_FIRST;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	struct chunk *chunk = arena->chunks;
	while (chunk) { /* the arena itself goes with the last one */
		struct chunk *next = chunk->next;
		UNPOISON(chunk->data, chunk->size);
		free(chunk);
		chunk = next;
	}
}

/* A value larger than a quarter of a chunk gets one of its own, behind the one being filled. */
static void *alloc_own(struct arena *arena, size_t size)
{
	struct chunk *chunk = chunk_new(size);
	chunk->next = arena->chunks->next;
	arena->chunks->next = chunk;
	arena->size += size + sizeof *chunk;
	UNPOISON(chunk->data, size);
	return chunk->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 4)
		heap_fail(size);
	size_t step = round_up(size ? size : 1) + GAP;
	if (step > (size_t)(arena->end - arena->at)) {
		if (step > arena->next_size / 4)
			return alloc_own(arena, step);
		struct chunk *chunk = chunk_new(arena->next_size - sizeof *chunk);
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->size += arena->next_size;
		arena->at = chunk->data;
		arena->end = chunk->data + chunk->size;
		if (arena->next_size < CHUNK_MOST)
			arena->next_size *= 2;
	}
	void *value = arena->at;
	arena->at += step;
	UNPOISON(value, size);
	return value;
}

void *arena_alloc_n(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX; /* aborts */
	return arena_alloc(arena, bytes);
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_memdup(arena, s, strlen(s) + 1);
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	n = strnlen(s, n);
	char *copy = arena_alloc(arena, n + 1);
	if (n)
		memcpy(copy, s, n);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *s = arena_vprintf(arena, format, args);
	va_end(args);
	return s;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	char small[256];
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(small, sizeof small, format, args);
	assert(n >= 0);
	size_t size = (size_t)n + 1;
	char *s;
	if (size <= sizeof small) {
		s = arena_memdup(arena, small, size);
	} else {
		s = arena_alloc(arena, size);
		vsnprintf(s, size, format, again);
	}
	va_end(again);
	return s;
}

size_t arena_size(const struct arena *arena)
{
	return arena->size;
}
