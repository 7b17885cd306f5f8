/* Policies that select nothing of what there is, and ports of PeerAuthentications that nobody serves. */
#include "translator/istio/policy_review.h"

#include <string.h>

static void say(const struct policy_review *review, const struct object *object, const char *field, const char *message)
{
	report_add(review->draft->report, object, REPORT_WARNING, REASON_NO_EFFECT, field, "%s", message);
}

/* Where there are no workloads at all, they may not be known, or not be there yet. */
static bool selects_nothing(const struct policy_review *review, const char *namespace, const struct labels *selector)
{
	const struct workload_selectors selectors = {selector, 1};
	return selector->n && coverages_has_workloads(review->coverages, namespace) &&
	       !coverage_of(review->coverages, namespace, &selectors)->n_workloads;
}

static const char *place_of(const struct policy_review *review, const char *namespace)
{
	bool is_mesh = strcmp(namespace, review->draft->model->mesh.root_namespace) == 0;
	return is_mesh ? "the mesh" : arena_printf(review->arena, "namespace %s", namespace);
}

/* targets: where gateways are named. */
static void review_selectors(const struct policy_review *review, const struct object *object,
                             const struct workload_selectors *selectors, const char *targets)
{
	for (size_t i = 0; i < selectors->n; i++) {
		const struct labels *selector = &selectors->v[i];
		const char *place = place_of(review, object->namespace);
		if (!selects_nothing(review, object->namespace, selector))
			continue;
		if (strcmp(selector->v[0].key, POLICY_TARGETS_LABEL_GATEWAY) == 0)
			say(review, object, targets,
			    arena_printf(review->arena, "Gateway %s has no proxy in %s, so nothing comes of it",
			                 selector->v[0].value, place));
		else
			say(review, object, "spec.selector.matchLabels",
			    arena_printf(review->arena, "selects no workload: none of %s has these labels", place));
	}
}

/* The namespace is known only where there are objects for it. */
static void review_place(const struct policy_review *review, const struct object *object)
{
	if (review->namespaces.n && !map_has(&review->namespaces, object->namespace) &&
	    !coverages_has_workloads(review->coverages, object->namespace) &&
	    strcmp(object->namespace, "default") != 0 &&
	    strcmp(object->namespace, review->draft->model->mesh.root_namespace) != 0)
		say(review, object, "metadata.namespace",
		    arena_printf(review->arena, "the mesh has no namespace %s", object->namespace));
}

/* ---- PeerAuthentications ---- */

static void review_ports(const struct policy_review *review, const struct object *object,
                         const istio_peer_authentication *policy, const struct labels *selector)
{
	const struct workload_selectors selectors = {selector, 1};
	struct coverage *covered = coverage_of(review->coverages, object->namespace, &selectors);
	for (size_t i = 0; covered->ports.n && i < policy->n_port_level_mtls; i++) {
		uint32_t number = policy->port_level_mtls[i]->key;
		const char *port = arena_printf(review->arena, "%u", number);
		const char *field = arena_printf(review->arena, "spec.portLevelMtls.%s", port);
		const char *target = map_get(&covered->targets, port);
		if (coverage_port(covered, port))
			continue;
		if (target)
			say(review, object, field,
			    arena_printf(
			        review->arena,
			        "none of the workloads serves port %s: ports are those of the workload, not of its "
			        "Service; behind port %s of the Service is %s",
			        port, port, target));
		else
			say(review, object, field,
			    arena_printf(review->arena, "none of the workloads serves port %s for a Service", port));
	}
}

static void review_peer_authentication(const struct policy_review *review, const struct object *object)
{
	const istio_peer_authentication *policy = (const istio_peer_authentication *)object->message;
	const char *root = review->draft->model->mesh.root_namespace;
	review_place(review, object);
	if (!policy->selector || strcmp(object->namespace, root) == 0)
		return;
	struct labels *selector = ARENA_NEW(review->arena, struct labels);
	*selector = ISTIO_LABELS(review->arena, policy->selector, match_labels);
	review_selectors(review, object, &(struct workload_selectors){selector, 1}, NULL);
	if (selector->n)
		review_ports(review, object, policy, selector);
}

void review_policy_targets(const struct policy_review *review)
{
	const struct model *model = review->draft->model;
	const struct snapshot_kind *peers = &review->draft->snapshot->kinds[KIND_PEER_AUTHENTICATION];
	for (size_t i = 0; i < model->n_authz_policies; i++) {
		const struct object *object = model->authz_policies[i]->source.object;
		const istio_authorization_policy *policy = (const istio_authorization_policy *)object->message;
		review_place(review, object);
		review_selectors(review, object, &model->authz_policies[i]->selectors,
		                 policy->n_targetrefs ? "spec.targetRefs" : "spec.targetRef");
	}
	for (size_t i = 0; i < model->n_request_authentications; i++) {
		const struct object *object = model->request_authentications[i]->source.object;
		const istio_request_authentication *policy = (const istio_request_authentication *)object->message;
		review_place(review, object);
		review_selectors(review, object, &model->request_authentications[i]->selectors,
		                 policy->n_targetrefs ? "spec.targetRefs" : "spec.targetRef");
	}
	for (size_t i = 0; i < peers->n; i++)
		review_peer_authentication(review, peers->v[i]);
}
