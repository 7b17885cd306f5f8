#pragma once
/*
 * The mesh's roots as the control plane changes them: an ADS stream that subscribes to the secret "ROOTCA"
 * (envoy.extensions.transport_sockets.tls.v3.Secret) as this proxy. What comes is acknowledged when Envoy has taken it,
 * and not before: so the control plane knows which proxies trust a new root before it signs with it.
 *
 *     roots_stream_work(stream, &who)          by the owner, on its thread, after a wake and at roots_stream_wait_ms
 *     roots_stream_take(stream)                new roots; then, once Envoy has them:
 *     roots_stream_acknowledge(stream)
 *
 * The stream opens anew, after a growing pause, with whatever credentials there are then. A control plane that knows no
 * such secret is asked again now and then; roots come with each certificate too.
 */
#include "base/clock.h"
#include "base/error.h"
#include "ca/bundle.h"
#include "proto/envoy.h"

#define ROOTS_RETRY_MIN_MS 500
#define ROOTS_RETRY_MAX_MS 30000
#define ROOTS_RETRY_UNKNOWN_MS 300000 /* the server does not know how */

struct roots_stream;

/* Borrowed for one call. */
struct roots_stream_peer {
	const char *target, *server_name, *roots, *chain, *key;
	const char *token, *cluster; /* NULL: none */
};

struct roots_stream_options {
	const envoy_node *node; /* borrowed; must outlive the stream */
	const struct clock *clock;
	uint64_t seed;
	void (*on_news)(void *context); /* on another thread: there is work */
	void *context;
};

struct roots_stream *roots_stream_new(const struct roots_stream_options *options);
void roots_stream_free(struct roots_stream *stream); /* NULL is fine */

bool roots_stream_is_open(const struct roots_stream *stream);
/* Whether it is time to open it. */
bool roots_stream_is_due(const struct roots_stream *stream);
int64_t roots_stream_wait_ms(const struct roots_stream *stream); /* INT64_MAX: nothing is due by time */
void roots_stream_open(struct roots_stream *stream, const struct roots_stream_peer *peer);
/* Puts away a stream that has ended. */
void roots_stream_work(struct roots_stream *stream);
/* NULL: nothing new since the last call. The caller's. */
struct bundle *roots_stream_take(struct roots_stream *stream);
void roots_stream_acknowledge(struct roots_stream *stream); /* what was taken last; again is fine */
