#include "server/source/kube/kube_review.h"

#include "base/text.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct kube_review_answer got;
static char words[1024];
static unsigned n_answers;

static void on_answer(void *context, const struct kube_review_answer *answer)
{
	(void)context;
	got = *answer;
	snprintf(words, sizeof words, "%s", answer->message ? answer->message : "");
	n_answers++;
}

#define STATUS(authenticated, user, audiences)                                                                         \
	"{\"kind\":\"TokenReview\",\"status\":{\"authenticated\":" authenticated ",\"user\":" user                     \
	",\"audiences\":" audiences "}}"
#define REVIEWS "{\"username\":\"system:serviceaccount:shop:reviews\",\"groups\":[\"system:serviceaccounts\"]}"
#define OURS "[\"istio-ca\"]"

START_TEST(only_a_service_accounts_token_for_us_is_believed)
{
	static const struct {
		const char *body, *error; /* error: there was no good answer */
		enum kube_review_outcome want;
		const char *words;
	} rows[] = {
	    {STATUS("true", REVIEWS, OURS), NULL, KUBE_REVIEW_GOOD, ""},
	    {STATUS("true", REVIEWS, "[\"x\",\"istio-ca\"]"), NULL, KUBE_REVIEW_GOOD, ""},
	    {STATUS("true", REVIEWS, "[\"x\"]"), NULL, KUBE_REVIEW_BAD, "not meant for \"istio-ca\""},
	    {STATUS("true", REVIEWS, "null"), NULL, KUBE_REVIEW_BAD, "not meant for"},
	    {STATUS("false", REVIEWS, OURS), NULL, KUBE_REVIEW_BAD, "does not know the token"},
	    {STATUS("\"true\"", REVIEWS, OURS), NULL, KUBE_REVIEW_BAD, "does not know the token"},
	    {"{\"status\":{\"error\":\"it is over\"}}", NULL, KUBE_REVIEW_BAD, "it is over"},
	    {STATUS("true", "{\"username\":\"jane\",\"groups\":[\"system:serviceaccounts\"]}", OURS), NULL,
	     KUBE_REVIEW_BAD, "not a service account"},
	    {STATUS("true", "{\"username\":\"system:serviceaccount:shop:reviews\",\"groups\":[\"users\"]}", OURS), NULL,
	     KUBE_REVIEW_BAD, "not a service account"},
	    {STATUS("true", "{}", OURS), NULL, KUBE_REVIEW_BAD, "not a service account"},
	    {"{}", NULL, KUBE_REVIEW_UNKNOWN, "cannot be read"},
	    {"<html>", NULL, KUBE_REVIEW_UNKNOWN, "cannot be read"},
	    {"", "503: not now", KUBE_REVIEW_UNKNOWN, "503: not now"},
	    {STATUS("true", REVIEWS, OURS), "500", KUBE_REVIEW_UNKNOWN, "500"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kube_review *review = kube_review_new("istio-ca");
		struct kube_question *question;
		n_answers = 0;
		ck_assert(kube_review_ask(review, "a.\"b.c", on_answer, NULL));
		const struct kube_request *request = kube_review_next(review, &question);
		ck_assert_str_eq(request->method, "POST");
		ck_assert_str_eq(request->path, "/apis/authentication.k8s.io/v1/tokenreviews");
		ck_assert_str_eq(request->body,
		                 "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\",\"spec\":{"
		                 "\"audiences\":[\"istio-ca\"],\"token\":\"a.\\\"b.c\"}}");
		kube_review_ended(review, question,
		                  &(struct kube_response){.status = 201, .error = rows[i].error, .body = rows[i].body});
		ck_assert_uint_eq(n_answers, 1);
		ck_assert_msg(got.outcome == rows[i].want, "row %zu: %d %s", i, got.outcome, words);
		ck_assert_msg(strstr(words, rows[i].words) != NULL, "row %zu: %s", i, words);
		if (got.outcome == KUBE_REVIEW_GOOD)
			ck_assert_msg(!strcmp(got.account.ns, "shop") && !strcmp(got.account.name, "reviews"),
			              "row %zu", i);
		kube_review_free(review);
	}
}
END_TEST

START_TEST(questions_are_bounded_and_all_answered)
{
	struct kube_review *review = kube_review_new("istio-ca");
	struct kube_question *question, *first = NULL;
	struct kube_review_stats stats;
	size_t n = 0;
	n_answers = 0;
	while (kube_review_ask(review, "t", on_answer, NULL))
		n++;
	ck_assert_uint_eq(n, KUBE_REVIEW_QUEUE_MAX);
	for (n = 0; kube_review_next(review, &question); n++)
		first = first ? first : question;
	ck_assert_uint_eq(n, KUBE_REVIEW_UNDER_WAY_MAX);
	kube_review_ended(review, first, &(struct kube_response){.error = "gone", .body = ""});
	ck_assert_ptr_nonnull(kube_review_next(review, &question));
	ck_assert_ptr_null(kube_review_next(review, &question));
	kube_review_stats(review, &stats);
	ck_assert_uint_eq(stats.under_way, KUBE_REVIEW_UNDER_WAY_MAX);
	ck_assert_uint_eq(stats.waiting, KUBE_REVIEW_QUEUE_MAX - KUBE_REVIEW_UNDER_WAY_MAX - 1);
	kube_review_free(review);
	ck_assert_uint_eq(n_answers, KUBE_REVIEW_QUEUE_MAX);
	ck_assert_int_eq(got.outcome, KUBE_REVIEW_UNKNOWN);
}
END_TEST

START_TEST(a_token_that_is_too_large_is_not_asked_about)
{
	CLEANUP(text_done) struct text token = {0};
	struct kube_review *review = kube_review_new("istio-ca");
	while (token.n <= KUBE_REVIEW_TOKEN_MAX)
		text_add_char(&token, 'a');
	ck_assert(!kube_review_ask(review, token.s, on_answer, NULL));
	kube_review_free(review);
}
END_TEST

UNIT_MAIN("kube_review", only_a_service_accounts_token_for_us_is_believed, questions_are_bounded_and_all_answered,
          a_token_that_is_too_large_is_not_asked_about)
