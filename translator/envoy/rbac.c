#include "translator/envoy/rbac.h"

#include "base/vec.h"
#include "translator/envoy/emit_parts.h"

#include <string.h>

PROTO_ALIAS(policies_entry, Envoy__Config__Rbac__V3__RBAC__PoliciesEntry, envoy__config__rbac__v3__rbac__policies_entry)

typedef VEC(policies_entry *) entry_list;

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(policies_entry *const *)a)->key, (*(policies_entry *const *)b)->key);
}

static bool is_chosen(const struct authz_policy *policy, const struct rbac_choice *choice)
{
	return policy->action == choice->action && policy->is_dry_run == choice->is_dry_run &&
	       (!choice->provider || strcmp(policy->provider_name, choice->provider) == 0);
}

static void add_entry(struct arena *arena, entry_list *entries, const struct authz_policy *from,
                      const struct rbac_names *names, size_t rule, envoy_rbac_policy *policy)
{
	policies_entry *entry = policies_entry_new(arena);
	entry->key = name_authz_rule(arena, names->prefix, from->namespace, from->name, rule, names->suffix);
	entry->value = policy;
	VEC_PUSH(arena, entries, entry);
}

/* Without rules nothing matches; there must be something, or an ALLOW would be none. */
static void add_policy(struct arena *arena, entry_list *entries, const struct authz_policy *from,
                       const struct rbac_choice *choice, enum rbac_transport transport)
{
	for (size_t i = 0; i < from->n_rules; i++) {
		envoy_rbac_policy *policy = envoy_rbac_policy_new(arena);
		if (rbac_add_permissions(arena, policy, &from->rules[i], from->action, transport) &&
		    rbac_add_principals(arena, policy, &from->rules[i], from->action, transport))
			add_entry(arena, entries, from, &choice->names, i, policy);
	}
	if (from->n_rules == 0) {
		envoy_rbac_policy *policy = envoy_rbac_policy_new(arena);
		rbac_permit_nothing(arena, policy);
		rbac_permit_nobody(arena, policy);
		add_entry(arena, entries, from, &choice->names, 0, policy);
	}
}

envoy_rbac *rbac_build(struct arena *arena, const struct authz_policies *policies, const struct rbac_choice *choice,
                       enum rbac_transport transport)
{
	static const Envoy__Config__Rbac__V3__RBAC__Action actions[] = {
	    [AUTHZ_ALLOW] = ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__ALLOW,
	    [AUTHZ_DENY] = ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__DENY,
	    [AUTHZ_AUDIT] = ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__LOG,
	    [AUTHZ_CUSTOM] = ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__DENY,
	};
	entry_list entries = {0};
	bool is_any = false;
	for (size_t i = 0; i < policies->n; i++) {
		if (!is_chosen(policies->v[i], choice))
			continue;
		is_any = true;
		add_policy(arena, &entries, policies->v[i], choice, transport);
	}
	if (!is_any)
		return NULL;
	VEC_SORT(&entries, compare_entries);
	envoy_rbac *rbac = envoy_rbac_new(arena);
	rbac->action = actions[choice->action];
	for (size_t i = 0; i < entries.n; i++)
		BUILD_ADD(arena, rbac, policies, entries.v[i]);
	return rbac;
}

ProtobufCMessage *rbac_filter(struct arena *arena, enum rbac_transport transport, const struct rbac_rules *rules)
{
	if (transport == RBAC_HTTP) {
		envoy_http_rbac *out = envoy_http_rbac_new(arena);
		out->rules = rules->enforced;
		out->rules_stat_prefix = borrow(rules->prefix);
		out->shadow_rules = rules->shadow;
		out->shadow_rules_stat_prefix = borrow(rules->shadow_prefix);
		return &out->base;
	}
	envoy_network_rbac *out = envoy_network_rbac_new(arena);
	out->rules = rules->enforced;
	out->shadow_rules = rules->shadow;
	out->shadow_rules_stat_prefix = borrow(rules->shadow_prefix);
	out->stat_prefix = borrow(NAME_STAT_TCP);
	return &out->base;
}
