#include "server/xds/stream.h"

#include "base/heap.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/codec.h"
#include "server/xds/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE(package, service, method) "/envoy.service." package ".v3." service "/" method
#define ALL RESOURCE_TYPE_COUNT

const struct stream_method stream_methods[STREAM_METHODS] = {
    {SERVICE("discovery", "AggregatedDiscoveryService", "StreamAggregatedResources"), REQUEST_SOTW, ALL},
    {SERVICE("discovery", "AggregatedDiscoveryService", "DeltaAggregatedResources"), REQUEST_DELTA, ALL},
    {SERVICE("cluster", "ClusterDiscoveryService", "StreamClusters"), REQUEST_SOTW, RESOURCE_CLUSTER},
    {SERVICE("cluster", "ClusterDiscoveryService", "DeltaClusters"), REQUEST_DELTA, RESOURCE_CLUSTER},
    {SERVICE("endpoint", "EndpointDiscoveryService", "StreamEndpoints"), REQUEST_SOTW, RESOURCE_ENDPOINTS},
    {SERVICE("endpoint", "EndpointDiscoveryService", "DeltaEndpoints"), REQUEST_DELTA, RESOURCE_ENDPOINTS},
    {SERVICE("listener", "ListenerDiscoveryService", "StreamListeners"), REQUEST_SOTW, RESOURCE_LISTENER},
    {SERVICE("listener", "ListenerDiscoveryService", "DeltaListeners"), REQUEST_DELTA, RESOURCE_LISTENER},
    {SERVICE("secret", "SecretDiscoveryService", "StreamSecrets"), REQUEST_SOTW, RESOURCE_SECRET},
    {SERVICE("secret", "SecretDiscoveryService", "DeltaSecrets"), REQUEST_DELTA, RESOURCE_SECRET},
    {SERVICE("route", "RouteDiscoveryService", "StreamRoutes"), REQUEST_SOTW, RESOURCE_ROUTE},
    {SERVICE("route", "RouteDiscoveryService", "DeltaRoutes"), REQUEST_DELTA, RESOURCE_ROUTE},
};

struct stream *stream_new(struct stream_env *env, struct transport_stream *transport,
                          const struct stream_method *method)
{
	struct stream *stream = HEAP_NEW(struct stream);

	stream->env = env;
	stream->transport = transport;
	stream->method = method;
	stream->opened_ns = clock_now_ns(env->clock);
	stream->deadline_ns = INT64_MAX;
	stream->is_settled = true;
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++)
		subscription_init(&stream->subs[type], type, method->form);
	return stream;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++)
		subscription_done(&stream->subs[type]);
	name_list_unref(stream->rewarmed);
	roster_node_unref(stream->node);
	proxy_config_unref(stream->config);
	free(stream);
}

static void stream_finish(struct stream *stream, enum transport_status status, const char *message)
{
	if (stream->is_finished)
		return;
	stream->is_finished = true;
	stream->is_settled = true;
	stream->deadline_ns = INT64_MAX;
	stream->transport->ops->finish(stream->transport, status, message);
}

static const char *stream_id(const struct stream *stream)
{
	return stream->node ? stream->node->node.id : "a proxy without a node";
}

/* A peer that does not keep to the protocol or to the caps. */
static void stream_reject(struct stream *stream, enum transport_status status, const char *message)
{
	CLEANUP(text_done) struct text peer = {0};

	stream->transport->ops->peer(stream->transport, &peer);
	log_warn("xds", "%s at %s: %s; closing its stream", stream_id(stream), text_get(&peer), message);
	stream->env->stats->rejected_requests++;
	stream_finish(stream, status, message);
}

/* A proxy that says that it is somebody else than it proved. It comes again and again: so not each is a line. */
static void stream_deny(struct stream *stream, const char *id, const char *message)
{
	struct stream_env *env = stream->env;
	CLEANUP(text_done) struct text peer = {0};
	int64_t now_ns = clock_now_ns(env->clock);

	env->stats->denied_streams++;
	if (now_ns >= env->denial_log_ns) {
		env->denial_log_ns = now_ns + STREAM_DENIAL_LOG_S * CLOCK_S;
		stream->transport->ops->peer(stream->transport, &peer);
		log_warn("xds", "%s at %s: %s; closing its stream (%llu so far; the next %d s say nothing of others)",
		         id, text_get(&peer), message, (unsigned long long)env->stats->denied_streams,
		         STREAM_DENIAL_LOG_S);
	}
	stream_finish(stream, TRANSPORT_PERMISSION_DENIED, message);
}

/* ---- requests ---- */

/*
 * The metadata as a tree: through its canonical JSON, which also says what a Struct may hold. False: the stream has
 * ended, or must.
 */
