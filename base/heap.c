#include "base/heap.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROW_FIRST 8

_Noreturn void heap_fail(size_t size)
{
	fprintf(stderr, "weft: out of memory: %zu bytes\n", size);
	abort();
}

static size_t product(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		heap_fail(SIZE_MAX);
	return bytes;
}

void *heap_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);
	if (!memory)
		heap_fail(size);
	return memory;
}

void *heap_alloc_n(size_t n, size_t size)
{
	return heap_alloc(product(n, size));
}

void *heap_grow(void *v, size_t *cap, size_t want, size_t size)
{
	if (v && want <= *cap)
		return v;
	size_t grown = *cap < GROW_FIRST ? GROW_FIRST : product(*cap, 2);
	if (grown < want)
		grown = want;
	size_t bytes = product(grown, size);
	v = realloc(v, bytes);
	if (!v)
		heap_fail(bytes);
	*cap = grown;
	return v;
}

char *heap_strdup(const char *s)
{
	return heap_strndup(s, strlen(s));
}

char *heap_strndup(const char *s, size_t n)
{
	n = strnlen(s, n);
	char *copy = heap_alloc(n + 1);
	memcpy(copy, s, n);
	return copy;
}
