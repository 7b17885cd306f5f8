/*
 * Servers and route tables of gateways: plaintext servers share one table for each port and address that a server of a
 * selecting Gateway opens; a server that ends TLS has one of its own.
 *
 * A server takes the rules bound to its Gateway, on the hosts that both have (the narrower of the two, when one is a
 * wildcard). Several rules on one host follow each other in order of precedence. A server that only redirects to HTTPS
 * has its hosts even without rules.
 */
#include "translator/scope_gateways.h"
#include "base/text.h"

#include <string.h>

#define PRIVILEGED_PORT_END 1024

/* One host of a table in the making. */
struct gateway_host_draft {
	const char *hostname;
	uint32_t port;
	bool is_https_redirect;
	VEC(const struct indexed_rule *) rules;
	VEC(const char *) gateways; /* of rules[i] */
};

/* A route table. */
struct gateway_table_draft {
	const char *name;
	uint32_t server_port; /* as the first server says: what hosts are called by */
	struct map hosts;     /* hostname -> struct gateway_host_draft */
};

struct gateways_draft {
	struct scope_draft *draft;
	struct map listeners; /* "bind_port" -> struct gateway_listener_draft: a server may name the address that
	                         another means */
	struct map tables;    /* by name */
	struct rule_digests digests;
	struct map rules; /* gateway -> struct visible_rules */
};

static uint32_t listened_port(const struct view *view, uint32_t number)
{
	for (size_t i = 0; i < view->n_gateway_ports; i++) {
		if (view->gateway_ports[i].number == number)
			return view->gateway_ports[i].target;
	}
	return number;
}

static const struct visible_rules *rules_of(struct gateways_draft *all, const char *gateway)
{
	struct scope *scope = all->draft->scope;
	struct arena *arena = all->draft->arena;
	void **slot = map_slot(arena, &all->rules, gateway);
	if (*slot)
		return *slot;
	struct visible_rules *rules = *slot = ARENA_NEW(arena, struct visible_rules);
	const struct rule_list *list = map_get(&scope->model->rule_index->by_gateway, gateway);
	for (size_t i = 0; list && i < list->n; i++)
		visible_rules_add(arena, rules, scope->view, list->v[i]);
	visible_rules_seal(arena, rules);
	return rules;
}

static struct gateway_host_draft *host_of(struct gateways_draft *all, struct gateway_table_draft *table,
                                          const char *hostname, uint32_t port)
{
	void **slot = map_slot(all->draft->arena, &table->hosts, hostname);
	if (!*slot) {
		struct gateway_host_draft *host = *slot = ARENA_NEW(all->draft->arena, struct gateway_host_draft);
		host->hostname = hostname;
		host->port = port;
	}
	return *slot;
}

static bool has_rule(const struct gateway_host_draft *host, const struct indexed_rule *rule, const char *gateway)
{
	for (size_t i = host->rules.n; i > 0; i--) {
		if (host->rules.v[i - 1] == rule && strcmp(host->gateways.v[i - 1], gateway) == 0)
			return true;
	}
	return false;
}

struct server_draft {
	struct gateways_draft *all;
	struct gateway_table_draft *table;
	const struct gateway_server *server;
	const char *gateway; /* "namespace/name" */
};

static void add_rule_host(const struct server_draft *draft, const struct indexed_rule *rule, const char *hostname)
{
	struct arena *arena = draft->all->draft->arena;
	struct gateway_host_draft *host = host_of(draft->all, draft->table, hostname, draft->server->port);
	if (draft->server->is_https_redirect)
		host->is_https_redirect = true;
	if (has_rule(host, rule, draft->gateway))
		return;
	VEC_PUSH(arena, &host->rules, rule);
	VEC_PUSH(arena, &host->gateways, draft->gateway);
}

/* A rule that may have something in common with a host of the server. */
struct meeting {
	size_t rule; /* place in the rules */
	size_t host; /* of the server */
};

struct meetings {
	VEC(struct meeting) v;
};

static int compare_meetings(const void *a, const void *b)
{
	const struct meeting *x = a, *y = b;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->host > y->host) - (x->host < y->host);
}

