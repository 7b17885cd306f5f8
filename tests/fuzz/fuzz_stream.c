/*
 * A peer's bytes as a whole stream of requests, through the production path: guard, request, subscription, target,
 * diff, reply. The input is a script for one stream:
 *
 *     first byte     its method: an index into stream_methods
 *     then steps     one byte, the operation in its low three bits, what it is about in the others
 *
 *       0  a message: two bytes with its length follow, least first, then its bytes as they come from the peer
 *       1  the message sent last has left
 *       2  another config
 *       3  time passes
 *       4  an acknowledgement     5  a refusal     6  a subscription     of a type, as a real proxy writes them:
 *       7  as if the answer to the last response were history            random bytes seldom hold the right nonce
 *
 * The transport asserts what it is promised: one message on its way, at most one response of a type that was not
 * answered, nothing after the end. At the end the peer takes everything: it must come to rest within a few rounds, and
 * nothing may be left in the caches' tables.
 */
#include "base/log.h"
#include "proto/envoy.h"
#include "proto/pack.h"
#include "server/xds/stream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 512
#define NAMES 8          /* resources that configs choose among */
#define ROUNDS_MAX 64    /* of answers until a proxy that takes everything must have all there is */
#define CACHE_MAX 100000 /* entries: what that many steps may leave behind */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct script {
	const uint8_t *at, *end;
};

struct peer {
	struct transport_stream base;
	const struct stream_method *method;
	struct clock clock;
	struct xds_stats stats;
	struct stream_env env;
	struct stream *stream;
	bool has_message, is_finished;
	bool is_unanswered[RESOURCE_TYPE_COUNT];
	char nonces[RESOURCE_TYPE_COUNT][32];
};

/* ---- responses ---- */

static enum resource_type type_of(const char *type_url)
{
	enum resource_type type = 0;
	while (type < RESOURCE_TYPE_COUNT && strcmp(resource_types[type].type_url, type_url) != 0)
		type++;
	assert(type < RESOURCE_TYPE_COUNT);
	return type;
}

static void take_response(struct peer *peer, const struct text *bytes)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const uint8_t *data = (const uint8_t *)text_get(bytes);
	const char *type_url, *nonce;

	if (peer->method->form == REQUEST_SOTW) {
		const envoy_discovery_response *response = (const envoy_discovery_response *)unpack_own(
		    arena, envoy_discovery_response_type(), data, bytes->n);
		type_url = response->type_url;
		nonce = response->nonce;
	} else {
		const envoy_delta_discovery_response *response = (const envoy_delta_discovery_response *)unpack_own(
		    arena, envoy_delta_discovery_response_type(), data, bytes->n);
		type_url = response->type_url;
		nonce = response->nonce;
	}
	enum resource_type type = type_of(type_url);
	assert(peer->method->type == RESOURCE_TYPE_COUNT || peer->method->type == type);
	assert(!peer->is_unanswered[type]);
	peer->is_unanswered[type] = true;
	int length = snprintf(peer->nonces[type], sizeof peer->nonces[type], "%s", nonce);
	assert(length > 0 && (size_t)length < sizeof peer->nonces[type]);
}

static void ops_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
{
	struct peer *peer = (struct peer *)base;
	CLEANUP(text_done) struct text bytes = {0};

	assert(!peer->has_message && !peer->is_finished && n_parts <= TRANSPORT_PARTS_MAX);
	peer->has_message = true;
	for (size_t i = 0; i < n_parts; i++)
		text_add_n(&bytes, parts[i]->data, parts[i]->n);
	take_response(peer, &bytes);
}

static void ops_finish(struct transport_stream *base, enum transport_status status, const char *message)
{
	struct peer *peer = (struct peer *)base;

	assert(!peer->is_finished && status != TRANSPORT_OK && *message);
	peer->is_finished = true;
}

static void ops_peer(struct transport_stream *base, struct text *out)
{
	(void)base;
	text_add(out, "fuzz:1");
}

static const struct transport_ops ops = {.send = ops_send, .finish = ops_finish, .peer = ops_peer};

/* ---- configs ---- */

