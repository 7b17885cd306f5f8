#pragma once
/*
 * Every name that Envoy sees: of clusters, listeners, filter chains, route tables' hosts, filters, and the prefixes of
 * statistics. They are Istio's, since dashboards, alerts and people know them. Nothing else in this folder spells one.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- clusters ---- */
#define NAME_PASSTHROUGH_CLUSTER "PassthroughCluster"
#define NAME_BLACK_HOLE_CLUSTER "BlackHoleCluster"
#define NAME_INBOUND_PASSTHROUGH_CLUSTER "InboundPassthroughCluster"

/* "outbound|80|v1|reviews.default.svc.cluster.local" */
char *name_outbound_cluster(struct arena *arena, uint32_t port, const char *subset, const char *host);
/* The server name that clients of the mesh send: "outbound_.80_.v1_.reviews.default.svc.cluster.local". Also the
 * cluster to which a gateway in mode AUTO_PASSTHROUGH leads such a client on. */
char *name_outbound_sni(struct arena *arena, uint32_t port, const char *subset, const char *host);
char *name_inbound_cluster(struct arena *arena, uint32_t port); /* "inbound|8080||" */
/* Clusters' and connection managers' prefix of statistics: the name and the delimiter that ends it. */
char *name_stat(struct arena *arena, const char *name);

/* ---- listeners and filter chains ---- */
#define NAME_VIRTUAL_OUTBOUND "virtualOutbound"
#define NAME_VIRTUAL_OUTBOUND_CATCH_ALL "virtualOutbound-catchall-tcp"
#define NAME_VIRTUAL_OUTBOUND_BLACK_HOLE "virtualOutbound-blackhole"
#define NAME_VIRTUAL_INBOUND "virtualInbound"
#define NAME_VIRTUAL_INBOUND_CATCH_ALL_HTTP "virtualInbound-catchall-http"
#define NAME_VIRTUAL_INBOUND_BLACK_HOLE "virtualInbound-blackhole"
#define NAME_PASSTHROUGH_CHAIN "PassthroughFilterChain"

char *name_listener(struct arena *arena, const char *bind, uint32_t port);      /* "0.0.0.0_80" */
char *name_outbound_stat(struct arena *arena, const char *bind, uint32_t port); /* "outbound_0.0.0.0_80;" */
char *name_inbound_stat(struct arena *arena, const char *bind, uint32_t port);  /* "inbound_0.0.0.0_80;" */

#define NAME_WILDCARD_IPV4 "0.0.0.0"
#define NAME_WILDCARD_IPV6 "::"
#define NAME_LOOPBACK_IPV4 "127.0.0.1"
#define NAME_LOOPBACK_IPV6 "::1"

/* ---- secrets ---- */
#define NAME_SDS_CLUSTER "sds-grpc" /* of the proxy's bootstrap: the agent beside it */
#define NAME_OWN_SECRET "default"   /* the workload's certificate and key */
#define NAME_ROOT_SECRET "ROOTCA"   /* what the mesh trusts */
/* Out of files at the proxy: "file-cert:/cert~/key", "file-root:/roots", with revocations "file-root:/roots~/crl". */
char *name_certificate_of_files(struct arena *arena, const char *certificate, const char *key);
char *name_root_of_file(struct arena *arena, const char *file, const char *crl); /* "": the system's roots, none */
/* "kubernetes://shop-cert", with its namespace where that was written; "-cacert" behind it for whom to believe */
char *name_secret(struct arena *arena, const char *namespace, const char *name, bool is_validation);
#define NAME_TLS_SOCKET "envoy.transport_sockets.tls"
#define NAME_PLAINTEXT_SOCKET "envoy.transport_sockets.raw_buffer"

/* ---- routes ---- */
#define NAME_DEFAULT_ROUTE "default"
#define NAME_ALLOW_ANY "allow_any"
#define NAME_BLOCK_ALL "block_all"

char *name_virtual_host(struct arena *arena, const char *host, uint32_t port); /* "reviews:80", "[::1]:80" */
char *name_black_hole_host(struct arena *arena, uint32_t port); /* "blackhole:80": of a table without hosts */
char *name_inbound_host(struct arena *arena, uint32_t port);    /* "inbound|http|80" */

/* ---- access control ---- */
/* "ns[foo]-policy[httpbin]-rule[0]" */
char *name_authz_rule(struct arena *arena, const char *prefix, const char *namespace, const char *policy, size_t rule,
                      const char *suffix);
