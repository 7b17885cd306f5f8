/* The review of policies: each rule of each, then the policies against each other and against what there is. */
#include "translator/istio/policy_review.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

static const struct {
	const char *field, *not_field;
} fields[AUTHZ_ATTRIBUTES] = {
    [AUTHZ_HOST] = {"hosts", "notHosts"},
    [AUTHZ_METHOD] = {"methods", "notMethods"},
    [AUTHZ_PATH] = {"paths", "notPaths"},
    [AUTHZ_PORT] = {"ports", "notPorts"},
    [AUTHZ_PRINCIPAL] = {"principals", "notPrincipals"},
    [AUTHZ_REQUEST_PRINCIPAL] = {"requestPrincipals", "notRequestPrincipals"},
    [AUTHZ_SERVICE_ACCOUNT] = {"serviceAccounts", "notServiceAccounts"},
    [AUTHZ_NAMESPACE] = {"namespaces", "notNamespaces"},
    [AUTHZ_TRUST_DOMAIN] = {"trustDomains", "notTrustDomains"},
    [AUTHZ_REMOTE_IP] = {"remoteIpBlocks", "notRemoteIpBlocks"},
    [AUTHZ_SOURCE_IP] = {"ipBlocks", "notIpBlocks"},
};

const char *term_place_field(struct arena *arena, const struct term_place *place)
{
	const struct authz_term *term = place->term;
	if (term->condition)
		return arena_printf(arena, "when[%u].%s", term->condition - 1, place->is_not ? "notValues" : "values");
	const char *field = place->is_not ? fields[term->attribute].not_field : fields[term->attribute].field;
	return authz_attribute_is_of_source(term->attribute)
	           ? arena_printf(arena, "from[%zu].source.%s", place->i, field)
	           : arena_printf(arena, "to[%zu].operation.%s", place->i, field);
}

void rule_review_say(const struct rule_review *review, enum report_severity severity, const char *field,
                     const char *format, ...)
{
	struct arena *arena = review->all->arena;
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(arena, format, args);
	va_end(args);
	report_add(review->all->draft->report, review->policy->source.object, severity, REASON_NO_EFFECT,
	           arena_printf(arena, "spec.rules[%zu]%s%s", review->place, *field ? "." : "", field), "%s", message);
}

static void review_policy(const struct policy_review *all, const struct authz_policy *policy)
{
	static void (*const parts[])(const struct rule_review *) = {
	    review_authz_contradictions, review_authz_identity, review_authz_tokens,
	    review_authz_ports,          review_authz_values,
	};
	if (policy->source.object->is_stand_in)
		return;
	struct rule_review review = {
	    .all = all,
	    .policy = policy,
	    .covered = coverage_of(all->coverages, policy->namespace, &policy->selectors),
	    .is_closing = policy->action != AUTHZ_ALLOW,
	};
	for (review.place = 0; review.place < policy->n_rules; review.place++) {
		review.rule = &policy->rules[review.place];
		for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
			parts[i](&review);
	}
}

void review_policies(struct draft *draft)
{
	const struct snapshot_kind *objects = draft->snapshot->kinds;
	const struct model *model = draft->model;
	if (!model->n_authz_policies && !model->n_request_authentications && !objects[KIND_PEER_AUTHENTICATION].n)
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct policy_review review = {.draft = draft, .arena = arena, .coverages = coverages_new(arena, model)};
	for (size_t i = 0; i < objects[KIND_NAMESPACE].n; i++)
		map_put(arena, &review.namespaces, objects[KIND_NAMESPACE].v[i]->name, draft);
	for (size_t i = 0; i < model->n_authz_policies; i++)
		review_policy(&review, model->authz_policies[i]);
	review_authz_shadows(&review);
	review_authz_choices(&review);
	review_policy_targets(&review);
}
