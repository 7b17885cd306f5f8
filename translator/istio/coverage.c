#include "translator/istio/coverage.h"

#include "base/text.h"
#include "base/vec.h"
#include "translator/istio/policy_targets.h"

#include <string.h>

typedef VEC(struct workload_group *) group_list;

/* What is known of a group once somebody has asked. */
struct group_facts {
	VEC(const struct workload *) workloads;
	uint64_t seen; /* in which answer the group is already */
	bool is_known; /* what follows: */
	bool is_gateway;
	struct mtls_settings mtls;
	VEC(struct served_port) served;
};

/* The groups of a namespace, or of the mesh. */
struct area {
	group_list groups;
	struct map by_label; /* "key=value" -> group_list; filled when a selector first asks */
	bool is_indexed;
	struct map answers; /* selectors as text -> struct coverage */
};

struct coverages {
	struct arena *arena;
	const struct model *model;
	struct area mesh;
	struct map namespaces; /* -> struct area */
	uint64_t n_answers;
};

/* ---- groups ---- */

static bool is_same(const struct labels *a, const struct labels *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].key, b->v[i].key) != 0 || strcmp(a->v[i].value, b->v[i].value) != 0)
			return false;
	return true;
}

static void add_labels(struct text *key, const struct labels *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		text_printf(key, "%s%s=%s", i ? "," : "", labels->v[i].key, labels->v[i].value);
}

static struct area *area_of(struct coverages *coverages, const char *namespace)
{
	void **slot = map_slot(coverages->arena, &coverages->namespaces, namespace);
	if (!*slot)
		*slot = ARENA_NEW(coverages->arena, struct area);
	return *slot;
}

static struct workload_group *group_of(struct coverages *coverages, struct map *groups, const struct workload *workload)
{
	struct arena *arena = coverages->arena;
	CLEANUP(text_done) struct text key = {0};
	add_labels(&key, &workload->labels);
	struct workload_group *group = map_get(groups, text_get(&key));
	if (group)
		return group;
	struct area *area = area_of(coverages, workload->namespace);
	group = ARENA_NEW(arena, struct workload_group);
	*group = (struct workload_group){
	    .namespace = workload->namespace,
	    .labels = &workload->labels,
	    .place = coverages->mesh.groups.n,
	    .facts = ARENA_NEW(arena, struct group_facts),
	};
	VEC_PUSH(arena, &area->groups, group);
	VEC_PUSH(arena, &coverages->mesh.groups, group);
	map_put(arena, groups, arena_strdup(arena, text_get(&key)), group);
	return group;
}

struct coverages *coverages_new(struct arena *arena, const struct model *model)
{
	struct coverages *coverages = ARENA_NEW(arena, struct coverages);
	coverages->arena = arena;
	coverages->model = model;
	struct workload_group *last = NULL;
	struct map groups = {0}; /* of the namespace */
	for (size_t i = 0; i < model->n_workloads; i++) {
		const struct workload *workload = model->workloads[i];
		if (!last || strcmp(last->namespace, workload->namespace) != 0) {
			groups = (struct map){0};
			last = NULL;
		}
		/* pods of one owner have labels in common, and what their names begin with */
		if (!last || !is_same(last->labels, &workload->labels))
			last = group_of(coverages, &groups, workload);
		last->n_workloads++;
		VEC_PUSH(arena, &last->facts->workloads, workload);
	}
	return coverages;
}

size_t coverages_n_groups(const struct coverages *coverages)
{
	return coverages->mesh.groups.n;
}

/* ---- what is known of a group ---- */

static void add_served(struct arena *arena, struct group_facts *facts, const struct served_port *served)
{
	for (size_t i = 0; i < facts->served.n; i++)
		if (facts->served.v[i].target_port == served->target_port &&
		    facts->served.v[i].port->number == served->port->number &&
		    facts->served.v[i].port->protocol == served->port->protocol)
			return;
	VEC_PUSH(arena, &facts->served, *served);
}

bool coverage_are_of_gateway(const struct model *model, const struct labels *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->v[i].key, POLICY_TARGETS_LABEL_GATEWAY) == 0)
			return true;
	for (size_t i = 0; i < model->n_gateways; i++)
		if (model->gateways[i]->selector.n && labels_match(&model->gateways[i]->selector, labels))
			return true;
	return false;
}

static void know(const struct coverages *coverages, const struct workload_group *group)
{
	const struct model *model = coverages->model;
	struct group_facts *facts = group->facts;
	facts->is_known = true;
	facts->mtls = model_mtls(coverages->arena, model, group->namespace, group->labels);
	facts->is_gateway = coverage_are_of_gateway(model, group->labels);
	for (size_t i = 0; i < facts->workloads.n; i++) {
		const struct strings *addresses = &facts->workloads.v[i]->addresses;
		for (size_t j = 0; j < addresses->n; j++) {
			const struct served_ports *served = map_get(&model->served_by_address, addresses->v[j]);
			for (size_t k = 0; served && k < served->n; k++)
				add_served(coverages->arena, facts, &served->v[k]);
		}
	}
}

/* ---- answers ---- */

static void widen(enum mtls_mode *least, enum mtls_mode *most, bool is_first, enum mtls_mode mode)
{
	if (is_first || mode < *least)
		*least = mode;
	if (is_first || mode > *most)
		*most = mode;
}

static const char *number_text(struct arena *arena, uint32_t number)
{
	return arena_printf(arena, "%u", number);
}

