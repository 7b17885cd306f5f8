#pragma once
/*
 * A latest-value slot: the one way two threads meet. The writer puts a value; the reader takes the newest and never
 * sees the ones between. Values that are replaced unread go to the `drop` function.
 *
 *     struct slot *slot = slot_new(generation_unref_void);
 *     slot_put(slot, generation);                        any thread; ownership moves in
 *     struct generation *g = slot_take(slot);            NULL when nothing new; ownership moves out
 *     poll(slot_fd(slot), POLLIN)                        readable while a value waits (eventfd)
 */
struct slot;

struct slot *slot_new(void (*drop)(void *value));
void slot_free(struct slot *slot); /* drops a waiting value */
static inline void slot_freep(struct slot **slot)
{
	slot_free(*slot);
}
void slot_put(struct slot *slot, void *value);
void *slot_take(struct slot *slot);
int slot_fd(const struct slot *slot);
