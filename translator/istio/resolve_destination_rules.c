/*
 * DestinationRules. Those of one namespace for one host and one audience are one policy: the oldest says the traffic
 * policy (the first that has one), and subsets add up, the first of a name winning. Oldest first, so the order of
 * events does not matter.
 */
#include "base/text.h"
#include "translator/host.h"
#include "translator/istio/traffic_lowering.h"

#include <string.h>

/* One destination_policy in the making. */
struct merged {
	const struct object *object; /* the first */
	const char *host;
	struct visibility visibility;
	bool has_selector;
	struct labels selector;
	const istio_traffic_policy *policy;
	VEC(const istio_subset *) subsets;
	VEC(struct digest) digests; /* of the objects that went in */
};

/* Those of one namespace and host, in the order in which they came up. */
struct merged_list {
	VEC(struct merged *) list;
};

static bool strings_contain(const struct strings *strings, const char *s)
{
	for (size_t i = 0; i < strings->n; i++) {
		if (strcmp(strings->v[i], s) == 0)
			return true;
	}
	return false;
}

/* All namespaces that b names are named by a. Everybody and a list of namespaces do not compare: they never merge. */
static bool is_superset(const struct visibility *a, const struct visibility *b)
{
	if (a->is_public || b->is_public)
		return a->is_public == b->is_public;
	for (size_t i = 0; i < b->namespaces.n; i++) {
		if (!strings_contain(&a->namespaces, b->namespaces.v[i]))
			return false;
	}
	return true;
}

static bool labels_equal(const struct labels *a, const struct labels *b)
{
	return a->n == b->n && labels_match(a, b);
}

static bool has_subset(const struct merged *merged, const char *name)
{
	for (size_t i = 0; i < merged->subsets.n; i++) {
		if (text_equal(merged->subsets.v[i]->name, name))
			return true;
	}
	return false;
}

/* Adds what the object says to a policy that another one began. */
static void merge_into(struct draft *draft, struct merged *to, const struct merged *from)
{
	const istio_destination_rule *in = (const istio_destination_rule *)from->object->message;
	VEC_PUSH(draft->arena, &to->digests, from->object->digest);
	for (size_t i = 0; i < from->subsets.n; i++) {
		if (!has_subset(to, from->subsets.v[i]->name))
			VEC_PUSH(draft->arena, &to->subsets, from->subsets.v[i]);
		else
			report_add(draft->report, from->object, REPORT_WARNING, REASON_CONFLICT,
			           arena_printf(draft->arena, "spec.subsets[%zu]", i),
			           "DestinationRule %s/%s for the same host has a subset \"%s\" already; this one is "
			           "not used",
			           to->object->namespace, to->object->name, from->subsets.v[i]->name);
	}
	if (!to->policy)
		to->policy = from->policy;
	else if (in->traffic_policy)
		report_add(draft->report, from->object, REPORT_WARNING, REASON_CONFLICT, "spec.trafficPolicy",
		           "DestinationRule %s/%s for the same host has one already; this one is not used",
		           to->object->namespace, to->object->name);
}

/*
 * Which of the policies for its host a rule joins. Different selectors stay apart; a rule that more namespaces see
 * joins one that fewer see and is a policy of its own as well; the same audience and selector means one policy.
 */
static void add_rule(struct draft *draft, struct merged_list *list, struct merged *rule)
{
	bool is_apart = true;
	size_t n = list->list.n;
	for (size_t i = 0; i < n; i++) {
		struct merged *other = list->list.v[i];
		bool is_wider = is_superset(&rule->visibility, &other->visibility);
		bool is_same = is_wider && is_superset(&other->visibility, &rule->visibility);
		if (!is_wider ||
		    (rule->has_selector && other->has_selector && !labels_equal(&rule->selector, &other->selector)))
			continue;
		if (is_same && rule->has_selector == other->has_selector)
			is_apart = false;
		merge_into(draft, other, rule);
	}
	if (is_apart)
		VEC_PUSH(draft->arena, &list->list, rule);
}

static struct digest policy_digest(const struct draft *draft, const struct merged *merged)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, "policy");
	digest_add_str(&state, merged->host);
	for (size_t i = 0; i < merged->digests.n; i++)
		digest_add_digest(&state, merged->digests.v[i]);
	digest_add_i64(&state, draft->model->mesh.connect_timeout_ms);
	return digest_final(&state);
}

