/* Access control in filter chains: Envoy's RBAC for requests and for connections. */
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/ext_authz.h"
#include "translator/envoy/rbac.h"

/* What is enforced, and what is only tried out. */
struct rules {
	envoy_rbac *enforced, *dry_run; /* NULL: none */
	const char *dry_run_prefix;
};

static struct rules rules_of(const struct emit *emit, enum authz_action action, enum rbac_transport transport)
{
	struct rbac_choice choice = {.action = action, .names = {"", ""}};
	struct rules rules = {.enforced = rbac_build(emit->arena, &emit->authz, &choice, transport)};
	choice.is_dry_run = true;
	rules.dry_run = rbac_build(emit->arena, &emit->authz, &choice, transport);
	rules.dry_run_prefix = rules.dry_run && action == AUTHZ_DENY ? NAME_DRY_RUN_DENY : NAME_DRY_RUN_ALLOW;
	return rules;
}

ProtobufCMessage *filter_http_rbac(const struct emit *emit, enum authz_action action)
{
	struct rules rules = rules_of(emit, action, RBAC_HTTP);
	envoy_http_rbac *out = envoy_http_rbac_new(emit->arena);
	out->rules = rules.enforced;
	out->shadow_rules = rules.dry_run;
	out->shadow_rules_stat_prefix = borrow(rules.dry_run_prefix);
	return &out->base;
}

static const ProtobufCMessage *filter_network_rbac(const struct emit *emit, enum authz_action action)
{
	struct rules rules = rules_of(emit, action, RBAC_TCP);
	envoy_network_rbac *out = envoy_network_rbac_new(emit->arena);
	out->rules = rules.enforced;
	out->shadow_rules = rules.dry_run;
	out->shadow_rules_stat_prefix = borrow(rules.dry_run_prefix);
	out->stat_prefix = borrow(NAME_STAT_TCP);
	return &out->base;
}

static void add_filter(const struct emit *emit, envoy_filter_chain *chain, const char *name,
                       const ProtobufCMessage *config)
{
	envoy_filter *filter = envoy_filter_new(emit->arena);
	filter->name = borrow(name);
	filter->config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pack_any(emit->arena, config);
	BUILD_ADD(emit->arena, chain, filters, filter);
}

void filter_chain_add_rbac(const struct emit *emit, envoy_filter_chain *chain)
{
	static const enum authz_action order[] = {AUTHZ_AUDIT, AUTHZ_DENY, AUTHZ_ALLOW};
	const struct filter_configs custom = ext_authz_filters(emit, RBAC_TCP);
	for (size_t i = 0; i < custom.n; i++)
		add_filter(emit, chain, custom.v[i].name, custom.v[i].config);
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (authz_has(&emit->authz, order[i]))
			add_filter(emit, chain, NAME_NETWORK_RBAC, filter_network_rbac(emit, order[i]));
}
