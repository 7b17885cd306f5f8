#pragma once
/*
 * The inside of the gRPC transport, for grpc_transport.c (life, events), grpc_listen.c (sockets and their limits),
 * grpc_guest.c (who is at the door), grpc_stream.c (streams) and grpc_send.c (their sends).
 */
#include "base/arena.h"
#include "rpc/grpc_transport.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>

/* What an event of the completion queue is about. */
enum tag_kind { TAG_ACCEPT, TAG_RECEIVE, TAG_SEND, TAG_CLOSE, TAG_DONE, TAG_WAKE, TAG_SHUTDOWN };

struct tag {
	enum tag_kind kind;
	void *owner;
};

/* One waiting place for a call of one method; the last one is for methods that nobody registered. */
struct acceptor {
	struct tag tag;
	struct grpc_transport *transport;
	const struct transport_method *method; /* NULL: the others */
	void *registered;
	grpc_call *call;
	grpc_call_details details;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	bool is_armed;
};

/* In a function of its own, since gRPC jumps from there to free(3), which tests/tsan.supp must know by some name. */
static inline void grpc_metadata_clear(grpc_metadata_array *metadata)
{
	grpc_metadata_array_destroy(metadata);
}

enum send_state { SEND_NONE, SEND_QUEUED, SEND_FRESH, SEND_SLOW, SEND_STATES };

struct grpc_stream {
	struct transport_stream base;
	struct grpc_transport *transport;
	const struct transport_method *method; /* NULL: nobody's */
	void *context;                         /* the handler's; NULL once it was told of the end */
	grpc_call *call;
	struct tag receive, send, close, begin, finish;
	unsigned n_tags; /* on their way; the stream lives at least as long */
	bool is_encrypted, is_begun, is_ended, is_finished, is_closed;
	struct grpc_guest *guest; /* NULL: not at the door */
	struct spiffe_id *caller;
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

/* One listener's reading of what it shows: it takes each version once. */
struct grpc_tls_view {
	struct grpc_tls *tls;
	uint64_t version;
};

/* Where answers from other threads come in; it outlives the transport for those that come too late. */
struct grpc_lobby {
	pthread_mutex_t mutex;
	struct grpc_transport *transport; /* NULL: gone */
	struct grpc_guest *answered, *answered_last;
	_Atomic unsigned refs;
};

/* A stream at the door, or somebody who still thinks that it is. One reference is the door's, one the stream's. */
struct grpc_guest {
	struct transport_guest base;
	struct grpc_lobby *lobby;
	struct arena *arena; /* of the visitor */
	_Atomic unsigned refs;

	struct grpc_stream *stream; /* the transport's thread; NULL: not waited for any longer */
	int64_t until_ns;
	struct grpc_guest *next, *previous; /* of those waited for, by time */

	bool is_admitted; /* the answer, under the lobby's lock */
	struct spiffe_id caller;
	enum transport_status status;
	char *message;
	struct grpc_guest *answered_next;
};

struct grpc_transport {
	struct grpc_transport_options options;
	grpc_completion_queue *queue;
	grpc_server *server;
	unsigned ports[GRPC_LISTENERS_MAX];
	struct grpc_tls_view views[GRPC_LISTENERS_MAX];
	pthread_t thread;
	bool is_started;

	struct transport_method *methods;
	struct acceptor *acceptors;
	const struct transport_handler **handlers; /* each once */
	size_t n_handlers;
	struct grpc_lobby *lobby;
	struct grpc_guest *guests, *guests_last; /* waited for, the longest waiting first */
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

	_Atomic uint64_t stalled_streams, refused_streams, open_streams, encrypted_streams, n_guests;
	_Atomic uint64_t refused_guests[GUEST_REFUSALS];
};

/* ---- grpc_listen.c ---- */
grpc_server *grpc_listen_server(const struct grpc_transport_options *options);
/* All of them or none. */
bool grpc_listen(struct grpc_transport *transport, struct error *error);
grpc_arg grpc_integer_arg(const char *key, int value);

/* ---- grpc_tls.c ---- */
grpc_server_credentials *grpc_tls_credentials(struct grpc_tls_view *view);
/* Chain and key may be NULL, both. */
bool grpc_material_check(const struct grpc_tls_material *material, struct error *error);

/* ---- grpc_guest.c ---- */
struct grpc_lobby *grpc_lobby_new(struct grpc_transport *transport);
void grpc_lobby_leave(struct grpc_lobby *lobby); /* the transport goes */
/* Brings a stream to the door, or turns it away. The metadata is the call's. */
void grpc_guest_knock(struct grpc_stream *stream, const grpc_auth_context *auth, const grpc_metadata_array *metadata);
void grpc_guest_leave(struct grpc_stream *stream); /* it ends; the answer will be dropped */
/* Answers come into force, who waits for too long is turned away. Returns when to look again. */
int64_t grpc_guests_work(struct grpc_transport *transport, int64_t now_ns);

/* ---- grpc_stream.c ---- */

/* A call that came in: to the handler, to the door, or away. */
void grpc_stream_open(struct grpc_transport *transport, grpc_call *call, const struct transport_method *method,
                      const grpc_metadata_array *metadata);
void grpc_stream_admit(struct grpc_stream *stream, const struct spiffe_id *caller); /* NULL: plaintext */
void grpc_stream_batch(struct grpc_stream *stream, const grpc_op *ops, size_t n_ops, struct tag *tag);
void grpc_stream_finish(struct grpc_stream *stream, enum transport_status status, const char *message);
/* Events of a stream; it may be gone afterwards. */
void grpc_stream_received(struct grpc_stream *stream);
void grpc_stream_sent(struct grpc_stream *stream, bool is_ok);
void grpc_stream_closed(struct grpc_stream *stream);
void grpc_stream_done(struct grpc_stream *stream);

/* ---- grpc_send.c ---- */
void grpc_send(struct grpc_stream *stream, struct buffer *const *parts, size_t n_parts);
void grpc_send_end(struct grpc_stream *stream); /* the message has left, or never will */
/* Slow sends leave their places, which go to those in line; stalled ones lose their streams. Returns when to look
 * again. */
int64_t grpc_sends_work(struct grpc_transport *transport, int64_t now_ns);
