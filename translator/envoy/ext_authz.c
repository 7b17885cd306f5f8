#include "translator/envoy/ext_authz.h"

#include "base/text.h"

#include <string.h>

typedef VEC(struct filter_config) filter_list;

/* ---- what finds out ---- */

static struct filter_config asking_rbac(struct arena *arena, enum rbac_transport transport, envoy_rbac *rules,
                                        envoy_rbac *shadow_rules)
{
	const struct rbac_rules both = {rules, shadow_rules, "", shadow_rules ? NAME_EXT_AUTHZ_METADATA : ""};
	return (struct filter_config){
	    transport == RBAC_HTTP ? NAME_HTTP_RBAC : NAME_NETWORK_RBAC,
	    rbac_filter(arena, transport, &both),
	};
}

static envoy_rbac *rules_of(struct arena *arena, const struct authz_policies *policies, const char *provider,
                            const char *suffix, enum rbac_transport transport)
{
	const struct rbac_choice choice = {
	    .action = AUTHZ_CUSTOM,
	    .provider = provider,
	    .names = {arena_printf(arena, "%s-", name_ext_authz(arena, provider)), suffix},
	};
	return rbac_build(arena, policies, &choice, transport);
}

/* ---- nobody to ask ---- */

/* Of each provider that the policies name, since it is part of their names. */
static void add_refusals(struct arena *arena, filter_list *filters, const struct authz_policies *policies,
                         enum rbac_transport transport)
{
	VEC(const char *) providers = {0};
	for (size_t i = 0; i < policies->n; i++)
		if (policies->v[i]->action == AUTHZ_CUSTOM)
			VEC_PUSH(arena, &providers, policies->v[i]->provider_name);
	VEC_SORT(&providers, text_compare);
	for (size_t i = 0; i < providers.n; i++) {
		if (i > 0 && strcmp(providers.v[i - 1], providers.v[i]) == 0)
			continue;
		envoy_rbac *rules = rules_of(arena, policies, providers.v[i], NAME_EXT_AUTHZ_REFUSED, transport);
		VEC_PUSH(arena, filters, asking_rbac(arena, transport, rules, NULL));
	}
}

/* ---- in order ---- */

struct filter_configs ext_authz_filters(const struct emit *emit, enum rbac_transport transport)
{
	struct arena *arena = emit->arena;
	const struct authz_policies *policies = &emit->authz;
	const struct authz_provider *provider = policies->provider;
	filter_list filters = {0};
	if (!provider) {
		add_refusals(arena, &filters, policies, transport);
	} else if (transport == RBAC_HTTP || provider->is_grpc) {
		bool is_http = transport == RBAC_HTTP;
		envoy_rbac *rules = rules_of(arena, policies, provider->name, "", transport);
		struct filter_config asking = {
		    is_http ? NAME_HTTP_EXT_AUTHZ : NAME_NETWORK_EXT_AUTHZ,
		    is_http ? ext_authz_http(arena, provider) : ext_authz_network(arena, provider),
		};
		VEC_PUSH(arena, &filters, asking_rbac(arena, transport, NULL, rules));
		VEC_PUSH(arena, &filters, asking);
	}
	return (struct filter_configs){filters.v, filters.n};
}