static void add_port(struct arena *arena, struct coverage *coverage, const struct group_facts *facts,
                     const struct served_port *served)
{
	const char *number = number_text(arena, served->target_port);
	struct coverage_port *port = map_get(&coverage->ports, number);
	bool is_first = !port;
	if (is_first) {
		port = ARENA_NEW(arena, struct coverage_port);
		map_put(arena, &coverage->ports, number, port);
	}
	map_put(arena, &coverage->targets, number_text(arena, served->port->number), (void *)(uintptr_t)number);
	enum transport transport = protocol_transport(served->port->protocol);
	port->may_be_http |= transport == TRANSPORT_HTTP || transport == TRANSPORT_AUTO;
	widen(&port->least_mode, &port->most_mode, is_first, mtls_settings_mode(&facts->mtls, served->target_port));
}

static void add_group(const struct coverages *coverages, struct coverage *coverage, const struct workload_group *group)
{
	const struct group_facts *facts = group->facts;
	if (!facts->is_known)
		know(coverages, group);
	bool is_first = coverage->n_workloads == coverage->n_gateways;
	coverage->n_workloads += group->n_workloads;
	if (facts->is_gateway) {
		coverage->n_gateways += group->n_workloads;
		return;
	}
	widen(&coverage->least_mode, &coverage->most_mode, is_first, facts->mtls.mode);
	for (size_t i = 0; i < facts->served.n; i++)
		add_port(coverages->arena, coverage, facts, &facts->served.v[i]);
}

static const char *label_key(struct arena *arena, const struct label *label)
{
	return arena_printf(arena, "%s=%s", label->key, label->value);
}

static void index_labels(struct arena *arena, struct area *area)
{
	area->is_indexed = true;
	for (size_t i = 0; i < area->groups.n; i++) {
		struct workload_group *group = area->groups.v[i];
		for (size_t j = 0; j < group->labels->n; j++) {
			void **slot = map_slot(arena, &area->by_label, label_key(arena, &group->labels->v[j]));
			if (!*slot)
				*slot = ARENA_NEW(arena, group_list);
			group_list *list = *slot;
			VEC_PUSH(arena, list, group);
		}
	}
}

/* Those that may match: all, or those with the rarest of the labels. */
static const group_list *candidates(struct coverages *coverages, struct area *area, const struct labels *selector)
{
	static const group_list none = {0};
	const group_list *rarest = &area->groups;
	if (selector->n && !area->is_indexed)
		index_labels(coverages->arena, area);
	for (size_t i = 0; i < selector->n; i++) {
		const group_list *list = map_get(&area->by_label, label_key(coverages->arena, &selector->v[i]));
		if (!list)
			return &none;
		if (list->n < rarest->n)
			rarest = list;
	}
	return rarest;
}

static struct coverage *answer(struct coverages *coverages, struct area *area,
                               const struct workload_selectors *selectors)
{
	struct coverage *coverage = ARENA_NEW(coverages->arena, struct coverage);
	group_list groups = {0};
	coverages->n_answers++;
	for (size_t i = 0; i < selectors->n; i++) {
		const group_list *list = candidates(coverages, area, &selectors->v[i]);
		for (size_t j = 0; j < list->n; j++) {
			struct workload_group *group = list->v[j];
			if (group->facts->seen == coverages->n_answers ||
			    !labels_match(&selectors->v[i], group->labels))
				continue;
			group->facts->seen = coverages->n_answers;
			add_group(coverages, coverage, group);
			VEC_PUSH(coverages->arena, &groups, group);
		}
	}
	coverage->groups = groups.v;
	coverage->n_groups = groups.n;
	return coverage;
}

static struct area *find_area(struct coverages *coverages, const char *namespace)
{
	bool is_mesh = strcmp(namespace, coverages->model->mesh.root_namespace) == 0;
	return is_mesh ? &coverages->mesh : area_of(coverages, namespace);
}

struct coverage *coverage_of(struct coverages *coverages, const char *namespace,
                             const struct workload_selectors *selectors)
{
	CLEANUP(text_done) struct text key = {0};
	struct area *area = find_area(coverages, namespace);
	for (size_t i = 0; i < selectors->n; i++) {
		text_add_char(&key, ';');
		add_labels(&key, &selectors->v[i]);
	}
	struct coverage *former = map_get(&area->answers, text_get(&key));
	if (former)
		return former;
	struct coverage *coverage = answer(coverages, area, selectors);
	map_put(coverages->arena, &area->answers, arena_strdup(coverages->arena, text_get(&key)), coverage);
	return coverage;
}

bool coverages_has_workloads(struct coverages *coverages, const char *namespace)
{
	return find_area(coverages, namespace)->groups.n > 0;
}

const struct coverage_port *coverage_port(const struct coverage *coverage, const char *number)
{
	return map_get(&coverage->ports, number);
}

const struct strings *coverage_issuers(struct coverages *coverages, struct coverage *coverage)
{
	struct arena *arena = coverages->arena;
	struct map known = {0};
	VEC(const char *) list = {0};
	if (coverage->issuers)
		return coverage->issuers;
	for (size_t i = 0; i < coverage->n_groups; i++) {
		const struct workload_group *group = coverage->groups[i];
		struct jwt_rules rules = model_jwt_rules(arena, coverages->model, group->namespace, group->labels);
		for (size_t j = 0; j < rules.n; j++)
			if (!map_put(arena, &known, rules.v[j]->issuer, coverages))
				VEC_PUSH(arena, &list, rules.v[j]->issuer);
	}
	struct strings *issuers = ARENA_NEW(arena, struct strings);
	*issuers = (struct strings){list.v, list.n};
	coverage->issuers = issuers;
	return issuers;
}
