#pragma once
/*
 * Both ends of rpc/ on the loopback: a transport with a door and an echoing handler, and calls that can be waited for.
 * Waits end with what is waited for, or fail.
 */
#include "base/heap.h"
#include "rpc/grpc_client.h"
#include "rpc/grpc_transport.h"
#include "tests/unit/tls_material.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#define PATIENCE_S 30
#define HOST "weftd.example"
#define APP "spiffe://cluster.local/ns/shop/sa/cart"
#define OTHER_APP "spiffe://cluster.local/ns/shop/sa/till"

/* Something that another thread says, in order, in words. */
struct tape {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct text text;
	bool is_ended;
};

static inline void tape_init(struct tape *tape)
{
	*tape = (struct tape){0};
	pthread_mutex_init(&tape->mutex, NULL);
	pthread_cond_init(&tape->cond, NULL);
}

static inline void tape_done(struct tape *tape)
{
	text_done(&tape->text);
	pthread_mutex_destroy(&tape->mutex);
	pthread_cond_destroy(&tape->cond);
}

__attribute__((format(printf, 3, 4))) static inline void tape_say(struct tape *tape, bool is_end, const char *format,
                                                                  ...)
{
	char words[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	pthread_mutex_lock(&tape->mutex);
	text_printf(&tape->text, "%s%s", tape->text.n ? "|" : "", words);
	tape->is_ended |= is_end;
	pthread_cond_broadcast(&tape->cond);
	pthread_mutex_unlock(&tape->mutex);
}

static inline void tape_wait(struct tape *tape, bool (*is_enough)(struct tape *tape, const void *what),
                             const void *what)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&tape->mutex);
	while (!is_enough(tape, what))
		ck_assert_msg(pthread_cond_timedwait(&tape->cond, &tape->mutex, &until) == 0, "there is only: %s",
		              text_get(&tape->text));
	pthread_mutex_unlock(&tape->mutex);
}

static inline bool tape_has(struct tape *tape, const void *what)
{
	return strstr(text_get(&tape->text), what) != NULL;
}

static inline bool tape_is_ended(struct tape *tape, const void *what)
{
	(void)what;
	return tape->is_ended;
}

/* What there is so far; until the next call. */
static inline const char *tape_words(struct tape *tape)
{
	static _Thread_local char words[8192];
	pthread_mutex_lock(&tape->mutex);
	snprintf(words, sizeof words, "%s", text_get(&tape->text));
	pthread_mutex_unlock(&tape->mutex);
	return words;
}

/* ---- the server's side ---- */

enum door_habit { DOOR_BY_CERTIFICATE, DOOR_HOLDS, DOOR_REFUSES };

struct server {
	struct tls_authority authority;
	struct grpc_tls *tls;
	struct grpc_transport *transport;
	struct transport_handler echo, unary;
	struct tape tape;
	enum door_habit habit;
	struct transport_guest *_Atomic held;
	_Atomic unsigned n_works[2];
	char address[64], plaintext[64];
};

struct server_stream {
	struct server *server;
	struct transport_stream *stream;
	struct text request; /* what came: all of it of unary ones, of others what waits to be sent back */
	bool is_sending;
};

static inline void *server_open(void *context, struct transport_stream *stream, unsigned method)
{
	struct server_stream *own = HEAP_NEW(struct server_stream);
	char id[SPIFFE_ID_TEXT] = "nobody";
	*own = (struct server_stream){.server = context, .stream = stream};
	if (stream->caller)
		spiffe_id_print(stream->caller, id);
	tape_say(&own->server->tape, false, "open %u by %s", method, id);
	return own;
}

static inline void server_send(struct server_stream *own, const void *data, size_t n)
{
	struct buffer *buffer = buffer_new(n);
	memcpy(buffer->data, data, n);
	own->stream->ops->send(own->stream, &buffer, 1);
	buffer_unref(buffer);
}

static inline void echo_send(struct server_stream *own)
{
	own->is_sending = own->request.n > 0;
	if (own->is_sending)
		server_send(own, own->request.s, own->request.n);
	own->request.n = 0;
}

static inline void echo_message(void *context, const uint8_t *data, size_t n)
{
	struct server_stream *own = context;
	text_add_n(&own->request, data, n);
	if (!own->is_sending)
		echo_send(own);
}

