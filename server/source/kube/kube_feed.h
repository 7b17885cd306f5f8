#pragma once
/*
 * What the kube thread has seen and the pipeline thread has not yet taken in: of each object the newest. A latest-value
 * slot an object, so a burst on one object is one change, and a pipeline that is busy costs no more than its objects.
 *
 *     kube_feed_put(feed, "~Pod/default/a", &manifest, event_ns);      kube thread: the object as it is now
 *     kube_feed_put(feed, "~Pod/default/b", NULL, event_ns);           kube thread: it is gone
 *
 *     struct kube_batch *batch = kube_feed_take(feed);                 pipeline thread; NULL: nothing new
 *     for (size_t i = 0; i < batch->changes.n; i++) … kube_change …
 *     kube_batch_free(batch);
 */
#include "base/clock.h"
#include "base/map.h"
#include "server/source/manifest.h"

#include <stdbool.h>
#include <stdint.h>

struct kube_feed;

/* One object: the store's group of that name is to become this. */
struct kube_change {
	struct arena *arena;      /* of the manifest; NULL: the object is gone */
	struct manifest manifest; /* the object, or what is wrong with it */
};

struct kube_batch {
	struct arena *arena;
	struct map changes;        /* group to struct kube_change * */
	int64_t event_ns;          /* when the first event that somebody may wait for was seen; 0: none */
	int64_t first_ns, last_ns; /* when the first and the last were put */
	uint64_t seq; /* of the last put: kube_feed_put's numbers up to this one are in or before this batch */
};

struct kube_feed *kube_feed_new(const struct clock *clock);
void kube_feed_free(struct kube_feed *feed);
/*
 * manifest: its arena and references move in; NULL: the object is gone. event_ns: when the server told of it, 0 for
 * what was there already. Returns the put's number, from 1.
 */
uint64_t kube_feed_put(struct kube_feed *feed, const char *group, const struct manifest *manifest, int64_t event_ns);
/* Makes the fd readable though nothing was put: something else is worth a look. */
void kube_feed_wake(struct kube_feed *feed);
/* Readable when something was put since it was last looked at; kube_feed_take and kube_feed_times make it quiet. */
int kube_feed_fd(const struct kube_feed *feed);
/* When what waits was put. False: nothing waits. */
bool kube_feed_times(struct kube_feed *feed, int64_t *first_ns, int64_t *last_ns);
struct kube_batch *kube_feed_take(struct kube_feed *feed);
void kube_batch_free(struct kube_batch *batch);
