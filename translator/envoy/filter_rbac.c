/* Access control in filter chains: Envoy's RBAC for requests and for connections. */
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/ext_authz.h"
#include "translator/envoy/rbac.h"

static ProtobufCMessage *filter_rbac(const struct emit *emit, enum authz_action action, enum rbac_transport transport)
{
	struct rbac_choice choice = {.action = action, .names = {"", ""}};
	struct rbac_rules rules = {.prefix = action == AUTHZ_AUDIT ? NAME_AUDIT : ""}; /* which decides nothing */
	rules.enforced = rbac_build(emit->arena, &emit->authz, &choice, transport);
	choice.is_dry_run = true;
	rules.shadow = rbac_build(emit->arena, &emit->authz, &choice, transport);
	rules.shadow_prefix = rules.shadow && action == AUTHZ_DENY ? NAME_DRY_RUN_DENY : NAME_DRY_RUN_ALLOW;
	return rbac_filter(emit->arena, transport, &rules);
}

ProtobufCMessage *filter_http_rbac(const struct emit *emit, enum authz_action action)
{
	return filter_rbac(emit, action, RBAC_HTTP);
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
			add_filter(emit, chain, NAME_NETWORK_RBAC, filter_rbac(emit, order[i], RBAC_TCP));
}
