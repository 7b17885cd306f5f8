#include "agent/roots_stream.h"

#include "agent/sds_secret.h"
#include "base/heap.h"
#include "base/log.h"
#include "proto/pack.h"
#include "rpc/grpc_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_PATH "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
#define INVALID_ARGUMENT 3

struct roots_stream {
	struct roots_stream_options options;
	struct grpc_client *client; /* the owner's thread alone; NULL: closed */
	struct grpc_client_call *call;
	unsigned failures;
	int64_t retry_ns;
	uint64_t random;

	pthread_mutex_t lock;       /* over the rest */
	struct bundle *news;        /* NULL: none */
	struct text nonce, version; /* of the response that is not answered yet; empty: none */
	struct text taken_nonce;    /* of the one that was handed out */
	struct text accepted;       /* the version acknowledged last */
	struct text outbox;         /* a request that waits for the last one to leave */
	bool is_sending, is_ended, has_answered;
	enum transport_status status;
	struct error reason;
};

/* ---- requests ---- */

static void add_request(struct roots_stream *stream, const char *nonce, const char *version, const char *refusal,
                        struct text *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char name[] = SDS_ROOTS, *names[] = {name};
	envoy_discovery_request *message = envoy_discovery_request_new(arena);
	/* every request has it: so none depends on which came first */
	message->node = arena_memdup(arena, stream->options.node, sizeof *stream->options.node);
	message->type_url = arena_strdup(arena, SDS_TYPE_URL);
	message->resource_names = names;
	message->n_resource_names = 1;
	message->response_nonce = arena_strdup(arena, nonce);
	message->version_info = arena_strdup(arena, version);
	if (refusal) {
		message->error_detail = google_status_new(arena);
		message->error_detail->code = INVALID_ARGUMENT;
		message->error_detail->message = arena_strdup(arena, refusal);
	}
	struct bytes bytes = pack(arena, &message->base);
	out->n = 0;
	text_add_n(out, bytes.data, bytes.n);
}

/* With the lock held. What waited in the box is out of date by now. */
static void send(struct roots_stream *stream, const char *nonce, const char *version, const char *refusal)
{
	add_request(stream, nonce, version, refusal, &stream->outbox);
}

/* Without the lock: gRPC may call back. */
static void flush(struct roots_stream *stream, struct grpc_client_call *call)
{
	struct buffer *buffer = NULL;
	pthread_mutex_lock(&stream->lock);
	if (stream->outbox.n && !stream->is_sending && call) {
		buffer = buffer_new(stream->outbox.n);
		memcpy(buffer->data, stream->outbox.s, stream->outbox.n);
		stream->outbox.n = 0;
		stream->is_sending = true;
	}
	pthread_mutex_unlock(&stream->lock);
	if (buffer)
		grpc_client_send(call, buffer);
	buffer_unref(buffer);
}

/* ---- responses, on the client's thread ---- */

static const envoy_secret *find_roots(struct arena *arena, const envoy_discovery_response *response,
                                      struct error *error)
{
	for (size_t i = 0; i < response->n_resources; i++) {
		const google_any *any = response->resources[i];
		if (strcmp(any->type_url, SDS_TYPE_URL) != 0)
			continue;
		const envoy_secret *secret =
		    (const envoy_secret *)unpack(arena, envoy_secret_type(), any->value.data, any->value.len, error);
		if (!secret)
			return NULL;
		if (strcmp(secret->name, SDS_ROOTS) == 0)
			return secret;
	}
	error_set(error, "there is no secret " SDS_ROOTS " in it");
	return NULL;
}

static struct bundle *read_roots(struct arena *arena, const envoy_discovery_response *response, struct error *error)
{
	const envoy_secret *secret = find_roots(arena, response, error);
	if (!secret)
		return NULL;
	const envoy_data_source *source =
	    secret->type_case == ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT
	        ? secret->validation_context->trusted_ca
	        : NULL;
	struct pem_file file = {SDS_ROOTS, NULL, 0};
	if (source && source->specifier_case == ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_BYTES)
		file.s = (const char *)source->inline_bytes.data, file.n = source->inline_bytes.len;
	else if (source && source->specifier_case == ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING)
		file.s = source->inline_string, file.n = strlen(source->inline_string);
	if (!file.s) {
		error_set(error, "the secret " SDS_ROOTS " has no certificates inside");
		return NULL;
	}
	return bundle_read(&file, error);
}

static void text_set(struct text *text, const char *s)
{
	text->n = 0;
	text_add(text, s);
}

static void on_message(void *context, const uint8_t *data, size_t n)
{
	struct roots_stream *stream = context;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error = {""};
	const envoy_discovery_response *response =
	    (const envoy_discovery_response *)unpack(arena, envoy_discovery_response_type(), data, n, &error);
	if (response && strcmp(response->type_url, SDS_TYPE_URL) != 0)
		return;
	struct bundle *bundle = response ? read_roots(arena, response, &error) : NULL;
	pthread_mutex_lock(&stream->lock);
	stream->has_answered = true;
	if (bundle) {
		bundle_free(stream->news);
		stream->news = bundle;
		text_set(&stream->nonce, response->nonce);
		text_set(&stream->version, response->version_info);
	} else if (response) {
		send(stream, response->nonce, text_get(&stream->accepted), error.message);
	}
	pthread_mutex_unlock(&stream->lock);
	if (!bundle)
		log_warn("roots", "what the control plane sent is refused: %s; keeping what there is", error.message);
	stream->options.on_news(stream->options.context);
}

static void on_ready(void *context)
{
	struct roots_stream *stream = context;
	pthread_mutex_lock(&stream->lock);
	stream->is_sending = false;
	pthread_mutex_unlock(&stream->lock);
	stream->options.on_news(stream->options.context);
}

