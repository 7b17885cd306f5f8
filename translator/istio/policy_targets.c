#include "translator/istio/policy_targets.h"

#include <string.h>

static struct labels label_of_gateway(struct arena *arena, const char *gateway)
{
	struct label *label = ARENA_NEW(arena, struct label);
	*label = (struct label){POLICY_TARGETS_LABEL_GATEWAY, gateway};
	return (struct labels){label, 1};
}

/* A target is one of the gateways that the Gateway API makes; there is nothing else in a mesh of sidecars that targets
 * name. */
static void add_target(struct draft *draft, const struct object *object, const istio_policy_target_reference *target,
                       const char *field, struct workload_selectors *selectors)
{
	if (strcmp(target->kind, "Gateway") == 0) {
		struct labels *v = ARENA_NEW_N(draft->arena, struct labels, selectors->n + 1);
		if (selectors->n)
			memcpy(v, selectors->v, selectors->n * sizeof *v);
		v[selectors->n] = label_of_gateway(draft->arena, target->name);
		*selectors = (struct workload_selectors){v, selectors->n + 1};
		return;
	}
	report_add(draft->report, object, REPORT_WARNING, REASON_NO_EFFECT, field,
	           "policies for a %s are enforced by waypoints, and there are none; select the workloads instead",
	           target->kind);
}

struct workload_selectors policy_targets_lower(struct draft *draft, const struct object *object,
                                               const struct policy_targets *targets)
{
	struct workload_selectors selectors = {0};
	if (targets->target_ref)
		add_target(draft, object, targets->target_ref, "spec.targetRef", &selectors);
	for (size_t i = 0; i < targets->n_target_refs; i++)
		add_target(draft, object, targets->target_refs[i],
		           arena_printf(draft->arena, "spec.targetRefs[%zu]", i), &selectors);
	if (targets->target_ref || targets->n_target_refs)
		return selectors;
	struct labels *selector = ARENA_NEW(draft->arena, struct labels);
	if (targets->selector)
		*selector = ISTIO_LABELS(draft->arena, targets->selector, match_labels);
	return (struct workload_selectors){selector, 1};
}
