/* Where a request goes, as permissions of Envoy's RBAC. */
#include "translator/envoy/authz_matchers.h"
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/rbac.h"

#include <stdlib.h>

#define RULE(name) ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_##name

static envoy_rbac_permission *permission(struct arena *arena, Envoy__Config__Rbac__V3__Permission__RuleCase rule_case)
{
	envoy_rbac_permission *out = envoy_rbac_permission_new(arena);
	out->rule_case = rule_case;
	return out;
}

static envoy_rbac_permission *any(struct arena *arena)
{
	envoy_rbac_permission *out = permission(arena, RULE(ANY));
	out->any = true;
	return out;
}

static envoy_rbac_permission * not(struct arena * arena, envoy_rbac_permission *rule)
{
	envoy_rbac_permission *out = permission(arena, RULE(NOT_RULE));
	out->not_rule = rule;
	return out;
}

/* ---- one value each ---- */

static envoy_rbac_permission *host(struct arena *arena, const char *value)
{
	envoy_rbac_permission *out = permission(arena, RULE(HEADER));
	out->header = authz_header(arena, ":authority", value, true);
	return out;
}

static envoy_rbac_permission *host_in_all_forms(struct arena *arena, const char *value)
{
	envoy_rbac_permission *out = permission(arena, RULE(HEADER));
	out->header = authz_host_in_all_forms(arena, value);
	return out;
}

static envoy_rbac_permission *method(struct arena *arena, const char *value)
{
	envoy_rbac_permission *out = permission(arena, RULE(HEADER));
	out->header = authz_header(arena, ":method", value, false);
	return out;
}

static envoy_rbac_permission *path(struct arena *arena, const char *value)
{
	if (authz_is_path_template(value)) {
		envoy_rbac_permission *out = permission(arena, RULE(URI_TEMPLATE));
		out->uri_template = authz_path_template(arena, value);
		return out;
	}
	envoy_rbac_permission *out = permission(arena, RULE(URL_PATH));
	out->url_path = envoy_path_matcher_new(arena);
	out->url_path->rule_case = ENVOY__TYPE__MATCHER__V3__PATH_MATCHER__RULE_PATH;
	out->url_path->path = authz_text(arena, value, false);
	return out;
}

static envoy_rbac_permission *path_in_all_forms(struct arena *arena, const char *value)
{
	if (!authz_is_path_template(value))
		return path(arena, value);
	envoy_rbac_permission *out = permission(arena, RULE(URL_PATH));
	out->url_path = envoy_path_matcher_new(arena);
	out->url_path->rule_case = ENVOY__TYPE__MATCHER__V3__PATH_MATCHER__RULE_PATH;
	out->url_path->path = authz_path_template_in_all_forms(arena, value);
	return out;
}

static envoy_rbac_permission *port(struct arena *arena, const char *value)
{
	envoy_rbac_permission *out = permission(arena, RULE(DESTINATION_PORT));
	out->destination_port = (uint32_t)strtoul(value, NULL, 10);
	return out;
}

static envoy_rbac_permission *destination_ip(struct arena *arena, const char *value)
{
	envoy_rbac_permission *out = permission(arena, RULE(DESTINATION_IP));
	out->destination_ip = cidr_range(arena, value);
	return out;
}

static envoy_rbac_permission *server_name(struct arena *arena, const char *value)
{
	envoy_rbac_permission *out = permission(arena, RULE(REQUESTED_SERVER_NAME));
	out->requested_server_name = authz_text(arena, value, false);
	return out;
}

static envoy_rbac_permission *(*const builders[AUTHZ_ATTRIBUTES])(struct arena *, const char *) = {
    [AUTHZ_HOST] = host,
    [AUTHZ_METHOD] = method,
    [AUTHZ_PATH] = path,
    [AUTHZ_PORT] = port,
    [AUTHZ_DESTINATION_IP] = destination_ip,
    [AUTHZ_SERVER_NAME] = server_name,
};

/* Where a match closes; see rbac.h. */
static envoy_rbac_permission *(*const closing_builders[AUTHZ_ATTRIBUTES])(struct arena *, const char *) = {
    [AUTHZ_HOST] = host_in_all_forms,
    [AUTHZ_PATH] = path_in_all_forms,
};

/* ---- terms ---- */

static envoy_rbac_permission *any_of(struct arena *arena, const struct authz_term *term, const struct strings *values,
                                     bool is_closing)
{
	if (term->attribute == AUTHZ_FILTER_METADATA) {
		envoy_rbac_permission *out = permission(arena, RULE(METADATA));
		out->metadata = authz_filter_metadata(arena, term->name, term->path.v[0], values);
		return out;
	}
	envoy_rbac_permission *(*build)(struct arena *, const char *) =
	    is_closing ? closing_builders[term->attribute] : NULL;
	if (!build)
		build = builders[term->attribute];
	envoy_rbac_permission *out = permission(arena, RULE(OR_RULES));
	out->or_rules = envoy_rbac_permission_set_new(arena);
	for (size_t i = 0; i < values->n; i++)
		BUILD_ADD(arena, out->or_rules, rules, build(arena, values->v[i]));
	return out;
}

/* NULL: it cannot be said of the transport. */
static envoy_rbac_permission *all_of(struct arena *arena, const struct authz_terms *terms, enum authz_action action,
                                     enum rbac_transport transport)
{
	envoy_rbac_permission *out = permission(arena, RULE(AND_RULES));
	out->and_rules = envoy_rbac_permission_set_new(arena);
	for (size_t i = 0; i < terms->n; i++) {
		const struct authz_term *term = &terms->v[i];
		if (transport == RBAC_TCP && authz_attribute_is_http(term->attribute)) {
			if (action == AUTHZ_ALLOW)
				return NULL;
			continue;
		}
		if (term->values.n)
			BUILD_ADD(arena, out->and_rules, rules,
			          any_of(arena, term, &term->values, action != AUTHZ_ALLOW));
		if (term->not_values.n)
			BUILD_ADD(arena, out->and_rules, rules,
			          not(arena, any_of(arena, term, &term->not_values, false)));
	}
	if (!out->and_rules->n_rules)
		BUILD_ADD(arena, out->and_rules, rules, any(arena));
	return out;
}

bool rbac_add_permissions(struct arena *arena, envoy_rbac_policy *policy, const struct authz_rule *rule,
                          enum authz_action action, enum rbac_transport transport)
{
	for (size_t i = 0; i < rule->n_operations; i++) {
		envoy_rbac_permission *one = all_of(arena, &rule->operations[i], action, transport);
		if (!one)
			return false;
		BUILD_ADD(arena, policy, permissions, one);
	}
	return true;
}

void rbac_permit_nothing(struct arena *arena, envoy_rbac_policy *policy)
{
	BUILD_ADD(arena, policy, permissions, not(arena, any(arena)));
}