/* Rules that cover the host, and those within it. */
static void find_meetings(struct arena *arena, const struct visible_rules *rules, const char *name, size_t host,
                          struct meetings *out)
{
	struct places places = {0};
	visible_rules_near(arena, rules, name, &places);
	for (size_t i = 0; i < places.v.n; i++)
		VEC_PUSH(arena, &out->v, (struct meeting){places.v.v[i], host});
}

static void add_meeting(const struct server_draft *draft, const struct indexed_rule *rule,
                        const struct gateway_host *of_server)
{
	if (strcmp(of_server->namespace, "*") != 0 && strcmp(of_server->namespace, rule->rule->namespace) != 0)
		return;
	for (size_t i = 0; i < rule->rule->hosts.n; i++) {
		const char *of_rule = rule->rule->hosts.v[i];
		if (host_is_within(of_server->host, of_rule))
			add_rule_host(draft, rule, of_server->host);
		else if (host_is_within(of_rule, of_server->host))
			add_rule_host(draft, rule, of_rule);
	}
}

static void add_rules(const struct server_draft *draft, const struct visible_rules *rules)
{
	const struct gateway_server *server = draft->server;
	struct meetings meetings = {0};
	for (size_t i = 0; i < server->n_hosts; i++)
		find_meetings(draft->all->draft->arena, rules, server->hosts[i].host, i, &meetings);
	VEC_SORT(&meetings.v, compare_meetings);
	bool is_applied = false;
	for (size_t i = 0; i < meetings.v.n; i++) {
		const struct meeting *meeting = &meetings.v.v[i], *former = i ? meeting - 1 : NULL;
		const struct indexed_rule *rule = rules->v.v[meeting->rule].rule;
		if (former && compare_meetings(former, meeting) == 0)
			continue;
		if (!former || former->rule != meeting->rule) {
			const struct scope_host probe = {
			    .port = server->port, .rules = &rule->rule, .n_rules = 1, .gateways = &draft->gateway};
			is_applied = scope_rule_applies(draft->all->draft->scope, &probe, 0);
		}
		if (is_applied)
			add_meeting(draft, rule, &server->hosts[meeting->host]);
	}
}

static enum gateway_listener_kind kind_of(const struct gateway_server *server)
{
	if (server->tls.mode != GATEWAY_TLS_NONE)
		return GATEWAY_TLS;
	return protocol_transport(server->protocol) == TRANSPORT_HTTP ? GATEWAY_HTTP : GATEWAY_TCP;
}

/* NULL: the proxy cannot listen there, or another kind of server does. */
static struct gateway_listener_draft *listener_of(struct gateways_draft *all, const struct gateway_server *server)
{
	const struct view *view = all->draft->scope->view;
	struct arena *arena = all->draft->arena;
	uint32_t port = listened_port(view, server->port);
	if (view->is_unprivileged && port < PRIVILEGED_PORT_END)
		return NULL;
	const char *bind = server->bind;
	if (!bind)
		bind = !view->is_ipv4 && view->is_ipv6 ? "::" : "0.0.0.0";
	void **slot = map_slot(arena, &all->listeners, arena_printf(arena, "%s_%u", bind, port));
	struct gateway_listener_draft *listener = *slot;
	if (!listener) {
		listener = *slot = ARENA_NEW(arena, struct gateway_listener_draft);
		listener->port = port;
		listener->bind = bind;
		listener->kind = kind_of(server);
	}
	return listener->kind == kind_of(server) ? listener : NULL;
}

/* "http.8080" for plaintext, "https.443.PORT.GATEWAY.NAMESPACE" for a server that ends TLS; ".ADDRESS" behind it. */
static const char *table_name(struct arena *arena, const struct gateway *gateway, const struct gateway_server *server,
                              const struct gateway_listener_draft *listener)
{
	const char *dot = server->bind ? "." : "", *bind = server->bind ? server->bind : "";
	if (listener->kind == GATEWAY_HTTP) /* of one listener all have the first one's */
		return listener->chains.v.n ? listener->chains.v.v[0].table
		                            : arena_printf(arena, "http.%u%s%s", listener->port, dot, bind);
	return arena_printf(arena, "https.%u.%s.%s.%s%s%s", server->port, server->port_name, gateway->name,
	                    gateway->namespace, dot, bind);
}

