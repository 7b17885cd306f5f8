/*
 * Route tables of sidecars: which hosts a listener's table has, and which rule each follows.
 *
 * A host that a service has on the port follows, of the rules that the view sees:
 *   those that name it, in their order, the first with a route for this view and port;
 *   else, when none names it, the first of the most specific wildcard;
 *   else its default route.
 * Hosts that no service has on the port come from rules: on port 80 from all of them, elsewhere from those that also
 * concern some service of the port.
 */
#include "base/text.h"
#include "translator/scope_rules.h"

#include <stdint.h>
#include <string.h>

struct table_service {
	uint32_t port;
	enum transport transport;
	const struct scope_service *service;
};

struct table_services {
	const struct table_service *v; /* of one port, by hostname */
	size_t n;
};

struct tables_draft {
	struct scope_draft *draft;
	VEC(struct table_service) services; /* by port, hostname */
	VEC(struct ranked_rule) rules;      /* for sidecars, visible, in order */
	size_t *order;                      /* rule's position -> 1 + place in rules; 0: not visible */
	struct rule_digests digests;
};

/* One table in the making. */
struct table_draft {
	struct tables_draft *all;
	struct table_services services;
	uint32_t port;
	bool is_single;
	bool *is_active;    /* by place in all->rules: concerns a service of the port */
	struct map hosts;   /* hostname -> something: taken */
	struct map covered; /* wildcard -> something: covers a service of the port */
	VEC(struct scope_host) out;
	VEC(const struct indexed_rule *) rules; /* of out[i], or NULL */
};

/* ---- what there is ---- */

static int compare_services(const void *a, const void *b)
{
	const struct table_service *x = a, *y = b;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return strcmp(x->service->service->hostname, y->service->service->hostname);
}

static void add_services(struct tables_draft *all)
{
	const struct scope *scope = all->draft->scope;
	for (size_t i = 0; i < scope->n_services; i++) {
		const struct service *service = scope->services[i].service;
		for (size_t j = 0; j < service->n_ports; j++)
			VEC_PUSH(all->draft->arena, &all->services,
			         (struct table_service){service->ports[j].number,
			                                protocol_transport(service->ports[j].protocol),
			                                &scope->services[i]});
	}
	VEC_SORT(&all->services, compare_services);
}

static void add_rules(struct tables_draft *all)
{
	const struct rule_index *index = all->draft->scope->model->rule_index;
	for (size_t i = 0; i < index->n_rules; i++) {
		struct ranked_rule ranked;
		if (index->rules[i].rule->is_mesh &&
		    scope_rank_rule(all->draft->scope->view, &index->rules[i], &ranked))
			VEC_PUSH(all->draft->arena, &all->rules, ranked);
	}
	VEC_SORT(&all->rules, ranked_rule_compare);
	all->order = ARENA_NEW_N(all->draft->arena, size_t, index->n_rules);
	for (size_t i = 0; i < all->rules.n; i++)
		all->order[all->rules.v[i].rule->position] = i + 1;
}

