#pragma once
/*
 * The transport over gRPC C core: one thread, one completion queue, several listeners and handlers.
 *
 *     const struct grpc_listener listeners[] = {{"127.0.0.1:15010", NULL}, {"127.0.0.1:15012", tls}};
 *     const struct transport_method methods[] = {{"/package.Service/Method", &handler, 0, true}};
 *     transport = grpc_transport_new(&(struct grpc_transport_options){…}, &error);
 *     grpc_transport_start(transport); … grpc_transport_free(transport, grace_ms);
 *
 * What was learnt about Unix sockets: gRPC takes away whatever socket lies at the path, and makes its own for
 * everybody. So a path at which somebody listens is refused first, and the mode is set by the umask while the socket is
 * made.
 *
 * What was learnt about gRPC 1.51 and is seen to here:
 * - A peer that does not read must not cost memory for each message: of large messages only SENDS_MAX are on their way
 *   at once, the others wait in line; one that takes long leaves its place to the next, and its stream is closed when
 *   it takes stalled_stream_ms. Keepalive ends connections whose peer is gone.
 * - When accept(2) fails for want of file descriptors the listener is dead for good: the failure is counted, so that
 *   the program can say that it is not alive. It also raises RLIMIT_NOFILE before (process.h).
 * - An empty batch on a call posts its tag at once: grpc_transport_wake rings a call made for that.
 */
#include "base/error.h"
#include "rpc/grpc_handshake.h"
#include "rpc/grpc_tls.h"
#include "rpc/transport.h"

#define SENDS_MAX 16                  /* large messages on their way at once */
#define SEND_SMALL_BYTES (64u << 10)  /* up to this a message is not large */
#define SEND_SLOW_MS 1000             /* a send that takes longer leaves its place, */
#define SENDS_SLOW_BYTES (256u << 20) /* unless those that did hold so much together */
#define GRPC_METADATA_MAX (64 << 10)  /* of a call: tokens are larger than gRPC's own bound */
#define GRPC_LISTENERS_MAX 4

struct grpc_transport;

struct grpc_listener {
	const char *address;  /* "127.0.0.1:15010", "[::1]:0", "unix:PATH": a socket for its owner only */
	struct grpc_tls *tls; /* NULL: plaintext. Borrowed for as long as the transport lives */
};

struct grpc_transport_options {
	const struct grpc_listener *listeners; /* GRPC_LISTENERS_MAX at most */
	size_t n_listeners;
	const struct transport_method *methods; /* copied; paths and handlers are borrowed, as long as it lives */
	size_t n_methods;
	struct transport_door door;          /* needed when a listener has TLS */
	unsigned max_streams;                /* 0: 20000 */
	unsigned max_streams_per_connection; /* 0: 100 */
	unsigned max_guests;                 /* at the door at once; 0: 10000 */
	size_t max_request_bytes;            /* 0: 4 MiB */
	int64_t stalled_stream_ms;           /* a stream that does not read for so long is closed; 0: 60000 */
	int64_t knock_ms;                    /* whom the door does not answer for so long is turned away; 0: 10000 */
	/*
	 * Then a connection is asked to come again, with a handshake that looks at certificates anew; 0: never. gRPC
	 * has one for all listeners.
	 */
	int64_t max_connection_age_ms;
};

/* Why guests were turned away. */
enum guest_refusal {
	GUEST_UNAUTHENTICATED, /* who they are was not shown, or not believed */
	GUEST_DENIED,          /* they may not */
	GUEST_CROWD,           /* too many are at the door */
	GUEST_LATE,            /* the door did not answer in time */
	GUEST_OTHER,           /* what the door says besides */
	GUEST_REFUSALS,
};

struct grpc_transport_stats {
	uint64_t streams, encrypted_streams; /* open ones, admitted */
	uint64_t guests;                     /* at the door */
	uint64_t refused_guests[GUEST_REFUSALS];
	uint64_t stalled_streams, refused_streams;
	uint64_t accept_failures, failed_handshakes[HANDSHAKE_FAILURES]; /* of the process */
};

/* Binds; nothing is accepted before the start. */
struct grpc_transport *grpc_transport_new(const struct grpc_transport_options *options, struct error *error);
void grpc_transport_start(struct grpc_transport *transport);
/* Ends all streams with UNAVAILABLE, waits for them grace_ms at most, and frees. */
void grpc_transport_free(struct grpc_transport *transport, int64_t grace_ms);

/* Of the listener with this index; 0 for a Unix socket. */
unsigned grpc_transport_port(const struct grpc_transport *transport, size_t listener);
void grpc_transport_wake(struct grpc_transport *transport); /* any thread: the handlers' work soon */
void grpc_transport_stats(const struct grpc_transport *transport, struct grpc_transport_stats *stats); /* any thread */
