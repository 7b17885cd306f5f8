/* Whom a policy is for: what the security kinds share. */
#include "base/text.h"
#include "crds/check.h"

#include <string.h>

/* What a policy can be attached to. */
static const struct {
	const char *group, *kind;
} targets_known[] = {
    {"", "Service"},
    {"core", "Service"},
    {"networking.istio.io", "ServiceEntry"},
    {"gateway.networking.k8s.io", "Gateway"},
    {"gateway.networking.k8s.io", "GatewayClass"},
};

void check_policy_selector(struct check *check, const istio_type_workload_selector *selector)
{
	if (!selector)
		return;
	check_enter(check, "selector");
	for (size_t i = 0; i < selector->n_match_labels; i++)
		check_selector_label(check, "matchLabels", selector->match_labels[i]->key,
		                     selector->match_labels[i]->value);
	if (selector->n_match_labels == 0)
		check_warn(check, NULL, "has no labels, so it selects every workload: leave it out if that is meant");
	check_leave(check);
}

static bool is_known(const istio_policy_target_reference *target)
{
	for (size_t i = 0; i < sizeof targets_known / sizeof targets_known[0]; i++)
		if (strcmp(targets_known[i].group, target->group) == 0 &&
		    strcmp(targets_known[i].kind, target->kind) == 0)
			return true;
	return false;
}

bool check_is_policy_target(const istio_policy_target_reference *target)
{
	return !text_is_empty(target->name) && text_is_empty(target->namespace_) && is_known(target);
}

static void check_target(struct check *check, const istio_policy_target_reference *target)
{
	if (text_is_empty(target->name))
		check_error(check, "name", "a name is required");
	if (!text_is_empty(target->namespace_))
		check_error(check, "namespace", "must be left out: what is named is of the policy's own namespace");
	if (!is_known(target))
		check_error(check, "kind",
		            "%s of group \"%s\" is not possible: Service of \"\", ServiceEntry of networking.istio.io, "
		            "Gateway and GatewayClass of gateway.networking.k8s.io are",
		            text_is_empty(target->kind) ? "no kind" : target->kind, target->group);
}

void check_policy_targets(struct check *check, const struct check_policy_targets *targets)
{
	int n_given = (targets->selector != NULL) + (targets->target_ref != NULL) + (targets->n_target_refs > 0);
	if (n_given > 1)
		check_error(check, targets->n_target_refs > 0 ? "targetRefs" : "targetRef",
		            "only one of selector, targetRefs and targetRef is possible");
	check_policy_selector(check, targets->selector);
	if (targets->target_ref) {
		check_enter(check, "targetRef");
		check_target(check, targets->target_ref);
		check_leave(check);
	}
	if (targets->n_target_refs > CHECK_TARGETS_MAX)
		check_error(check, "targetRefs", "lists %zu objects, at most %d are possible", targets->n_target_refs,
		            CHECK_TARGETS_MAX);
	for (size_t i = 0; i < targets->n_target_refs; i++) {
		check_enter_at(check, "targetRefs", i);
		check_target(check, targets->target_refs[i]);
		check_leave(check);
	}
}
