#pragma once
/*
 * The transport over gRPC C core: one thread, one completion queue.
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
#include "rpc/transport.h"

#define SENDS_MAX 16                  /* large messages on their way at once */
#define SEND_SMALL_BYTES (64u << 10)  /* up to this a message is not large */
#define SEND_SLOW_MS 1000             /* a send that takes longer leaves its place, */
#define SENDS_SLOW_BYTES (256u << 20) /* unless those that did hold so much together */

struct grpc_transport;

struct grpc_transport_options {
	const char *address;
	const char *const *methods; /* paths; borrowed for as long as the transport lives */
	size_t n_methods;
	unsigned max_streams, max_streams_per_connection;
	size_t max_request_bytes;
	int64_t stalled_stream_ms;
	int64_t max_connection_age_ms; /* 0: none */
	struct transport_handler handler;
};

struct grpc_transport_stats {
	uint64_t stalled_streams, refused_streams, accept_failures;
};

/* Binds; nothing is accepted before the start. */
struct grpc_transport *grpc_transport_new(const struct grpc_transport_options *options, struct error *error);
void grpc_transport_start(struct grpc_transport *transport);
/* Ends all streams with UNAVAILABLE, waits for them grace_ms at most, and frees. */
void grpc_transport_free(struct grpc_transport *transport, int64_t grace_ms);

unsigned grpc_transport_port(const struct grpc_transport *transport);
void grpc_transport_wake(struct grpc_transport *transport); /* any thread: handler.work soon */
void grpc_transport_stats(const struct grpc_transport *transport, struct grpc_transport_stats *stats); /* any thread */