/* Which of the names are there, and in which of two versions: a bit each. */
static struct resource_set *config_set(enum resource_type type, unsigned mask, const char *prefix)
{
	struct resource *v[NAMES];
	size_t n = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		char name[16], content[32];
		if (!(mask >> i & 1))
			continue;
		snprintf(name, sizeof name, "%s%u", prefix, i);
		snprintf(content, sizeof content, "%s=%u", name, mask >> (NAMES + i) & 1);
		v[n++] = resource_new(type, name, content, strlen(content));
	}
	return n ? resource_set_new(type, v, n) : NULL;
}

static void change_config(struct peer *peer, unsigned choice)
{
	struct resource_set *view[RESOURCE_TYPE_COUNT], *workload[RESOURCE_TYPE_COUNT];

	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++) {
		unsigned mask = (choice + 1) * (2654435761u >> type);
		view[type] = config_set(type, mask, "a");
		workload[type] = config_set(type, mask >> 3 & 0xff03, "w");
	}
	struct proxy_config *config = proxy_config_new(view, (struct digest){0}, workload, (struct digest){0});
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++) {
		resource_set_unref(view[type]);
		resource_set_unref(workload[type]);
	}
	stream_set_config(peer->stream, config);
	proxy_config_unref(config);
}

/* ---- requests ---- */

/* Whether a request of the peer answers the response that is out, so that the next one may come. */
static void note_answer(struct peer *peer, const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct request request;
	struct error error;

	if (!request_parse(arena, peer->method->form, data, n, &request, &error))
		return;
	enum resource_type type = *request.type_url ? request.type : peer->method->type;
	if (type < RESOURCE_TYPE_COUNT && *request.nonce && strcmp(request.nonce, peer->nonces[type]) == 0)
		peer->is_unanswered[type] = false;
}

static void send_bytes(struct peer *peer, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + !n); /* a buffer of its own, so that reading past it is seen */

	assert(copy);
	if (n)
		memcpy(copy, data, n);
	note_answer(peer, copy, n);
	stream_message(peer->stream, copy, n);
	free(copy);
}

static void step_message(struct peer *peer, struct script *script)
{
	if (script->end - script->at < 2)
		return;
	size_t n = script->at[0] | (size_t)script->at[1] << 8, left = (size_t)(script->end - script->at) - 2;
	const uint8_t *data = script->at + 2;

	n = n < left ? n : left;
	script->at = data + n;
	send_bytes(peer, data, n);
}

/* What a proxy might ask for: names that are there, that are not, the wildcard. */
static size_t choose_names(struct arena *arena, unsigned choice, char ***names)
{
	static const char *const all[] = {"a0", "a3", "w0", "none", "*"};
	size_t n = 0;

	*names = ARENA_NEW_N(arena, char *, sizeof all / sizeof all[0]);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (choice >> i & 1)
			(*names)[n++] = arena_strdup(arena, all[i]);
	return n;
}

static envoy_node *some_node(struct arena *arena)
{
	envoy_node *node = envoy_node_new(arena);
	node->id = arena_strdup(arena, "sidecar~10.0.0.1~app-1.default~default.svc.cluster.local");
	return node;
}

static google_status *refusal(struct arena *arena, unsigned choice)
{
	google_status *status = google_status_new(arena);
	status->message = arena_strdup(arena, choice & 1 ? "Error adding/updating a3: no" : "no");
	return status;
}

struct asked {
	enum resource_type type;
	const char *nonce;
	unsigned choice;
	bool is_refusal, has_names;
};

static struct bytes pack_sotw(struct arena *arena, const struct asked *asked)
{
	envoy_discovery_request *message = envoy_discovery_request_new(arena);

	message->node = some_node(arena);
	message->type_url = arena_strdup(arena, resource_types[asked->type].type_url);
	message->response_nonce = arena_strdup(arena, asked->nonce);
	if (asked->is_refusal)
		message->error_detail = refusal(arena, asked->choice);
	if (asked->has_names)
		message->n_resource_names = choose_names(arena, asked->choice, &message->resource_names);
	return pack(arena, &message->base);
}

static struct bytes pack_delta(struct arena *arena, const struct asked *asked)
{
	envoy_delta_discovery_request *message = envoy_delta_discovery_request_new(arena);

