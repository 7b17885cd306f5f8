#pragma once
/*
 * The one model: what the mesh is, in words of no dialect and no proxy. Front ends (istio/) lower their objects into
 * it; scope.h narrows it to what one kind of proxy sees; back ends (envoy/) emit that. No Istio, Kubernetes or Envoy
 * type here.
 *
 * The model is const once resolve() returned; all of it lives in the generation's arena (or in the objects the snapshot
 * holds). Arrays are sorted as their comment says, so that walking them is deterministic. Times are milliseconds (_ms);
 * -1 means "not set" where 0 means something else.
 *
 * Digests (service.digest and the like) cover everything that output may read of the thing, so they are the cache keys
 * of what is emitted from it: whoever adds a field to a struct with a digest adds it to that digest, in the same file
 * that fills it.
 */
#include "base/arena.h"
#include "base/digest.h"
#include "base/map.h"
#include "crds/object.h"
#include "translator/authz.h"
#include "translator/gateway.h"
#include "translator/model_terms.h"
#include "translator/report.h"
#include "translator/request_authentication.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- mesh-wide settings ---- */

/* Probes of idle connections; 0: the system's. */
struct keepalive {
	bool is_set;
	uint32_t probes, time_s, interval_s;
};

struct mesh {
	const char *root_namespace, *trust_domain;
	struct strings trust_domains; /* trust_domain and those whose identities count as well, trust_domain first */
	bool is_tls13_only;           /* the mesh's servers take nothing older */
	const char *domain_suffix;    /* "cluster.local" */
	bool is_outbound_allowed; /* unknown destinations pass through (ALLOW_ANY), else are refused (REGISTRY_ONLY) */
	bool is_inbound_loopback; /* the application gets inbound traffic on the loopback address, not where it was
	                             dialled */
	bool is_dual_stack;       /* proxies with addresses of both families are reached and go out by both */
	int64_t connect_timeout_ms; /* 10000 */
	struct keepalive
	    keepalive; /* of connections to destinations; what a policy says counts more, number by number */
	int64_t protocol_detection_timeout_ms; /* 0: wait for ever... see listeners */
	int64_t dns_refresh_ms;                /* 60000 */
	uint32_t outbound_port, inbound_port;  /* 15001, 15006 */
	bool is_auto_mtls;             /* clients speak mutual TLS with who can, where no policy says otherwise */
	const char *access_log_file;   /* NULL: none */
	const char *access_log_format; /* NULL: the default text format */
	bool is_access_log_json;
	bool is_path_normalized; /* "/a/../b" becomes "/b" before anything matches it */
	bool is_merge_slashes;   /* "//" becomes "/" */
	bool is_slash_decoded;   /* %2F and %5C are decoded before that, and the request goes on so */
	bool has_retry_default;  /* a route without retries gets the mesh's default policy */
	struct digest digest;
};

/* ---- services and endpoints ---- */

enum service_resolution {
	SERVICE_STATIC,       /* endpoints are known addresses, sent as they change */
	SERVICE_DNS,          /* endpoints are host names, all addresses used */
	SERVICE_DNS_LOGICAL,  /* the same, but the first address only (round robin DNS) */
	SERVICE_ORIGINAL_DST, /* the address the client dialled: headless, or resolution NONE */
	SERVICE_ALIAS,        /* ExternalName: `alias` is the host it stands for */
};

enum endpoint_health { ENDPOINT_HEALTHY, ENDPOINT_UNHEALTHY, ENDPOINT_DRAINING };

struct endpoint {
	const char *address; /* IP, host name (DNS services) or absolute path or "@name" of a Unix socket */
	uint32_t port;
	uint32_t weight; /* 0: unset, counts as 1 */
	enum endpoint_health health;
	bool is_mtls; /* takes the mesh's mutual TLS */
	struct labels labels;
	struct locality locality;
	const char *namespace, *workload; /* of the pod or workload; "" unknown */
	const char *service_account;      /* "" unknown */
	const char *network;              /* "" the default network */
};

struct service_port {
	uint32_t number;
	const char *name;
	enum protocol protocol;
	const struct endpoint *endpoints; /* by locality, address, port */
	size_t n_endpoints;
	bool is_mtls; /* there are endpoints, and each takes the mesh's mutual TLS */
	struct digest endpoints_digest;
};

