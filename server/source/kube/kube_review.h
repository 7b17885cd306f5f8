#pragma once
/*
 * Whose a token is, by asking the API server (authentication.k8s.io/v1, TokenReview). A state machine without I/O, as
 * kube_lease.h: questions from any thread wait in a queue, some are under way.
 *
 *     any thread     kube_review_ask(review, token, n, on_answer, context)
 *     kube thread    while ((request = kube_review_next(review, &question))) start it …; kube_review_ended(…)
 *
 * Believed is what the server vouches for as a service account, meant for our audience. Whether the pod that the token
 * is bound to still exists the server looks up too.
 */
#include "server/source/kube/kube_http.h"
#include "token/service_account.h"

#define KUBE_REVIEW_QUEUE_MAX 1024   /* that wait: no more than this is asked of us */
#define KUBE_REVIEW_UNDER_WAY_MAX 16 /* at once */
#define KUBE_REVIEW_TIMEOUT_MS 5000  /* of one request */
#define KUBE_REVIEW_TOKEN_MAX (16u << 10)

enum kube_review_outcome {
	KUBE_REVIEW_GOOD,
	KUBE_REVIEW_BAD,     /* the server says so, or it is nobody whom we know */
	KUBE_REVIEW_UNKNOWN, /* there was no answer */
};

struct kube_review_answer {
	enum kube_review_outcome outcome;
	struct service_account account; /* when GOOD */
	const char *message;            /* unless GOOD: why, in words; never the token */
};

/* Called once for each question that was taken in, on the kube thread or on that which frees; must not block. */
typedef void kube_review_on_answer(void *context, const struct kube_review_answer *answer);

struct kube_review;
struct kube_question;

struct kube_review_stats {
	size_t waiting, under_way;
	uint64_t answers[KUBE_REVIEW_UNKNOWN + 1];
};

struct kube_review *kube_review_new(const char *audience);
void kube_review_free(struct kube_review *review); /* what was not answered is UNKNOWN; NULL is fine */

/* Any thread. The token is copied. False: the queue is full (on_answer is not called). */
bool kube_review_ask(struct kube_review *review, const char *token, kube_review_on_answer *on_answer, void *context);
void kube_review_stats(struct kube_review *review, struct kube_review_stats *stats);

/* A request to start now, or NULL. Its functions are the caller's to set. Until the next call. */
const struct kube_request *kube_review_next(struct kube_review *review, struct kube_question **question);
void kube_review_ended(struct kube_review *review, struct kube_question *question,
                       const struct kube_response *response);
