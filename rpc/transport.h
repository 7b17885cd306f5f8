#pragma once
/*
 * Streams of messages, and the bytes in them. No xDS and no gRPC in here: the server stands on this, and either
 * grpc_transport.c or a test stands below.
 *
 *     transport --open, message, ready, close--> handler (the xDS server)
 *               <--send, finish, peer-----------
 *
 * All of it happens on one thread, the transport's. `send` may be called when the stream is new or after `ready`, never
 * in between: so a stream has at most one message on its way, and a peer that does not read costs one message. After
 * `close` the stream is gone. `finish` may be called once; `close` follows.
 */
#include "base/text.h"

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
	TRANSPORT_INVALID_ARGUMENT = 3,
	TRANSPORT_RESOURCE_EXHAUSTED = 8,
	TRANSPORT_UNIMPLEMENTED = 12,
	TRANSPORT_UNAVAILABLE = 14,
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
};

struct transport_handler {
	/* A stream began, of the method with this index. What it returns is handed to the next three. */
	void *(*open)(void *context, struct transport_stream *stream, unsigned method);
	void (*message)(void *stream_context, const uint8_t *data, size_t n); /* data is borrowed */
	void (*ready)(void *stream_context);                                  /* the message sent last has left */
	void (*close)(void *stream_context);                                  /* the last call */
	/*
	 * After one or more of the above, at the returned time of the former call, and after a wake: what is due.
	 * Returns when to call again at the latest (monotonic nanoseconds; INT64_MAX: not by time).
	 */
	int64_t (*work)(void *context);
	void *context;
};
