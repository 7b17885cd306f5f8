#pragma once
/*
 * Who is asking. A proxy introduces itself with a node id and metadata; what its configuration may depend on is boiled
 * down to two keys:
 *
 * - the view: role, namespace, … : outbound clusters, routes and listeners. A thousand sidecars of one namespace share
 * one.
 * - the workload class: namespace, labels, the service ports it serves: inbound listeners and clusters. Replicas share
 * one.
 *
 * Output that depends on something else of a proxy is a bug: add it to a key first.
 *
 * Node ids are Istio's: "sidecar~10.0.0.1~app-1.default~default.svc.cluster.local", "router~…".
 */
#include "base/error.h"
#include "translator/model.h"

enum proxy_role { PROXY_SIDECAR, PROXY_GATEWAY };
/* How connections get to the proxy (metadata INTERCEPTION_MODE). */
enum interception { INTERCEPT_REDIRECT, INTERCEPT_TPROXY, INTERCEPT_NONE };

/* As the proxy says; strings live in the arena given to node_parse. */
struct node {
	const char *id; /* the whole node id */
	enum proxy_role role;
	const char *address;          /* first IP */
	struct strings addresses;     /* all of INSTANCE_IPS, or the id's one */
	const char *name, *namespace; /* "app-1", "default" */
	const char *pod_namespace;    /* the one in the id, behind the name: "default"; "" for none */
	const char *domain;           /* "default.svc.cluster.local" */
	struct labels labels;         /* metadata LABELS */
	const char *service_account;  /* metadata SERVICE_ACCOUNT, or "" */
	bool is_verified;             /* it proved its namespace and service account, which are then both there */
	const char *cluster_id, *network, *version; /* CLUSTER_ID, NETWORK, ISTIO_VERSION; "" */
	struct strings networks; /* REQUESTED_NETWORK_VIEW: whose endpoints it wants alone, sorted; none: all */
	bool is_unprivileged;    /* UNPRIVILEGED_POD: no ports below 1024 */
	bool is_mtls_capable;    /* ISTIO_VERSION: an agent stands beside it that hands it its
	                            certificate (cluster "sds-grpc") */
	bool is_http10;          /* HTTP10: HTTP/1.0 accepted */
	enum interception interception;
	bool is_inbound_exact_balance, is_outbound_exact_balance;
	uint32_t status_port,
	    prometheus_port; /* ENVOY_STATUS_PORT, ENVOY_PROMETHEUS_PORT: the proxy's own listeners; 0: none */
};

/* metadata is the node's metadata as a tree (NULL: none). Unknown keys are ignored; wrong types are errors. */
bool node_parse(struct arena *arena, const char *id, const struct json *metadata, struct node *node,
                struct error *error);

/* A gateway's own Service may send its port 80 to 8080. */
struct port_mapping {
	uint32_t number, target;
};

struct view {
	enum proxy_role role;
	const char *namespace;
	const char *domain;
	struct labels
	    labels; /* gateways: all, since Gateways select by them. Sidecars: those in model->client_label_keys */
	const struct port_mapping
	    *gateway_ports; /* gateways: where a service port is listened on; by number, first service wins */
	size_t n_gateway_ports;
	struct strings networks; /* whose endpoints it sees, and those of no network; none: all */
	bool is_ipv4, is_ipv6;
	bool is_verified; /* may have secrets of its namespace: the node is, and nothing known of its account speaks
	                     against what it says */
	bool is_mtls_capable, is_unprivileged, is_http10;
	enum interception interception;
	bool is_outbound_exact_balance;
	uint32_t status_port, prometheus_port; /* taken on the wildcard address; 0: none */
	struct digest key;
};

/* One port that a workload serves. */
struct inbound_port {
	uint32_t port; /* where the application listens */
	enum mtls_mode mtls_mode;
	enum protocol protocol;
	const struct service *service; /* the one that names it: oldest first */
	const struct service_port *service_port;
	const struct service *const *services; /* all that lead here, `service` first */
	size_t n_services;
};

struct workload_class {
	enum proxy_role role; /* gateways have nothing inbound */
	const char *namespace;
	struct labels labels;
	const struct inbound_port *ports; /* by port; one a port */
	size_t n_ports;
	enum mtls_mode mtls_mode;            /* of all ports that are not named here */
	const struct mtls_port *other_ports; /* that no service leads to, but of which a policy speaks; by port */
	size_t n_other_ports;
	struct authz_policies authz;
	bool is_mtls_capable; /* else there is no TLS for it, and what must be mutual TLS is refused */
	bool is_ipv4, is_ipv6, is_http10, is_inbound_exact_balance;
	enum interception interception;
	struct digest key;
};

/* The keys of a node against a model. Strings are copied into the arena: a view outlives generations. */
struct view *view_of(struct arena *arena, const struct model *model, const struct node *node);
/* Points into the model: lives as long as its generation. */
struct workload_class *workload_class_of(struct arena *arena, const struct model *model, const struct node *node);
