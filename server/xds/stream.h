#pragma once
/*
 * One xDS stream: requests in, responses out. It knows neither gRPC nor other streams; what streams share comes in
 * stream_env.
 *
 * - At most one response is unacknowledged for each type; while it is out, newer configs replace each other.
 * - Make before break. Additions and changes go clusters, endpoints, listeners, routes; each of the latter two waits
 *   until what it may name was acknowledged. Clusters, and endpoints, that are gone stay until listeners and routes
 *   were acknowledged without them. Each wait is bounded by ack_wait_ns, since Envoy withholds the acknowledgement of
 *   a cluster that warms. Endpoints wait for nobody: they are what a cluster warms with.
 * - Secrets wait for nobody and nobody waits for them: a proxy asks for one once it has what names it, and goes on with
 * the one it has when that changes.
 * - A cluster that changed warms again and needs its endpoints again, though they did not change: they are sent behind
 *   it.
 * - Nothing is sent before the proxy's config is known.
 *
 *     stream = stream_new(&env, transport, &method);
 *     stream_message(stream, data, n); stream_ready(stream); stream_set_config(stream, config); stream_work(stream);
 */
#include "base/log.h"
#include "rpc/transport.h"
#include "server/xds/server.h"
#include "server/xds/subscription.h"

#define STREAM_UNKNOWN_TYPES_MAX 16 /* type URLs that a warning was written for; of the rest nothing is said */
#define STREAM_DENIAL_LOG_S 10      /* between two lines about proxies that say that they are somebody else */

struct stream_env {
	const struct clock *clock;
	struct subscription_env shared;
	int64_t ack_wait_ns;
	struct xds_stats *stats;
	struct digest unknown_types[STREAM_UNKNOWN_TYPES_MAX];
	size_t n_unknown_types;
	int64_t denial_log_ns; /* not before */
	struct log_gap withheld_said;
};

/* A method of a service: which types a stream of it carries, and in which form. */
struct stream_method {
	const char *path; /* "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources" */
	enum request_form form;
	enum resource_type type; /* RESOURCE_TYPE_COUNT: all */
};

#define STREAM_METHODS 12
extern const struct stream_method stream_methods[STREAM_METHODS];

struct stream {
	struct stream_env *env;
	struct transport_stream *transport;
	const struct stream_method *method;
	struct roster_node *node;    /* NULL until the first request */
	struct proxy_config *config; /* NULL until known; a reference */
	struct subscription subs[RESOURCE_TYPE_COUNT];
	struct name_list *rewarmed; /* clusters that changed before the proxy asked for endpoints */
	uint64_t nonces;
	int64_t opened_ns;
	int64_t deadline_ns; /* when stream_work is due; INT64_MAX: only after something happened */
	bool is_sending;
	bool is_finished;
	bool is_settled; /* nothing to send, nothing unacknowledged */
};

struct stream *stream_new(struct stream_env *env, struct transport_stream *transport,
                          const struct stream_method *method);
void stream_free(struct stream *stream);

void stream_message(struct stream *stream, const uint8_t *data, size_t n);
void stream_ready(struct stream *stream);
void stream_set_config(struct stream *stream, struct proxy_config *config); /* takes a reference of its own */
void stream_work(struct stream *stream);                                    /* sends what is due */
