#pragma once
/*
 * Calling a gRPC server: one channel to one target, and a thread of its own on which everything comes back.
 *
 *     client = grpc_client_new(&(struct grpc_client_options){.target = "istiod.istio-system.svc:15012", .roots = pem},
 * &error); call = grpc_client_open(client, &(struct grpc_client_call_options){.path = "/package.Service/Method",
 * .handler = &handler, .context = context, .token = token}, &error); grpc_client_send(call, buffer);         when new,
 * or after `ready`, never in between grpc_client_send_end(call); grpc_client_cancel(call);
 *     grpc_client_call_unref(call);           forgets the handle; the call goes on
 *     grpc_client_free(client);
 *
 * Or, with one message each way: grpc_client_unary(client, &options, request, &error).
 *
 * - All but grpc_client_free may be called on any thread, in callbacks too.
 * - `end` comes exactly once for each call that was opened, last, whatever happens; until then the context must live.
 * - A call to a server that cannot be reached ends with UNAVAILABLE and the reason at once; gRPC tries to connect again
 *   in the background, at growing intervals (CLIENT_BACKOFF_MAX_MS at most), so the caller may simply call again later.
 * - A call that met the end of an old connection, so that the server never saw it, is made again on a new one by gRPC;
 *   any other end is told.
 * - Credentials are the channel's, for good: with others make another client.
 * - Neither proxies from the environment nor DNS records decide where it goes.
 */
#include "base/error.h"
#include "rpc/transport.h"

#define CLIENT_BACKOFF_MIN_MS 200
#define CLIENT_BACKOFF_MAX_MS 10000
#define CLIENT_MESSAGE_MAX (4u << 20) /* received, unless the options say otherwise */

struct grpc_client;
struct grpc_client_call;

struct grpc_client_options {
	const char *target;       /* "HOST:PORT", "unix:PATH" */
	const char *roots;        /* PEM: who signs the server's certificate; NULL: plaintext */
	const char *chain, *key;  /* PEM: the client's certificate; NULL: none */
	const char *server_name;  /* that the server's certificate must have; NULL: the target's host */
	size_t max_message_bytes; /* 0: CLIENT_MESSAGE_MAX */
};

/* All on the client's thread; they must not block. */
struct grpc_client_handler {
	void (*message)(void *context, const uint8_t *data, size_t n); /* data is borrowed */
	void (*ready)(void *context);                                  /* the message sent last has left; may be NULL */
	/* The message is the server's, or gRPC's own, and of a bounded length. The last call. */
	void (*end)(void *context, enum transport_status status, const char *message);
};

struct grpc_client_call_options {
	const char *path;
	const struct grpc_client_handler *handler;
	void *context;
	const char *token;   /* sent as "authorization: Bearer …", with TLS only; NULL: none */
	const char *cluster; /* sent as "clusterid"; NULL: none */
	int64_t deadline_ms; /* from now; then it ends with DEADLINE_EXCEEDED; 0: never */
};

/* Fails when the certificates or the key cannot be read or do not fit together. Does not connect yet. */
struct grpc_client *grpc_client_new(const struct grpc_client_options *options, struct error *error);
/* Cancels what is under way; every `end` has come when it returns. Not on the client's thread; NULL is fine. */
void grpc_client_free(struct grpc_client *client);
static inline void grpc_client_freep(struct grpc_client **client)
{
	grpc_client_free(*client);
}

/* A reference; NULL: the token or the cluster cannot stand in a header, and no callback comes. */
struct grpc_client_call *grpc_client_open(struct grpc_client *client, const struct grpc_client_call_options *options,
                                          struct error *error);
void grpc_client_call_unref(struct grpc_client_call *call); /* NULL is fine; before the client is freed */
/* Takes a reference of its own. After the end these three do nothing. */
void grpc_client_send(struct grpc_client_call *call, struct buffer *message);
void grpc_client_send_end(struct grpc_client_call *call); /* the server is told that nothing more comes; once */
void grpc_client_cancel(struct grpc_client_call *call);

/* Opens, sends, and says that this is all. False: no callback comes. */
bool grpc_client_unary(struct grpc_client *client, const struct grpc_client_call_options *options,
                       struct buffer *message, struct error *error);
