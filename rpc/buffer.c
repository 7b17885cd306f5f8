#include "rpc/transport.h"

#include "base/heap.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct buffer *buffer_new(size_t n)
{
	struct buffer *buffer = heap_alloc(sizeof *buffer + n);

	buffer->n = n;
	atomic_init(&buffer->refs, 1);
	return buffer;
}

struct buffer *buffer_ref(struct buffer *buffer)
{
	atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
	return buffer;
}

void buffer_unref(struct buffer *buffer)
{
	if (!buffer)
		return;
	unsigned former = atomic_fetch_sub_explicit(&buffer->refs, 1, memory_order_acq_rel);
	assert(former > 0);
	if (former == 1)
		free(buffer);
}
