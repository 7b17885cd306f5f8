#include "server/identity/signing.h"

#include "tests/unit/authorities.h"

#include <pthread.h>

#define PATIENCE_S 60

struct fixture {
	struct signer_cell *signers;
	struct signing *signing;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool is_done;
	struct text csr;
};

static void on_done(void *context)
{
	struct fixture *f = context;
	pthread_mutex_lock(&f->mutex);
	f->is_done = true;
	pthread_cond_signal(&f->cond);
	pthread_mutex_unlock(&f->mutex);
}

static void init(struct fixture *f)
{
	*f = (struct fixture){.signers = signer_cell_new()};
	pthread_mutex_init(&f->mutex, NULL);
	pthread_cond_init(&f->cond, NULL);
	certs_request_of(&(struct csr_wish){0}, &f->csr);
	f->signing = signing_new(&(struct signing_options){.signers = f->signers, .on_done = on_done, .context = f});
}

static void put_authority(struct fixture *f)
{
	struct error error;
	struct authority_plan plan = {.trust_domain = "cluster.local", .serial = {1}};
	struct authority *authority = authority_create(&plan, clock_system(), &error);
	signer_cell_put(f->signers,
	                signer_new(authority, bundle_of(authority_cert(authority), &error),
	                           (struct template_lifetime){3600, 86400}, "cluster.local", clock_system()));
}

static void done(struct fixture *f)
{
	signing_free(f->signing);
	signer_cell_free(f->signers);
	text_done(&f->csr);
	pthread_mutex_destroy(&f->mutex);
	pthread_cond_destroy(&f->cond);
}

static struct signing_job *job(struct fixture *f, const char *account)
{
	struct spiffe_id id;
	struct error error;
	ck_assert(spiffe_id_make("cluster.local", "shop", account, &id, &error));
	return signing_job_new(&id, f->csr.s, f->csr.n, 0, f);
}

static enum signing_outcome put(struct fixture *f, const char *account)
{
	struct signing_job *one = job(f, account);
	enum signing_outcome outcome = signing_put(f->signing, one);
	if (outcome != SIGNING_QUEUED)
		signing_job_free(one);
	return outcome;
}

/* Waits for the next. */
static struct signing_job *take(struct fixture *f)
{
	struct timespec until;
	struct signing_job *one;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (!(one = signing_take(f->signing))) {
		pthread_mutex_lock(&f->mutex);
		while (!f->is_done)
			ck_assert_int_eq(pthread_cond_timedwait(&f->cond, &f->mutex, &until), 0);
		f->is_done = false;
		pthread_mutex_unlock(&f->mutex);
	}
	return one;
}

START_TEST(what_is_put_comes_back_judged)
{
	struct fixture f;
	struct signing_stats stats;
	init(&f);
	ck_assert_int_eq(put(&f, "cart"), SIGNING_QUEUED);
	struct signing_job *one = take(&f);
	ck_assert(one->is_unsigned && !one->is_issued && one->owner == &f);
	signing_job_free(one);
	put_authority(&f);
	put(&f, "cart");
	one = take(&f);
	ck_assert_msg(one->is_issued, "%s", one->refusal.error.message);
	ck_assert_uint_eq(one->issued.n, 2);
	signing_job_free(one);
	one = job(&f, "cart");
	one->csr[60] ^= 1;
	ck_assert_int_eq(signing_put(f.signing, one), SIGNING_QUEUED);
	one = take(&f);
	ck_assert(!one->is_issued && !one->is_unsigned && one->refusal.error.message[0]);
	signing_job_free(one);
	signing_stats(f.signing, &stats);
	ck_assert_uint_eq(stats.signed_total, 2);
	ck_assert_uint_eq(stats.waiting, 0);
	done(&f);
}
END_TEST

START_TEST(callers_take_turns_and_have_a_part_of_the_queue)
{
	struct fixture f;
	struct signing_stats stats;
	init(&f);
	put_authority(&f);
	enum signing_outcome outcome = SIGNING_QUEUED;
	for (int i = 0; i < 20 * SIGNING_CALLER_MAX && outcome == SIGNING_QUEUED; i++)
		outcome = put(&f, "greedy");
	ck_assert_int_eq(outcome, SIGNING_CROWD);
	ck_assert_int_eq(put(&f, "modest"), SIGNING_QUEUED);
	for (;;) {
		struct signing_job *one = take(&f);
		bool is_modest = !strcmp(one->caller.account, "modest");
		signing_job_free(one);
		if (is_modest)
			break;
	}
	signing_stats(f.signing, &stats);
	ck_assert_uint_ge(stats.waiting, 1);
	outcome = SIGNING_QUEUED;
	for (int i = 0; i < 20 * SIGNING_QUEUE_MAX && outcome == SIGNING_QUEUED; i++) {
		char name[16];
		snprintf(name, sizeof name, "a%d", i);
		outcome = put(&f, name);
	}
	ck_assert_int_eq(outcome, SIGNING_FULL);
	done(&f);
}
END_TEST

START_TEST(what_is_cancelled_is_gone)
{
	struct fixture f;
	struct signing_job *jobs[64];
	init(&f);
	put_authority(&f);
	for (size_t i = 0; i < 64; i++) {
		jobs[i] = job(&f, i % 2 ? "a" : "b");
		ck_assert_int_eq(signing_put(f.signing, jobs[i]), SIGNING_QUEUED);
	}
	for (size_t i = 0; i < 63; i++) /* in whatever state they are: waiting, under way, done */
		signing_cancel(f.signing, jobs[i]);
	struct signing_job *one = take(&f);
	ck_assert_ptr_eq(one, jobs[63]);
	ck_assert_ptr_null(signing_take(f.signing));
	signing_job_free(one);
	done(&f);
}
END_TEST

UNIT_MAIN("signing", what_is_put_comes_back_judged, callers_take_turns_and_have_a_part_of_the_queue,
          what_is_cancelled_is_gone)
