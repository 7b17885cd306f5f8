#include "translator/scope.h"

#include "translator/authz_choice.h"
#include "translator/draft.h"
#include "translator/scope_parts.h"

#include <string.h>

void digest_add_scope_service(struct digest_state *state, const struct scope_service *service)
{
	digest_add_digest(state, service->service->digest);
	digest_add_digest(state, service->policy ? service->policy->digest : (struct digest){{0, 0}});
}

static int compare_tables(const void *pa, const void *pb)
{
	const struct scope_table *a = pa, *b = pb;
	return strcmp(a->name, b->name);
}

static int compare_listeners(const void *pa, const void *pb)
{
	const struct scope_listener *a = pa, *b = pb;
	int order = strcmp(a->bind, b->bind);
	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare_secrets(const void *pa, const void *pb)
{
	const struct scope_secret *a = pa, *b = pb;
	int order = strcmp(a->credential->secret, b->credential->secret);
	if (!order)
		order = (a->credential->namespace != NULL) - (b->credential->namespace != NULL);
	return order ? order : (a->is_validation > b->is_validation) - (a->is_validation < b->is_validation);
}

static void seal_secrets(struct scope_draft *draft)
{
	size_t n = 0;
	VEC_SORT(&draft->secrets, compare_secrets);
	for (size_t i = 0; i < draft->secrets.n; i++)
		if (n == 0 || compare_secrets(&draft->secrets.v[n - 1], &draft->secrets.v[i]) != 0)
			draft->secrets.v[n++] = draft->secrets.v[i];
	draft->scope->secrets = draft->secrets.v;
	draft->scope->n_secrets = n;
}

/* Equal digests: the view gets the same clusters (but for endpoints), tables and listeners.
 * Secrets are not part of it. */
static struct digest digest_of_scope(const struct scope *scope)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, scope->model->mesh.digest);
	digest_add_digest(&state, scope->view->key);
	digest_add_bool(&state, scope->has_auto_passthrough);
	digest_add_u64(&state, scope->n_services);
	for (size_t i = 0; i < scope->n_services; i++)
		digest_add_scope_service(&state, &scope->services[i]);
	digest_add_u64(&state, scope->n_tables);
	for (size_t i = 0; i < scope->n_tables; i++)
		digest_add_digest(&state, scope->tables[i].digest);
	digest_add_u64(&state, scope->n_listeners);
	for (size_t i = 0; i < scope->n_listeners; i++)
		digest_add_digest(&state, scope->listeners[i].digest);
	digest_add_authz(&state, &scope->authz);
	return digest_final(&state);
}

struct scope *scope_of(struct arena *arena, const struct model *model, const struct view *view)
{
	struct scope *scope = ARENA_NEW(arena, struct scope);
	scope->model = model;
	scope->view = view;
	scope->has_auto_passthrough = scope_has_auto_passthrough(model, view);
	struct scope_draft draft = {.arena = arena, .scope = scope};
	scope_add_services(&draft);
	scope_add_secrets(&draft);
	if (view->role == PROXY_SIDECAR) {
		scope_add_listeners(&draft);
		scope_add_tables(&draft);
	} else {
		scope->authz = authz_of(arena, model, view->namespace, &view->labels);
		scope_add_gateways(&draft);
	}
	VEC_SORT(&draft.tables, compare_tables);
	VEC_SORT(&draft.listeners, compare_listeners);
	scope->tables = draft.tables.v;
	scope->n_tables = draft.tables.n;
	scope->listeners = draft.listeners.v;
	scope->n_listeners = draft.listeners.n;
	seal_secrets(&draft);
	scope->digest = digest_of_scope(scope);
	return scope;
}
