/* What is logged where the mesh has no access log. */
#include "base/text.h"
#include "translator/envoy/access_log.h"
#include "translator/envoy/authz_matchers.h"

/* Envoy's flag for connections that no filter chain and requests that no route wanted. */
#define FLAG_NO_ROUTE "NR"
/* What a service outside was asked about, and did not let pass. */
#define FLAG_EXT_AUTHZ "UAEX"

#define FILTER(name) ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG_FILTER__FILTER_SPECIFIER_##name

typedef VEC(envoy_access_log_filter *) filter_list;

/* ---- kinds of filters ---- */

static envoy_access_log_filter *has_flag(struct arena *arena, const char *flag)
{
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(RESPONSE_FLAG_FILTER);
	filter->response_flag_filter = envoy_response_flag_filter_new(arena);
	BUILD_ADD(arena, filter->response_flag_filter, flags, borrow(flag));
	return filter;
}

/* What the filter of access control has noted; "*": anything. */
static envoy_access_log_filter *has_noted(struct arena *arena, enum access_log_side side, const char *member,
                                          const char *value)
{
	const char *rbac = side == ACCESS_LOG_REQUESTS ? NAME_HTTP_RBAC : NAME_NETWORK_RBAC;
	envoy_access_log_metadata_filter *metadata = envoy_access_log_metadata_filter_new(arena);
	metadata->matcher = authz_filter_metadata(arena, rbac, member, &(struct strings){&value, 1});
	metadata->match_if_key_not_found = build_bool(arena, false);
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(METADATA_FILTER);
	filter->metadata_filter = metadata;
	return filter;
}

static envoy_access_log_filter *has_details(struct arena *arena, const char *details, const char *prefix)
{
	envoy_access_log_expression_filter *expression = envoy_access_log_expression_filter_new(arena);
	expression->expression = arena_printf(arena, "%s.startsWith('%s')", details, prefix);
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(EXTENSION_FILTER);
	filter->extension_filter = envoy_access_log_extension_filter_new(arena);
	filter->extension_filter->name = borrow(NAME_CEL_ACCESS_LOG_FILTER);
	filter->extension_filter->config_type_case =
	    ENVOY__CONFIG__ACCESSLOG__V3__EXTENSION_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->extension_filter->typed_config = pack_any(arena, &expression->base);
	return filter;
}

static envoy_access_log_filter *any_of(struct arena *arena, const filter_list *filters)
{
	if (filters->n < 2)
		return filters->n ? filters->v[0] : NULL;
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(OR_FILTER);
	filter->or_filter = envoy_access_log_or_filter_new(arena);
	for (size_t i = 0; i < filters->n; i++)
		BUILD_ADD(arena, filter->or_filter, filters, filters->v[i]);
	return filter;
}

/* ---- denials ---- */

/* What would be denied, as far as that is new: beside policies of ALLOW that are enforced another one only allows more.
 */
static void add_dry_runs(const struct emit *emit, enum access_log_side side, filter_list *filters)
{
	static const char *const results[] = {[AUTHZ_DENY] = NAME_DRY_RUN_DENY NAME_RBAC_SHADOW_RESULT,
	                                      [AUTHZ_ALLOW] = NAME_DRY_RUN_ALLOW NAME_RBAC_SHADOW_RESULT};
	struct arena *arena = emit->arena;
	if (authz_has_dry_run(&emit->authz, AUTHZ_DENY))
		VEC_PUSH(arena, filters, has_noted(arena, side, results[AUTHZ_DENY], NAME_RBAC_DENIED));
	if (authz_has_dry_run(&emit->authz, AUTHZ_ALLOW) && !authz_has_enforced(&emit->authz, AUTHZ_ALLOW))
		VEC_PUSH(arena, filters, has_noted(arena, side, results[AUTHZ_ALLOW], NAME_RBAC_DENIED));
}

/* Of connections RBAC notes only what is not enforced. */
static void add_policies(const struct emit *emit, enum access_log_side side, filter_list *filters)
{
	struct arena *arena = emit->arena;
	bool is_http = side == ACCESS_LOG_REQUESTS;
	if (!emit->authz.n)
		return;
	VEC_PUSH(arena, filters,
	         is_http ? has_noted(arena, side, NAME_RBAC_RESULT, NAME_RBAC_DENIED)
	                 : has_details(arena, ACCESS_LOG_TERMINATION_DETAILS, ACCESS_LOG_DETAILS_RBAC));
	add_dry_runs(emit, side, filters);
	if (is_http && authz_has(&emit->authz, AUTHZ_AUDIT))
		VEC_PUSH(arena, filters, has_noted(arena, side, NAME_AUDIT NAME_RBAC_POLICY, "*"));
	if (emit->authz.provider)
		VEC_PUSH(arena, filters, has_flag(arena, FLAG_EXT_AUTHZ));
}

envoy_access_log_filter *access_log_denials(const struct emit *emit, enum access_log_side side)
{
	filter_list filters = {0};
	if (side == ACCESS_LOG_LISTENER)
		return emit->is_mtls_required ? access_log_unroutable(emit->arena) : NULL;
	add_policies(emit, side, &filters);
	if (side == ACCESS_LOG_REQUESTS && emit->jwt_rules.n)
		VEC_PUSH(emit->arena, &filters,
		         has_details(emit->arena, ACCESS_LOG_CODE_DETAILS, ACCESS_LOG_DETAILS_JWT));
	return any_of(emit->arena, &filters);
}

envoy_access_log_filter *access_log_unroutable(struct arena *arena)
{
	return has_flag(arena, FLAG_NO_ROUTE);
}
