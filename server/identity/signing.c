#include "server/identity/signing.h"

#include "base/heap.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CALLER_CHAINS 1024

/* Whoever has jobs that wait. In the ring of turns, and in a chain to be found by. */
struct signing_caller {
	struct spiffe_id id;
	struct signing_job *first, *last;
	size_t n;
	struct signing_caller *turn_next, *turn_previous;
	struct signing_caller *chain_next;
	size_t chain;
};

struct signing {
	struct signing_options options;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t work; /* something waits, or it is to stop */
	bool is_stopping;

	/* under the mutex */
	struct signing_caller *turn; /* whose turn it is; NULL: nobody waits */
	struct signing_caller *chains[CALLER_CHAINS];
	struct signing_job *done_first, *done_last;
	struct signing_stats stats;
};

/* ---- jobs ---- */

struct signing_job *signing_job_new(const struct spiffe_id *caller, const char *csr, size_t csr_n, int64_t ttl_s,
                                    void *owner)
{
	struct signing_job *job = HEAP_NEW(struct signing_job);
	job->caller = *caller;
	job->csr = heap_strndup(csr, csr_n);
	job->csr_n = csr_n;
	job->ttl_s = ttl_s;
	job->owner = owner;
	return job;
}

void signing_job_free(struct signing_job *job)
{
	if (!job)
		return;
	arena_free(job->arena);
	free(job->csr);
	free(job);
}

/* ---- the queue ---- */

static size_t chain_of(const struct spiffe_id *id)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, id->trust_domain);
	digest_add_str(&state, id->ns);
	digest_add_str(&state, id->account);
	return digest_final(&state).w[0] % CALLER_CHAINS;
}

static struct signing_caller *caller_get(struct signing *signing, const struct spiffe_id *id, size_t chain)
{
	for (struct signing_caller *caller = signing->chains[chain]; caller; caller = caller->chain_next)
		if (spiffe_id_equal(&caller->id, id))
			return caller;
	return NULL;
}

/* Behind all others: its turn comes when everybody has had one. */
static struct signing_caller *caller_add(struct signing *signing, const struct spiffe_id *id, size_t chain)
{
	struct signing_caller *caller = HEAP_NEW(struct signing_caller), *turn = signing->turn;
	caller->id = *id;
	caller->chain = chain;
	caller->chain_next = signing->chains[chain];
	signing->chains[chain] = caller;
	if (!turn) {
		caller->turn_next = caller->turn_previous = caller;
		signing->turn = caller;
		return caller;
	}
	caller->turn_next = turn;
	caller->turn_previous = turn->turn_previous;
	turn->turn_previous->turn_next = caller;
	turn->turn_previous = caller;
	return caller;
}

static void caller_remove(struct signing *signing, struct signing_caller *caller)
{
	struct signing_caller **at = &signing->chains[caller->chain];
	while (*at != caller)
		at = &(*at)->chain_next;
	*at = caller->chain_next;
	caller->turn_previous->turn_next = caller->turn_next;
	caller->turn_next->turn_previous = caller->turn_previous;
	if (signing->turn == caller)
		signing->turn = caller->turn_next == caller ? NULL : caller->turn_next;
	free(caller);
}

static void queue_append(struct signing *signing, struct signing_caller *caller, struct signing_job *job)
{
	job->queue = caller;
	job->state = SIGNING_WAITS;
	job->next = NULL;
	job->previous = caller->last;
	*(caller->last ? &caller->last->next : &caller->first) = job;
	caller->last = job;
	caller->n++;
	signing->stats.waiting++;
}

static void queue_remove(struct signing *signing, struct signing_job *job)
{
	struct signing_caller *caller = job->queue;
	*(job->previous ? &job->previous->next : &caller->first) = job->next;
	*(job->next ? &job->next->previous : &caller->last) = job->previous;
	job->queue = NULL;
	job->next = job->previous = NULL;
	signing->stats.waiting--;
	if (--caller->n == 0)
		caller_remove(signing, caller);
}

/* Of whoever's turn it is; the turn goes on. */
static struct signing_job *queue_next(struct signing *signing)
{
	struct signing_caller *caller = signing->turn;
	if (!caller)
		return NULL;
	struct signing_job *job = caller->first;
	signing->turn = caller->turn_next;
	queue_remove(signing, job);
	job->state = SIGNING_RUNS;
	return job;
}

enum signing_outcome signing_put(struct signing *signing, struct signing_job *job)
{
	enum signing_outcome outcome = SIGNING_QUEUED;
	size_t chain = chain_of(&job->caller);