static void add_policy(struct draft *draft, const struct merged *merged, uint32_t order)
{
	struct destination_policy *out = ARENA_NEW(draft->arena, struct destination_policy);
	VEC(struct destination_subset) subsets = {0};
	for (size_t i = 0; i < merged->subsets.n; i++)
		VEC_PUSH(draft->arena, &subsets, traffic_lower_subset(draft, merged->policy, merged->subsets.v[i]));
	*out = (struct destination_policy){
	    .host = merged->host,
	    .namespace = merged->object->namespace,
	    .visibility = merged->visibility,
	    .workload_selector = merged->selector,
	    .order = order,
	    .has_whole_policy = merged->policy != NULL,
	    .whole = traffic_lower_whole(draft, merged->policy),
	    .subsets = subsets.v,
	    .n_subsets = subsets.n,
	    .source = istio_source(draft, merged->object, "destination-rule"),
	    .digest = policy_digest(draft, merged),
	};
	VEC_PUSH(draft->arena, &draft->policies, out);
}

/* ---- one object ---- */

static void add_subsets(struct draft *draft, const istio_destination_rule *in, struct merged *out)
{
	for (size_t i = 0; i < in->n_subsets; i++) {
		const istio_subset *subset = in->subsets[i];
		const char *path = arena_printf(draft->arena, "spec.subsets[%zu]", i);
		if (!subset->name[0]) {
			report_add(draft->report, out->object, REPORT_ERROR, REASON_INVALID_VALUE, path,
			           "a subset needs a name; left out");
			continue;
		}
		if (has_subset(out, subset->name)) {
			report_add(draft->report, out->object, REPORT_WARNING, REASON_CONFLICT, path,
			           "there is a subset \"%s\" already; this one is not used", subset->name);
			continue;
		}
		traffic_check(draft, out->object, subset->traffic_policy,
		              arena_printf(draft->arena, "%s.trafficPolicy", path));
		VEC_PUSH(draft->arena, &out->subsets, subset);
	}
}

static struct merged *lower_rule(struct draft *draft, const struct object *object)
{
	const istio_destination_rule *in = (const istio_destination_rule *)object->message;
	if (!in->host[0]) {
		report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, "spec.host",
		           "a DestinationRule needs a host; left out");
		return NULL;
	}
	struct merged *out = ARENA_NEW(draft->arena, struct merged);
	out->object = object;
	out->host = istio_host_fqdn(draft, in->host, object->namespace);
	out->policy = in->traffic_policy;
	VEC_PUSH(draft->arena, &out->digests, object->digest);
	if (in->workload_selector) {
		/* whom a selector selects is in the object's own namespace */
		const char **own = ARENA_NEW_N(draft->arena, const char *, 1);
		own[0] = object->namespace;
		out->visibility.namespaces = (struct strings){own, 1};
		out->has_selector = true;
		out->selector = ISTIO_LABELS(draft->arena, in->workload_selector, match_labels);
	} else {
		out->visibility = istio_visibility(draft, object, EXPORT_DESTINATION_RULE, "spec.exportTo",
		                                   in->export_to, in->n_export_to);
	}
	traffic_check(draft, object, in->traffic_policy, "spec.trafficPolicy");
	add_subsets(draft, in, out);
	return out;
}

static void check_host(struct draft *draft, const struct host_index *services, const struct merged *rule)
{
	if (host_index_find(services, rule->host))
		return;
	if (host_is_wildcard(rule->host)) {
		for (size_t i = 0; i < draft->services.n; i++) {
			if (host_is_within(draft->services.v[i]->hostname, rule->host))
				return;
		}
	}
	report_add(draft->report, rule->object, REPORT_WARNING, REASON_HOST_NOT_FOUND, "spec.host",
	           "no service has the host \"%s\"", rule->host);
}

static int compare_age(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a, *y = *(const struct object *const *)b;
	if (x->created_s != y->created_s)
		return x->created_s < y->created_s ? -1 : 1;
	int order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->namespace, y->namespace);
}

void resolve_destination_rules(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_DESTINATION_RULE];
	struct host_index services = {0};
	for (size_t i = 0; i < draft->services.n; i++)
		*host_index_slot(draft->arena, &services, draft->services.v[i]->hostname) = &draft->services.v[i];
	const struct object **by_age = ARENA_NEW_N(draft->arena, const struct object *, objects->n);
	for (size_t i = 0; i < objects->n; i++)
		by_age[i] = objects->v[i];
	qsort(by_age, objects->n, sizeof *by_age, compare_age);

	struct map lists = {0}; /* "namespace/host" -> struct merged_list */
	for (size_t i = 0; i < objects->n; i++) {
		struct merged *rule = lower_rule(draft, by_age[i]);
		if (!rule)
			continue;
		check_host(draft, &services, rule);
		void **slot = map_slot(draft->arena, &lists,
		                       arena_printf(draft->arena, "%s/%s", by_age[i]->namespace, rule->host));
		if (!*slot)
			*slot = ARENA_NEW(draft->arena, struct merged_list);
		add_rule(draft, *slot, rule);
	}
	for (size_t i = 0; i < lists.n; i++) {
		const struct merged_list *list = lists.entries[i].value;
		for (size_t j = 0; j < list->list.n; j++)
			add_policy(draft, list->list.v[j], (uint32_t)j);
	}
}
