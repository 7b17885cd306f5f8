#pragma once
/*
 * The Envoy back end from the inside: what its files share. One emit_view or emit_workload is one `struct emit`; units
 * (a cluster, a load assignment, a virtual host, a route table, a listener) are looked up in the cache by the digest of
 * what they read, and built only when they are not there:
 *
 *     struct digest key = …;                              all that the unit's builder reads
 *     const struct cache_unit *unit = cache_get(emit->cache, key);
 *     if (!unit)
 *         unit = emit_put(emit, key, RESOURCE_CLUSTER, name, &build(…)->base);
 *     emit_collect(emit, unit);
 *
 * Builders are pure and know nothing of the cache. Messages live in emit->arena until the call ends. A builder that
 * reads something new of the view or the mesh adds it to its unit's key (emit_*.c, `…_key`) first.
 */
#include "base/vec.h"
#include "proto/build.h"
#include "proto/envoy.h"
#include "proto/pack.h"
#include "translator/emit.h"
#include "translator/envoy/names.h"

/* What listeners and clusters read of who asks; the same for views and workloads. */
struct emit_proxy {
	enum proxy_role role;
	bool is_ipv4, is_ipv6;
	bool is_mtls_capable; /* it has a certificate of the mesh's; else nothing may name a secret of the agent's */
	bool is_http10;
	bool is_exact_balance;
	enum interception interception;
	struct strings networks; /* whose endpoints it sees; none: all */
};

struct emit {
	struct arena *arena;
	struct emit_cache *cache;
	const struct model *model;
	const struct mesh *mesh;
	const struct scope *scope; /* NULL for a workload */
	struct emit_proxy proxy;
	struct authz_policies authz; /* what the proxy asks about what comes in: a workload's, a gateway's */
	struct jwt_rules jwt_rules;  /* and which tokens it takes */
	bool is_mtls_required;       /* a workload's, on some port */
	struct digest cluster_base, listener_base; /* what all clusters (listeners) read: the mesh and the proxy */
	VEC(const struct cache_unit *) units[RESOURCE_TYPE_COUNT]; /* borrowed from the cache */
};

/* Messages' strings are not const in protobuf-c, but what is packed is only read. */
static inline char *borrow(const char *s)
{
	union {
		const char *in;
		char *out;
	} text = {.in = s};
	return text.out;
}

/* ---- cache.c ---- */

/* What a virtual host is kept as: ready to be put into a table, and the domains it claims. */
struct virtual_host {
	struct digest key;
	const uint8_t *bytes; /* field 2 of a RouteConfiguration, tag and length included */
	size_t bytes_n;
	const char *const *domains;
	size_t n_domains;
	uint32_t used; /* private to cache.c */
};

/* What was emitted for a key. */
struct cache_unit {
	struct digest key;
	struct resource *resource;
	struct content *content;     /* the rest is private to cache.c */
	struct virtual_host **hosts; /* of a table */
	size_t n_hosts;
	uint32_t used;
};

/* Borrowed, or NULL. What was got, put or taken lives until the sweep at least. */
const struct cache_unit *cache_get(struct emit_cache *cache, struct digest key);
/* Takes over the reference; the unit may hold another resource of the same content. */
const struct cache_unit *cache_take(struct emit_cache *cache, struct digest key, struct resource *resource);
const struct virtual_host *cache_get_host(struct emit_cache *cache, struct digest key);
/* Copies the host. */
const struct virtual_host *cache_put_host(struct emit_cache *cache, const struct virtual_host *host);
/* The hosts that a table was composed of stay as long as the table. */
void cache_keep_hosts(struct emit_cache *cache, struct digest table, const struct virtual_host *const *hosts, size_t n);
/* The set of these units: one object for all who ask for the same resources. The caller's. */
struct resource_set *cache_set(struct emit_cache *cache, enum resource_type type, const struct cache_unit *const *units,
                               size_t n);
/* `former` with the units' resources in the place of those with their names; it has one for each. The caller's. */
struct resource_set *cache_set_with(struct emit_cache *cache, struct resource_set *former,
                                    const struct cache_unit *const *units, size_t n);

/* ---- emit.c ---- */