static void on_end(void *context, enum transport_status status, const char *message)
{
	struct roots_stream *stream = context;
	pthread_mutex_lock(&stream->lock);
	stream->is_ended = true;
	stream->status = status;
	error_set(&stream->reason, "%s", message);
	pthread_mutex_unlock(&stream->lock);
	stream->options.on_news(stream->options.context);
}

static const struct grpc_client_handler handler = {.message = on_message, .ready = on_ready, .end = on_end};

/* ---- life ---- */

struct roots_stream *roots_stream_new(const struct roots_stream_options *options)
{
	struct roots_stream *stream = HEAP_NEW(struct roots_stream);
	stream->options = *options;
	stream->random = options->seed | 1;
	pthread_mutex_init(&stream->lock, NULL);
	return stream;
}

static void put_away(struct roots_stream *stream)
{
	grpc_client_call_unref(stream->call);
	grpc_client_free(stream->client);
	stream->call = NULL;
	stream->client = NULL;
	bundle_free(stream->news);
	stream->news = NULL;
	stream->nonce.n = stream->taken_nonce.n = stream->outbox.n = 0;
	stream->is_sending = stream->is_ended = stream->has_answered = false;
}

void roots_stream_free(struct roots_stream *stream)
{
	if (!stream)
		return;
	put_away(stream);
	text_done(&stream->nonce);
	text_done(&stream->version);
	text_done(&stream->taken_nonce);
	text_done(&stream->accepted);
	text_done(&stream->outbox);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}

bool roots_stream_is_open(const struct roots_stream *stream)
{
	return stream->client != NULL;
}

bool roots_stream_is_due(const struct roots_stream *stream)
{
	return !stream->client && clock_now_ns(stream->options.clock) >= stream->retry_ns;
}

int64_t roots_stream_wait_ms(const struct roots_stream *stream)
{
	if (stream->client)
		return INT64_MAX;
	int64_t left_ns = stream->retry_ns - clock_now_ns(stream->options.clock);
	return left_ns > 0 ? left_ns / CLOCK_MS + 1 : 0;
}

/* Doubles, the last half of it by chance. Returns it in milliseconds. */
static int64_t pause(struct roots_stream *stream, enum transport_status status)
{
	int64_t ms = ROOTS_RETRY_MIN_MS;
	for (unsigned i = 0; i < stream->failures && ms < ROOTS_RETRY_MAX_MS; i++)
		ms *= 2;
	if (ms > ROOTS_RETRY_MAX_MS)
		ms = ROOTS_RETRY_MAX_MS;
	if (status == TRANSPORT_UNIMPLEMENTED)
		ms = ROOTS_RETRY_UNKNOWN_MS;
	stream->failures++;
	stream->random = stream->random * UINT64_C(6364136223846793005) + 1;
	ms = ms / 2 + (int64_t)(stream->random >> 33) % (ms / 2 + 1);
	stream->retry_ns = clock_now_ns(stream->options.clock) + ms * CLOCK_MS;
	return ms;
}

static void fail(struct roots_stream *stream, enum transport_status status, const char *reason)
{
	int64_t ms = pause(stream, status);
	log_info("roots", "no stream of roots: %s (gRPC status %d); keeping what there is, trying again in %lld.%llds",
	         reason[0] ? reason : "it ended", status, (long long)ms / 1000, (long long)ms % 1000 / 100);
}

void roots_stream_open(struct roots_stream *stream, const struct roots_stream_peer *peer)
{
	struct error error;
	const struct grpc_client_options options = {.target = peer->target,
	                                            .roots = peer->roots,
	                                            .chain = peer->chain,
	                                            .key = peer->key,
	                                            .server_name = peer->server_name};
	const struct grpc_client_call_options call = {.path = METHOD_PATH,
	                                              .handler = &handler,
	                                              .context = stream,
	                                              .token = peer->token,
	                                              .cluster = peer->cluster};
	stream->client = grpc_client_new(&options, &error);
	stream->call = stream->client ? grpc_client_open(stream->client, &call, &error) : NULL;
	if (!stream->call) {
		put_away(stream);
		fail(stream, TRANSPORT_UNAVAILABLE, error.message);
		return;
	}
	pthread_mutex_lock(&stream->lock);
	send(stream, "", "", NULL);
	pthread_mutex_unlock(&stream->lock);
	flush(stream, stream->call);
}

void roots_stream_work(struct roots_stream *stream)
{
	struct error reason;
	if (!stream->client)
		return;
	pthread_mutex_lock(&stream->lock);
	bool is_ended = stream->is_ended, has_answered = stream->has_answered;
	enum transport_status status = stream->status;
	reason = stream->reason;
	pthread_mutex_unlock(&stream->lock);
	if (!is_ended) {
		flush(stream, stream->call);
		return;
	}
	put_away(stream);
	if (has_answered)
		stream->failures = 0;
	fail(stream, status, reason.message);
}

struct bundle *roots_stream_take(struct roots_stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	struct bundle *news = stream->news;
	stream->news = NULL;
	if (news)
		text_set(&stream->taken_nonce, text_get(&stream->nonce));
	pthread_mutex_unlock(&stream->lock);
	return news;
}

void roots_stream_acknowledge(struct roots_stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	bool is_present = stream->taken_nonce.n && !strcmp(stream->taken_nonce.s, text_get(&stream->nonce));
	if (is_present) {
		text_set(&stream->accepted, text_get(&stream->version));
		send(stream, stream->nonce.s, stream->accepted.s, NULL);
		stream->nonce.n = stream->taken_nonce.n = 0;
	}
	pthread_mutex_unlock(&stream->lock);
	if (is_present)
		flush(stream, stream->call);
}