struct service {
	const char *hostname; /* "reviews.default.svc.cluster.local", "*.example.com", "api.example.com" */
	const char *namespace;
	const char *name;   /* "reviews" for in-cluster services, else the host name */
	bool is_kubernetes; /* short names ("reviews", "reviews.default") are its aliases */
	bool is_external;   /* outside the mesh */
	bool is_headless;
	bool has_selector; /* labels choose its endpoints: where there are none, some may come */
	enum service_resolution resolution;
	const char *alias;                /* SERVICE_ALIAS */
	struct strings addresses;         /* virtual IPs (or CIDRs); none: any address */
	struct strings subject_alt_names; /* what certificates of its endpoints may be for, as the service says */
	const struct service_port *ports; /* by number */
	size_t n_ports;
	struct visibility visibility;
	int64_t created_s;
	struct source_ref source;
	struct digest digest;       /* all but endpoints */
	bool is_mtls_refused;       /* by the policies of its namespace and the mesh: clients do not try */
	struct strings accounts;    /* that its endpoints run as: "NAMESPACE/SERVICE-ACCOUNT", sorted */
	struct digest peers_digest; /* of what clients read of the servers: the two above, and is_mtls of the ports */
};

/* Of two services with one hostname: Kubernetes' own before others, so that nobody squats on its names; then the
 * oldest. */
bool service_precedes(const struct service *a, const struct service *b);
const struct service_port *service_port_get(const struct service *service, uint32_t number);

/* ---- traffic policy ---- */

struct connection_pool {
	/* TCP */
	int64_t max_connections;            /* -1 */
	int64_t connect_timeout_ms;         /* -1 */
	int64_t tcp_idle_timeout_ms;        /* -1 */
	int64_t max_connection_duration_ms; /* -1 */
	struct keepalive keepalive;         /* what it leaves out is the mesh's */
	/* HTTP */
	int64_t max_pending_requests;        /* -1 */
	int64_t max_requests;                /* -1 */
	int64_t max_requests_per_connection; /* -1 */
	int64_t max_retries;                 /* -1 */
	int64_t http_idle_timeout_ms;        /* -1 */
	int64_t max_concurrent_streams;      /* -1 */
	enum { H2_UPGRADE_DEFAULT, H2_UPGRADE_NEVER, H2_UPGRADE_ALWAYS } h2_upgrade;
	bool is_client_protocol_used;
};

struct outlier_detection {
	bool is_set;
	int64_t consecutive_5xx, consecutive_gateway_errors, consecutive_local_origin_failures; /* -1 unset, 0 off */
	bool is_split_local_origin;
	int64_t interval_ms, base_ejection_ms; /* -1 */
	int64_t max_ejection_percent;          /* -1 */
	int64_t min_health_percent;            /* -1 */
};

enum lb_algorithm {
	LB_DEFAULT /* least request */,
	LB_LEAST_REQUEST,
	LB_ROUND_ROBIN,
	LB_RANDOM,
	LB_PASSTHROUGH,
	LB_RING_HASH,
	LB_MAGLEV
};
enum hash_key { HASH_NONE, HASH_HEADER, HASH_COOKIE, HASH_SOURCE_IP, HASH_QUERY };

struct hash_attribute {
	const char *name, *value;
};

struct load_balancer {
	enum lb_algorithm algorithm;
	enum hash_key hash_key;
	const char *hash_name;   /* header, cookie or parameter */
	const char *cookie_path; /* NULL */
	int64_t cookie_ttl_ms;   /* -1: no ttl */
	const struct hash_attribute *cookie_attributes;
	size_t n_cookie_attributes;
	uint64_t minimum_ring_size; /* ring hash; 1024 when unset */
	uint64_t table_size;        /* Maglev; 0 unset */
	int64_t warmup_ms; /* new endpoints get their share by and by during this time; 0: at once. Round robin and
	                      least request */
	double warmup_aggression; /* how fast at first; 0: as the proxy does */
	double warmup_percent;    /* of the share, to begin with; -1: as the proxy does */
};

enum client_tls_mode {
	CLIENT_TLS_UNSET, /* nothing is said: the mesh's mutual TLS with who takes it, else plaintext */
	CLIENT_TLS_NONE,  /* plaintext */
	CLIENT_TLS_SIMPLE,
	CLIENT_TLS_MUTUAL, /* with the certificate that is named here */
	CLIENT_TLS_MESH,   /* with the mesh's own */
};

