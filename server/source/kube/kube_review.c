#include "server/source/kube/kube_review.h"

#include "base/heap.h"
#include "base/json.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/apis/authentication.k8s.io/v1/tokenreviews"
#define ACCOUNTS_GROUP "system:serviceaccounts" /* in which the server puts every one of them, and nobody else */

struct kube_question {
	char *token; /* NULL: under way */
	kube_review_on_answer *on_answer;
	void *context;
	struct kube_question *next, *previous;
};

struct question_list {
	struct kube_question *first, *last;
	size_t n;
};

struct kube_review {
	char *audience;
	struct text body; /* of the request made last */
	struct kube_request request;
	pthread_mutex_t mutex;
	struct question_list waiting, under_way;
	uint64_t answers[KUBE_REVIEW_UNKNOWN + 1];
};

static void list_append(struct question_list *list, struct kube_question *question)
{
	question->next = NULL;
	question->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = question;
	list->last = question;
	list->n++;
}

static void list_remove(struct question_list *list, struct kube_question *question)
{
	*(question->previous ? &question->previous->next : &list->first) = question->next;
	*(question->next ? &question->next->previous : &list->last) = question->previous;
	list->n--;
}

static void wipe(char *s)
{
	if (s)
		OPENSSL_cleanse(s, strlen(s));
}

static void question_free(struct kube_question *question)
{
	wipe(question->token);
	free(question->token);
	free(question);
}

static void answer(struct kube_review *review, struct kube_question *question, const struct kube_review_answer *answer)
{
	pthread_mutex_lock(&review->mutex);
	review->answers[answer->outcome]++;
	pthread_mutex_unlock(&review->mutex);
	question->on_answer(question->context, answer);
	question_free(question);
}

/* ---- life ---- */

struct kube_review *kube_review_new(const char *audience)
{
	struct kube_review *review = HEAP_NEW(struct kube_review);
	review->audience = heap_strdup(audience);
	pthread_mutex_init(&review->mutex, NULL);
	return review;
}

static void answer_all(struct kube_review *review, struct question_list *list)
{
	struct kube_question *question;
	while ((question = list->first)) {
		list_remove(list, question);
		answer(review, question,
		       &(struct kube_review_answer){.outcome = KUBE_REVIEW_UNKNOWN, .message = "weftd is stopping"});
	}
}

void kube_review_free(struct kube_review *review)
{
	if (!review)
		return;
	answer_all(review, &review->under_way);
	answer_all(review, &review->waiting);
	wipe(review->body.s);
	text_done(&review->body);
	pthread_mutex_destroy(&review->mutex);
	free(review->audience);
	free(review);
}

void kube_review_stats(struct kube_review *review, struct kube_review_stats *stats)
{
	pthread_mutex_lock(&review->mutex);
	stats->waiting = review->waiting.n;
	stats->under_way = review->under_way.n;
	memcpy(stats->answers, review->answers, sizeof stats->answers);
	pthread_mutex_unlock(&review->mutex);
}

/* ---- questions ---- */

bool kube_review_ask(struct kube_review *review, const char *token, kube_review_on_answer *on_answer, void *context)
{
	bool has_room = false;
	if (strlen(token) > KUBE_REVIEW_TOKEN_MAX)
		return false;
	struct kube_question *question = HEAP_NEW(struct kube_question);
	*question = (struct kube_question){.token = heap_strdup(token), .on_answer = on_answer, .context = context};
	pthread_mutex_lock(&review->mutex);
	has_room = review->waiting.n < KUBE_REVIEW_QUEUE_MAX;
	if (has_room)
		list_append(&review->waiting, question);
	pthread_mutex_unlock(&review->mutex);
	if (!has_room)
		question_free(question);
	return has_room;
}

static void print_body(struct kube_review *review, const char *token)
{
	struct text *body = &review->body;
	wipe(body->s);
	text_done(body);
	*body = (struct text){0};
	text_add(body,
	         "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\",\"spec\":{\"audiences\":[");
	text_add_json_string(body, review->audience, strlen(review->audience));
	text_add(body, "],\"token\":");
	text_add_json_string(body, token, strlen(token));
	text_add(body, "}}");
}

const struct kube_request *kube_review_next(struct kube_review *review, struct kube_question **question)
{
	struct kube_question *next = NULL;
	pthread_mutex_lock(&review->mutex);
	if (review->under_way.n < KUBE_REVIEW_UNDER_WAY_MAX && review->waiting.first) {
		next = review->waiting.first;
		list_remove(&review->waiting, next);
		list_append(&review->under_way, next);
	}
	pthread_mutex_unlock(&review->mutex);
	if (!next)
		return NULL;
	*question = next;
	print_body(review, next->token);
	wipe(next->token);
	review->request = (struct kube_request){.method = "POST",
	                                        .path = PATH,
	                                        .content_type = "application/json",
	                                        .body = review->body.s,
	                                        .n_body = review->body.n,
	                                        .timeout_ms = KUBE_REVIEW_TIMEOUT_MS};
	return &review->request;
}

/* ---- answers ---- */

static bool list_has(const struct json *list, const char *want)
{
	for (size_t i = 0; list && list->type == JSON_ARRAY && i < list->array.n; i++)
		if (list->array.v[i]->type == JSON_STRING && strcmp(list->array.v[i]->string.s, want) == 0)
			return true;
	return false;
}

static bool is_true(const struct json *value)
{
	return value && value->type == JSON_BOOL && value->boolean;
}

static bool check_status(const struct kube_review *review, const struct json *status, struct service_account *account,
                         struct error *error)
{
	const struct json *user = json_get(status, "user");
	const char *name = json_get_string(user, "username"), *why = json_get_string(status, "error");
	if (!is_true(json_get(status, "authenticated")))
		return error_set(error, "the API server does not know the token%s%s", why ? ": " : "", why ? why : "");
	if (!list_has(json_get(status, "audiences"), review->audience))
		return error_set(error, "the token is not meant for \"%s\"", review->audience);
	if (!name || !list_has(json_get(user, "groups"), ACCOUNTS_GROUP))
		return error_set(error, "the token is not a service account's");
	return service_account_parse(name, account, error);
}

static void read_answer(const struct kube_review *review, const char *body, struct kube_review_answer *answer,
                        struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct json *json = json_parse(arena, body, strlen(body), error);
	const struct json *status = json ? json_get(json, "status") : NULL;
	if (!status) {
		error_set(error, "the API server's answer cannot be read");
		return;
	}
	answer->outcome = check_status(review, status, &answer->account, error) ? KUBE_REVIEW_GOOD : KUBE_REVIEW_BAD;
}

void kube_review_ended(struct kube_review *review, struct kube_question *question, const struct kube_response *response)
{
	struct error error = {""};
	struct kube_review_answer result = {.outcome = KUBE_REVIEW_UNKNOWN, .message = error.message};

	pthread_mutex_lock(&review->mutex);
	list_remove(&review->under_way, question);
	pthread_mutex_unlock(&review->mutex);
	if (response->error)
		error_set(&error, "the API server was asked whose the token is: %s", response->error);
	else
		read_answer(review, response->body, &result, &error);
	answer(review, question, &result);
}
