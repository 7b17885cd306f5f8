#include "translator/resolve.h"

#include "translator/istio/istio_parts.h"
#include "translator/rule_index.h"

#include <string.h>

/* ---- who serves what ---- */

struct served_draft {
	VEC(struct served_port) ports;
};

void draft_add_served(struct draft *draft, const char *address, const struct service *service,
                      const struct service_port *port, uint32_t target_port)
{
	void **slot = map_slot(draft->arena, &draft->model->served_by_address, address);
	if (!*slot)
		*slot = ARENA_NEW(draft->arena, struct served_draft);
	struct served_draft *served = *slot;
	VEC_PUSH(draft->arena, &served->ports, (struct served_port){service, port, target_port});
}

static int compare_served(const void *pa, const void *pb)
{
	const struct served_port *a = pa, *b = pb;
	if (a->service->created_s != b->service->created_s)
		return a->service->created_s < b->service->created_s ? -1 : 1;
	int order = strcmp(a->service->hostname, b->service->hostname);
	if (!order)
		order = strcmp(a->service->namespace, b->service->namespace);
	if (!order)
		order = (a->port->number > b->port->number) - (a->port->number < b->port->number);
	return order ? order : (a->target_port > b->target_port) - (a->target_port < b->target_port);
}

static void seal_served(struct draft *draft)
{
	struct map *map = &draft->model->served_by_address;
	for (size_t i = 0; i < map->n; i++) {
		struct served_draft *served = map->entries[i].value;
		VEC_SORT(&served->ports, compare_served);
		struct served_ports *ports = ARENA_NEW(draft->arena, struct served_ports);
		*ports = (struct served_ports){served->ports.v, served->ports.n};
		map->entries[i].value = ports;
	}
}

/* ---- the orders that model.h promises ---- */

static int compare_services(const void *pa, const void *pb)
{
	const struct service *a = *(const struct service *const *)pa, *b = *(const struct service *const *)pb;
	int order = strcmp(a->hostname, b->hostname);
	return order ? order : strcmp(a->namespace, b->namespace);
}