/* TLS towards a destination. */
struct client_tls {
	enum client_tls_mode mode;
	const char *sni;                         /* "": the host that was called */
	struct strings subject_alt_names;        /* none: see the service; else the host that was called */
	const char *certificate_file, *key_file; /* at the proxy; "" */
	const char *authorities_file, *crl_file; /* at the proxy; "": the system's, none */
	struct credential credential;            /* the secret with all of that instead */
	bool is_unverified;
};

struct traffic_policy {
	struct connection_pool pool;
	struct outlier_detection outlier;
	struct load_balancer lb;
	struct client_tls tls;
	struct digest digest;
};

/* The policy for one port of a destination; the row with port 0 is for all others and always there, last. */
struct port_policy {
	uint32_t port;
	const struct traffic_policy *policy;
};

/* Inheritance (mesh < top < port, subset over top) is already worked out here. */
struct destination_subset {
	const char *name; /* "" for the whole destination */
	struct labels labels;
	const struct port_policy *ports;
	size_t n_ports;
};

struct destination_policy {
	const char *host; /* FQDN, may be "*.example.com" */
	const char *namespace;
	struct visibility visibility;
	struct labels workload_selector; /* empty: all workloads */
	uint32_t order;        /* among the policies of one namespace and host: a later one without a selector wins */
	bool has_whole_policy; /* something is said for the whole destination, not only for subsets */
	struct destination_subset whole;          /* name "" */
	const struct destination_subset *subsets; /* in the object's order */
	size_t n_subsets;
	struct source_ref source;
	struct digest digest;
};

const struct traffic_policy *destination_subset_policy(const struct destination_subset *subset, uint32_t port);
const struct destination_subset *destination_policy_subset(const struct destination_policy *policy, const char *name);

/* ---- peer authentication ---- */

/* What a workload takes: plaintext, both, or the mesh's mutual TLS only. */
enum mtls_mode { MTLS_UNSET /* as the next wider policy says */, MTLS_DISABLE, MTLS_PERMISSIVE, MTLS_STRICT };

struct mtls_port {
	uint32_t port; /* of the workload */
	enum mtls_mode mode;
};

/* Of all ports but those named. */
struct mtls_settings {
	enum mtls_mode mode;
	const struct mtls_port *ports; /* by port */
	size_t n_ports;
};

/* What the workloads with some labels take. */
struct peer_authentication {
	struct labels selector;
	struct mtls_settings settings;
	int64_t created_s;
	const char *name, *namespace;
};

/* One for each namespace of which something is said. */
struct namespace_mtls {
	enum mtls_mode mode;                           /* never unset */
	const struct peer_authentication *const *rows; /* of workloads; the first that selects one counts */
	size_t n_rows;
};

/* ---- routes ---- */

enum match_type { MATCH_EXACT, MATCH_PREFIX, MATCH_REGEX, MATCH_PRESENT };

struct string_match {
	enum match_type type;
	const char *value;
	bool is_case_ignored;
};

struct header_match {
	const char *name; /* a header, ":method", ":authority", ":scheme", or a query parameter */
	struct string_match match;
	bool is_inverted;
};

/* Of the request's token, if it has one that was verified; else no claim is there. A list has a value if an element is
 * it. */
struct claim_match {
	struct strings path; /* of nested claims the outermost first */
	struct string_match match;
	bool is_inverted;
};

/* All parts must hold. */
struct http_match {
	const char *name; /* NULL */
	bool has_path;
	struct string_match path;
	const struct header_match *headers; /* by name */
	size_t n_headers;
	const struct header_match *query_params; /* by name */
	size_t n_query_params;
	const struct claim_match *claims; /* by path. At gateways; elsewhere no request has any */
	size_t n_claims;
	uint32_t port;                /* 0: any */
	struct labels source_labels;  /* of the client workload; empty: any */
	const char *source_namespace; /* NULL: any */
	bool has_gateways;            /* else the rule's gateways */
	bool is_mesh;
	struct strings gateways; /* "namespace/name" */
};

struct header_operations { /* by name */
	const struct header_value *set, *add;
	size_t n_set, n_add;
	struct strings remove;
};

