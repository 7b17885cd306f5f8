#include "translator/outbound_chains.h"

#include "translator/draft.h"

#include <string.h>

struct visible_rules outbound_rules(const struct scope_draft *draft)
{
	const struct rule_index *index = draft->scope->model->rule_index;
	struct visible_rules rules = {0};
	for (size_t i = 0; i < index->n_rules; i++)
		if (route_rule_has_connections(index->rules[i].rule))
			visible_rules_add(draft->arena, &rules, draft->scope->view, &index->rules[i]);
	visible_rules_seal(draft->arena, &rules);
	return rules;
}

/* ---- the rules of a service ---- */

static int compare_places(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

static bool speaks_of(const struct route_rule *rule, const char *hostname)
{
	for (size_t i = 0; i < rule->hosts.n; i++)
		if (host_is_within(hostname, rule->hosts.v[i]) || host_is_within(rule->hosts.v[i], hostname))
			return true;
	return false;
}

struct service_rules {
	const struct route_rule **v; /* in order */
	size_t n;
};

static struct service_rules rules_of(struct arena *arena, const struct visible_rules *rules, const char *hostname)
{
	struct places near = {0};
	visible_rules_near(arena, rules, hostname, &near);
	VEC_SORT(&near.v, compare_places);
	struct service_rules out = {.v = ARENA_NEW_N(arena, const struct route_rule *, near.v.n)};
	for (size_t i = 0; i < near.v.n; i++) {
		const struct route_rule *rule = rules->v.v[near.v.v[i]].rule->rule;
		if ((out.n == 0 || out.v[out.n - 1] != rule) && speaks_of(rule, hostname))
			out.v[out.n++] = rule;
	}
	return out;
}

/* ---- chains ---- */

struct chains_draft {
	const struct scope_draft *draft;
	const struct outbound_port *from;
	struct chain_list *list;
};

static bool applies(const struct chains_draft *chains, const struct connection_match *match)
{
	return connection_match_applies(chains->draft->scope, match, NULL, chains->from->port->number);
}

static void add_route(const struct chains_draft *chains, const struct route_rule *rule,
                      const struct connection_route *route, const struct connection_match *match)
{
	bool has_subnets = match && match->subnets.n > 0;
	const struct scope_chain chain = {
	    .server_names = match ? match->server_names : (struct strings){0},
	    .subnets = has_subnets ? match->subnets : chains->from->subnets,
	    .route = route,
	    .rule = rule,
	    .port = chains->from->port->number,
	};
	chain_list_add(chains->draft->arena, chains->list, &chain);
}

/* A name within a name cannot be matched: nothing would tell the service. */
static bool is_partial_wildcard(const char *hostname)
{
	return host_is_wildcard(hostname) && hostname[1] != '\0' && hostname[1] != '.';
}

static void add_service(const struct chains_draft *chains)
{
	const struct outbound_port *from = chains->from;
	const char *const *hostname = &from->service->service->hostname;
	bool is_told_by_name = from->is_told_by_name && protocol_is_tls(from->port->protocol);
	if (is_told_by_name && is_partial_wildcard(*hostname))
		return;
	const struct scope_chain chain = {
	    .server_names = {hostname, is_told_by_name ? 1 : 0},
	    .subnets = from->subnets,
	    .service = from->service,
	    .subset = "",
	    .port = from->port->number,
	};
	chain_list_add(chains->draft->arena, chains->list, &chain);
}

/* Whether there is one for the view, taken by other chains already or not. */
static bool add_tls_routes(const struct chains_draft *chains, const struct route_rule *rule)
{
	bool has_one = false;
	for (size_t i = 0; i < rule->n_tls; i++) {
		for (size_t j = 0; j < rule->tls[i].n_matches; j++) {
			if (!applies(chains, &rule->tls[i].matches[j]))
				continue;
			add_route(chains, rule, &rule->tls[i], &rule->tls[i].matches[j]);
			has_one = true;
		}
	}
	return has_one;
}

/* True: the route takes every address, so that no later one is reached. */
static bool add_tcp_route(const struct chains_draft *chains, const struct route_rule *rule,
                          const struct connection_route *route)
{
	bool takes_all = route->n_matches == 0;
	for (size_t i = 0; i < route->n_matches; i++)
		takes_all |= route->matches[i].subnets.n == 0 && applies(chains, &route->matches[i]);
	for (size_t i = 0; !takes_all && i < route->n_matches; i++)
		if (applies(chains, &route->matches[i]))
			add_route(chains, rule, route, &route->matches[i]);
	if (takes_all)
		add_route(chains, rule, route, NULL);
	return takes_all;
}

static bool add_tcp_routes(const struct chains_draft *chains, const struct route_rule *rule)
{
	for (size_t i = 0; i < rule->n_tcp; i++)
		if (add_tcp_route(chains, rule, &rule->tcp[i]))
			return true;
	return false;
}

void outbound_chains_add(const struct scope_draft *draft, const struct visible_rules *rules,
                         const struct outbound_port *from, struct chain_list *list)
{
	const struct chains_draft chains = {.draft = draft, .from = from, .list = list};
	const bool is_tls = protocol_is_tls(from->port->protocol);
	bool is_routed = false;
	struct service_rules of_service = {0};
	if (rules->v.n > 0) /* mostly there are none */
		of_service = rules_of(draft->arena, rules, from->service->service->hostname);
	for (size_t i = 0; i < of_service.n && !(is_routed && !is_tls); i++) {
		if (is_tls)
			is_routed |= add_tls_routes(&chains, of_service.v[i]);
		else
			is_routed = add_tcp_routes(&chains, of_service.v[i]);
	}
	if (!is_routed)
		add_service(&chains);
}
