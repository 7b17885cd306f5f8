#pragma once
/*
 * The server's inside, for server.c and server_print.c. All of it is the grpc thread's, under the lock, which that
 * thread takes around each call of the transport: so that other threads can look between two calls.
 */
#include "base/slot.h"
#include "server/xds/stream.h"
#include "server/xds/wave.h"

#include <pthread.h>

/* A stream and its places in the server's lists. */
struct server_stream {
	struct xds_server *server;
	struct stream *stream;
	bool is_identified; /* its node was seen */
	uint64_t wave;      /* 0: none */
	struct server_stream *next, *previous;
	struct server_stream *timed_next, *timed_previous;
	bool is_timed; /* has a deadline */
};

struct xds_server {
	struct xds_server_options options;
	struct transport_handler handler;
	struct grpc_transport *transport; /* NULL: not yet attached */
	const struct clock *clock;
	struct slot *published;
	pthread_mutex_t lock;

	struct generation *generation; /* NULL until one was published */
	struct stream_env env;
	struct server_stream *streams, *timed;
	int64_t timed_ns; /* not later than the first deadline */
	bool is_roster_changed;
	int64_t roster_ns; /* of the last one */
	struct waves waves;
	struct xds_stats stats;
};