static inline void echo_ready(void *context)
{
	echo_send(context);
}

static inline void unary_message(void *context, const uint8_t *data, size_t n)
{
	struct server_stream *own = context;
	text_add_n(&own->request, data, n);
}

static inline void unary_end(void *context)
{
	struct server_stream *own = context;
	text_add(&own->request, " to you, too");
	server_send(own, own->request.s, own->request.n);
}

static inline void unary_ready(void *context)
{
	struct server_stream *own = context;
	own->stream->ops->finish(own->stream, TRANSPORT_OK, "");
}

static inline void server_close(void *context)
{
	struct server_stream *own = context;
	tape_say(&own->server->tape, false, "close");
	text_done(&own->request);
	free(own);
}

static inline int64_t echo_work(void *context)
{
	struct server *server = context;
	atomic_fetch_add(&server->n_works[0], 1);
	return INT64_MAX;
}

static inline int64_t unary_work(void *context)
{
	struct server *server = context;
	atomic_fetch_add(&server->n_works[1], 1);
	return INT64_MAX;
}

static inline bool server_identify(const struct transport_visitor *visitor, struct spiffe_id *id)
{
	struct error error;
	if (visitor->n_uris == 1)
		return spiffe_id_parse(visitor->uris[0].s, visitor->uris[0].n, id, &error);
	return visitor->token && strcmp(visitor->token, "secret") == 0 &&
	       spiffe_id_parse(OTHER_APP, strlen(OTHER_APP), id, &error);
}

static inline void server_knock(void *context, struct transport_guest *guest)
{
	struct server *server = context;
	const struct transport_visitor *visitor = &guest->visitor;
	struct spiffe_id id;
	tape_say(&server->tape, false, "knock %s uris=%zu%s%s certificate=%d token=%s cluster=%s", visitor->path,
	         visitor->n_uris, visitor->n_uris ? " " : "", visitor->n_uris ? visitor->uris[0].s : "",
	         visitor->certificate != NULL, visitor->token ? visitor->token : "-",
	         visitor->cluster ? visitor->cluster : "-");
	if (server->habit == DOOR_HOLDS)
		atomic_store(&server->held, guest);
	else if (server->habit == DOOR_REFUSES)
		transport_guest_refuse(guest, TRANSPORT_PERMISSION_DENIED, "not you");
	else if (server_identify(visitor, &id))
		transport_guest_admit(guest, &id);
	else
		transport_guest_refuse(guest, TRANSPORT_UNAUTHENTICATED, "who are you?");
}

enum { ECHO, UNARY, ECHO_ENCRYPTED };
static const char *const PATHS[] = {"/test.Echo/Echo", "/test.Unary/Unary", "/test.Echo/EncryptedEcho"};

/* The plaintext listener's address; the one with TLS takes any port. */
static inline void server_init_at(struct server *server, const char *plaintext, struct grpc_transport_options options)
{
	struct error error;
	*server = (struct server){.tls = grpc_tls_new()};
	tape_init(&server->tape);
	tls_authority_init(&server->authority);
	server->echo = (struct transport_handler){.open = server_open,
	                                          .message = echo_message,
	                                          .ready = echo_ready,
	                                          .close = server_close,
	                                          .work = echo_work,
	                                          .context = server};
	server->unary = server->echo;
	server->unary.message = unary_message;
	server->unary.end = unary_end;
	server->unary.ready = unary_ready;
	server->unary.work = unary_work;
	const struct transport_method methods[] = {{PATHS[ECHO], &server->echo, 10, false},
	                                           {PATHS[UNARY], &server->unary, 20, false},
	                                           {PATHS[ECHO_ENCRYPTED], &server->echo, 11, true}};
	struct grpc_listener listeners[] = {{"127.0.0.1:0", server->tls}, {plaintext, NULL}};
	options.listeners = listeners;
	options.n_listeners = 2;
	options.methods = methods;
	options.n_methods = 3;
	options.door = (struct transport_door){server_knock, server};
	options.max_streams = options.max_streams_per_connection = 100;
	options.max_request_bytes = 1 << 20;
	options.stalled_stream_ms = 60000;
	server->transport = grpc_transport_new(&options, &error);
	ck_assert_msg(server->transport != NULL, "%s", error.message);
	snprintf(server->address, sizeof server->address, "127.0.0.1:%u", grpc_transport_port(server->transport, 0));
	snprintf(server->plaintext, sizeof server->plaintext, "127.0.0.1:%u",
	         grpc_transport_port(server->transport, 1));
}

