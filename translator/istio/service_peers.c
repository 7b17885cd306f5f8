#include "translator/istio/service_peers.h"

#include "base/text.h"
#include "base/vec.h"

#include <string.h>

struct strings service_sort_names(const char **v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof *v, text_compare);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(v[kept - 1], v[i]) != 0)
			v[kept++] = v[i];
	return (struct strings){v, kept};
}

static bool is_same_account(const struct endpoint *a, const struct endpoint *b)
{
	return strcmp(a->service_account, b->service_account) == 0 && strcmp(a->namespace, b->namespace) == 0;
}

/* Replicas are neighbours and run as the same account: few names are made for many endpoints. */
static struct strings accounts_of(struct arena *arena, const struct service *service)
{
	VEC(const char *) names = {0};
	const struct endpoint *former = NULL;
	for (size_t i = 0; i < service->n_ports; i++) {
		for (size_t j = 0; j < service->ports[i].n_endpoints; j++) {
			const struct endpoint *endpoint = &service->ports[i].endpoints[j];
			if (!*endpoint->service_account || (former && is_same_account(former, endpoint)))
				continue;
			former = endpoint;
			VEC_PUSH(arena, &names,
			         arena_printf(arena, "%s/%s", endpoint->namespace, endpoint->service_account));
		}
	}
	return service_sort_names(names.v, names.n);
}

static bool is_every_mtls(const struct service_port *port)
{
	for (size_t i = 0; i < port->n_endpoints; i++)
		if (!port->endpoints[i].is_mtls)
			return false;
	return port->n_endpoints > 0;
}

void service_peers_resolve(struct draft *draft, struct service *service, struct service_port *ports)
{
	struct digest_state state;
	digest_init(&state);
	service->accounts = accounts_of(draft->arena, service);
	service->is_mtls_refused = model_namespace_mtls_mode(draft->model, service->namespace) == MTLS_DISABLE;
	digest_add_strings(&state, &service->accounts);
	digest_add_bool(&state, service->is_mtls_refused);
	for (size_t i = 0; i < service->n_ports; i++) {
		ports[i].is_mtls = is_every_mtls(&ports[i]);
		digest_add_bool(&state, ports[i].is_mtls);
	}
	service->peers_digest = digest_final(&state);
}
