#include "base/slot.h"

#include "base/heap.h"
#include "base/wake.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct slot {
	pthread_mutex_t mutex; /* so that the fd is readable exactly while a value waits */
	void *value;
	void (*drop)(void *value);
	struct wake wake;
};

struct slot *slot_new(void (*drop)(void *value))
{
	struct slot *slot = HEAP_NEW(struct slot);
	pthread_mutex_init(&slot->mutex, NULL);
	slot->drop = drop;
	wake_init(&slot->wake);
	return slot;
}

void slot_free(struct slot *slot)
{
	if (!slot)
		return;
	if (slot->value)
		slot->drop(slot->value);
	wake_done(&slot->wake);
	pthread_mutex_destroy(&slot->mutex);
	free(slot);
}

void slot_put(struct slot *slot, void *value)
{
	assert(value);
	pthread_mutex_lock(&slot->mutex);
	void *former = slot->value;
	slot->value = value;
	if (!former)
		wake_up(&slot->wake);
	pthread_mutex_unlock(&slot->mutex);
	if (former)
		slot->drop(former);
}

void *slot_take(struct slot *slot)
{
	pthread_mutex_lock(&slot->mutex);
	void *value = slot->value;
	slot->value = NULL;
	if (value)
		wake_quieten(&slot->wake);
	pthread_mutex_unlock(&slot->mutex);
	return value;
}

int slot_fd(const struct slot *slot)
{
	return wake_fd(&slot->wake);
}