static inline void server_init(struct server *server, struct grpc_transport_options options)
{
	server_init_at(server, "127.0.0.1:0", options);
}

static inline void server_set(struct server *server, const struct grpc_tls_material *material)
{
	struct error error;
	ck_assert_msg(grpc_tls_set(server->tls, material, &error), "%s", error.message);
}

static inline void server_start(struct server *server, struct grpc_transport_options options)
{
	server_init(server, options);
	struct grpc_tls_material material = tls_for_server(&server->authority, HOST);
	server_set(server, &material);
	grpc_transport_start(server->transport);
}

static inline void server_start_at(struct server *server, const char *plaintext)
{
	server_init_at(server, plaintext, (struct grpc_transport_options){0});
	grpc_transport_start(server->transport);
}

static inline void server_stop(struct server *server)
{
	grpc_transport_free(server->transport, 1000);
	grpc_tls_free(server->tls);
	tls_authority_done(&server->authority);
	tape_done(&server->tape);
}

static inline struct grpc_transport_stats server_stats(struct server *server)
{
	struct grpc_transport_stats stats;
	grpc_transport_stats(server->transport, &stats);
	return stats;
}

/* ---- the client's side ---- */

struct client {
	struct grpc_client *client;
	struct grpc_client_call *call;
	struct tape tape;
	bool is_sending; /* under the tape's lock */
};

static inline void client_message(void *context, const uint8_t *data, size_t n)
{
	struct client *client = context;
	tape_say(&client->tape, false, "%.*s", (int)n, (const char *)data);
}

static inline void client_ready(void *context)
{
	struct client *client = context;
	pthread_mutex_lock(&client->tape.mutex);
	client->is_sending = false;
	pthread_cond_broadcast(&client->tape.cond);
	pthread_mutex_unlock(&client->tape.mutex);
}

static inline void client_end(void *context, enum transport_status status, const char *message)
{
	struct client *client = context;
	tape_say(&client->tape, true, "end %d %s", status, message);
}

static const struct grpc_client_handler client_handler = {client_message, client_ready, client_end};

/* The material's roots are what it trusts; its chain may be NULL. */
static inline void client_init(struct client *client, const char *address, const struct grpc_tls_material *material)
{
	struct error error;
	struct grpc_client_options options = {.target = address, .server_name = material ? HOST : NULL};
	*client = (struct client){0};
	tape_init(&client->tape);
	if (material) {
		options.roots = material->roots;
		options.chain = material->chain;
		options.key = material->key;
	}
	client->client = grpc_client_new(&options, &error);
	ck_assert_msg(client->client != NULL, "%s", error.message);
}

static inline struct buffer *client_buffer(const char *words)
{
	struct buffer *buffer = buffer_new(strlen(words));
	memcpy(buffer->data, words, buffer->n);
	return buffer;
}

static inline bool client_is_ready(struct tape *tape, const void *what)
{
	const struct client *client = what;
	return !client->is_sending || tape->is_ended;
}

static inline void client_send(struct client *client, const char *words)
{
	struct buffer *buffer = client_buffer(words);
	tape_wait(&client->tape, client_is_ready, client);
	client->is_sending = true; /* nobody else touches it until the message has left */
	grpc_client_send(client->call, buffer);
	buffer_unref(buffer);
}

static inline void client_open_with(struct client *client, struct grpc_client_call_options options, const char *words)
{
	struct error error;
	options.handler = &client_handler;
	options.context = client;
	client->call = grpc_client_open(client->client, &options, &error);
	ck_assert_msg(client->call != NULL, "%s", error.message);
	client->is_sending = false;
	client_send(client, words);
}

static inline void client_open(struct client *client, int path, const char *words)
{
	client_open_with(client, (struct grpc_client_call_options){.path = PATHS[path]}, words);
}

static inline void client_done(struct client *client)
{
	grpc_client_call_unref(client->call);
	grpc_client_free(client->client);
	tape_done(&client->tape);
}

/* What came of it, once it has ended. */
static inline const char *client_outcome(struct client *client)
{
	tape_wait(&client->tape, tape_is_ended, NULL);
	return tape_words(&client->tape);
}