static int compare_policies(const void *pa, const void *pb)
{
	const struct destination_policy *a = *(const struct destination_policy *const *)pa;
	const struct destination_policy *b = *(const struct destination_policy *const *)pb;
	int order = strcmp(a->namespace, b->namespace);
	if (!order)
		order = strcmp(a->host, b->host);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static int compare_precedence(int64_t created_a, const char *name_a, const char *namespace_a, int64_t created_b,
                              const char *name_b, const char *namespace_b)
{
	if (created_a != created_b)
		return created_a < created_b ? -1 : 1;
	int order = strcmp(name_a, name_b);
	return order ? order : strcmp(namespace_a, namespace_b);
}

static int compare_rules(const void *pa, const void *pb)
{
	const struct route_rule *a = *(const struct route_rule *const *)pa;
	const struct route_rule *b = *(const struct route_rule *const *)pb;
	return compare_precedence(a->created_s, a->name, a->namespace, b->created_s, b->name, b->namespace);
}

static int compare_peer_authentications(const void *pa, const void *pb)
{
	const struct peer_authentication *a = *(const struct peer_authentication *const *)pa;
	const struct peer_authentication *b = *(const struct peer_authentication *const *)pb;
	int order = strcmp(a->namespace, b->namespace);
	if (order)
		return order;
	if (!a->selector.n != !b->selector.n)
		return a->selector.n ? 1 : -1; /* the namespace's first: what others inherit */
	return compare_precedence(a->created_s, a->name, a->namespace, b->created_s, b->name, b->namespace);
}

static int compare_authz_policies(const void *pa, const void *pb)
{
	const struct authz_policy *a = *(const struct authz_policy *const *)pa;
	const struct authz_policy *b = *(const struct authz_policy *const *)pb;
	int order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

static int compare_request_authentications(const void *pa, const void *pb)
{
	const struct request_authentication *a = *(const struct request_authentication *const *)pa;
	const struct request_authentication *b = *(const struct request_authentication *const *)pb;
	int order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

/* Of one source the longest timeout first, and only that one stays. */
static int compare_key_sources(const void *pa, const void *pb)
{
	const struct key_source *a = pa, *b = pb;
	int order = key_source_compare(a, b);
	return order ? order : (a->timeout_ms < b->timeout_ms) - (a->timeout_ms > b->timeout_ms);
}

static void seal_key_sources(struct draft *draft)
{
	struct key_source *v = draft->key_sources.v;
	size_t n = 0;
	VEC_SORT(&draft->key_sources, compare_key_sources);
	for (size_t i = 0; i < draft->key_sources.n; i++)
		if (!n || key_source_compare(&v[n - 1], &v[i]) != 0)
			v[n++] = v[i];
	draft->model->key_sources = v;
	draft->model->n_key_sources = n;
}

static int compare_gateways(const void *pa, const void *pb)
{
	const struct gateway *a = *(const struct gateway *const *)pa, *b = *(const struct gateway *const *)pb;
	return compare_precedence(a->created_s, a->name, a->namespace, b->created_s, b->name, b->namespace);
}

static int compare_workloads(const void *pa, const void *pb)
{
	const struct workload *a = *(const struct workload *const *)pa, *b = *(const struct workload *const *)pb;
	int order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

static void seal_arrays(struct draft *draft)
{
	struct model *model = draft->model;
	VEC_SORT(&draft->services, compare_services);
	VEC_SORT(&draft->policies, compare_policies);
	VEC_SORT(&draft->authz_policies, compare_authz_policies);
	VEC_SORT(&draft->request_authentications, compare_request_authentications);
	seal_key_sources(draft);
	VEC_SORT(&draft->rules, compare_rules);
	VEC_SORT(&draft->gateways, compare_gateways);
	bool is_sorted = true; /* without workload entries they come so, and they are the longest list */
	for (size_t i = 1; i < draft->workloads.n && is_sorted; i++)
		is_sorted = compare_workloads(&draft->workloads.v[i - 1], &draft->workloads.v[i]) <= 0;
	if (!is_sorted)
		VEC_SORT(&draft->workloads, compare_workloads);
	model->services = draft->services.v;
	model->n_services = draft->services.n;
	model->policies = draft->policies.v;
	model->n_policies = draft->policies.n;
	model->authz_policies = draft->authz_policies.v;
	model->n_authz_policies = draft->authz_policies.n;
	model->request_authentications = draft->request_authentications.v;
	model->n_request_authentications = draft->request_authentications.n;
	model->rules = draft->rules.v;
	model->n_rules = draft->rules.n;
	model->gateways = draft->gateways.v;
	model->n_gateways = draft->gateways.n;
	model->secrets = draft->secrets.v;
	model->n_secrets = draft->secrets.n;
	model->workloads = draft->workloads.v;
	model->n_workloads = draft->workloads.n;
}

/* ---- maps ---- */

static void index_services(struct draft *draft)
{
	for (size_t i = 0; i < draft->services.n; i++) {
		const struct service *service = draft->services.v[i];
		void **slot = map_slot(draft->arena, &draft->model->services_by_host, service->hostname);
		if (!*slot || service_precedes(service, *slot))
			*slot = (void *)(uintptr_t)service;
	}
}

/* Workloads come sorted, so that of two that claim one address the same one wins each time. */
static void index_workloads(struct draft *draft)
{
	for (size_t i = 0; i < draft->workloads.n; i++) {
		const struct workload *workload = draft->workloads.v[i];
		for (size_t j = 0; j < workload->addresses.n; j++) {
			void **slot =
			    map_slot(draft->arena, &draft->model->workloads_by_address, workload->addresses.v[j]);
			const struct workload *former = *slot;
			if (!former || (former->is_host_network && !workload->is_host_network))
				*slot = (void *)(uintptr_t)workload;
		}
	}
}

static struct namespace_mtls *namespace_mtls(struct draft *draft, const char *namespace)
{
	void **slot = map_slot(draft->arena, &draft->model->mtls_by_namespace, namespace);
	if (!*slot) {
		struct namespace_mtls *mtls = ARENA_NEW(draft->arena, struct namespace_mtls);
		*mtls = (struct namespace_mtls){.mode = draft->model->mtls_mode};
		*slot = mtls;
	}
	return *slot;
}

/* The mesh's row comes first (its namespace is ""), a namespace's before those of its workloads. */
void draft_seal_mtls(struct draft *draft)
{
	draft->model->mtls_mode = MTLS_PERMISSIVE;
	VEC_SORT(&draft->peer_authentications, compare_peer_authentications);
	const struct peer_authentication *const *rows = draft->peer_authentications.v;
	for (size_t i = 0; i < draft->peer_authentications.n; i++) {
		enum mtls_mode mode = rows[i]->settings.mode;
		if (!*rows[i]->namespace) {
			draft->model->mtls_mode = mode ? mode : MTLS_PERMISSIVE;
			continue;
		}
		struct namespace_mtls *mtls = namespace_mtls(draft, rows[i]->namespace);
		if (!rows[i]->selector.n) {
			mtls->mode = mode ? mode : mtls->mode;
			continue;
		}
		if (!mtls->n_rows++)
			mtls->rows = &rows[i];
	}
}

struct model *resolve(struct arena *arena, const struct snapshot *snapshot)
{
	struct model *model = ARENA_NEW(arena, struct model);
	model->report.arena = arena;
	struct draft draft = {.arena = arena, .snapshot = snapshot, .model = model, .report = &model->report};
	for (size_t i = 0; i < snapshot->n_rows; i++)
		report_add_row(&model->report, &snapshot->rows[i]);
	model->trust_roots = (struct blob){snapshot->trust_roots, snapshot->trust_roots_n};
	resolve_istio(&draft);
	seal_arrays(&draft);
	seal_served(&draft);
	index_services(&draft);
	index_workloads(&draft);
	model->rule_index = rule_index_new(arena, model);
	review_istio(&draft);
	report_sort(&model->report);
	return model;
}
