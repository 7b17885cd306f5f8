#pragma once
/*
 * The inside of the gRPC transport, for grpc_transport.c (life, events) and grpc_stream.c (streams and their sends).
 */
#include "rpc/grpc_transport.h"

#include <grpc/grpc.h>
#include <pthread.h>

/* What an event of the completion queue is about. */
enum tag_kind { TAG_ACCEPT, TAG_RECEIVE, TAG_SEND, TAG_CLOSE, TAG_FINISH, TAG_WAKE, TAG_SHUTDOWN };

struct tag {
	enum tag_kind kind;
	void *owner;
};

/* One waiting place for a call of one method; the last one is for methods that nobody registered. */
struct acceptor {
	struct tag tag;
	struct grpc_transport *transport;
	unsigned method;
	void *registered; /* NULL: the others */
	grpc_call *call;
	grpc_call_details details;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	bool is_armed;
};

enum send_state { SEND_NONE, SEND_QUEUED, SEND_FRESH, SEND_SLOW, SEND_STATES };

struct grpc_stream {
	struct transport_stream base;
	struct grpc_transport *transport;
	void *context; /* the handler's; NULL once it was told of the end */
	grpc_call *call;
	struct tag receive, send, close, finish;
	unsigned n_tags; /* on their way; the stream lives at least as long */
	bool is_finished, is_closed;
	grpc_byte_buffer *received, *sending;
	int cancelled;
	enum send_state send_state;
	bool has_place; /* among SENDS_MAX */
	size_t send_bytes;
	int64_t send_ns;
	struct grpc_stream *next, *previous;           /* of all */
	struct grpc_stream *send_next, *send_previous; /* of those in the same state */
};

struct send_line {
	struct grpc_stream *first, *last;
};

struct grpc_transport {
	struct grpc_transport_options options;
	grpc_completion_queue *queue;
	grpc_server *server;
	unsigned port;
	pthread_t thread;
	bool is_started;

	struct acceptor *acceptors;
	struct grpc_stream *streams;
	unsigned n_streams, n_armed;
	struct send_line lines[SEND_STATES];
	unsigned n_places;
	size_t slow_bytes;

	grpc_channel *bell_channel;
	grpc_call *bell;
	pthread_mutex_t bell_mutex;
	struct tag wake, shutdown;
	_Atomic bool is_ringing, is_stopping;
	int64_t grace_ms;
	bool is_shutting_down, is_shut_down, is_cancelled;
	int64_t cancel_ns;

	_Atomic uint64_t stalled_streams, refused_streams;
};

/* A call that came in: tells the handler, or turns it away. */
void grpc_stream_open(struct grpc_transport *transport, grpc_call *call, unsigned method);
void grpc_stream_finish(struct grpc_stream *stream, enum transport_status status, const char *message);
/* Events of a stream; it may be gone afterwards. */
void grpc_stream_received(struct grpc_stream *stream);
void grpc_stream_sent(struct grpc_stream *stream, bool is_ok);
void grpc_stream_closed(struct grpc_stream *stream);
void grpc_stream_finished(struct grpc_stream *stream);

/* Slow sends leave their places, which go to those in line; stalled ones lose their streams. Returns when to look
 * again. */
int64_t grpc_sends_work(struct grpc_transport *transport, int64_t now_ns);
