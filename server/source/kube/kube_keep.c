#include "server/source/kube/kube_private.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/slot.h"

#include <stdlib.h>

static void bundle_free_text(void *bundle)
{
	text_done(bundle);
	free(bundle);
}

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
	source->roots = kube_roots_new(source->kinds[KIND_NAMESPACE].watch, clock_system());
	source->bundles = slot_new(bundle_free_text);
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
	kube_roots_free(source->roots);
	slot_free(source->bundles);
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

/* ---- the roots in every namespace ---- */

void kube_source_set_roots(struct kube_source *source, const char *pem, size_t n)
{
	struct text *bundle = HEAP_NEW(struct text);
	text_add_n(bundle, pem, n);
	slot_put(source->bundles, bundle);
	wake_up(&source->wake);
}

static bool roots_on_body(void *context, const char *s, size_t n)
{
	struct kube_source *source = context;
	return kube_roots_body(source->roots, s, n);
}

static void roots_on_end(void *context, const struct kube_response *response)
{
	struct kube_source *source = context;
	kube_roots_read_ended(source->roots, response);
}

static void roots_read(struct kube_source *source, const struct kube_request *request)
{
	struct kube_request full = *request;
	struct error error;

	full.on_body = roots_on_body;
	full.on_end = roots_on_end;
	full.context = source;
	if (!kube_http_start(source->http, &full, &error))
		roots_on_end(source, &(struct kube_response){.error = error.message, .body = "", .retry_after_ms = -1});
}

struct roots_call {
	struct kube_source *source;
	char *namespace;
};

static void roots_on_written(void *context, const struct kube_response *response)
{
	struct roots_call *call = context;
	const char *note = kube_roots_written(call->source->roots, call->namespace, response);
	if (note)
		log_warn("kube", "%s", note);
	free(call->namespace);
	free(call);
}

/* The call moves in. */
static void roots_write(struct kube_source *source, const struct kube_request *request, struct roots_call *call)
{
	struct kube_request full = *request;
	struct error error;

	full.on_end = roots_on_written;
	full.context = call;
	if (!kube_http_start(source->http, &full, &error))
		roots_on_written(call,
		                 &(struct kube_response){.error = error.message, .body = "", .retry_after_ms = -1});
}

int64_t kube_keep_roots(struct kube_source *source)
{
	struct text *bundle = slot_take(source->bundles);
	const struct kube_request *request;
	int64_t read_ns, write_ns;
	char *namespace;

	if (bundle) {
		kube_roots_set(source->roots, bundle->s, bundle->n);
		bundle_free_text(bundle);
	}
	kube_roots_lead(source->roots, source->is_leader);
	if ((request = kube_roots_read(source->roots, &read_ns)))
		roots_read(source, request);
	while ((request = kube_roots_write(source->roots, &namespace, &write_ns))) {
		struct roots_call *call = HEAP_NEW(struct roots_call);
		*call = (struct roots_call){source, namespace};
		roots_write(source, request, call);
	}
	return read_ns < write_ns ? read_ns : write_ns;
}
