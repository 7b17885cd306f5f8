/* Which chain of a gateway's listener takes which connections, and where it sends them. */
#include "translator/draft.h"
#include "translator/scope_gateways.h"

#include <string.h>

/* ---- who takes what ---- */

/* With any subnet, or with these where no chain has one of them. */
static bool take_name(const struct gateway_server_draft *server, const char *name, const struct strings *subnets)
{
	struct arena *arena = server->draft->arena;
	struct map *taken = &server->listener->taken;
	if (subnets->n == 0)
		return !map_put(arena, taken, arena_printf(arena, "%s|", name), server->listener);
	for (size_t i = 0; i < subnets->n; i++)
		if (map_has(taken, arena_printf(arena, "%s|%s", name, subnets->v[i])))
			return false;
	for (size_t i = 0; i < subnets->n; i++)
		map_put(arena, taken, arena_printf(arena, "%s|%s", name, subnets->v[i]), server->listener);
	return true;
}

/* Of the names those that no chain has taken with these subnets. False: none is left. Without names, and with "*": all.
 */
static bool take_names(const struct gateway_server_draft *server, const struct strings *names,
                       const struct strings *subnets, struct strings *out)
{
	struct arena *arena = server->draft->arena;
	VEC(const char *) kept = {0};
	bool is_any = names->n == 0, has_one = false;
	for (size_t i = 0; i < names->n; i++)
		is_any |= strcmp(names->v[i], "*") == 0;
	static const char *const any[] = {"*"};
	const struct strings wanted = is_any ? (struct strings){any, 1} : *names;
	for (size_t i = 0; i < wanted.n; i++) {
		bool is_new = take_name(server, wanted.v[i], subnets);
		has_one |= is_new;
		if (is_new && !is_any)
			VEC_PUSH(arena, &kept, wanted.v[i]);
	}
	*out = (struct strings){kept.v, kept.n};
	return has_one;
}

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
	if (!take_names(server, names, &chain->subnets, &chain->server_names))
		return false;
	VEC_PUSH(server->draft->arena, &server->listener->chains, *chain);
	return true;
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
	const struct view *view = server->draft->scope->view;
	if (match->port && match->port != server->server->port)
		return false;
	if (match->has_gateways) {
		for (size_t i = 0; i < match->gateways.n; i++)
			if (strcmp(match->gateways.v[i], server->gateway) == 0)
				return true;
		return false;
	}
	if (!labels_match(&match->source_labels, &view->labels))
		return false;
	return !match->source_namespace || strcmp(match->source_namespace, view->namespace) == 0;
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
			struct scope_chain chain = {.route = &rule->tls[i], .subnets = match->subnets};
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

static void add_tcp_route(const struct gateway_server_draft *server, const struct connection_route *route,
                          const struct connection_match *match)
{
	struct scope_chain chain = {.route = route};
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
			add_tcp_route(server, route, NULL);
		for (size_t j = 0; j < route->n_matches; j++)
			add_tcp_route(server, route, &route->matches[j]);
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

static void digest_add_credential(struct digest_state *state, const struct credential *credential)
{
	digest_add_str(state, credential->secret);
	digest_add_str(state, credential->namespace);
	digest_add_str(state, credential->file);
	digest_add_str(state, credential->key_file);
}

static void digest_add_tls(struct digest_state *state, const struct gateway_tls *tls)
{
	digest_add_u64(state, tls->mode);
	digest_add_u64(state, tls->n_certificates);
	for (size_t i = 0; i < tls->n_certificates; i++)
		digest_add_credential(state, &tls->certificates[i]);
	digest_add_credential(state, &tls->ca);
	digest_add_str(state, tls->crl_file);
	digest_add_strings(state, &tls->names);
	digest_add_strings(state, &tls->hashes);
	digest_add_strings(state, &tls->spki);
	digest_add_u64(state, tls->min_version);
	digest_add_u64(state, tls->max_version);
	digest_add_strings(state, &tls->cipher_suites);
}

/* Where it goes, and what the services are there. */
static void digest_add_route(struct digest_state *state, const struct scope *scope, const struct scope_chain *chain)
{
	for (size_t i = 0; i < chain->route->n_destinations; i++) {
		const struct weighted_destination *to = &chain->route->destinations[i];
		uint32_t port;
		const struct scope_service *service = scope_destination(scope, &to->destination, chain->port, &port);
		digest_add_str(state, to->destination.host);
		digest_add_str(state, to->destination.subset);
		digest_add_u64(state, port);
		digest_add_u64(state, to->weight);
		digest_add_bool(state, service);
		if (service)
			digest_add_scope_service(state, service);
	}
}

static void digest_add_chain(struct digest_state *state, const struct scope *scope, const struct scope_chain *chain)
{
	digest_add_strings(state, &chain->server_names);
	digest_add_strings(state, &chain->subnets);
	digest_add_str(state, chain->table);
	digest_add_u64(state, chain->port);
	digest_add_bool(state, chain->tls);
	if (chain->tls)
		digest_add_tls(state, chain->tls);
	digest_add_bool(state, chain->service);
	if (chain->service)
		digest_add_scope_service(state, chain->service);
	digest_add_str(state, chain->subset);
	digest_add_bool(state, chain->is_auto_passthrough);
	digest_add_u64(state, chain->route ? chain->route->n_destinations : 0);
	if (chain->route)
		digest_add_route(state, scope, chain);
}

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
	if (from->chains.n == 0)
		return;
	struct scope_listener listener = {
	    .bind = from->bind,
	    .port = from->port,
	    .type = from->kind == GATEWAY_HTTP ? SCOPE_HTTP : SCOPE_TCP,
	    .table = from->kind == GATEWAY_HTTP ? from->chains.v[0].table : NULL,
	    .is_tls = from->kind == GATEWAY_TLS,
	    .chains = from->chains.v,
	    .n_chains = from->chains.n,
	};
	listener.digest = listener_digest(draft->scope, &listener);
	VEC_PUSH(draft->arena, &draft->listeners, listener);
}