#define NAME_DRY_RUN_ALLOW "istio_dry_run_allow_" /* prefixes of statistics and metadata */
#define NAME_DRY_RUN_DENY "istio_dry_run_deny_"
#define NAME_AUDIT "istio_audit_"
#define NAME_RBAC_POLICY "enforced_effective_policy_id" /* what it writes into its metadata */
#define NAME_RBAC_RESULT "enforced_engine_result"
#define NAME_RBAC_SHADOW_POLICY "shadow_effective_policy_id" /* of rules that are not enforced */
#define NAME_RBAC_SHADOW_RESULT "shadow_engine_result"
#define NAME_RBAC_DENIED "denied"
#define NAME_STAT_TCP "tcp."
#define NAME_EXT_AUTHZ_METADATA "istio_ext_authz_" /* prefix of what rules say that an outside service is to decide */
#define NAME_EXT_AUTHZ_POLICY_ID NAME_EXT_AUTHZ_METADATA NAME_RBAC_SHADOW_POLICY /* which policy said so */
#define NAME_EXT_AUTHZ_REFUSED "-deny-due-to-bad-CUSTOM-action" /* behind the names of policies with nobody to ask */
/* In front of the names of policies that ask the provider: "istio-ext-authz-opa" */
#define NAME_EXT_AUTHZ_PREFIX "istio-ext-authz-"
char *name_ext_authz(struct arena *arena, const char *provider);
char *name_jwt_provider(struct arena *arena, size_t i); /* "origins-0" */
#define NAME_JWT_PAYLOAD "payload"                      /* where verified tokens are in the metadata of their filter */

/* ---- filters and extensions ---- */
#define NAME_HTTP_CONNECTION_MANAGER "envoy.filters.network.http_connection_manager"
#define NAME_TCP_PROXY "envoy.filters.network.tcp_proxy"
#define NAME_HTTP_INSPECTOR "envoy.filters.listener.http_inspector"
#define NAME_TLS_INSPECTOR "envoy.filters.listener.tls_inspector"
#define NAME_ORIGINAL_DST "envoy.filters.listener.original_dst"
#define NAME_ORIGINAL_SRC "envoy.filters.listener.original_src"
#define NAME_GRPC_WEB "envoy.filters.http.grpc_web"
#define NAME_GRPC_STATS "envoy.filters.http.grpc_stats"
#define NAME_FAULT "envoy.filters.http.fault"
#define NAME_CORS "envoy.filters.http.cors"
#define NAME_SET_FILTER_STATE "envoy.filters.http.set_filter_state"
#define NAME_JWT_AUTHN "envoy.filters.http.jwt_authn"
#define NAME_HTTP_EXT_AUTHZ "envoy.filters.http.ext_authz"
#define NAME_NETWORK_EXT_AUTHZ "envoy.filters.network.ext_authz"
#define NAME_HTTP_RBAC "envoy.filters.http.rbac"
#define NAME_NETWORK_RBAC "envoy.filters.network.rbac"
#define NAME_URI_TEMPLATE "uri-template"
#define NAME_ROUTER "envoy.filters.http.router"
#define NAME_PREVIOUS_HOSTS "envoy.retry_host_predicates.previous_hosts"
#define NAME_PREVIOUS_PRIORITIES "envoy.retry_priorities.previous_priorities"
#define NAME_HTTP_PROTOCOL_OPTIONS "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
#define NAME_FILE_ACCESS_LOG "envoy.access_loggers.file"
#define NAME_STDOUT_ACCESS_LOG "envoy.access_loggers.stdout"
#define NAME_CEL_ACCESS_LOG_FILTER "envoy.access_loggers.extension_filters.cel"

#define NAME_CARES_RESOLVER "envoy.network.dns_resolver.cares"

/* What endpoints say of themselves, and the kinds of connections that clusters choose between by it. */
#define NAME_TRANSPORT_SOCKET_MATCH "envoy.transport_socket_match"
#define NAME_TLS_MODE "tlsMode"
#define NAME_TLS_MODE_MESH "istio"
#define NAME_MATCH_MTLS "tlsMode-istio"
#define NAME_MATCH_PLAINTEXT "tlsMode-disabled"

/* What this server writes into metadata (filter_metadata.istio), which is where Istio's tools look. */
#define NAME_METADATA "istio"
#define NAME_SERVER "istio-envoy"
/* And what it writes there for itself: what clusters offer by ALPN for each version of HTTP (cluster_tls.c). */
#define NAME_METADATA_ALPN "weft.alpn"
