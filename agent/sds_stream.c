#include "agent/sds_private.h"

#include "base/heap.h"
#include "base/log.h"
#include "proto/envoy.h"
#include "proto/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSAL_WORDS_MAX 512 /* of Envoy's, in the log */

/* A request of either form. */
struct sds_request {
	const char *type_url, *nonce;
	const google_status *refusal; /* NULL: it refuses nothing */
	char *const *names;           /* delta: those that come */
	size_t n_names;
	char *const *gone; /* delta only */
	size_t n_gone;
};

struct sds_stream *sds_stream_new(struct sds *sds, struct transport_stream *transport, enum sds_method method)
{
	struct sds_stream *stream = HEAP_NEW(struct sds_stream);
	stream->sds = sds;
	stream->transport = transport;
	stream->method = method;
	stream->next = sds->streams;
	stream->link = &sds->streams;
	if (stream->next)
		stream->next->link = &stream->next;
	sds->streams = stream;
	sds->stats.streams++;
	return stream;
}

static void unsubscribe(struct sds_stream *stream, size_t i)
{
	struct sds_entry *entry = stream->subscriptions[i].entry;
	stream->subscriptions[i] = stream->subscriptions[--stream->n_subscriptions];
	entry->n_subscriptions--;
	sds_entry_settle(stream->sds, entry);
}

void sds_stream_free(struct sds_stream *stream)
{
	while (stream->n_subscriptions)
		unsubscribe(stream, stream->n_subscriptions - 1);
	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	stream->sds->stats.streams--;
	free(stream);
}

static void finish(struct sds_stream *stream, enum transport_status status, const char *message)
{
	log_warn("sds", "a stream is ended: %s", message);
	stream->is_finished = true;
	stream->transport->ops->finish(stream->transport, status, message);
}

/* ---- requests ---- */

static bool request_read(struct sds_stream *stream, struct arena *arena, const uint8_t *data, size_t n,
                         struct sds_request *request, struct error *error)
{
	const ProtobufCMessageDescriptor *type =
	    stream->method == SDS_DELTA ? envoy_delta_discovery_request_type() : envoy_discovery_request_type();
	ProtobufCMessage *message = unpack(arena, type, data, n, error);
	if (!message)
		return false;
	if (stream->method == SDS_DELTA) {
		const envoy_delta_discovery_request *delta = (const envoy_delta_discovery_request *)message;
		*request = (struct sds_request){delta->type_url,
		                                delta->response_nonce,
		                                delta->error_detail,
		                                delta->resource_names_subscribe,
		                                delta->n_resource_names_subscribe,
		                                delta->resource_names_unsubscribe,
		                                delta->n_resource_names_unsubscribe};
	} else {
		const envoy_discovery_request *whole = (const envoy_discovery_request *)message;
		*request = (struct sds_request){.type_url = whole->type_url,
		                                .nonce = whole->response_nonce,
		                                .refusal = whole->error_detail,
		                                .names = whole->resource_names,
		                                .n_names = whole->n_resource_names};
	}
	return !request->type_url[0] || !strcmp(request->type_url, SDS_TYPE_URL) ||
	       error_set(error, "only secrets are served here, not %.200s", request->type_url);
}

static struct sds_subscription *subscription_find(struct sds_stream *stream, const char *name)
{
	for (size_t i = 0; i < stream->n_subscriptions; i++)
		if (!strcmp(stream->subscriptions[i].entry->name, name))
			return &stream->subscriptions[i];
	return NULL;
}

static bool subscribe(struct sds_stream *stream, const char *name, struct error *error)
{
	struct sds_subscription *subscription = subscription_find(stream, name);
	if (subscription) {
		if (stream->method == SDS_DELTA) /* asked for once more: it is to be sent once more */
			subscription->sent = (struct digest){0};
		return true;
	}
	if (strlen(name) > SDS_NAME_MAX)
		return error_set(error, "the name of a secret is longer than %d bytes", SDS_NAME_MAX);
	if (stream->n_subscriptions == SDS_NAMES_MAX)
		return error_set(error, "more than %d secrets on one stream", SDS_NAMES_MAX);
	struct sds_entry *entry = sds_entry_need(stream->sds, name);
	if (!entry)
		return error_set(error, "more than %d secrets", SDS_TABLE_MAX);
	entry->n_subscriptions++;
	entry->had_subscription = true;
	stream->subscriptions[stream->n_subscriptions++] = (struct sds_subscription){.entry = entry};
	return true;
}

static bool is_listed(const char *name, const struct sds_request *request)
{
	for (size_t i = 0; i < request->n_names; i++)
		if (!strcmp(request->names[i], name))
			return true;
	return false;
}

static bool request_subscribe(struct sds_stream *stream, const struct sds_request *request, struct error *error)
{
	for (size_t i = stream->n_subscriptions; i > 0 && stream->method == SDS_STREAM; i--)
		if (!is_listed(stream->subscriptions[i - 1].entry->name, request))
			unsubscribe(stream, i - 1);
	for (size_t i = 0; i < request->n_gone; i++) {
		struct sds_subscription *subscription = subscription_find(stream, request->gone[i]);
		if (subscription)
			unsubscribe(stream, (size_t)(subscription - stream->subscriptions));
	}
	for (size_t i = 0; i < request->n_names; i++)
		if (!subscribe(stream, request->names[i], error))
			return false;
	return true;
}