const struct cache_unit *emit_put(struct emit *emit, struct digest key, enum resource_type type, const char *name,
                                  const ProtobufCMessage *message);
void emit_collect(struct emit *emit, const struct cache_unit *unit);
/* Each kind of unit begins its key with another of these. */
enum emit_unit {
	UNIT_PROXY,
	UNIT_SET,
	UNIT_SET_WITH,
	UNIT_OUTBOUND_CLUSTER,
	UNIT_INBOUND_CLUSTER,
	UNIT_FIXED_CLUSTER,
	UNIT_ENDPOINTS,
	UNIT_OUTBOUND_LISTENER,
	UNIT_GATEWAY_LISTENER,
	UNIT_VIRTUAL_OUTBOUND,
	UNIT_VIRTUAL_INBOUND,
	UNIT_TABLE,
	UNIT_VIRTUAL_HOST,
	UNIT_SECRET,
	UNIT_FILE_SECRET,
	UNIT_TRUST_ROOTS,
};
void emit_key_init(struct digest_state *state, enum emit_unit unit, struct digest base);
void emit_add_networks(struct digest_state *state, const struct emit_proxy *proxy);

/* ---- one file each ---- */

void emit_outbound_clusters(struct emit *emit);
void emit_endpoints(struct emit *emit);
/* Part of emit_secrets: those that only say in which files at the proxy certificates are. */
void emit_file_secrets(struct emit *emit);
void emit_outbound_listeners(struct emit *emit);
void emit_gateway_listeners(struct emit *emit);
void emit_routes(struct emit *emit);
void emit_secrets(struct emit *emit);
void emit_inbound_listener(struct emit *emit, const struct workload_class *workload);

void emit_inbound_clusters(struct emit *emit, const struct workload_class *workload);

/* emit_clusters.c: what a cluster of this service is. Not for aliases. */
enum cluster_kind { CLUSTER_EDS, CLUSTER_DNS, CLUSTER_ORIGINAL_DST };
enum cluster_kind cluster_kind(const struct emit *emit, const struct service *service,
                               const struct traffic_policy *policy);
/* Of AUTO_PASSTHROUGH: the address that was dialled is the gateway's own, so a policy cannot ask to go back to it. */
enum cluster_kind auto_passthrough_kind(const struct emit *emit, const struct service *service);
/* The policy for a port, or the one that says nothing. Never NULL. */
const struct traffic_policy *traffic_policy_of(const struct destination_policy *policy, const char *subset,
                                               uint32_t port);
envoy_cluster *cluster_new(struct arena *arena, const char *name,
                           Envoy__Config__Cluster__V3__Cluster__DiscoveryType type);
envoy_cluster *cluster_passthrough(const struct emit *emit); /* to whatever the client dialled */
/* One that depends on the mesh and the proxy only. */
void emit_fixed_cluster(struct emit *emit, const char *name, envoy_cluster *(*build)(const struct emit *emit));
/* A port's subsets, the whole destination ("") first. */
const struct destination_subset *cluster_subset(const struct scope_service *service, size_t i); /* NULL past the end */

/* emit_endpoints.c: the endpoints that carry the subset's labels, by locality. */
struct assignment {
	const char *name;
	const struct service_port *port;
	const struct labels *labels;
	size_t most;                    /* endpoints */
	bool is_mtls_only;              /* only those that take the mesh's mutual TLS */
	const struct strings *networks; /* of these, or of none; none: of any */
};
envoy_cluster_load_assignment *load_assignment(struct arena *arena, const struct assignment *in);

/* cluster_policy.c: what a traffic policy makes of a cluster. */
void cluster_set_pool(struct arena *arena, envoy_cluster *cluster, const struct mesh *mesh,
                      const struct connection_pool *pool);