	assert(job->state == SIGNING_IDLE);
	pthread_mutex_lock(&signing->mutex);
	struct signing_caller *caller = caller_get(signing, &job->caller, chain);
	if (caller && caller->n >= SIGNING_CALLER_MAX)
		outcome = SIGNING_CROWD;
	else if (signing->stats.waiting >= SIGNING_QUEUE_MAX)
		outcome = SIGNING_FULL;
	else
		queue_append(signing, caller ? caller : caller_add(signing, &job->caller, chain), job);
	pthread_cond_signal(&signing->work);
	pthread_mutex_unlock(&signing->mutex);
	return outcome;
}

static void done_remove(struct signing *signing, struct signing_job *job)
{
	*(job->previous ? &job->previous->next : &signing->done_first) = job->next;
	*(job->next ? &job->next->previous : &signing->done_last) = job->previous;
}

void signing_cancel(struct signing *signing, struct signing_job *job)
{
	pthread_mutex_lock(&signing->mutex);
	enum signing_state state = job->state;
	assert(state == SIGNING_WAITS || state == SIGNING_RUNS || state == SIGNING_DONE);
	if (state == SIGNING_WAITS)
		queue_remove(signing, job);
	else if (state == SIGNING_DONE)
		done_remove(signing, job);
	else
		job->state = SIGNING_CANCELLED; /* the signing thread frees it */
	pthread_mutex_unlock(&signing->mutex);
	if (state != SIGNING_RUNS)
		signing_job_free(job);
}

struct signing_job *signing_take(struct signing *signing)
{
	pthread_mutex_lock(&signing->mutex);
	struct signing_job *job = signing->done_first;
	if (job) {
		done_remove(signing, job);
		job->state = SIGNING_IDLE;
	}
	pthread_mutex_unlock(&signing->mutex);
	return job;
}

void signing_stats(struct signing *signing, struct signing_stats *stats)
{
	pthread_mutex_lock(&signing->mutex);
	*stats = signing->stats;
	pthread_mutex_unlock(&signing->mutex);
}

/* ---- the thread ---- */

static void sign(struct signing_job *job, const struct signer *signer)
{
	struct workload_request request = {
	    .csr = job->csr, .csr_n = job->csr_n, .caller = &job->caller, .ttl_s = job->ttl_s};
	issue_draw_serial(request.serial);
	memcpy(job->serial, request.serial, sizeof job->serial);
	job->arena = arena_new();
	job->is_issued = issue_workload(job->arena, &signer->issuer, &request, &job->issued, &job->refusal);
}

/* True when there is something to take. */
static bool finish(struct signing *signing, struct signing_job *job, int64_t took_ns)
{
	signing->stats.signed_total += !job->is_unsigned;
	signing->stats.signing_ns += (uint64_t)took_ns;
	if (job->state == SIGNING_CANCELLED) {
		signing_job_free(job);
		return false;
	}
	job->state = SIGNING_DONE;
	job->next = NULL;
	job->previous = signing->done_last;
	*(signing->done_last ? &signing->done_last->next : &signing->done_first) = job;
	signing->done_last = job;
	return true;
}

static void *run(void *context)
{
	struct signing *signing = context;

	pthread_mutex_lock(&signing->mutex);
	while (!signing->is_stopping) {
		struct signing_job *job = queue_next(signing);
		if (!job) {
			pthread_cond_wait(&signing->work, &signing->mutex);
			continue;
		}
		pthread_mutex_unlock(&signing->mutex);
		int64_t from_ns = clock_now_ns(clock_system());
		struct signer *signer = signer_cell_get(signing->options.signers);
		job->is_unsigned = !signer;
		if (signer)
			sign(job, signer);
		signer_unref(signer);
		pthread_mutex_lock(&signing->mutex);
		/* Under the mutex: an owner who lets go of its jobs waits, and so is still there to be told. */
		if (finish(signing, job, clock_now_ns(clock_system()) - from_ns))
			signing->options.on_done(signing->options.context);
	}
	pthread_mutex_unlock(&signing->mutex);
	return NULL;
}

struct signing *signing_new(const struct signing_options *options)
{
	struct signing *signing = HEAP_NEW(struct signing);
	signing->options = *options;
	pthread_mutex_init(&signing->mutex, NULL);
	pthread_cond_init(&signing->work, NULL);
	int failure = pthread_create(&signing->thread, NULL, run, signing);
	assert(!failure);
	return signing;
}

void signing_free(struct signing *signing)
{
	struct signing_job *job;

	if (!signing)
		return;
	pthread_mutex_lock(&signing->mutex);
	signing->is_stopping = true;
	pthread_cond_signal(&signing->work);
	pthread_mutex_unlock(&signing->mutex);
	pthread_join(signing->thread, NULL);
	while ((job = queue_next(signing)))
		signing_job_free(job);
	while ((job = signing_take(signing)))
		signing_job_free(job);
	pthread_cond_destroy(&signing->work);
	pthread_mutex_destroy(&signing->mutex);
	free(signing);
}