/* Where traffic goes. The cluster is found per view: `host` among the services the view sees. */
struct destination {
	const char *host;   /* FQDN */
	const char *subset; /* "" */
	uint32_t port;      /* 0: the service's only port, else the listener's */
};

struct weighted_destination {
	struct destination destination;
	uint32_t weight;
	struct header_operations request_headers, response_headers;
	const char *authority; /* NULL; one of several destinations sets its own (never with one: see http_rewrite) */
};

struct fault {
	bool has_delay, has_abort;
	int64_t delay_ms;
	double delay_percent, abort_percent; /* 0..100 */
	uint32_t abort_http_status;          /* 0: see grpc */
	bool is_abort_grpc;
	uint32_t abort_grpc_status;
};

struct retry_policy {
	enum { RETRY_DEFAULT, RETRY_NONE, RETRY_SET } mode; /* DEFAULT: the mesh's */
	uint32_t attempts;
	int64_t per_try_timeout_ms;   /* -1 */
	int64_t backoff_ms;           /* -1 */
	const char *retry_on;         /* "5xx,reset": conditions without the numbers; NULL: the default's */
	const uint32_t *status_codes; /* from retry_on */
	size_t n_status_codes;
	bool is_ignoring_previous_hosts;
	bool has_previous_hosts; /* the line above was said; else yes, unless the one destination hashes consistently */
	bool is_retrying_remote_localities;
};

struct mirror {
	struct destination destination;
	double percent;
};

struct cors_policy {
	const struct string_match *allow_origins;
	size_t n_allow_origins;
	struct strings allow_methods, allow_headers, expose_headers;
	int64_t max_age_s; /* -1 */
	enum { CORS_CREDENTIALS_UNSET, CORS_CREDENTIALS_FALSE, CORS_CREDENTIALS_TRUE } credentials;
	enum { CORS_UNMATCHED_UNSET, CORS_UNMATCHED_FORWARD, CORS_UNMATCHED_IGNORE } unmatched_preflights;
};

enum http_action { HTTP_FORWARD, HTTP_REDIRECT, HTTP_DIRECT_RESPONSE };

struct http_redirect {
	const char *uri, *authority, *scheme; /* NULL: as in the request */
	bool is_prefix_rewrite;               /* uri replaces the matched prefix ("%PREFIX()%") */
	uint32_t port;                        /* 0: see is_port_from_scheme */
	bool is_port_from_scheme;
	bool is_port_from_request; /* the listener's port; one of the two at most */
	uint32_t code;             /* 301, 302, 303, 307, 308 */
};

struct http_direct_response {
	uint32_t status;
	const char *body; /* NULL: none */
	size_t body_n;
};

struct http_rewrite {
	const char *uri, *authority;       /* NULL */
	const char *regex, *regex_rewrite; /* NULL */
};

struct http_route {
	const char *name;                 /* NULL */
	const struct http_match *matches; /* none: everything */
	size_t n_matches;
	enum http_action action;
	const struct weighted_destination *destinations;
	size_t n_destinations;
	struct http_redirect redirect;
	struct http_direct_response direct_response;
	bool has_rewrite;
	struct http_rewrite rewrite;
	int64_t timeout_ms; /* -1: none set */
	struct retry_policy retry;
	struct fault fault;
	const struct mirror *mirrors;
	size_t n_mirrors;
	const struct cors_policy *cors; /* NULL */
	struct header_operations request_headers, response_headers;
};

/* What is known of a connection before anything in it is read. All parts must hold. */
struct connection_match {
	struct strings server_names;  /* in the TLS handshake, "*.example.com" too; none: any, or no TLS */
	struct strings subnets;       /* the address dialled is in one of them; none: any */
	uint32_t port;                /* 0: any */
	struct labels source_labels;  /* of the client workload; empty: any */
	const char *source_namespace; /* NULL: any */
	bool has_gateways;            /* else the rule's gateways */
	bool is_mesh;
	struct strings gateways; /* "namespace/name" */
	uint32_t place;          /* among the route's, as it was written */
};

/* Connections that go on as they are: TLS by the name in the handshake, or TCP. */
struct connection_route {
	const struct connection_match *matches; /* none: everything */
	size_t n_matches;
	const struct weighted_destination *destinations; /* without headers */
	size_t n_destinations;
	uint32_t place; /* among the rule's tls or tcp, as it was written */
};