	message->node = some_node(arena);
	message->type_url = arena_strdup(arena, resource_types[asked->type].type_url);
	message->response_nonce = arena_strdup(arena, asked->nonce);
	if (asked->is_refusal)
		message->error_detail = refusal(arena, asked->choice);
	if (asked->has_names) {
		message->n_resource_names_subscribe =
		    choose_names(arena, asked->choice, &message->resource_names_subscribe);
		message->n_resource_names_unsubscribe =
		    choose_names(arena, asked->choice >> 3, &message->resource_names_unsubscribe);
	}
	return pack(arena, &message->base);
}

static void send_asked(struct peer *peer, const struct asked *asked)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct bytes bytes = peer->method->form == REQUEST_SOTW ? pack_sotw(arena, asked) : pack_delta(arena, asked);

	send_bytes(peer, bytes.data, bytes.n);
}

/* operation: 4 to 7. */
static void step_request(struct peer *peer, struct script *script, unsigned operation, unsigned about)
{
	enum resource_type only = peer->method->type;
	struct asked asked = {
	    .type = only == RESOURCE_TYPE_COUNT ? (enum resource_type)(about % RESOURCE_TYPE_COUNT) : only,
	    .choice = about >> 2,
	    .is_refusal = operation == 5,
	    .has_names = operation == 6 || peer->method->form == REQUEST_SOTW,
	};

	asked.nonce = operation == 7 ? "history" : peer->nonces[asked.type];
	if (asked.has_names && script->at < script->end)
		asked.choice = *script->at++;
	send_asked(peer, &asked);
}

/* ---- steps ---- */

static void step_time(struct peer *peer, unsigned about)
{
	peer->clock.now_ns += (int64_t)(about + 1) * 500 * CLOCK_MS;
	if (peer->stream->deadline_ns <= peer->clock.now_ns)
		stream_work(peer->stream);
	set_cache_sweep(peer->env.shared.sets);
}

static void leave(struct peer *peer)
{
	if (!peer->has_message)
		return;
	peer->has_message = false;
	stream_ready(peer->stream);
}

static void step(struct peer *peer, struct script *script)
{
	unsigned byte = *script->at++, operation = byte & 7, about = byte >> 3;

	switch (operation) {
	case 0:
		step_message(peer, script);
		break;
	case 1:
		leave(peer);
		break;
	case 2:
		change_config(peer, about);
		break;
	case 3:
		step_time(peer, about);
		break;
	default:
		step_request(peer, script, operation, about);
		break;
	}
}

/* Whatever happened before: a proxy that takes everything from here on gets to rest. */
static void settle(struct peer *peer)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		leave(peer);
		for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++) {
			if (peer->is_unanswered[type])
				send_asked(peer, &(struct asked){.type = type, .nonce = peer->nonces[type]});
		}
		step_time(peer, 0);
	}
	assert(!peer->is_finished && !peer->has_message);
	assert(peer->stream->is_settled && peer->stream->deadline_ns == INT64_MAX);
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++)
		assert(!peer->is_unanswered[type]);
}

static void peer_init(struct peer *peer, const struct stream_method *method)
{
	struct name_table *names = name_table_new();

	*peer = (struct peer){.base.ops = &ops, .method = method, .clock = clock_fake(1000 * CLOCK_S)};
	peer->env = (struct stream_env){
	    .clock = &peer->clock,
	    .shared = {.sets = set_cache_new(&peer->clock, names), .names = names},
	    .ack_wait_ns = 5 * CLOCK_S,
	    .stats = &peer->stats,
	};
	peer->stream = stream_new(&peer->env, &peer->base, method);
}

static void peer_done(struct peer *peer)
{
	stream_free(peer->stream);
	set_cache_free(peer->env.shared.sets);
	assert(name_table_count(peer->env.shared.names) == 0);
	name_table_free(peer->env.shared.names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct script script = {.at = data, .end = data + n};
	struct peer peer;

	if (!n)
		return 0;
	log_init(LOG_ERROR, false);
	peer_init(&peer, &stream_methods[*script.at++ % STREAM_METHODS]);
	for (unsigned i = 0; i < STEPS_MAX && script.at < script.end && !peer.is_finished; i++)
		step(&peer, &script);
	if (!peer.is_finished)
		settle(&peer);
	assert(set_cache_count(peer.env.shared.sets) <= CACHE_MAX);
	peer_done(&peer);
	return 0;
}
