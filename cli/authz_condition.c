#include "cli/authz_condition.h"

#include "base/text.h"
#include "base/vec.h"
#include "cli/authz_match.h"

#include <string.h>

typedef VEC(const struct authz_condition *) condition_list;

static const struct authz_condition *composed(struct arena *arena, enum authz_condition_type type,
                                              const condition_list *parts)
{
	struct authz_condition *out = ARENA_NEW(arena, struct authz_condition);
	size_t n_met = 0;
	for (size_t i = 0; i < parts->n; i++)
		n_met += parts->v[i]->is_met;
	*out = (struct authz_condition){.type = type, .parts = parts->v, .n_parts = parts->n};
	out->is_met = type == AUTHZ_ALL_OF ? n_met == parts->n : type == AUTHZ_ANY_OF ? n_met > 0 : n_met == 0;
	return out;
}

static const struct authz_condition *leaf(struct arena *arena, const struct authz_fact *fact)
{
	struct authz_condition *out = ARENA_NEW(arena, struct authz_condition);
	*out = (struct authz_condition){.type = AUTHZ_IS,
	                                .is_met = fact->is_met,
	                                .subject = fact->subject,
	                                .seen = fact->seen,
	                                .wanted = fact->wanted};
	return out;
}

static const struct authz_fact anything = {.is_met = true};

/* ---- permissions ---- */

#define RULE(name) ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_##name

static struct authz_fact permission_fact(struct arena *arena, const struct authz_request *request,
                                         const envoy_rbac_permission *permission)
{
	switch ((int)permission->rule_case) {
	case RULE(ANY):
		return anything;
	case RULE(HEADER):
		return authz_match_header(arena, request, permission->header);
	case RULE(URL_PATH):
		return authz_match_path(arena, request, permission->url_path->path);
	case RULE(URI_TEMPLATE):
		return authz_match_template(arena, request, permission->uri_template);
	case RULE(DESTINATION_PORT):
		return authz_match_port(arena, request, permission->destination_port);
	case RULE(DESTINATION_IP):
		return authz_match_ip(arena, "destination ip", request->ip, permission->destination_ip);
	case RULE(REQUESTED_SERVER_NAME):
		return authz_match_text(arena, "server name", request->server_name, permission->requested_server_name);
	default:
		return authz_match_unknown(arena);
	}
}

static const struct authz_condition *of_permission(struct arena *arena, const struct authz_request *request,
                                                   const envoy_rbac_permission *permission)
{
	condition_list parts = {0};
	const envoy_rbac_permission_set *set = permission->rule_case == RULE(AND_RULES)  ? permission->and_rules
	                                       : permission->rule_case == RULE(OR_RULES) ? permission->or_rules
	                                                                                 : NULL;
	for (size_t i = 0; set && i < set->n_rules; i++)
		VEC_PUSH(arena, &parts, of_permission(arena, request, set->rules[i]));
	if (permission->rule_case == RULE(NOT_RULE))
		VEC_PUSH(arena, &parts, of_permission(arena, request, permission->not_rule));
	if (permission->rule_case == RULE(AND_RULES))
		return composed(arena, AUTHZ_ALL_OF, &parts);
	if (permission->rule_case == RULE(OR_RULES))
		return composed(arena, AUTHZ_ANY_OF, &parts);
	if (permission->rule_case == RULE(NOT_RULE))
		return composed(arena, AUTHZ_NOT, &parts);
	struct authz_fact fact = permission_fact(arena, request, permission);
	return leaf(arena, &fact);
}

/* ---- principals ---- */

#define ID(name) ENVOY__CONFIG__RBAC__V3__PRINCIPAL__IDENTIFIER_##name

static struct authz_fact principal_fact(struct arena *arena, const struct authz_request *request,
                                        const envoy_rbac_principal *principal)
{
	switch ((int)principal->identifier_case) {
	case ID(ANY):
		return anything;
	case ID(AUTHENTICATED):
		return authz_match_text(arena, "principal", request->principal,
		                        principal->authenticated->principal_name);
	case ID(DIRECT_REMOTE_IP):
		return authz_match_ip(arena, "source ip", request->source_ip, principal->direct_remote_ip);
	case ID(REMOTE_IP):
		return authz_match_ip(arena, "remote ip", request->remote_ip, principal->remote_ip);
	case ID(HEADER):
		return authz_match_header(arena, request, principal->header);
	case ID(METADATA):
		return authz_match_claim(arena, request, principal->metadata);
	default:
		return authz_match_unknown(arena);
	}
}

