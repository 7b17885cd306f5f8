/*
 * AuthorizationPolicies: each for the workloads that it selects in its namespace, or in the whole mesh when it is of
 * the root namespace. None hides another: all of a workload are asked.
 */
#include "base/text.h"
#include "translator/istio/authz_lowering.h"
#include "translator/istio/istio_parts.h"

#include <string.h>

#define LABEL_GATEWAY "gateway.networking.k8s.io/gateway-name"

static enum authz_action action_of(const istio_authorization_policy *policy)
{
	static const enum authz_action actions[] = {
	    [ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__ALLOW] = AUTHZ_ALLOW,
	    [ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__DENY] = AUTHZ_DENY,
	    [ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__AUDIT] = AUTHZ_AUDIT,
	    [ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__CUSTOM] = AUTHZ_CUSTOM,
	};
	return actions[policy->action];
}

static struct labels label_of_gateway(struct arena *arena, const char *gateway)
{
	struct label *label = ARENA_NEW(arena, struct label);
	*label = (struct label){LABEL_GATEWAY, gateway};
	return (struct labels){label, 1};
}

/* A target is one of the gateways that the Gateway API makes; there is nothing else in a mesh of sidecars that targets
 * name. */
static void add_target(struct draft *draft, const struct object *object, const istio_policy_target_reference *target,
                       const char *field, struct authz_selectors *selectors)
{
	if (strcmp(target->kind, "Gateway") == 0) {
		struct labels *v = ARENA_NEW_N(draft->arena, struct labels, selectors->n + 1);
		if (selectors->n)
			memcpy(v, selectors->v, selectors->n * sizeof *v);
		v[selectors->n] = label_of_gateway(draft->arena, target->name);
		*selectors = (struct authz_selectors){v, selectors->n + 1};
		return;
	}
	report_add(draft->report, object, REPORT_WARNING, REASON_NO_EFFECT, field,
	           "policies for a %s are enforced by waypoints, and there are none; select the workloads instead",
	           target->kind);
}

static struct authz_selectors selectors_of(struct draft *draft, const struct object *object,
                                           const istio_authorization_policy *policy)
{
	struct authz_selectors selectors = {0};
	if (policy->targetref)
		add_target(draft, object, policy->targetref, "spec.targetRef", &selectors);
	for (size_t i = 0; i < policy->n_targetrefs; i++)
		add_target(draft, object, policy->targetrefs[i], arena_printf(draft->arena, "spec.targetRefs[%zu]", i),
		           &selectors);
	if (policy->targetref || policy->n_targetrefs)
		return selectors;
	struct labels *selector = ARENA_NEW(draft->arena, struct labels);
	if (policy->selector)
		*selector = ISTIO_LABELS(draft->arena, policy->selector, match_labels);
	return (struct authz_selectors){selector, 1};
}

/* What it is asked is part of the policy. */
static void set_provider(struct draft *draft, const istio_authorization_policy *policy, struct authz_policy *out)
{
	struct digest_state state;
	out->provider_name = policy->provider->name;
	out->provider = map_get(&draft->istio->authz_providers, out->provider_name);
	digest_init(&state);
	digest_add_digest(&state, out->digest);
	digest_add_bool(&state, out->provider);
	if (out->provider)
		digest_add_digest(&state, out->provider->digest);
	out->digest = digest_final(&state);
}

static const struct authz_policy *lower(struct draft *draft, const struct object *object)
{
	const istio_authorization_policy *policy = (const istio_authorization_policy *)object->message;
	const struct authz_lowering in = {draft->arena, object->namespace, &draft->model->mesh.trust_domains};
	struct authz_rule *rules = ARENA_NEW_N(draft->arena, struct authz_rule, policy->n_rules);
	for (size_t i = 0; i < policy->n_rules; i++)
		rules[i] = authz_lower_rule(&in, policy->rules[i]);
	struct authz_policy *out = ARENA_NEW(draft->arena, struct authz_policy);
	*out = (struct authz_policy){
	    .name = object->name,
	    .namespace = object->namespace,
	    .action = action_of(policy),
	    .is_dry_run = text_equal(object_annotation(object, "istio.io/dry-run"), "true"),
	    .selectors = selectors_of(draft, object, policy),
	    .rules = rules,
	    .n_rules = policy->n_rules,
	    .created_s = object->created_s,
	    .source = {.object = object},
	    .digest = object->digest,
	};
	if (out->action == AUTHZ_CUSTOM)
		set_provider(draft, policy, out);
	return out;
}

void resolve_authorization_policies(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_AUTHORIZATION_POLICY];
	for (size_t i = 0; i < objects->n; i++)
		VEC_PUSH(draft->arena, &draft->authz_policies, lower(draft, objects->v[i]));
}
