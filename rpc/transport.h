#pragma once
/*
 * Streams of messages, and the bytes in them. No xDS and no gRPC in here: handlers stand on this, and either
 * grpc_transport.c or a test stands below.
 *
 *     transport --knock------------------------------> door (who may come in?)
 *               <--admit, refuse----------------------
 *               --open, message, end, ready, close---> handler (the xDS server, the certificate service)
 *               <--send, finish, peer-----------------
 *
 * All of it happens on one thread, the transport's, but for admit and refuse, which any thread may call.
 * `send` may be called when the stream is new or after `ready`, never in between: so a stream has at most one message
 * on its way, and a peer that does not read costs one message. After `close` the stream is gone. `finish` may be called
 * once; `close` follows. It drops a message that has not left: who answers a single request sends, and finishes when
 * `ready` comes.
 *
 * A stream that came encrypted is a guest at first: its handler hears of it, and what it sends is read, when the door
 * has admitted it. A stream that came in plaintext has no caller.
 */
#include "base/text.h"
#include "ca/spiffe_id.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes that streams share: counted, any thread may drop them, immutable once sent. */
struct buffer {
	size_t n;
	_Atomic unsigned refs; /* private */
	uint8_t data[];
};

struct buffer *buffer_new(size_t n); /* to be filled by the caller, who has one reference */
struct buffer *buffer_ref(struct buffer *buffer);
void buffer_unref(struct buffer *buffer); /* NULL is fine */

/* How a stream ends; the numbers are gRPC's. */
enum transport_status {
	TRANSPORT_OK = 0,
	TRANSPORT_CANCELLED = 1,
	TRANSPORT_UNKNOWN = 2,
	TRANSPORT_INVALID_ARGUMENT = 3,
	TRANSPORT_DEADLINE_EXCEEDED = 4,
	TRANSPORT_NOT_FOUND = 5,
	TRANSPORT_ALREADY_EXISTS = 6,
	TRANSPORT_PERMISSION_DENIED = 7,
	TRANSPORT_RESOURCE_EXHAUSTED = 8,
	TRANSPORT_FAILED_PRECONDITION = 9,
	TRANSPORT_ABORTED = 10,
	TRANSPORT_OUT_OF_RANGE = 11,
	TRANSPORT_UNIMPLEMENTED = 12,
	TRANSPORT_INTERNAL = 13,
	TRANSPORT_UNAVAILABLE = 14,
	TRANSPORT_DATA_LOSS = 15,
	TRANSPORT_UNAUTHENTICATED = 16,
};

#define TRANSPORT_PARTS_MAX 8 /* of one message */

struct transport_stream;

struct transport_ops {
	/* One message out of several buffers; takes references of its own. */
	void (*send)(struct transport_stream *stream, struct buffer *const *parts, size_t n_parts);
	void (*finish)(struct transport_stream *stream, enum transport_status status, const char *message);
	void (*peer)(struct transport_stream *stream, struct text *out); /* its address, for people */
};

struct transport_stream {
	const struct transport_ops *ops;
	const struct spiffe_id *caller; /* who proved to be it; NULL: nobody proved anything */
};

struct transport_handler {
	/* A stream began, of the method with this number. What it returns (never NULL) is handed to the next four. */
	void *(*open)(void *context, struct transport_stream *stream, unsigned method);
	void (*message)(void *stream_context, const uint8_t *data, size_t n); /* data is borrowed */
	void (*end)(void *stream_context);   /* the peer sends no more; NULL: then the stream is finished with OK */
	void (*ready)(void *stream_context); /* the message sent last has left */
	void (*close)(void *stream_context); /* the last call */
	/*
	 * After one or more of the above, at the returned time of the former call, and after a wake: what is due.
	 * Returns when to call again at the latest (monotonic nanoseconds; INT64_MAX: not by time).
	 */
	int64_t (*work)(void *context);
	void *context;
};

/* A method of a service, and who handles it. */
struct transport_method {
	const char *path; /* "/package.Service/Method" */
	const struct transport_handler *handler;
	unsigned method;        /* what handler->open is told */
	bool is_encrypted_only; /* refused on a plaintext listener */
};

/* ---- the door ---- */

struct transport_bytes { /* with a NUL behind; one among them is the peer's doing */
	const char *s;
	size_t n;
};

#define TRANSPORT_URIS_MAX 16 /* of one certificate; one more, and its bearer is refused */

/* What a peer shows. The certificate has been verified against the trusted roots, and is in its time. */
struct transport_visitor {
	const char *peer;                   /* its address, for people */
	const char *path;                   /* the method it called */
	const struct transport_bytes *uris; /* of the certificate's subject alternative names, all */
	size_t n_uris;
	const char *certificate; /* PEM; NULL: none was shown */
	const char *chain;       /* PEM: what came with it; NULL or empty: nothing */
	const char *token;       /* behind "Bearer " in the first such authorization; NULL: none. A secret */
	const char *cluster;     /* the metadata "clusterid": whose token it says that is; NULL: none */
};

struct transport_guest;

struct transport_guest_ops {
	void (*admit)(struct transport_guest *guest, const struct spiffe_id *caller);
	void (*refuse)(struct transport_guest *guest, enum transport_status status, const char *message);
};

/* A call at the door. Lives until it was answered, which must happen, and once. */
struct transport_guest {
	const struct transport_guest_ops *ops;
	struct transport_visitor visitor;
};

struct transport_door {
	/* Somebody wants in. Must not block; the answer may come later, from any thread, and too late: then it is
	 * dropped. */
	void (*knock)(void *context, struct transport_guest *guest);
	void *context;
};

/* The caller is copied. The guest is gone afterwards. */
static inline void transport_guest_admit(struct transport_guest *guest, const struct spiffe_id *caller)
{
	guest->ops->admit(guest, caller);
}

/* The message goes to the peer, and is copied. The guest is gone afterwards. */
static inline void transport_guest_refuse(struct transport_guest *guest, enum transport_status status,
                                          const char *message)
{
	guest->ops->refuse(guest, status, message);
}
