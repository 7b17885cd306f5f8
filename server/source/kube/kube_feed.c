#include "server/source/kube/kube_feed.h"

#include "base/heap.h"
#include "base/wake.h"

#include <pthread.h>
#include <stdlib.h>

struct kube_feed {
	const struct clock *clock;
	struct wake wake;
	pthread_mutex_t lock;
	struct kube_batch *batch; /* NULL: nothing waits */
	uint64_t seq;
};

struct kube_feed *kube_feed_new(const struct clock *clock)
{
	struct kube_feed *feed = HEAP_NEW(struct kube_feed);
	feed->clock = clock;
	wake_init(&feed->wake);
	pthread_mutex_init(&feed->lock, NULL);
	return feed;
}

void kube_feed_free(struct kube_feed *feed)
{
	if (!feed)
		return;
	kube_batch_free(feed->batch);
	pthread_mutex_destroy(&feed->lock);
	wake_done(&feed->wake);
	free(feed);
}

static void change_done(struct kube_change *change)
{
	if (!change->arena)
		return;
	manifest_done(&change->manifest);
	arena_free(change->arena);
	change->arena = NULL;
}

void kube_batch_free(struct kube_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->changes.n; i++)
		change_done(batch->changes.entries[i].value);
	arena_free(batch->arena);
}

static struct kube_batch *batch_new(int64_t now_ns)
{
	struct arena *arena = arena_new();
	struct kube_batch *batch = ARENA_NEW(arena, struct kube_batch);
	batch->arena = arena;
	batch->first_ns = now_ns;
	return batch;
}

static struct kube_change *batch_change(struct kube_batch *batch, const char *group)
{
	struct kube_change *change = map_get(&batch->changes, group);
	if (change) {
		change_done(change);
		return change;
	}
	change = ARENA_NEW(batch->arena, struct kube_change);
	map_put(batch->arena, &batch->changes, arena_strdup(batch->arena, group), change);
	return change;
}

void kube_feed_wake(struct kube_feed *feed)
{
	wake_up(&feed->wake);
}

uint64_t kube_feed_put(struct kube_feed *feed, const char *group, const struct manifest *manifest, int64_t event_ns)
{
	int64_t now_ns = clock_now_ns(feed->clock);

	pthread_mutex_lock(&feed->lock);
	if (!feed->batch)
		feed->batch = batch_new(now_ns);
	struct kube_batch *batch = feed->batch;
	struct kube_change *change = batch_change(batch, group);
	if (manifest)
		*change = (struct kube_change){.arena = manifest->arena, .manifest = *manifest};
	batch->last_ns = now_ns;
	if (event_ns && !batch->event_ns)
		batch->event_ns = event_ns;
	uint64_t seq = batch->seq = ++feed->seq;
	pthread_mutex_unlock(&feed->lock);
	kube_feed_wake(feed);
	return seq;
}

int kube_feed_fd(const struct kube_feed *feed)
{
	return wake_fd(&feed->wake);
}

bool kube_feed_times(struct kube_feed *feed, int64_t *first_ns, int64_t *last_ns)
{
	wake_quieten(&feed->wake); /* first: what is put from here on is seen by whoever asks next */
	pthread_mutex_lock(&feed->lock);
	bool is_waiting = feed->batch != NULL;
	*first_ns = is_waiting ? feed->batch->first_ns : 0;
	*last_ns = is_waiting ? feed->batch->last_ns : 0;
	pthread_mutex_unlock(&feed->lock);
	return is_waiting;
}

struct kube_batch *kube_feed_take(struct kube_feed *feed)
{
	wake_quieten(&feed->wake);
	pthread_mutex_lock(&feed->lock);
	struct kube_batch *batch = feed->batch;
	feed->batch = NULL;
	pthread_mutex_unlock(&feed->lock);
	return batch;
}
