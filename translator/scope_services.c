/*
 * Which services a view sees: those exported to its namespace. Of several with one host name it sees one: its own
 * namespace's, since who lives there may override for himself; else the one that precedes (service_precedes).
 */
#include "translator/scope_parts.h"

#include <string.h>

static bool is_preferred(const struct view *view, const struct service *candidate, const struct service *present)
{
	bool is_own = strcmp(candidate->namespace, view->namespace) == 0;
	if (is_own != (strcmp(present->namespace, view->namespace) == 0))
		return is_own;
	return service_precedes(candidate, present);
}

/* model->services is sorted by host name, so that rivals are neighbours. */
void scope_add_services(struct scope_draft *draft)
{
	struct scope *scope = draft->scope;
	const struct model *model = scope->model;
	struct scope_service *services = ARENA_NEW_N(draft->arena, struct scope_service, model->n_services);
	size_t n = 0;
	for (size_t i = 0; i < model->n_services; i++) {
		const struct service *service = model->services[i];
		if (!visibility_allows(&service->visibility, scope->view->namespace))
			continue;
		if (!n || strcmp(services[n - 1].service->hostname, service->hostname) != 0)
			services[n++].service = service;
		else if (is_preferred(scope->view, service, services[n - 1].service))
			services[n - 1].service = service;
	}
	for (size_t i = 0; i < n; i++) {
		services[i].policy = scope_policy(model, scope->view, services[i].service);
		map_put(draft->arena, &scope->services_by_host, services[i].service->hostname, &services[i]);
	}
	scope->services = services;
	scope->n_services = n;
}