static bool stream_identify(struct stream *stream, struct arena *arena, const struct request *request,
                            struct error *error)
{
	const struct json *metadata = NULL;

	if (!request->node_id)
		return error_set(error, "the first request must carry a node with an id");
	if (request->metadata) {
		CLEANUP(text_done) struct text json = {0};
		codec_print(&request->metadata->base, 0, &json);
		metadata = json_parse(arena, text_get(&json), json.n, error);
		if (!metadata)
			return error_wrap(error, "node metadata");
	}
	const struct spiffe_id *caller = stream->transport->caller;
	bool is_denied = false;
	stream->node = caller ? roster_node_new_verified(request->node_id, metadata, caller, &is_denied, error)
	                      : roster_node_new(request->node_id, metadata, error);
	if (is_denied)
		stream_deny(stream, request->node_id, error->message);
	return stream->node != NULL;
}

/* Types we have nothing for are left unanswered, as if there was nothing to say yet. */
static void stream_unknown_type(struct stream *stream, const char *type_url)
{
	struct stream_env *env = stream->env;
	struct digest digest = digest_of(type_url, strlen(type_url));

	for (size_t i = 0; i < env->n_unknown_types; i++) {
		if (digest_equal(env->unknown_types[i], digest))
			return;
	}
	if (env->n_unknown_types == STREAM_UNKNOWN_TYPES_MAX)
		return;
	env->unknown_types[env->n_unknown_types++] = digest;
	log_warn("xds", "%s asks for resources of type %.200s, which are not served; leaving that unanswered",
	         stream_id(stream), type_url);
}

/* The subscription that the request is about; NULL when there is none, with *is_wrong saying whether it had to be. */
static struct subscription *stream_subscription(struct stream *stream, const struct request *request, bool *is_wrong)
{
	enum resource_type only = stream->method->type, type = request->type;

	*is_wrong = false;
	if (only == ALL)
		return type == ALL ? NULL : &stream->subs[type];
	if (type == only || !*request->type_url)
		return &stream->subs[only];
	*is_wrong = true;
	return NULL;
}

static void stream_nack(struct stream *stream, struct subscription *sub, const char *message)
{
	stream->env->stats->nacks[sub->type]++;
	subscription_nack(sub, &stream->env->shared, message);
	log_warn("xds", "%s refused %s%s%s: %s; keeping what it has", stream_id(stream),
	         resource_types[sub->type].short_name, *sub->nack->resource ? " " : "", sub->nack->resource,
	         sub->nack->message);
}

static bool stream_request(struct stream *stream, struct subscription *sub, struct arena *arena,
                           const struct request *request, struct error *error)
{
	bool is_first = !sub->is_open;
	enum subscription_answer answer = subscription_answer(sub, request);

	if (answer == ANSWER_ACK) {
		stream->env->stats->acks[sub->type]++;
		subscription_ack(sub);
	} else if (answer == ANSWER_NACK) {
		stream_nack(stream, sub, request->error);
	} else if (answer == ANSWER_STALE && sub->form == REQUEST_SOTW) {
		return true; /* written before the last response was seen; one that names its nonce follows */
	}
	if (!subscription_request(sub, &stream->env->shared, arena, request, error))
		return false;
	if (is_first && sub->type == RESOURCE_ENDPOINTS && !sub->claims) {
		name_list_unref(stream->rewarmed); /* it claims nothing, so all is sent anyway */
		stream->rewarmed = NULL;
	}
	return true;
}

void stream_message(struct stream *stream, const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct request request;
	struct error error;
	bool is_wrong;

	if (stream->is_finished)
		return;
	stream->env->stats->requests++;
	if (!request_parse(arena, stream->method->form, data, n, &request, &error) ||
	    (!stream->node && !stream_identify(stream, arena, &request, &error))) {
		if (!stream->is_finished)
			stream_reject(stream, TRANSPORT_INVALID_ARGUMENT, error.message);
		return;
	}
	struct subscription *sub = stream_subscription(stream, &request, &is_wrong);
	if (is_wrong)
		stream_reject(stream, TRANSPORT_INVALID_ARGUMENT, "the type URL is not the one of the method");
	else if (!sub)
		stream_unknown_type(stream, request.type_url);
	else if (!stream_request(stream, sub, arena, &request, &error))
		stream_reject(stream, TRANSPORT_RESOURCE_EXHAUSTED, error.message);
	else
		stream_work(stream);
}

void stream_ready(struct stream *stream)
{
	stream->is_sending = false;
	stream_work(stream);
}

void stream_set_config(struct stream *stream, struct proxy_config *config)
{
	if (stream->config == config)
		return;
	proxy_config_unref(stream->config);
	stream->config = proxy_config_ref(config);
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++)
		subscription_prune(&stream->subs[type], config);
	stream_work(stream);
}
