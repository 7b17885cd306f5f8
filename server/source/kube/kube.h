#pragma once
/*
 * The Kubernetes source: every kind of the table, listed and watched at one API server, into the store.
 *
 *     kube thread      kube_watch (a kind each) over kube_http ──▶ kube_feed
 *                      kube_lease, kube_status: the replica that holds the lease writes what the report says
 *     pipeline thread  kube_source_poll: feed ──▶ store;  kube_source_report: snapshot, report ──▶ kube thread
 *
 *     struct kube_source *source = kube_source_new(&options);
 *     kube_source_start(source);  …  kube_source_free(source);
 *
 * Unknown is not empty: kube_source_is_synced is false until every kind has been listed once (or is not served), and a
 * server that is away changes nothing; kube_source_health says since when.
 */
#include "base/clock.h"
#include "base/error.h"
#include "server/source/kube/kube_config.h"
#include "server/source/kube/kube_http.h"
#include "server/source/kube/kube_review.h"
#include "server/source/kube/kube_secret.h"
#include "server/source/kube/kube_status.h"
#include "server/source/kube/kube_watch.h"
#include "server/source/store.h"

#include <stdbool.h>
#include <stdint.h>

#define KUBE_SETTLE_MS 10       /* a change is taken in once nothing has followed for so long, */
#define KUBE_SETTLE_MAX_MS 100  /* or so long after its first event */
#define KUBE_PROBE_MS 10000     /* a connection that is silent for so long is asked whether it lives, */
#define KUBE_PROBE_WAIT_MS 5000 /* and is closed after so long without an answer */
#define KUBE_SILENCE_MS 30000   /* between two parts of a list */

#define KUBE_LEASE_NAME "weftd" /* in the root namespace */

struct kube_source;

/* The Secrets that are read, all in the root namespace. */
enum kube_secret_row { KUBE_SECRET_PLUGGED, KUBE_SECRET_OWN, KUBE_SECRET_KEPT, KUBE_SECRETS };

struct kube_source_options {
	struct kube_config *config; /* moves in */
	const char *root_namespace;
	const char *audience;              /* for which tokens must be meant; NULL: TOKEN_AUDIENCE_DEFAULT */
	int64_t relist_s;                  /* how often everything is listed though it is watched */
	int64_t stale_s;                   /* a kind that was not heard of for so long is stale */
	const char *secrets[KUBE_SECRETS]; /* their names; NULL: not read */
	void (*on_secret)(void *context);  /* one of them, or a note on it, changed; on the kube thread */
	void *context;
};

enum kube_health {
	KUBE_SYNCING, /* not all kinds have been listed yet */
	KUBE_LIVE,
	KUBE_STALE, /* the last state is kept */
};

struct kube_kind_stats {
	struct kube_watch_status status; /* its `error` is of this struct */
	struct error error;
};

struct kube_source_stats {
	bool is_used; /* there is such a source */
	enum kube_health health;
	struct kube_http_stats http;
	bool is_leader; /* this replica writes */
	struct kube_status_stats writes;
	struct kube_kind_stats kinds[KIND_COUNT]; /* of kinds that are not watched: zero */
};

struct kube_source *kube_source_new(const struct kube_source_options *options);
void kube_source_start(struct kube_source *source);
void kube_source_free(struct kube_source *source); /* stops; NULL is fine */
/* Whether a kind of the table is read from the API server. */
bool kube_source_reads(enum kind kind);

/* ---- the pipeline's thread ---- */

/* Readable when there is something for kube_source_poll. */
int kube_source_fd(const struct kube_source *source);
/* As file_source_poll. */
int kube_source_poll(struct kube_source *source, struct store *store, bool *is_changed, int64_t *event_ns);

/* What has become of all that poll took in so far, for the objects' status. */
void kube_source_report(struct kube_source *source, struct snapshot *snapshot, const struct report *report);

/* ---- any thread ---- */

/* Ask before kube_source_poll: when it is true, what poll takes in is everything. */
bool kube_source_is_synced(const struct kube_source *source);
/* `note` is what people should know unless all is well: which kind, since when, why. */
enum kube_health kube_source_health(struct kube_source *source, struct error *note);
void kube_source_stats(struct kube_source *source, struct kube_source_stats *stats);
/* Whose a token is, for our audience (kube_review.h): false when too much is asked at once. */
bool kube_source_review(struct kube_source *source, const char *token, kube_review_on_answer *on_answer, void *context);
void kube_source_review_stats(struct kube_source *source, struct kube_review_stats *stats);
/* Where that Secret is, for as long as the source lives. */
struct kube_secret_cell *kube_source_secret(struct kube_source *source, enum kube_secret_row row);
/* What ConfigMap istio-ca-root-cert says in every namespace from now on. */
void kube_source_set_roots(struct kube_source *source, const char *pem, size_t n);
/* Lists everything again. */
void kube_source_relist(struct kube_source *source);
