#include "translator/rule_index.h"
#include "translator/scope_parts.h"

#include <string.h>

/* The first whose selector names the client, else the last one without a selector. */
static const struct destination_policy *choose(const struct policy_list *list, const struct view *view)
{
	const struct destination_policy *general = NULL;
	for (size_t i = 0; list && i < list->n; i++) {
		const struct destination_policy *policy = list->v[i];
		if (!visibility_allows(&policy->visibility, view->namespace))
			continue;
		if (policy->workload_selector.n == 0)
			general = policy;
		else if (strcmp(policy->namespace, view->namespace) == 0 &&
		         labels_match(&policy->workload_selector, &view->labels))
			return policy;
	}
	return general;
}

static bool is_any_visible(const struct policy_list *list, const char *namespace)
{
	for (size_t i = 0; list && i < list->n; i++) {
		if (visibility_allows(&list->v[i]->visibility, namespace))
			return true;
	}
	return false;
}

/*
 * A namespace whose most specific host has a policy for the client settles it, even if a selector then leaves nothing.
 * In the root namespace the client's own step counts only policies for that namespace alone: what it says for everybody
 * is the last resort there too.
 */
const struct destination_policy *scope_policy(const struct model *model, const struct view *view,
                                              const struct service *service)
{
	const struct map *all = &model->rule_index->pools;
	const char *root = model->mesh.root_namespace;
	const struct policy_pools *own = map_get(all, view->namespace);
	if (own) {
		const struct host_index *pool = strcmp(view->namespace, root) == 0 ? &own->own : &own->local;
		const struct policy_list *list = host_index_find(pool, service->hostname);
		if (list)
			return choose(list, view);
	}
	const char *const others[] = {service->namespace, root};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const struct policy_pools *pools = map_get(all, others[i]);
		const struct policy_list *list = pools ? host_index_find(&pools->exported, service->hostname) : NULL;
		if (is_any_visible(list, view->namespace))
			return choose(list, view);
	}
	return NULL;
}
