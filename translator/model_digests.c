#include "translator/model_digests.h"

#include "translator/draft.h"

/* Besides the digests, what the choice of a policy reads and mesh-wide defaults may decide: who sees it. The order of
 * the policies of one host is theirs in the array. */
static void add_policies(struct digest_state *state, const struct model *model)
{
	digest_add_digest(state, model->mesh.digest);
	digest_add_u64(state, model->n_policies);
	for (size_t i = 0; i < model->n_policies; i++) {
		const struct destination_policy *policy = model->policies[i];
		digest_add_digest(state, policy->digest);
		digest_add_str(state, policy->namespace);
		digest_add_str(state, policy->host);
		digest_add_visibility(state, &policy->visibility);
		digest_add_labels(state, &policy->workload_selector);
	}
}

/* Of static services the endpoints are in load assignments only. Others' are in clusters (host names) and listeners (of
 * headless services, one each). */
static void add_services(struct digest_state *state, const struct model *model, const struct digest *endpoints)
{
	digest_add_u64(state, model->n_services);
	for (size_t i = 0; i < model->n_services; i++) {
		const struct service *service = model->services[i];
		digest_add_digest(state, service->digest);
		if (service->resolution != SERVICE_STATIC)
			digest_add_digest(state, endpoints[i]);
	}
}

static void add_rule(struct digest_state *state, const struct route_rule *rule)
{
	digest_add_digest(state, rule->digest);
	digest_add_str(state, rule->namespace);
	digest_add_str(state, rule->name);
	digest_add_visibility(state, &rule->visibility);
}

static void add_routes(struct digest_state *state, const struct model *model)
{
	digest_add_u64(state, model->n_rules);
	for (size_t i = 0; i < model->n_rules; i++)
		add_rule(state, model->rules[i]);
	digest_add_u64(state, model->n_gateways);
	for (size_t i = 0; i < model->n_gateways; i++) {
		digest_add_digest(state, model->gateways[i]->digest);
		digest_add_str(state, model->gateways[i]->namespace);
		digest_add_str(state, model->gateways[i]->name);
	}
}

static struct digest connections_of(const struct model *model)
{
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < model->n_rules; i++)
		if (route_rule_has_connections(model->rules[i]))
			add_rule(&state, model->rules[i]);
	return digest_final(&state);
}

static struct digest peers_of(const struct model *model)
{
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < model->n_services; i++)
		digest_add_digest(&state, model->services[i]->peers_digest);
	return digest_final(&state);
}

static struct digest secrets_of(const struct model *model)
{
	struct digest_state state;
	digest_init(&state);
	digest_add(&state, model->trust_roots.s, model->trust_roots.n);
	digest_add_u64(&state, model->n_secrets);
	for (size_t i = 0; i < model->n_secrets; i++)
		digest_add_digest(&state, model->secrets[i]->digest); /* of the object: its names are part of it */
	return digest_final(&state);
}

static struct digest access_of(const struct model *model)
{
	const struct authz_policies all = {.v = model->authz_policies, .n = model->n_authz_policies};
	struct digest_state state;
	digest_init(&state);
	digest_add_authz(&state, &all);
	return digest_final(&state);
}

static struct digest endpoints_of(const struct service *service)
{
	if (service->n_ports == 1)
		return service->ports[0].endpoints_digest;
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < service->n_ports; i++)
		digest_add_digest(&state, service->ports[i].endpoints_digest);
	return digest_final(&state);
}

/* The state goes on: what comes later contains what came before. */
static struct digest digest_so_far(const struct digest_state *state)
{
	struct digest_state copy = *state;
	return digest_final(&copy);
}

struct model_digests model_digests_of(struct arena *arena, const struct model *model)
{
	struct digest *endpoints = ARENA_NEW_N(arena, struct digest, model->n_services);
	struct model_digests digests = {.endpoints = endpoints, .n_endpoints = model->n_services};
	struct digest_state state;

	digests.access = access_of(model);
	digests.secrets = secrets_of(model);
	for (size_t i = 0; i < model->n_services; i++)
		endpoints[i] = endpoints_of(model->services[i]);
	digest_init(&state);
	add_policies(&state, model);
	digests.policies = digest_so_far(&state);
	add_services(&state, model, endpoints);
	digests.services = digest_so_far(&state);
	add_routes(&state, model);
	digests.routes = digest_final(&state);
	digests.connections = connections_of(model);
	digests.peers = peers_of(model);
	return digests;
}