/* Envoy's answer to a response, which need not be the last one. */
static void request_answer(struct sds_stream *stream, const struct sds_request *request)
{
	CLEANUP(text_done) struct text names = {0};
	uint64_t nonce = 0;
	if (!text_parse_uint(request->nonce, UINT64_MAX, &nonce) || nonce == 0)
		return;
	for (size_t i = 0; i < stream->n_subscriptions; i++) {
		struct sds_subscription *subscription = &stream->subscriptions[i];
		if (subscription->nonce != nonce)
			continue;
		text_printf(&names, "%s%.200s", names.n ? ", " : "", subscription->entry->name);
		if (!request->refusal)
			subscription->acknowledged = subscription->sent;
	}
	if (!names.n)
		return;
	if (request->refusal) {
		stream->sds->stats.refusals++;
		log_warn("sds", "Envoy refused %s: %.*s; it keeps what it has until there is another", names.s,
		         REFUSAL_WORDS_MAX, request->refusal->message);
	} else {
		stream->sds->stats.acknowledgements++;
		log_debug("sds", "Envoy acknowledged %s", names.s);
	}
}

bool sds_stream_message(struct sds_stream *stream, const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct sds_request request;
	struct error error;
	if (stream->is_finished)
		return false;
	if (!request_read(stream, arena, data, n, &request, &error)) {
		finish(stream, TRANSPORT_INVALID_ARGUMENT, error.message);
		return false;
	}
	request_answer(stream, &request);
	if (!request_subscribe(stream, &request, &error))
		finish(stream, TRANSPORT_RESOURCE_EXHAUSTED, error.message);
	return true;
}

/* ---- responses ---- */

static bool is_due(const struct sds_subscription *subscription)
{
	const struct sds_secret *secret = subscription->entry->secret;
	return secret && !digest_equal(secret->digest, subscription->sent);
}

static google_any *secret_any(struct arena *arena, const struct sds_secret *secret)
{
	google_any *any = google_any_new(arena);
	any->type_url = arena_strdup(arena, SDS_TYPE_URL);
	any->value.data = secret->data;
	any->value.len = secret->n;
	return any;
}

static char *version_text(struct arena *arena, const struct sds_secret *secret)
{
	char hex[DIGEST_HEX];
	digest_hex(secret->digest, hex);
	return arena_strdup(arena, hex);
}

static struct bytes response_delta(struct sds_stream *stream, struct arena *arena, char *nonce)
{
	envoy_delta_discovery_response *response = envoy_delta_discovery_response_new(arena);
	response->type_url = arena_strdup(arena, SDS_TYPE_URL);
	response->nonce = nonce;
	for (size_t i = 0; i < stream->n_subscriptions; i++) {
		struct sds_subscription *subscription = &stream->subscriptions[i];
		const struct sds_secret *secret = subscription->entry->secret;
		if (!is_due(subscription))
			continue;
		envoy_resource *resource = envoy_resource_new(arena);
		resource->name = arena_strdup(arena, subscription->entry->name);
		resource->version = version_text(arena, secret);
		resource->resource = secret_any(arena, secret);
		BUILD_ADD(arena, response, resources, resource);
		subscription->sent = secret->digest;
		subscription->nonce = stream->nonce;
	}
	return pack(arena, &response->base);
}

/* All that the stream subscribes to and that there is: so Envoy sees it, whether or not it keeps what is left out. */
static struct bytes response_whole(struct sds_stream *stream, struct arena *arena, char *nonce)
{
	envoy_discovery_response *response = envoy_discovery_response_new(arena);
	struct digest_state state;
	char hex[DIGEST_HEX];
	digest_init(&state);
	for (size_t i = 0; i < stream->n_subscriptions; i++) {
		struct sds_subscription *subscription = &stream->subscriptions[i];
		const struct sds_secret *secret = subscription->entry->secret;
		if (!secret)
			continue;
		BUILD_ADD(arena, response, resources, secret_any(arena, secret));
		digest_add_digest(&state, secret->digest);
		subscription->sent = secret->digest;
		subscription->nonce = stream->nonce;
	}
	digest_hex(digest_final(&state), hex);
	response->version_info = arena_strdup(arena, hex);
	response->type_url = arena_strdup(arena, SDS_TYPE_URL);
	response->nonce = nonce;
	return pack(arena, &response->base);
}

void sds_stream_work(struct sds_stream *stream)
{
	bool is_any_due = false;
	for (size_t i = 0; i < stream->n_subscriptions; i++)
		is_any_due = is_any_due || is_due(&stream->subscriptions[i]);
	if (!is_any_due || stream->is_sending || stream->is_finished)
		return;

	CLEANUP(arena_freep) struct arena *arena = arena_new();
	stream->nonce++;
	char *nonce = arena_printf(arena, "%llu", (unsigned long long)stream->nonce);
	struct bytes bytes =
	    stream->method == SDS_DELTA ? response_delta(stream, arena, nonce) : response_whole(stream, arena, nonce);
	struct buffer *buffer = buffer_new(bytes.n);
	memcpy(buffer->data, bytes.data, bytes.n);
	stream->is_sending = true;
	stream->sds->stats.responses++;
	stream->transport->ops->send(stream->transport, &buffer, 1);
	buffer_unref(buffer);
}
