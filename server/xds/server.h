#pragma once
/*
 * The xDS server: ADS (state of the world and delta) and the separate services CDS, EDS, LDS, RDS over gRPC, for
 * Envoys.
 *
 *     generation --xds_server_publish--> [ grpc thread: streams -> subscriptions -> replies ] --> proxies
 *     roster     <--on_roster------------
 *
 * Nothing is sent to a proxy before a generation holds its config (unknown is not empty). Layers, each its own file:
 *   transport.h   streams and bytes; no xDS in it         grpc_transport.c   the one with gRPC C core in it
 *   stream.c      one ADS stream: requests in, replies out, order and barriers; no gRPC in it
 *   subscription.c what a stream wants and has of one type   reply_sotw.c, reply_delta.c   response bytes over one diff
 *   body.c        response bodies of a set, built once and shared    nack.c   what was refused, by whom, why
 */
#include "base/error.h"
#include "base/text.h"
#include "server/generation.h"

struct xds_server;

/* All callbacks run on the grpc thread and must not block. */
struct xds_server_options {
	const char *address;                 /* "127.0.0.1:15010" */
	unsigned max_streams;                /* 0: 20000 */
	unsigned max_streams_per_connection; /* 0: 100 */
	size_t max_request_bytes;            /* 0: 4 MiB */
	int64_t stalled_stream_ms;           /* a stream that does not read for so long is closed; 0: 60000 */
	int64_t max_connection_age_ms;       /* after that a connection is asked to come again; 0: never */
	int64_t ack_wait_ms;                 /* the bound of the make-before-break barrier; 0: 5000 */
	void (*on_roster)(void *context, struct roster *roster); /* reference moves in */
	void *context;
};

/* Binds and starts; fails when the address is taken. */
struct xds_server *xds_server_new(const struct xds_server_options *options, struct error *error);
/* Graceful: streams end with UNAVAILABLE after at most grace_ms; then all is freed. */
void xds_server_free(struct xds_server *server, int64_t grace_ms);
unsigned xds_server_port(const struct xds_server *server); /* for address ":0" */

/* Any thread. The reference moves in; newer replaces older. */
void xds_server_publish(struct xds_server *server, struct generation *generation);

/*
 * What the proxies have, as canonical JSON, for /debug/proxies: an array by node id of {"id","connected_s","protocol":
 * "delta"|"sotw","types":{"CDS":{"version","acknowledged","nonce","resources","subscribed","nack":{"resource","message","version"}}},…}.
 * Any thread (a copy is taken under a lock).
 */
void xds_server_print_proxies(struct xds_server *server, struct text *out);

/*
 * Which proxies have taken which roots: those that wait, and so would refuse what a new root signs, are what a rotation
 * waits for. A proxy is a node id; it may have several streams, its agent's among them, and counts as acknowledged once
 * one of them acknowledged the version. Where some of its streams are verified, only they count.
 */
#define XDS_TRUST_NAMES 8
#define XDS_TRUST_NAME_MAX 255 /* what is longer is cut */

struct xds_trust {
	size_t proxies;      /* connected */
	size_t acknowledged; /* have this version */
	size_t unaware;      /* asked for no roots: they have them from elsewhere, or trust nobody */
	char waiting[XDS_TRUST_NAMES][XDS_TRUST_NAME_MAX + 1]; /* ids of some of the rest */
	size_t n_waiting;                                      /* of the rest: may be more than the names */
};
/* Version: of the resource that emit_trust_roots makes of them. Any thread. */
void xds_server_trust(struct xds_server *server, struct digest version, struct xds_trust *trust);

#define XDS_BUCKETS 14
extern const int64_t xds_bucket_ms[XDS_BUCKETS]; /* upper bounds of the convergence histogram */

struct xds_stats {
	uint64_t streams, streams_total, requests, rejected_requests;
	uint64_t pushes[RESOURCE_TYPE_COUNT], acks[RESOURCE_TYPE_COUNT], nacks[RESOURCE_TYPE_COUNT];
	uint64_t bytes_sent, stalled_streams, refused_streams;
	uint64_t accept_failures; /* above 0 the listener is dead (see grpc_transport.h): the program is not alive */
	uint64_t convergence[XDS_BUCKETS + 1],
	    convergence_n; /* event seen -> last acknowledgement of the generation by all */
	double convergence_sum_s;
};
void xds_server_stats(struct xds_server *server, struct xds_stats *stats); /* any thread */
