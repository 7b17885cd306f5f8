#include "server/source/kube/kube_private.h"

static void on_change(void *context)
{
	const struct kube_source *source = context;
	if (source->on_secret)
		source->on_secret(source->context);
}

void kube_keep_init(struct kube_source *source, const struct kube_source_options *options)
{
	source->on_secret = options->on_secret;
	source->context = options->context;
	for (size_t i = 0; i < KUBE_SECRETS; i++) {
		struct kube_secret_place *place = &source->secrets[i];
		place->source = source;
		place->cell = kube_secret_cell_new(&source->wake);
		if (options->secrets[i])
			place->poll = kube_secret_poll_new(&(struct kube_secret_poll_options){
			    .namespace = source->root_namespace,
			    .name = options->secrets[i],
			    .cell = place->cell,
			    .clock = clock_system(),
			    .on_change = on_change,
			    .context = source,
			});
	}
}

void kube_keep_done(struct kube_source *source)
{
	for (size_t i = 0; i < KUBE_SECRETS; i++) {
		kube_secret_poll_free(source->secrets[i].poll);
		kube_secret_cell_free(source->secrets[i].cell);
	}
}

struct kube_secret_cell *kube_source_secret(struct kube_source *source, enum kube_secret_row row)
{
	return source->secrets[row].cell;
}

static bool secret_on_body(void *context, const char *s, size_t n)
{
	const struct kube_secret_place *place = context;
	return kube_secret_poll_body(place->poll, s, n);
}

static void secret_on_end(void *context, const struct kube_response *response)
{
	const struct kube_secret_place *place = context;
	kube_secret_poll_ended(place->poll, response);
}

static void secret_start(struct kube_secret_place *place, const struct kube_request *request)
{
	struct kube_request full = *request;
	struct error error;

	full.on_body = secret_on_body;
	full.on_end = secret_on_end;
	full.context = place;
	if (!kube_http_start(place->source->http, &full, &error))
		secret_on_end(place, &(struct kube_response){.error = error.message, .body = "", .retry_after_ms = -1});
}

int64_t kube_keep_secrets(struct kube_source *source)
{
	int64_t first_ns = INT64_MAX;

	for (size_t i = 0; i < KUBE_SECRETS; i++) {
		struct kube_secret_place *place = &source->secrets[i];
		int64_t at_ns = INT64_MAX;
		const struct kube_request *request = place->poll ? kube_secret_poll_next(place->poll, &at_ns) : NULL;
		if (request)
			secret_start(place, request);
		first_ns = at_ns < first_ns ? at_ns : first_ns;
	}
	return first_ns;
}
