#include "base/slot.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct slot {
	pthread_mutex_t mutex; /* so that fd is readable exactly while a value waits */
	void *value;
	void (*drop)(void *value);
	int fd;
};

struct slot *slot_new(void (*drop)(void *value))
{
	struct slot *slot = calloc(1, sizeof *slot);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!slot || fd < 0) { /* slots are made at the start only: no memory or no descriptor then is no start */
		perror("weft: cannot make a slot");
		abort();
	}
	pthread_mutex_init(&slot->mutex, NULL);
	slot->drop = drop;
	slot->fd = fd;
	return slot;
}

void slot_free(struct slot *slot)
{
	if (!slot)
		return;
	if (slot->value)
		slot->drop(slot->value);
	close(slot->fd);
	pthread_mutex_destroy(&slot->mutex);
	free(slot);
}

void slot_put(struct slot *slot, void *value)
{
	assert(value);
	pthread_mutex_lock(&slot->mutex);
	void *former = slot->value;
	slot->value = value;
	if (!former) {
		uint64_t one = 1;
		ssize_t n = write(slot->fd, &one, sizeof one);
		assert(n == (ssize_t)sizeof one);
	}
	pthread_mutex_unlock(&slot->mutex);
	if (former)
		slot->drop(former);
}

void *slot_take(struct slot *slot)
{
	pthread_mutex_lock(&slot->mutex);
	void *value = slot->value;
	slot->value = NULL;
	if (value) {
		uint64_t count;
		ssize_t n = read(slot->fd, &count, sizeof count);
		assert(n == (ssize_t)sizeof count);
	}
	pthread_mutex_unlock(&slot->mutex);
	return value;
}

int slot_fd(const struct slot *slot)
{
	return slot->fd;
}