void cluster_set_outlier(struct arena *arena, envoy_cluster *cluster, const struct outlier_detection *outlier);
void cluster_set_balancer(struct arena *arena, envoy_cluster *cluster, const struct load_balancer *lb);
/* The HTTP version towards the destination and the options of its connections. */
struct cluster_protocol {
	enum protocol protocol;
	const struct connection_pool *pool;
	bool is_sni_of_call;           /* the server name of TLS is the host that the client called */
	bool is_name_of_call_verified; /* and the certificate must be for it */
};
void cluster_set_protocol(struct arena *arena, envoy_cluster *cluster, const struct cluster_protocol *in);
enum upstream_http { UPSTREAM_HTTP1, UPSTREAM_HTTP2, UPSTREAM_AS_CLIENT };
enum upstream_http cluster_upstream_http(const struct cluster_protocol *in);

/* cluster_tls.c: how a cluster's connections are protected. */
/* One outbound cluster, and what decides about it. */
struct outbound {
	const struct scope_service *service;
	const struct service_port *port;
	const struct destination_subset *subset;
	const struct traffic_policy *policy;
	enum cluster_kind kind;
	struct cluster_protocol protocol;
	bool is_auto_passthrough; /* connections already are the mesh's TLS, from the client to the workload */
};
/* Sets the transport sockets; what TLS wants of HTTP goes into out->protocol. With the metadata already there. */
void cluster_set_tls(const struct emit *emit, envoy_cluster *cluster, struct outbound *out);

/* domains.c */
/* What clients may write for a host of a table: its name, short names, wildcards and addresses, lower case, no doubles.
 */
struct strings virtual_host_domains(struct arena *arena, const struct scope_host *host, const struct strings *aliases,
                                    const char *client_domain);
/* The names that stand for others: target host -> struct strings of the alias services' host names, by name. */
struct map alias_index(struct arena *arena, const struct scope *scope);

/* route_match.c */
envoy_route_match *route_match(struct arena *arena, const struct http_match *match); /* NULL: everything */
bool route_match_is_catch_all(const envoy_route_match *match);
envoy_string_matcher *string_matcher(struct arena *arena, const struct string_match *match);

/* route_action.c */
/* Of one rule for one host of a table. */
struct route_context {
	const struct emit *emit;
	const struct scope_host *host;
	const struct route_rule *rule;
};
envoy_route *route_build(const struct route_context *context, const struct http_route *route,
                         const struct http_match *match);
envoy_route *route_to_service(const struct emit *emit, const struct scope_service *service, uint32_t port);
/* A route that forwards everything, as catch-alls and inbound hosts need. */
envoy_route *route_to_cluster(struct arena *arena, const char *name, const char *cluster, const char *operation);

/* route_headers.c: what is set, then added, then removed, by each of the operations in turn. */
struct header_lists {
	envoy_header_value_option **add;
	size_t n_add;
	char **remove;
	size_t n_remove;
};

struct header_lists header_lists(struct arena *arena, const struct header_operations *const *operations, size_t n);
/* A header's value as Envoy takes it; it refuses all that comes with a command that it does not know, so a value with
 * one is only text. */
const char *header_text(struct arena *arena, const char *value);

/* route_policy.c: what a route does besides forwarding. */
envoy_retry_policy *retry_policy(const struct emit *emit, const struct retry_policy *retry, bool is_hashed);
envoy_retry_policy *retry_policy_inbound(struct arena *arena);
envoy_route_action_hash_policy *hash_policy(struct arena *arena, const struct load_balancer *lb); /* NULL: none */
google_any *fault_any(struct arena *arena, const struct fault *fault);                            /* NULL: none */
google_any *cors_any(struct arena *arena, const struct cors_policy *cors);
envoy_runtime_fractional_percent *fractional_percent(struct arena *arena, double percent);

/* filter_hcm.c */
enum hcm_side { HCM_OUTBOUND, HCM_INBOUND, HCM_GATEWAY };
struct hcm {
	enum hcm_side side;
	const char *stat_prefix;
	const char *table;                 /* by RDS */
	envoy_route_configuration *routes; /* or inline */
	enum protocol protocol;            /* of the port; AUTO when it serves several */
};
envoy_filter *filter_hcm(const struct emit *emit, const struct hcm *hcm);
/* Where clusters, listeners and virtual hosts come from: this server, over the one stream. */
envoy_config_source *ads_source(struct arena *arena);

