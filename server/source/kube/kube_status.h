#pragma once
/*
 * Writes the conditions of kube_condition.h into the objects' status, where they differ from what stands there.
 * A state machine without I/O, as kube_watch.h.
 *
 * - Only the replica that holds the lease writes.
 * - Nothing is written of an object whose newest form the report has not seen yet.
 * - What stands there is known from the watches, so a restart writes nothing that is there already.
 * - At most KUBE_STATUS_PER_S writes a second (a burst of KUBE_STATUS_BURST), KUBE_STATUS_CALLS_MAX at once; a server
 * that asks for patience gets it.
 */
#include "base/clock.h"
#include "server/source/kube/kube_condition.h"
#include "server/source/kube/kube_http.h"
#include "server/source/kube/kube_watch.h"

#define KUBE_STATUS_PER_S 10
#define KUBE_STATUS_BURST 20
#define KUBE_STATUS_CALLS_MAX 4
#define KUBE_STATUS_GAP_MS 100     /* between two looks at all objects */
#define KUBE_STATUS_PAUSE_S 5      /* after a failure; doubled with each, */
#define KUBE_STATUS_PAUSE_MAX_S 60 /* at most this; after a 403 at once */
#define KUBE_STATUS_TIMEOUT_MS 10000
#define KUBE_STATUS_MANAGER "weftd" /* of server-side apply */

/* What the pipeline made of the objects. Counted by nobody: it has one owner. */
struct kube_report {
	struct arena *arena;
	struct snapshot *snapshot; /* a reference */
	const struct report_row *rows;
	size_t n_rows;
	uint64_t seq; /* of the feed: puts up to this one are in it */
};

struct kube_report *kube_report_new(struct snapshot *snapshot, const struct report *report, uint64_t seq);
void kube_report_free(void *report); /* NULL is fine */

struct kube_status;

struct kube_status_stats {
	uint64_t writes, failures;
};

struct kube_status *kube_status_new(struct kube_watch *const watches[KIND_COUNT], const struct clock *clock);
void kube_status_free(struct kube_status *status);
/* The report moves in. */
void kube_status_set_report(struct kube_status *status, struct kube_report *report);
/* What was put up to this one has changed nothing since the report. */
void kube_status_set_seq(struct kube_status *status, uint64_t seq);
/* Objects changed, or the right to write was gained: all is to be looked at again. */
void kube_status_look_again(struct kube_status *status);

/* One write under way. */
struct kube_write;

/* A write to start now, or NULL: ask again at *at_ns. The request's functions are the caller's to set; `write` goes
 * back with the answer. */
const struct kube_request *kube_status_next(struct kube_status *status, struct kube_write **write, int64_t *at_ns);
/* What to say of it in the log, or NULL: of failures in a row only the first is worth a line. */
const char *kube_status_ended(struct kube_status *status, struct kube_write *write,
                              const struct kube_response *response);
void kube_status_stats(const struct kube_status *status, struct kube_status_stats *stats);
