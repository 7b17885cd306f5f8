#pragma once
/*
 * The model as one view sees it: which services, which policy for each, which routes for each host and port, which
 * listeners. The step between resolve (mesh-wide) and emit (one proxy family): still no dialect's and no proxy's types.
 *
 * Pure; everything lives in the arena or in the model.
 */
#include "translator/model.h"
#include "translator/view.h"

struct scope_service {
	const struct service *service;
	const struct destination_policy *policy; /* NULL: none */
};

/* One host on one port of a route table. */
struct scope_host {
	const char *hostname; /* the service's, or the rule's */
	uint32_t port;        /* of the listener */
	const struct scope_service
	    *service; /* NULL: only a rule names the host. An alias only with a rule of its own */
	const struct route_rule *const
	    *rules; /* none: the service's default route. Sidecars: one. Gateways: all that bind, in order */
	size_t n_rules;
	const char *const *gateways; /* gateways: "namespace/name" through which rules[i] binds. Sidecars: NULL */
	bool is_https_redirect;      /* gateways */
	struct digest digest;        /* all that emit reads for this host, services named in its routes included */
};

/* One HTTP route table: "80" of a sidecar, "http.8080" of a gateway. */
struct scope_table {
	const char *name;
	uint32_t port;
	bool is_single; /* "host:port" of a sniffed listener: its one host answers for every authority */
	const struct scope_host *hosts; /* by hostname */
	size_t n_hosts;
	struct digest digest;
};

/* What a listener does with some of its connections. Of one listener no two take the same (chain_list.h). */
struct scope_chain {
	struct strings server_names;          /* in the TLS handshake; none: those that no other chain takes */
	struct strings subnets;               /* the address dialled is in one of them; none: any */
	const struct gateway_tls *tls;        /* how TLS ends here; NULL: plaintext, or passed through */
	const char *table;                    /* HTTP by this route table; NULL: */
	const struct connection_route *route; /* to its destinations as it is; NULL: */
	const struct route_rule *rule;        /* of the route */
	const struct scope_service *service;  /* to this service's port and subset */
	const char *subset;
	bool is_auto_passthrough; /* takes the mesh's TLS by the server name that service, port and subset have */
	uint32_t port;            /* as the server says: what destinations without a port mean. Else the service's */
};

/* An outbound or gateway listener. */
struct scope_listener {
	const char *bind; /* "0.0.0.0", a service's address; or an address of a gateway server */
	uint32_t port;
	const char *table;                /* HTTP by this route table; NULL: none, or (gateways) as the chains say */
	const struct scope_chain *chains; /* sidecars: for what is not HTTP. Without a table at least one */
	size_t n_chains;
	bool is_tls; /* gateways: names in handshakes tell the chains apart */
	struct digest digest;
};

/* A secret that something in the scope names, and that the view may have. */
struct scope_secret {
	const struct credential *credential; /* as it is named */
	const struct secret *secret;         /* never NULL: what is not there is not listed */
	bool is_validation;                  /* whom to believe; else a certificate with its key */
};

struct scope {
	const struct model *model;
	const struct view *view;
	const struct scope_service *services; /* visible ones by hostname */
	size_t n_services;
	const struct scope_table *tables; /* by name */
	size_t n_tables;
	const struct scope_listener *listeners; /* by bind, port */
	size_t n_listeners;
	const struct scope_secret
	    *secrets; /* by credential, each once; gateways' that have proved who they are, of their own namespace */
	size_t n_secrets;
	struct authz_policies authz; /* gateways: of what passes them. Sidecars: none, see struct workload_class */
	struct map services_by_host; /* hostname -> struct scope_service */
	bool has_auto_passthrough;   /* a gateway that has clusters and endpoints for TLS that it leads on */
	struct digest digest;
};

/* Whether gateways may lead the mesh's TLS on to the service: not to what is outside the mesh, or a wildcard. */
bool service_is_auto_passthrough(const struct service *service);

struct scope *scope_of(struct arena *arena, const struct model *model, const struct view *view);

/*
 * What the view sees of the services with the host names of model->services[places[i]] (ascending): no tables, no
 * listeners, no digest. Enough for emit_view_endpoints.
 */
struct scope *scope_of_services(struct arena *arena, const struct model *model, const struct view *view,
                                const size_t *places, size_t n_places);

/* The service that the namespace's views have under a host name; NULL: none. */
const struct service *scope_service_seen(const struct model *model, const char *namespace, const char *hostname);

/* The service that a destination of a route means in this view; NULL when it sees none. `port` is the port to use. */
const struct scope_service *scope_destination(const struct scope *scope, const struct destination *destination,
                                              uint32_t listener_port, uint32_t *port);

/*
 * Whether a match of host->rules[rule_i] concerns this view at all: its port, its gateways and, when it names none, the
 * client's labels and namespace. What it says about the request is left to the proxy.
 */
bool scope_match_applies(const struct scope *scope, const struct scope_host *host, size_t rule_i,
                         const struct http_match *match);
/* The same of connections to a port, at a Gateway ("namespace/name") or in sidecars (NULL). */
bool connection_match_applies(const struct scope *scope, const struct connection_match *match, const char *gateway,
                              uint32_t port);
/* Neither a name nor an address: the chain takes what the others of its listener leave. */
bool scope_chain_is_catch_all(const struct scope_chain *chain);
/* The match lets every request through, so no later route is reached. NULL (a route without matches): true. */
bool http_match_is_catch_all(const struct http_match *match);