static struct table_services services_on(const struct tables_draft *all, uint32_t port)
{
	size_t low = 0, high = all->services.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (all->services.v[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	struct table_services out = {.v = all->services.v + low};
	while (low + out.n < all->services.n && out.v[out.n].port == port)
		out.n++;
	return out;
}

static const struct table_service *find_service(const struct table_services *services, const char *hostname)
{
	size_t low = 0, high = services->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(services->v[middle].service->service->hostname, hostname);
		if (order == 0)
			return &services->v[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- rules of a host ---- */

/* The place of the first rule of the list at `from` or after, or SIZE_MAX. */
static size_t first_rule(const struct tables_draft *all, const struct rule_list *list, size_t from)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; list && i < list->n; i++) {
		size_t order = all->order[list->v[i]->position];
		if (order && order - 1 >= from && order - 1 < best)
			best = order - 1;
	}
	return best;
}

/* The first visible rule of the most specific wildcard that has one. */
static size_t wildcard_rule(const struct tables_draft *all, const char *hostname)
{
	struct host_walk walk = host_walk_start(&all->draft->scope->model->rule_index->mesh, hostname);
	size_t best = SIZE_MAX, best_n = 0, n;
	for (struct rule_list *list = host_walk_next(&walk, &n); list; list = host_walk_next(&walk, &n)) {
		size_t rule = first_rule(all, list, 0);
		if (rule != SIZE_MAX && (best == SIZE_MAX || n > best_n)) {
			best = rule;
			best_n = n;
		}
	}
	return best;
}

static bool applies(const struct table_draft *table, const char *hostname, const struct indexed_rule *rule)
{
	const struct scope_host host = {.hostname = hostname, .port = table->port, .rules = &rule->rule, .n_rules = 1};
	return scope_rule_applies(table->all->draft->scope, &host, 0);
}

/* Marks all that concern the host; returns the one it follows, or NULL. */
static const struct indexed_rule *rule_for(struct table_draft *table, const char *hostname)
{
	const struct tables_draft *all = table->all;
	const struct rule_list *named = host_index_get(&all->draft->scope->model->rule_index->mesh, hostname);
	size_t rule = first_rule(all, named, 0);
	if (rule == SIZE_MAX) {
		rule = wildcard_rule(all, hostname);
		named = NULL;
	}
	const struct indexed_rule *found = NULL;
	while (rule < all->rules.n) { /* SIZE_MAX when there is none */
		table->is_active[rule] = true;
		if (!found && applies(table, hostname, all->rules.v[rule].rule))
			found = all->rules.v[rule].rule;
		rule = first_rule(all, named, rule + 1);
	}
	return found;
}

/* ---- hosts ---- */

static void add_host(struct table_draft *table, const char *hostname, const struct scope_service *service,
                     const struct indexed_rule *rule)
{
	struct arena *arena = table->all->draft->arena;
	struct scope_host host = {
	    .hostname = hostname,
	    .port = table->port,
	    .service = service,
	    .rules = rule ? &rule->rule : NULL,
	    .n_rules = rule ? 1 : 0,
	};
	host.digest = scope_host_digest(&table->all->digests, &host, table->is_single, &rule);
	map_put(arena, &table->hosts, hostname, table);
	VEC_PUSH(arena, &table->out, host);
}

/* An alias without a rule of its own is no host: its names go with what it stands for. */
static void add_service_host(struct table_draft *table, const struct table_service *row)
{
	const struct service *service = row->service->service;
	if (row->transport != TRANSPORT_HTTP && row->transport != TRANSPORT_AUTO)
		return;
	const struct indexed_rule *rule = rule_for(table, service->hostname);
	if (rule || service->resolution != SERVICE_ALIAS)
		add_host(table, service->hostname, row->service, rule);
}

/* Wildcards that stand for services of the port are no hosts of their own. */
static void mark_covered(struct table_draft *table, const char *hostname)
{
	struct arena *arena = table->all->draft->arena;
	const struct host_index *index = &table->all->draft->scope->model->rule_index->mesh;
	struct host_walk walk = host_walk_start(index, hostname);
	size_t n;
	for (struct rule_list *list = host_walk_next(&walk, &n); list; list = host_walk_next(&walk, &n))
		map_put(arena, &table->covered, list->host, table);
	if (!host_is_wildcard(hostname))
		return;
	const struct map *const wildcards[] = {&index->suffixes, &index->others};
	for (size_t i = 0; i < sizeof wildcards / sizeof wildcards[0]; i++) {
		for (size_t j = 0; j < wildcards[i]->n; j++) {
			const struct rule_list *list = wildcards[i]->entries[j].value;
			if (host_is_within(list->host, hostname))
				map_put(arena, &table->covered, list->host, table);
		}
	}
}

static bool is_own_host(const struct table_draft *table, const char *host)
{
	if (map_has(&table->hosts, host))
		return true;
	if (host_is_wildcard(host))
		return map_has(&table->covered, host);
	return find_service(&table->services, host);
}

static void add_rule_hosts(struct table_draft *table)
{
	const struct tables_draft *all = table->all;
	if (host_index_has_wildcards(&all->draft->scope->model->rule_index->mesh)) {
		for (size_t i = 0; i < table->services.n; i++)
			mark_covered(table, table->services.v[i].service->service->hostname);
	}
	for (size_t i = 0; i < all->rules.n; i++) {
		const struct indexed_rule *rule = all->rules.v[i].rule;
		const struct strings *hosts = &rule->rule->hosts;
		if (table->port != 80 && !table->is_active[i])
			continue;
		for (size_t j = 0; j < hosts->n; j++) {
			if (!is_own_host(table, hosts->v[j]) && applies(table, hosts->v[j], rule))
				add_host(table, hosts->v[j], NULL, rule);
		}
	}
}

/* ---- tables ---- */

/* "80", or "reviews.default.svc.cluster.local:9080". False: the name of no table of ours (a socket's path). */
static bool parse_name(struct arena *arena, const char *name, uint32_t *port, const char **hostname)
{
	const char *colon = strrchr(name, ':');
	uint64_t number;
	if (!text_parse_uint(colon ? colon + 1 : name, 65535, &number))
		return false;
	*port = (uint32_t)number;
	*hostname = colon ? arena_strndup(arena, name, (size_t)(colon - name)) : NULL;
	return true;
}

static void add_table(struct tables_draft *all, const char *name)
{
	struct arena *arena = all->draft->arena;
	struct table_draft table = {.all = all};
	const char *hostname;
	if (!parse_name(arena, name, &table.port, &hostname))
		return;
	table.services = services_on(all, table.port);
	table.is_active = ARENA_NEW_N(arena, bool, all->rules.n);
	if (hostname) {
		const struct table_service *row = find_service(&table.services, hostname);
		table.is_single = true;
		if (row)
			add_service_host(&table, row);
	} else {
		for (size_t i = 0; i < table.services.n; i++)
			add_service_host(&table, &table.services.v[i]);
		add_rule_hosts(&table);
		VEC_SORT(&table.out, scope_host_compare);
	}
	struct scope_table out = {
	    .name = name,
	    .port = table.port,
	    .is_single = table.is_single,
	    .hosts = table.out.v,
	    .n_hosts = table.out.n,
	};
	out.digest = scope_table_digest(all->draft, &out);
	VEC_PUSH(arena, &all->draft->tables, out);
}

void scope_add_tables(struct scope_draft *draft)
{
	if (draft->scope->view->role != PROXY_SIDECAR)
		return;
	struct tables_draft all = {.draft = draft, .digests.draft = draft};
	add_services(&all);
	add_rules(&all);
	struct map names = {0};
	for (size_t i = 0; i < draft->listeners.n; i++) {
		const char *name = draft->listeners.v[i].table;
		if (name && !map_put(draft->arena, &names, name, draft))
			add_table(&all, name);
	}
}
