#pragma once
/*
 * Where certificates are signed: a thread of its own behind a queue, so that the transport's thread never waits for a
 * signature. Callers take turns, a caller's requests in their order: whoever asks for many delays himself.
 *
 *     owner's thread    signing_put(signing, job)  …  on_done (from the signing thread: wake up)  …  signing_take
 *     signing thread                 next caller's first ─▶ issue_workload ─▶ done
 *
 * A job is its owner's before put and after take. One that was cancelled is never handed out again.
 */
#include "server/identity/signer.h"

#define SIGNING_QUEUE_MAX 2048 /* that wait */
#define SIGNING_CALLER_MAX 512 /* of them of one caller */

struct signing;

struct signing_job {
	struct spiffe_id caller;
	char *csr; /* heap; the job's */
	size_t csr_n;
	int64_t ttl_s; /* 0: the default */
	void *owner;

	/* what became of it */
	bool is_issued;
	struct refusal refusal; /* unless it was */
	bool is_unsigned;       /* there is no authority yet: nothing was judged */
	struct issued issued;   /* lives in the arena, which is the job's */
	struct arena *arena;
	unsigned char serial[TEMPLATE_SERIAL_SIZE];

	/* private */
	struct signing_caller *queue;
	struct signing_job *next, *previous;
	enum signing_state { SIGNING_IDLE, SIGNING_WAITS, SIGNING_RUNS, SIGNING_CANCELLED, SIGNING_DONE } state;
};

struct signing_options {
	struct signer_cell *signers; /* borrowed */
	/* Something can be taken. On the signing thread; must not block. Nobody can cancel meanwhile. */
	void (*on_done)(void *context);
	void *context;
};

struct signing_stats {
	size_t waiting;
	uint64_t signed_total; /* judged: issued or refused */
	uint64_t signing_ns;   /* what that took in all */
};

enum signing_outcome {
	SIGNING_QUEUED,
	SIGNING_FULL,  /* the queue */
	SIGNING_CROWD, /* the caller's part of it */
};

struct signing *signing_new(const struct signing_options *options); /* starts the thread */
void signing_free(struct signing *signing);                         /* waiting jobs are freed; NULL is fine */

/* csr is copied. */
struct signing_job *signing_job_new(const struct spiffe_id *caller, const char *csr, size_t csr_n, int64_t ttl_s,
                                    void *owner);
void signing_job_free(struct signing_job *job); /* NULL is fine */

/* Unless it is QUEUED the job stays the caller's. */
enum signing_outcome signing_put(struct signing *signing, struct signing_job *job);
void signing_cancel(struct signing *signing, struct signing_job *job);    /* put and not taken yet: it is gone */
struct signing_job *signing_take(struct signing *signing);                /* a done one, or NULL */
void signing_stats(struct signing *signing, struct signing_stats *stats); /* any thread */
