#include "translator/rule_index.h"

#include "base/text.h"
#include "base/vec.h"

static void list_push(struct arena *arena, void **slot, const char *host, const struct indexed_rule *rule)
{
	struct rule_list *list = *slot;
	if (!list) {
		list = *slot = ARENA_NEW(arena, struct rule_list);
		list->host = host;
	}
	/* one rule may name a host twice */
	if (list->n == 0 || list->v[list->n - 1] != rule)
		VEC_PUSH(arena, list, rule);
}

static struct strings destinations_of(struct arena *arena, const struct route_rule *rule)
{
	VEC(const char *) hosts = {0};
	for (size_t i = 0; i < rule->n_http; i++) {
		const struct http_route *route = &rule->http[i];
		for (size_t j = 0; j < route->n_destinations; j++)
			VEC_PUSH(arena, &hosts, route->destinations[j].destination.host);
		for (size_t j = 0; j < route->n_mirrors; j++)
			VEC_PUSH(arena, &hosts, route->mirrors[j].destination.host);
	}
	const struct connection_route *const lists[] = {rule->tls, rule->tcp};
	const size_t counts[] = {rule->n_tls, rule->n_tcp};
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		for (size_t i = 0; i < counts[k]; i++)
			for (size_t j = 0; j < lists[k][i].n_destinations; j++)
				VEC_PUSH(arena, &hosts, lists[k][i].destinations[j].destination.host);
	VEC_SORT(&hosts, text_compare);
	size_t n = 0;
	for (size_t i = 0; i < hosts.n; i++) {
		if (n == 0 || !text_equal(hosts.v[n - 1], hosts.v[i]))
			hosts.v[n++] = hosts.v[i];
	}
	return (struct strings){hosts.v, n};
}

static bool is_reading_client(const struct route_rule *rule)
{
	for (size_t i = 0; i < rule->n_http; i++) {
		for (size_t j = 0; j < rule->http[i].n_matches; j++) {
			const struct http_match *match = &rule->http[i].matches[j];
			if (match->source_labels.n > 0 || match->source_namespace)
				return true;
		}
	}
	return false;
}

static void index_rules(struct arena *arena, struct rule_index *index, const struct model *model)
{
	struct indexed_rule *rules = ARENA_NEW_N(arena, struct indexed_rule, model->n_rules);
	for (size_t i = 0; i < model->n_rules; i++) {
		const struct route_rule *rule = model->rules[i];
		rules[i] = (struct indexed_rule){
		    .rule = rule,
		    .position = i,
		    .destinations = destinations_of(arena, rule),
		    .is_reading_client = is_reading_client(rule),
		};
		for (size_t j = 0; rule->is_mesh && j < rule->hosts.n; j++) {
			const char *host = rule->hosts.v[j];
			list_push(arena, host_index_slot(arena, &index->mesh, host), host, &rules[i]);
		}
		for (size_t j = 0; j < rule->gateways.n; j++) {
			const char *gateway = rule->gateways.v[j];
			list_push(arena, map_slot(arena, &index->by_gateway, gateway), gateway, &rules[i]);
		}
	}
	index->rules = rules;
	index->n_rules = model->n_rules;
}

static void policy_push(struct arena *arena, struct host_index *pool, const struct destination_policy *policy)
{
	void **slot = host_index_slot(arena, pool, policy->host);
	struct policy_list *list = *slot;
	if (!list) {
		list = *slot = ARENA_NEW(arena, struct policy_list);
		list->host = policy->host;
	}
	VEC_PUSH(arena, list, policy);
	for (size_t i = list->n - 1; i > 0 && list->v[i - 1]->order > policy->order; i--) {
		list->v[i] = list->v[i - 1];
		list->v[i - 1] = policy;
	}
}

static void index_policies(struct arena *arena, struct rule_index *index, const struct model *model)
{
	for (size_t i = 0; i < model->n_policies; i++) {
		const struct destination_policy *policy = model->policies[i];
		const struct visibility *visibility = &policy->visibility;
		if (!visibility->is_public && visibility->namespaces.n == 0)
			continue;
		void **slot = map_slot(arena, &index->pools, policy->namespace);
		if (!*slot)
			*slot = ARENA_NEW(arena, struct policy_pools);
		struct policy_pools *pools = *slot;
		bool is_local = visibility_allows(visibility, policy->namespace);
		bool is_own = is_local && !visibility->is_public && visibility->namespaces.n == 1;
		if (is_local)
			policy_push(arena, &pools->local, policy);
		policy_push(arena, is_own ? &pools->own : &pools->exported, policy);
	}
}

const struct rule_index *rule_index_new(struct arena *arena, const struct model *model)
{
	struct rule_index *index = ARENA_NEW(arena, struct rule_index);
	index_rules(arena, index, model);
	index_policies(arena, index, model);
	return index;
}
