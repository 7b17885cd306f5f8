/* Which chain of a gateway's listener takes which connections, and where it sends them. */
#include "translator/draft.h"
#include "translator/scope_gateways.h"

#include <string.h>

static struct strings names_of(const struct gateway_server_draft *server)
{
	VEC(const char *) names = {0};
	for (size_t i = 0; i < server->server->n_hosts; i++)
		VEC_PUSH(server->draft->arena, &names, server->server->hosts[i].host);
	return (struct strings){names.v, names.n};
}

static bool add_chain(const struct gateway_server_draft *server, struct scope_chain *chain, const struct strings *names)
{
	if (gateway_tls_is_terminated(server->server->tls.mode))
		chain->tls = &server->server->tls;
	chain->port = server->server->port;
	chain->server_names = *names;
	return chain_list_add(server->draft->arena, &server->listener->chains, chain);
}

bool gateway_add_http_chain(const struct gateway_server_draft *server, const char *table)
{
	struct scope_chain chain = {.table = table};
	struct strings names = {0};
	if (server->listener->kind == GATEWAY_TLS)
		names = names_of(server);
	return add_chain(server, &chain, &names);
}

/* ---- connections ---- */

static bool applies(const struct gateway_server_draft *server, const struct connection_match *match)
{
	return connection_match_applies(server->draft->scope, match, server->gateway, server->server->port);
}

/* The names that the match and the server have in common: of two that are within each other the narrower. */
static struct strings common_names(const struct gateway_server_draft *server, const struct route_rule *rule,
                                   const struct connection_match *match)
{
	VEC(const char *) names = {0};
	for (size_t i = 0; i < match->server_names.n; i++) {
		const char *name = match->server_names.v[i];
		for (size_t j = 0; j < server->server->n_hosts; j++) {
			const struct gateway_host *host = &server->server->hosts[j];
			if (strcmp(host->namespace, "*") != 0 && strcmp(host->namespace, rule->namespace) != 0)
				continue;
			if (host_is_within(name, host->host))
				VEC_PUSH(server->draft->arena, &names, name);
			else if (host_is_within(host->host, name))
				VEC_PUSH(server->draft->arena, &names, host->host);
		}
	}
	return (struct strings){names.v, names.n};
}

static void add_tls_routes(const struct gateway_server_draft *server, const struct route_rule *rule)
{
	for (size_t i = 0; i < rule->n_tls; i++) {
		for (size_t j = 0; j < rule->tls[i].n_matches; j++) {
			const struct connection_match *match = &rule->tls[i].matches[j];
			struct scope_chain chain = {.route = &rule->tls[i], .rule = rule, .subnets = match->subnets};
			struct strings names = common_names(server, rule, match);
			if (names.n > 0 && applies(server, match))
				add_chain(server, &chain, &names);
		}
	}
}

static bool has_common_host(const struct gateway_server_draft *server, const struct route_rule *rule)
{
	for (size_t i = 0; i < server->server->n_hosts; i++) {
		const struct gateway_host *host = &server->server->hosts[i];
		if (strcmp(host->namespace, "*") != 0 && strcmp(host->namespace, rule->namespace) != 0)
			continue;
		for (size_t j = 0; j < rule->hosts.n; j++)
			if (host_is_within(host->host, rule->hosts.v[j]) ||
			    host_is_within(rule->hosts.v[j], host->host))
				return true;
	}
	return false;
}

static void add_tcp_route(const struct gateway_server_draft *server, const struct route_rule *rule,
                          const struct connection_route *route, const struct connection_match *match)
{
	struct scope_chain chain = {.route = route, .rule = rule};
	struct strings names = {0};
	if (match && !applies(server, match))
		return;
	if (match)
		chain.subnets = match->subnets;
	if (server->listener->kind == GATEWAY_TLS)
		names = names_of(server);
	add_chain(server, &chain, &names);
}

static void add_tcp_routes(const struct gateway_server_draft *server, const struct route_rule *rule)
{
	for (size_t i = 0; i < rule->n_tcp; i++) {
		const struct connection_route *route = &rule->tcp[i];
		if (route->n_matches == 0)
			add_tcp_route(server, rule, route, NULL);
		for (size_t j = 0; j < route->n_matches; j++)
			add_tcp_route(server, rule, route, &route->matches[j]);
	}
}

void gateway_add_connection_chains(const struct gateway_server_draft *server)
{
	bool is_passthrough = server->server->tls.mode == GATEWAY_TLS_PASSTHROUGH;
	if (server->server->tls.mode == GATEWAY_TLS_AUTO_PASSTHROUGH) {
		gateway_add_auto_passthrough_chains(server);
		return;
	}
	for (size_t i = 0; i < server->rules->v.n; i++) {
		const struct route_rule *rule = server->rules->v.v[i].rule->rule;
		if (!has_common_host(server, rule))
			continue;
		if (is_passthrough)
			add_tls_routes(server, rule);
		else
			add_tcp_routes(server, rule);
	}
}

/* ---- secrets ---- */

void gateway_add_secrets(const struct gateway_server_draft *server)
{
	const struct gateway_tls *tls = &server->server->tls;
	for (size_t i = 0; i < tls->n_certificates; i++)
		scope_add_secret(server->draft, &tls->certificates[i], false);
	scope_add_secret(server->draft, &tls->ca, true);
}

/* ---- to the scope ---- */

static struct digest listener_digest(const struct scope *scope, const struct scope_listener *listener)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, scope->model->mesh.digest);
	digest_add_str(&state, "gateway");
	digest_add_str(&state, listener->bind);
	digest_add_u64(&state, listener->port);
	digest_add_bool(&state, listener->is_tls);
	digest_add_u64(&state, scope->view->is_http10);
	digest_add_u64(&state, listener->n_chains);
	for (size_t i = 0; i < listener->n_chains; i++)
		digest_add_chain(&state, scope, &listener->chains[i]);
	return digest_final(&state);
}

void gateway_seal_listener(struct scope_draft *draft, const struct gateway_listener_draft *from)
{
	if (from->chains.v.n == 0)
		return;
	struct scope_listener listener = {
	    .bind = from->bind,
	    .port = from->port,
	    .table = from->kind == GATEWAY_HTTP ? from->chains.v.v[0].table : NULL,
	    .is_tls = from->kind == GATEWAY_TLS,
	    .chains = from->chains.v.v,
	    .n_chains = from->chains.v.n,
	};
	listener.digest = listener_digest(draft->scope, &listener);
	VEC_PUSH(draft->arena, &draft->listeners, listener);
}
