#include "server/source/kube/kube_private.h"

#include "base/heap.h"

#include <stdlib.h>

struct ask_call {
	struct kube_source *source;
	struct kube_question *question;
};

static void ask_on_end(void *context, const struct kube_response *response)
{
	struct ask_call *call = context;
	kube_review_ended(call->source->review, call->question, response);
	free(call);
}

void kube_ask_reviews(struct kube_source *source)
{
	const struct kube_request *request;
	struct kube_question *question;
	struct error error;

	while ((request = kube_review_next(source->review, &question))) {
		struct kube_request full = *request;
		struct ask_call *call = HEAP_NEW(struct ask_call);
		*call = (struct ask_call){.source = source, .question = question};
		full.on_end = ask_on_end;
		full.context = call;
		if (!kube_http_start(source->http, &full, &error))
			ask_on_end(call,
			           &(struct kube_response){.error = error.message, .body = "", .retry_after_ms = -1});
	}
}

bool kube_source_review(struct kube_source *source, const char *token, kube_review_on_answer *on_answer, void *context)
{
	bool is_asked = kube_review_ask(source->review, token, on_answer, context);
	if (is_asked)
		wake_up(&source->wake);
	return is_asked;
}

void kube_source_review_stats(struct kube_source *source, struct kube_review_stats *stats)
{
	kube_review_stats(source->review, stats);
}
