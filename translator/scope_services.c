/*
 * Which services a view sees: those exported to its namespace. Of several with one host name it sees one: its own
 * namespace's, since who lives there may override for himself; else the one that precedes (service_precedes).
 */
#include "translator/scope_parts.h"

#include <string.h>

static bool is_preferred(const char *namespace, const struct service *candidate, const struct service *present)
{
	bool is_own = strcmp(candidate->namespace, namespace) == 0;
	if (is_own != (strcmp(present->namespace, namespace) == 0))
		return is_own;
	return service_precedes(candidate, present);
}

const struct service *scope_service_seen(const struct model *model, const char *namespace, const char *hostname)
{
	struct services_of_host all = model_services_of_host(model, hostname);
	const struct service *seen = NULL;
	for (size_t i = 0; i < all.n; i++)
		if (visibility_allows(&all.v[i]->visibility, namespace) &&
		    (!seen || is_preferred(namespace, all.v[i], seen)))
			seen = all.v[i];
	return seen;
}

/* Adds what the view sees of model->services[from..to); rivals of one host name are neighbours and come in one call. */
static size_t choose(const struct scope *scope, size_t from, size_t to, struct scope_service *services, size_t n)
{
	for (size_t i = from; i < to; i++) {
		const struct service *service = scope->model->services[i];
		if (!visibility_allows(&service->visibility, scope->view->namespace))
			continue;
		if (!n || strcmp(services[n - 1].service->hostname, service->hostname) != 0)
			services[n++].service = service;
		else if (is_preferred(scope->view->namespace, service, services[n - 1].service))
			services[n - 1].service = service;
	}
	return n;
}

static void seal(struct arena *arena, struct scope *scope, struct scope_service *services, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		services[i].policy = scope_policy(scope->model, scope->view, services[i].service);
		map_put(arena, &scope->services_by_host, services[i].service->hostname, &services[i]);
	}
	scope->services = services;
	scope->n_services = n;
}

void scope_add_services(struct scope_draft *draft)
{
	struct scope *scope = draft->scope;
	size_t n = scope->model->n_services;
	struct scope_service *services = ARENA_NEW_N(draft->arena, struct scope_service, n);
	seal(draft->arena, scope, services, choose(scope, 0, n, services, 0));
}

struct scope *scope_of_services(struct arena *arena, const struct model *model, const struct view *view,
                                const size_t *places, size_t n_places)
{
	struct scope *scope = ARENA_NEW(arena, struct scope);
	*scope = (struct scope){
	    .model = model, .view = view, .has_auto_passthrough = scope_has_auto_passthrough(model, view)};
	struct scope_service *services = ARENA_NEW_N(arena, struct scope_service, n_places);
	size_t n = 0, done = 0;
	for (size_t i = 0; i < n_places; i++) {
		size_t from = places[i], to = places[i] + 1;
		const char *hostname = model->services[from]->hostname;
		if (from < done)
			continue; /* came with its rival */
		while (from > 0 && strcmp(model->services[from - 1]->hostname, hostname) == 0)
			from--;
		while (to < model->n_services && strcmp(model->services[to]->hostname, hostname) == 0)
			to++;
		n = choose(scope, from, to, services, n);
		done = to;
	}
	seal(arena, scope, services, n);
	return scope;
}
