#pragma once
/*
 * What the parts of the Kubernetes source share; nobody else includes this. All of it is the kube thread's, but for
 * what says otherwise.
 *
 *     kube.c          the source as others see it: life, the thread, the watches' requests, what the pipeline takes in
 *     kube_probe.c    is the server still there?
 *     kube_write.c    what is written: the lease, and conditions while it is held
 *     kube_ask.c      whose a token is
 *     kube_keep.c     Secrets, read and written by name; the roots in every namespace
 *     kube_health.c   what is known of it all: for the log, for readiness, for figures
 */
#include "base/wake.h"
#include "server/source/kube/kube.h"
#include "server/source/kube/kube_feed.h"
#include "server/source/kube/kube_lease.h"
#include "server/source/kube/kube_review.h"
#include "server/source/kube/kube_roots.h"

#include <pthread.h>
#include <stdatomic.h>

struct slot;

/* One kind: its watch, and the request that it has under way. */
struct kube_kind {
	struct kube_source *source;
	struct kube_watch *watch; /* NULL: not read from here */
	struct kube_call *call;
};

/* One Secret, and the request that it has under way. */
struct kube_secret_place {
	struct kube_source *source;
	struct kube_secret_cell *cell; /* any thread */
	struct kube_secret_poll *poll; /* NULL: not read */
};

struct kube_source {
	struct kube_config *config;
	char *root_namespace;
	int64_t stale_ns;
	struct wake wake; /* ends the thread's sleep; any thread */
	_Atomic bool is_stopping, is_synced, is_relisting;
	pthread_t thread;
	bool is_started;
	struct kube_feed *feed;

	/* of the kube thread */
	struct kube_credentials *credentials;
	struct kube_http *http;
	struct kube_kind kinds[KIND_COUNT];
	struct kube_call *probe;
	int64_t probe_ns; /* when the last one began */
	bool is_unwell;   /* said in the log */
	struct kube_lease *lease;
	bool is_leader, is_lease_under_way;
	struct kube_status *status;
	struct kube_review *review; /* questions from any thread */
	struct kube_secret_place secrets[KUBE_SECRETS];
	struct kube_roots *roots;
	struct slot *bundles; /* what the roots should be; any thread */
	void (*on_secret)(void *context);
	void *context;
	uint64_t changes_seen; /* of objects that have a status */
	struct slot *reports;  /* from the pipeline's thread */

	/* of the pipeline's thread */
	uint64_t taken_seq; /* what poll took in */
	bool is_reported;   /* all that changed by it has been reported */

	_Atomic uint64_t same_seq; /* taken in, and nothing changed by it since the last report */

	pthread_mutex_t lock;
	struct kube_source_stats stats; /* what others may see */
};

static inline int64_t kube_now_ns(void)
{
	return clock_now_ns(clock_system());
}

/* Whether proxies' configuration depends on the kind. */
bool kube_is_needed(enum kind kind);

void kube_probe_move(struct kube_source *source);

struct kube_lease *kube_write_new_lease(const struct kube_source *source);
/* Both: when they should be called again, at the latest. */
int64_t kube_write_lease(struct kube_source *source);
int64_t kube_write_status(struct kube_source *source);
/* Asks what waits to be asked, as much as may be under way. */
void kube_ask_reviews(struct kube_source *source);
void kube_keep_init(struct kube_source *source, const struct kube_source_options *options);
void kube_keep_done(struct kube_source *source);
/* Both as those. */
int64_t kube_keep_secrets(struct kube_source *source);
int64_t kube_keep_roots(struct kube_source *source);
/* Objects that have a status changed at the server: perhaps it is no longer what it should be. */
void kube_write_note_changes(struct kube_source *source);
/* The last of all: the others need not wait for the lease to run out. */
void kube_write_let_go(struct kube_source *source);

/* Makes what the thread knows known to others; sees to is_synced. */
void kube_health_publish(struct kube_source *source);
/* One line when things begin to go wrong, one when all is well again. */
void kube_health_log(struct kube_source *source);
void kube_health_log_synced(const struct kube_source *source);