static struct gateway_table_draft *table_of(struct gateways_draft *all, const char *name, uint32_t port)
{
	void **slot = map_slot(all->draft->arena, &all->tables, name);
	if (!*slot) {
		struct gateway_table_draft *table = *slot = ARENA_NEW(all->draft->arena, struct gateway_table_draft);
		table->name = name;
		table->server_port = port;
	}
	return *slot;
}

static void add_http_server(struct gateways_draft *all, const struct gateway *gateway,
                            const struct gateway_server_draft *from)
{
	const struct gateway_server *server = from->server;
	const char *name = table_name(all->draft->arena, gateway, server, from->listener);
	if (!gateway_add_http_chain(from, name) && from->listener->kind == GATEWAY_TLS)
		return;
	struct gateway_table_draft *table = table_of(all, name, server->port);
	const struct server_draft draft = {.all = all, .table = table, .server = server, .gateway = from->gateway};
	add_rules(&draft, from->rules);
	for (size_t i = 0; server->is_https_redirect && i < server->n_hosts; i++)
		host_of(all, table, server->hosts[i].host, server->port)->is_https_redirect = true;
}

static void add_server(struct gateways_draft *all, const struct gateway *gateway, const char *name,
                       const struct gateway_server *server)
{
	const struct gateway_server_draft draft = {
	    .draft = all->draft,
	    .listener = listener_of(all, server),
	    .server = server,
	    .gateway = name,
	    .rules = rules_of(all, name),
	};
	if (!draft.listener)
		return;
	bool is_http = server->protocol == PROTOCOL_HTTPS ? gateway_tls_is_terminated(server->tls.mode)
	                                                  : draft.listener->kind == GATEWAY_HTTP;
	if (is_http)
		add_http_server(all, gateway, &draft);
	else
		gateway_add_connection_chains(&draft);
	gateway_add_secrets(&draft);
}

/* ---- to the scope ---- */

static struct scope_host seal_host(struct gateways_draft *all, const struct gateway_host_draft *draft)
{
	const struct route_rule **rules = ARENA_NEW_N(all->draft->arena, const struct route_rule *, draft->rules.n);
	for (size_t i = 0; i < draft->rules.n; i++)
		rules[i] = draft->rules.v[i]->rule;
	struct scope_host host = {
	    .hostname = draft->hostname,
	    .port = draft->port,
	    .rules = rules,
	    .n_rules = draft->rules.n,
	    .gateways = draft->gateways.v,
	    .is_https_redirect = draft->is_https_redirect,
	};
	host.digest = scope_host_digest(&all->digests, &host, false, draft->rules.v);
	return host;
}

static void seal_table(struct gateways_draft *all, const struct gateway_table_draft *draft)
{
	struct arena *arena = all->draft->arena;
	struct scope_host *hosts = ARENA_NEW_N(arena, struct scope_host, draft->hosts.n);
	for (size_t i = 0; i < draft->hosts.n; i++)
		hosts[i] = seal_host(all, draft->hosts.entries[i].value);
	if (draft->hosts.n > 1)
		qsort(hosts, draft->hosts.n, sizeof *hosts, scope_host_compare);
	struct scope_table table = {
	    .name = draft->name, .port = draft->server_port, .hosts = hosts, .n_hosts = draft->hosts.n};
	table.digest = scope_table_digest(all->draft, &table);
	VEC_PUSH(arena, &all->draft->tables, table);
}

void scope_add_gateways(struct scope_draft *draft)
{
	const struct model *model = draft->scope->model;
	const struct view *view = draft->scope->view;
	if (view->role != PROXY_GATEWAY)
		return;
	struct gateways_draft all = {.draft = draft, .digests.draft = draft};
	for (size_t i = 0; i < model->n_gateways; i++) {
		const struct gateway *gateway = model->gateways[i];
		if (!labels_match(&gateway->selector, &view->labels))
			continue;
		const char *name = arena_printf(draft->arena, "%s/%s", gateway->namespace, gateway->name);
		for (size_t j = 0; j < gateway->n_servers; j++)
			add_server(&all, gateway, name, &gateway->servers[j]);
	}
	for (size_t i = 0; i < all.tables.n; i++)
		seal_table(&all, all.tables.entries[i].value);
	for (size_t i = 0; i < all.listeners.n; i++)
		gateway_seal_listener(draft, all.listeners.entries[i].value);
}