/* filter_tcp_proxy.c */
envoy_filter *filter_tcp_proxy(const struct emit *emit, const char *cluster, const struct connection_pool *pool);
/* By the chain's route, its destinations by weight. */
envoy_filter *filter_tcp_route(const struct emit *emit, const struct scope_chain *chain);
/* For what would go round in a circle: refused, and not logged. */
envoy_filter *filter_black_hole(const struct emit *emit);

/* filter_rbac.c: of emit->authz those with one action; some must have it. */
ProtobufCMessage *filter_http_rbac(const struct emit *emit, enum authz_action action);
/* What a filter chain of TCP has in front of the one that forwards: what CUSTOM makes, then none to three. */
void filter_chain_add_rbac(const struct emit *emit, envoy_filter_chain *chain);

/* filter_jwt.c: of emit->jwt_rules; there must be some. */
ProtobufCMessage *filter_jwt(const struct emit *emit);
/* connection_chain.c: a chain without a table */
envoy_filter_chain_match *connection_match(struct arena *arena, const struct scope_chain *chain); /* NULL: all */
envoy_filter *connection_filter(const struct emit *emit, const struct scope_chain *chain);

/* http_filters.c */
void http_filters_add(const struct emit *emit, envoy_http_connection_manager *out, const struct hcm *hcm);

/* access_log.c: of what handles requests or connections, and of the listener, which logs only connections that no chain
 * takes. */
enum access_log_side { ACCESS_LOG_REQUESTS, ACCESS_LOG_CONNECTIONS, ACCESS_LOG_LISTENER };
size_t access_logs(const struct emit *emit, enum access_log_side side, envoy_access_log ***logs);
void access_log_listener(const struct emit *emit, envoy_listener *listener);

/* listener_parts.c */
envoy_listener *listener_new(const struct emit *emit, const char *name, const char *bind, uint32_t port);
/* A wildcard (or the loopback address) of a proxy with both families stands for that of the other one, too. */
void listener_add_other_family(const struct emit *emit, envoy_listener *out, const char *bind, uint32_t port);
/* How long to wait for what tells a connection's protocol, and to go on without. */
void listener_set_detection(const struct emit *emit, envoy_listener *listener);
/* A listener that is not bound gets the connections that virtualOutbound accepted. */
void listener_set_binding(struct arena *arena, envoy_listener *listener, bool is_bound);
envoy_filter_chain *filter_chain_new(struct arena *arena, const char *name);
envoy_filter_chain *filter_chain_nameless(struct arena *arena);
envoy_filter_chain *filter_chain_of(struct arena *arena, envoy_filter *filter); /* nameless, of the one filter */
envoy_listener_filter *listener_filter(struct arena *arena, const char *name, const ProtobufCMessage *config);
/* What reads the name in a handshake. */
envoy_listener_filter *tls_inspector(struct arena *arena);
/* The match of a chain that takes plaintext; with is_http only what the inspector recognised as HTTP. */
envoy_filter_chain_match *plaintext_match(struct arena *arena, uint32_t destination_port, bool is_http);
envoy_cidr_range *cidr_range(struct arena *arena, const char *subnet); /* an address is a range of one */
envoy_address *socket_address(struct arena *arena, const char *address, uint32_t port);
/* The cluster for destinations that nobody knows. */
const char *unknown_destination_cluster(const struct mesh *mesh);
const char *wildcard_address(const struct emit_proxy *proxy); /* "0.0.0.0", or "::" without IPv4 */

/* metadata.c: filter_metadata.istio. Members may be NULL. */
struct istio_metadata {
	const char *config;                    /* path of the object it comes from */
	const struct service *const *services; /* which it serves */
	size_t n_services;
	const char *subset; /* "" none */
};
envoy_metadata *metadata_build(struct arena *arena, const struct istio_metadata *metadata);
/* Adds an entry. Entries in key order: the bytes are compared. */
void metadata_add(struct arena *arena, envoy_metadata *metadata, const char *key, google_struct *object);
/* Of an endpoint that takes the mesh's mutual TLS: clusters choose by it how to connect. */
envoy_metadata *metadata_mtls(struct arena *arena);
/* What it says; also what a cluster's transport socket for such endpoints matches. */
google_struct *metadata_mtls_match(struct arena *arena);
