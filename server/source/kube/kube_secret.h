#pragma once
/*
 * One Secret at the API server, by its name: read again and again, and written when somebody wants that. A state
 * machine without I/O, as kube_watch.h. It knows nothing of what the Secret says.
 *
 * It is asked for every KUBE_SECRET_POLL_S and not watched: that needs the right to get one name and no list, has no
 * version that could expire, and one small answer every few seconds costs less than a watch that must be renewed.
 *
 * What was read is a counted value that never changes. Unknown is not absent: before the first answer, and while the
 * server refuses, the last value (or none) stays.
 *
 * A write names the version that it is meant to follow, or none to make the Secret, so of two replicas only one
 * succeeds; whatever came of it, the Secret is read again at once, and only what is read counts.
 *
 *     value = kube_secret_cell_get(cell)            any thread; NULL: not known yet
 *     kube_secret_cell_want(cell, write)            any thread; the latest counts
 */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/wake.h"
#include "server/source/kube/kube_http.h"

#define KUBE_SECRET_POLL_S 5
#define KUBE_SECRET_RETRY_S 2 /* after a failure */
#define KUBE_SECRET_TIMEOUT_MS 5000
#define KUBE_SECRET_BYTES_MAX (3u << 20) /* of an answer; etcd takes no object above 1.5 MiB */
#define KUBE_SECRET_ENTRIES_MAX 64
#define KUBE_SECRET_NOTES "rotation.weft/" /* annotations by which replicas tell each other */

struct kube_secret_entry {
	char *name;
	char *s; /* NUL-terminated; in a write NULL: it is to be gone */
	size_t n;
};

struct kube_secret {
	bool is_there;
	char *version; /* opaque */
	struct kube_secret_entry *v;
	size_t n;
	struct digest digest;            /* of all entries */
	struct kube_secret_entry *notes; /* annotations KUBE_SECRET_NOTES…: names without that */
	size_t n_notes;
	_Atomic unsigned refs;
};

struct kube_secret *kube_secret_ref(struct kube_secret *secret);
void kube_secret_unref(struct kube_secret *secret); /* the last wipes; NULL is fine */
static inline void kube_secret_unrefp(struct kube_secret **secret)
{
	kube_secret_unref(*secret);
}
/* From the API server's JSON; absent: of one that is not there. */
struct kube_secret *kube_secret_decode(const char *s, size_t n, struct error *error);
struct kube_secret *kube_secret_absent(void);

/* What to make of it. */
struct kube_secret_write {
	char *version; /* the one that it changes; NULL: there is none yet */
	struct kube_secret_entry *v;
	size_t n;
};

/* Copies the entry. */
void kube_secret_write_add(struct kube_secret_write *write, const char *name, const char *s, size_t n);
void kube_secret_write_free(void *write); /* wipes; NULL is fine */

/* ---- where the threads meet ---- */

struct kube_secret_cell;

/* wake: of whoever reads and writes, when something is wanted; borrowed; NULL is fine. */
struct kube_secret_cell *kube_secret_cell_new(const struct wake *wake);
void kube_secret_cell_free(struct kube_secret_cell *cell);
/* A reference, or NULL. note (when wanted): why it is not known, or was not written; "" else. */
struct kube_secret *kube_secret_cell_get(struct kube_secret_cell *cell, struct error *note);
void kube_secret_cell_want(struct kube_secret_cell *cell, struct kube_secret_write *write); /* moves in */
/* An annotation, by its name; NULL: it is to be gone. The latest of each name counts. */
void kube_secret_cell_note(struct kube_secret_cell *cell, const char *name, const char *value);

/* ---- the kube thread's ---- */

struct kube_secret_poll;

struct kube_secret_poll_options {
	const char *namespace, *name; /* copied */
	struct kube_secret_cell *cell;
	const struct clock *clock;
	void (*on_change)(void *context); /* a new value, or a note, is in the cell */
	void *context;
};

struct kube_secret_poll *kube_secret_poll_new(const struct kube_secret_poll_options *options);
void kube_secret_poll_free(struct kube_secret_poll *poll); /* NULL is fine */
/* A request to start now, or NULL: ask again at *at_ns, or when something is wanted. Until the next call. */
const struct kube_request *kube_secret_poll_next(struct kube_secret_poll *poll, int64_t *at_ns);
bool kube_secret_poll_body(struct kube_secret_poll *poll, const char *s, size_t n); /* false: end it */
void kube_secret_poll_ended(struct kube_secret_poll *poll, const struct kube_response *response);