/* The routes for some hosts, as one object gives them. */
struct route_rule {
	struct strings hosts; /* FQDN or wildcard */
	const char *name, *namespace;
	struct visibility visibility;
	bool is_mesh;            /* applies in sidecars */
	struct strings gateways; /* "namespace/name", besides mesh */
	const struct http_route *http;
	size_t n_http;
	const struct connection_route *tls, *tcp;
	size_t n_tls, n_tcp;
	int64_t created_s;
	struct source_ref source;
	struct digest digest;
};

/* There is something in it for what sidecars do not look into. */
bool route_rule_has_connections(const struct route_rule *rule);

/* ---- workloads ---- */

/* A pod or workload entry, found by a proxy's address. */
struct workload {
	const char *name, *namespace, *service_account;
	struct strings addresses;
	struct labels labels;
	struct locality locality;
	bool is_host_network; /* its address is its host's and others' too */
};

/* A port that the proxy at an address serves. */
struct served_port {
	const struct service *service;
	const struct service_port *port;
	uint32_t target_port; /* where the workload listens */
};

struct served_ports {
	const struct served_port *v; /* oldest service first, then by hostname, namespace; then port number */
	size_t n;
};

struct model {
	struct mesh mesh;
	const struct service *const *services; /* by hostname, namespace */
	size_t n_services;
	const struct destination_policy *const *policies; /* by namespace, host; conflicts already merged or reported */
	size_t n_policies;
	const struct route_rule *const *rules; /* precedence: created_s, name, namespace */
	size_t n_rules;
	const struct authz_policy *const *authz_policies; /* by namespace, name */
	size_t n_authz_policies;
	const struct request_authentication *const *request_authentications; /* by namespace, name */
	size_t n_request_authentications;
	const struct key_source *key_sources; /* whose key sets the model reads; sorted, with the longest timeout */
	size_t n_key_sources;
	const struct gateway *const *gateways; /* precedence: created_s, name, namespace */
	size_t n_gateways;
	const struct secret *const *secrets; /* by namespace, name */
	size_t n_secrets;
	struct blob trust_roots;                 /* what the mesh trusts, as PEM; none: not known (yet) */
	const struct workload *const *workloads; /* by namespace, name */
	size_t n_workloads;
	enum mtls_mode mtls_mode;            /* of workloads of which nothing else is said; never unset */
	struct map mtls_by_namespace;        /* namespace -> struct namespace_mtls */
	struct map services_by_host;         /* hostname -> struct service (the one that wins when namespaces differ) */
	struct map workloads_by_address;     /* address -> struct workload */
	struct map served_by_address;        /* address -> struct served_ports */
	const struct rule_index *rule_index; /* rule_index.h */
	struct strings client_label_keys;    /* of the client's labels that rules and policies read; sorted */
	struct report report;                /* canonical order */
	int64_t holds_from_s, holds_until_s; /* before and from then on time makes other rows; INT64_MIN, INT64_MAX */
};

/* Those for a workload, without whom they ask (authz_of says that, too); they live in the arena. */
struct authz_policies model_authz(struct arena *arena, const struct model *model, const char *namespace,
                                  const struct labels *labels);
struct jwt_rules model_jwt_rules(struct arena *arena, const struct model *model, const char *namespace,
                                 const struct labels *labels);
const struct secret *model_secret(const struct model *model, const char *namespace, const char *name); /* or NULL */
const struct service *model_service(const struct model *model, const char *hostname);
/* All with the host name, of one namespace each; by namespace. */
struct services_of_host {
	const struct service *const *v;
	size_t n;
};
struct services_of_host model_services_of_host(const struct model *model, const char *hostname);
/* What a workload takes, all levels worked out; no mode in it is unset. Ports live in the arena. */
struct mtls_settings model_mtls(struct arena *arena, const struct model *model, const char *namespace,
                                const struct labels *labels);
/* Whether the workload lets clients use mutual TLS on one of its ports. */
bool model_takes_mtls(const struct model *model, const char *namespace, const struct labels *labels, uint32_t port);
enum mtls_mode mtls_settings_mode(const struct mtls_settings *settings, uint32_t port);
/* As far as one can say of a namespace's workloads without knowing them, which is what their clients go by. */
enum mtls_mode model_namespace_mtls_mode(const struct model *model, const char *namespace);
