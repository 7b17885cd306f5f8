#pragma once
/*
 * The xDS server: ADS (state of the world and delta) and the separate services CDS, EDS, LDS, RDS over gRPC, for
 * Envoys.
 *
 *     generation --xds_server_publish--> [ grpc thread: streams -> subscriptions -> replies ] --> proxies
 *     roster     <--on_roster------------
 *
 *     server = xds_server_new(&options);
 *     xds_server_methods(server, methods);             perhaps others' beside them
 *     transport = grpc_transport_new(…methods…, &error);
 *     xds_server_attach(server, transport);
 *     grpc_transport_start(transport); … grpc_transport_free(transport, grace_ms);
 *     xds_server_free(server);
 *
 * A proxy whose stream was admitted as somebody must introduce itself as that one: with the namespace and the service
 * account of its caller, else its stream ends with PERMISSION_DENIED. Only then is its node "verified".
 *
 * Nothing is sent to a proxy before a generation holds its config (unknown is not empty). Layers, each its own file:
 *   transport.h   streams and bytes; no xDS in it         grpc_transport.c   the one with gRPC C core in it
 *   stream.c      one ADS stream: requests in, replies out, order and barriers; no gRPC in it
 *   subscription.c what a stream wants and has of one type   reply_sotw.c, reply_delta.c   response bytes over one diff
 *   body.c        response bodies of a set, built once and shared    nack.c   what was refused, by whom, why
 */
#include "base/text.h"
#include "rpc/grpc_transport.h"
#include "server/generation.h"

struct xds_server;

/* All callbacks run on the grpc thread and must not block. */
struct xds_server_options {
	int64_t ack_wait_ms; /* the bound of the make-before-break barrier; 0: 5000 */
	void (*on_roster)(void *context, struct roster *roster); /* reference moves in */
	void *context;
};

struct xds_server *xds_server_new(const struct xds_server_options *options);
void xds_server_free(struct xds_server *server); /* after the transport; NULL is fine */

#define XDS_METHODS 12
/* What it serves, for the transport. */
void xds_server_methods(struct xds_server *server, struct transport_method methods[XDS_METHODS]);
/* The transport that was made with them: before it starts, and before the first publish. Borrowed. */
void xds_server_attach(struct xds_server *server, struct grpc_transport *transport);

/* Any thread. The reference moves in; newer replaces older. */
void xds_server_publish(struct xds_server *server, struct generation *generation);

/*
 * What the proxies have, as canonical JSON, for /debug/proxies: an array by node id of {"id","connected_s","protocol":
 * "delta"|"sotw","identity":"spiffe://…"|"","types":{"CDS":{"version","acknowledged","nonce","resources","subscribed","nack":{"resource","message","version"}}},…}.
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

/* Why a proxy is not given a secret that it asks for. */
enum xds_withholding {
	XDS_WITHHELD_UNVERIFIED,      /* it did not prove who it is, so it is given what is public alone */
	XDS_WITHHELD_OTHER_NAMESPACE, /* of another namespace than its own */
	XDS_WITHHELD_NOT_NAMED, /* nothing in its configuration names it, its pods are not what it says, or there is
	                           none */
	XDS_WITHHOLDINGS,
};

struct xds_stats {
	uint64_t streams, streams_total, requests, rejected_requests;
	uint64_t pushes[RESOURCE_TYPE_COUNT], acks[RESOURCE_TYPE_COUNT], nacks[RESOURCE_TYPE_COUNT];
	uint64_t bytes_sent;
	uint64_t denied_streams; /* of proxies that say that they are somebody else than they proved */
	uint64_t withheld_secrets[XDS_WITHHOLDINGS];
	/* accept_failures above 0: the listener is dead (see grpc_transport.h), the program is not alive */
	struct grpc_transport_stats transport;
	uint64_t convergence[XDS_BUCKETS + 1],
	    convergence_n; /* event seen -> last acknowledgement of the generation by all */
	double convergence_sum_s;
};
void xds_server_stats(struct xds_server *server, struct xds_stats *stats); /* any thread */
