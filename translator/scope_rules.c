#include "translator/scope_rules.h"

#include "translator/draft.h"

#include <string.h>

bool scope_rank_rule(const struct view *view, const struct indexed_rule *rule, struct ranked_rule *out)
{
	const struct visibility *visibility = &rule->rule->visibility;
	if (!visibility_allows(visibility, view->namespace))
		return false;
	out->rule = rule;
	if (visibility->is_public)
		out->rank = 2;
	else
		out->rank = strcmp(rule->rule->namespace, view->namespace) == 0 ? 0 : 1;
	return true;
}

int ranked_rule_compare(const void *a, const void *b)
{
	const struct ranked_rule *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return (x->rule->position > y->rule->position) - (x->rule->position < y->rule->position);
}

bool scope_rule_applies(const struct scope *scope, const struct scope_host *host, size_t rule_i)
{
	const struct route_rule *rule = host->rules[rule_i];
	for (size_t i = 0; i < rule->n_http; i++) {
		const struct http_route *route = &rule->http[i];
		if (route->n_matches == 0)
			return true;
		for (size_t j = 0; j < route->n_matches; j++) {
			if (scope_match_applies(scope, host, rule_i, &route->matches[j]))
				return true;
		}
	}
	return false;
}

/* The rule and the services that its destinations are in this view. */
static struct digest rule_digest(struct rule_digests *digests, const struct indexed_rule *rule)
{
	struct scope_draft *draft = digests->draft;
	const struct scope *scope = draft->scope;
	if (!digests->v)
		digests->v = ARENA_NEW_N(draft->arena, struct digest, scope->model->rule_index->n_rules);
	struct digest *slot = &digests->v[rule->position];
	if (!digest_is_zero(*slot))
		return *slot;
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, rule->rule->digest);
	if (rule->is_reading_client) {
		digest_add_str(&state, scope->view->namespace);
		digest_add_labels(&state, &scope->view->labels);
	}
	for (size_t i = 0; i < rule->destinations.n; i++) {
		struct destination destination = {.host = rule->destinations.v[i], .subset = ""};
		const struct scope_service *named = map_get(&scope->services_by_host, destination.host);
		uint32_t port;
		const struct scope_service *meant = scope_destination(scope, &destination, 0, &port);
		digest_add_bool(&state, named);
		if (named)
			digest_add_scope_service(&state, named);
		digest_add_bool(&state, meant && meant != named);
		if (meant && meant != named)
			digest_add_scope_service(&state, meant);
	}
	*slot = digest_final(&state);
	return *slot;
}

/*
 * What every host's output reads: the mesh, the role and the names by which the view's workloads call services. The
 * namespace itself is left to the hosts that it concerns, so that the others' units serve all namespaces.
 */
static struct digest base_digest(struct rule_digests *digests)
{
	if (digests->has_base)
		return digests->base;
	const struct scope *scope = digests->draft->scope;
	const char *domain = scope->view->domain;
	const char *suffix = domain ? strstr(domain, ".svc.") : NULL;
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, scope->model->mesh.digest);
	digest_add_u64(&state, scope->view->role);
	digest_add_bool(&state, scope->view->is_ipv4);
	digest_add_bool(&state, scope->view->is_ipv6);
	digest_add_str(&state, suffix ? suffix : domain);
	digests->base = digest_final(&state);
	digests->has_base = true;
	return digests->base;
}

/* "reviews.default.svc.cluster.local" is called "reviews" in default alone: the part between is the domain's first. */
static bool is_own_namespace(const struct view *view, const char *hostname)
{
	const char *suffix = view->domain ? strstr(view->domain, ".svc.") : NULL;
	const char *dot = strchr(hostname, '.');
	if (!suffix || !dot)
		return false;
	size_t n = (size_t)(suffix - view->domain);
	return strncmp(dot + 1, view->domain, n) == 0 && dot[1 + n] == '.';
}

struct digest scope_host_digest(struct rule_digests *digests, const struct scope_host *host, bool is_single,
                                const struct indexed_rule *const *rules)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, base_digest(digests));
	digest_add_bool(&state, is_own_namespace(digests->draft->scope->view, host->hostname));
	digest_add_str(&state, host->hostname);
	digest_add_u64(&state, host->port);
	digest_add_bool(&state, is_single);
	digest_add_bool(&state, host->is_https_redirect);
	digest_add_bool(&state, host->service);
	if (host->service)
		digest_add_scope_service(&state, host->service);
	digest_add_u64(&state, host->n_rules);
	for (size_t i = 0; i < host->n_rules; i++) {
		digest_add_digest(&state, rule_digest(digests, rules[i]));
		digest_add_str(&state, host->gateways ? host->gateways[i] : NULL);
	}
	return digest_final(&state);
}

struct digest scope_table_digest(const struct scope_draft *draft, const struct scope_table *table)
{
	const struct view *view = draft->scope->view;
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, draft->scope->model->mesh.digest);
	digest_add_u64(&state, view->role);
	digest_add_bool(&state, view->is_ipv4);
	digest_add_bool(&state, view->is_ipv6);
	digest_add_str(&state, view->domain);
	digest_add_str(&state, table->name);
	digest_add_u64(&state, table->port);
	digest_add_bool(&state, table->is_single);
	for (size_t i = 0; i < table->n_hosts; i++)
		digest_add_digest(&state, table->hosts[i].digest);
	return digest_final(&state);
}

int scope_host_compare(const void *a, const void *b)
{
	return strcmp(((const struct scope_host *)a)->hostname, ((const struct scope_host *)b)->hostname);
}