static const struct authz_condition *of_principal(struct arena *arena, const struct authz_request *request,
                                                  const envoy_rbac_principal *principal)
{
	condition_list parts = {0};
	const envoy_rbac_principal_set *set = principal->identifier_case == ID(AND_IDS)  ? principal->and_ids
	                                      : principal->identifier_case == ID(OR_IDS) ? principal->or_ids
	                                                                                 : NULL;
	for (size_t i = 0; set && i < set->n_ids; i++)
		VEC_PUSH(arena, &parts, of_principal(arena, request, set->ids[i]));
	if (principal->identifier_case == ID(NOT_ID))
		VEC_PUSH(arena, &parts, of_principal(arena, request, principal->not_id));
	if (principal->identifier_case == ID(AND_IDS))
		return composed(arena, AUTHZ_ALL_OF, &parts);
	if (principal->identifier_case == ID(OR_IDS))
		return composed(arena, AUTHZ_ANY_OF, &parts);
	if (principal->identifier_case == ID(NOT_ID))
		return composed(arena, AUTHZ_NOT, &parts);
	struct authz_fact fact = principal_fact(arena, request, principal);
	return leaf(arena, &fact);
}

/* ---- both ---- */

const struct authz_condition *authz_condition_of_policy(struct arena *arena, const struct authz_request *request,
                                                        const envoy_rbac_policy *policy)
{
	condition_list principals = {0}, permissions = {0}, both = {0};
	for (size_t i = 0; i < policy->n_principals; i++)
		VEC_PUSH(arena, &principals, of_principal(arena, request, policy->principals[i]));
	for (size_t i = 0; i < policy->n_permissions; i++)
		VEC_PUSH(arena, &permissions, of_permission(arena, request, policy->permissions[i]));
	VEC_PUSH(arena, &both, composed(arena, AUTHZ_ANY_OF, &principals));
	VEC_PUSH(arena, &both, composed(arena, AUTHZ_ANY_OF, &permissions));
	return composed(arena, AUTHZ_ALL_OF, &both);
}

/* ---- words ---- */

/* The first thing that was looked at, whatever came of it. */
static const struct authz_condition *first_leaf(const struct authz_condition *condition, bool is_met)
{
	if (condition->type == AUTHZ_IS)
		return condition->is_met == is_met ? condition : NULL;
	for (size_t i = 0; i < condition->n_parts; i++) {
		const struct authz_condition *found = first_leaf(condition->parts[i], is_met);
		if (found)
			return found;
	}
	return NULL;
}

static void add_seen(struct text *out, const struct authz_condition *is)
{
	if (is->seen)
		text_printf(out, "%s is %s", is->subject, is->seen);
	else
		text_printf(out, "there is no %s", is->subject);
}

static bool are_of_one_subject(const struct authz_condition *any)
{
	for (size_t i = 0; i < any->n_parts; i++)
		if (any->parts[i]->type != AUTHZ_IS || !any->parts[i]->subject ||
		    strcmp(any->parts[i]->subject, any->parts[0]->subject) != 0)
			return false;
	return any->n_parts > 0;
}

static void add_words(struct text *out, const struct authz_condition *condition);

static void add_none_of(struct text *out, const struct authz_condition *any)
{
	if (!are_of_one_subject(any)) {
		for (size_t i = 0; i < any->n_parts; i++) {
			text_add(out, i ? "; and " : "");
			add_words(out, any->parts[i]);
		}
		return;
	}
	add_seen(out, any->parts[0]);
	text_add(out, any->parts[0]->seen ? ", not " : "; wanted ");
	for (size_t i = 0; i < any->n_parts; i++)
		text_printf(out, "%s%s", !i ? "" : i + 1 == any->n_parts ? " or " : ", ", any->parts[i]->wanted);
}

static void add_words(struct text *out, const struct authz_condition *condition)
{
	const struct authz_condition *excluded;
	switch (condition->type) {
	case AUTHZ_IS:
		add_seen(out, condition);
		text_printf(out, "%s%s", condition->seen ? ", not " : "; wanted ", condition->wanted);
		return;
	case AUTHZ_ALL_OF:
		for (size_t i = 0; i < condition->n_parts; i++)
			if (!condition->parts[i]->is_met) {
				add_words(out, condition->parts[i]);
				return;
			}
		return;
	case AUTHZ_ANY_OF:
		add_none_of(out, condition);
		return;
	case AUTHZ_NOT:
		excluded = first_leaf(condition, true);
		if (excluded && excluded->subject) {
			add_seen(out, excluded);
			text_printf(out, ", and %s is excluded", excluded->wanted);
		} else {
			text_add(out, "it has no rules, so nothing matches it");
		}
		return;
	}
}

const char *authz_condition_words(struct arena *arena, const struct authz_condition *condition)
{
	CLEANUP(text_done) struct text out = {0};
	add_words(&out, condition);
	return arena_strdup(arena, text_get(&out));
}
