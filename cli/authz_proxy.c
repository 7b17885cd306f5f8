#include "cli/authz_proxy.h"

#include "base/vec.h"
#include "proto/pack.h"
#include "translator/emit.h"
#include "translator/envoy/names.h"
#include "translator/view.h"

#include <string.h>

const struct workload *authz_proxy_find(const struct model *model, const char *name, struct error *error)
{
	const char *slash = strchr(name, '/');
	for (size_t i = 0; slash && i < model->n_workloads; i++) {
		const struct workload *workload = model->workloads[i];
		size_t n = (size_t)(slash - name);
		if (strlen(workload->namespace) == n && strncmp(workload->namespace, name, n) == 0 &&
		    strcmp(workload->name, slash + 1) == 0 && workload->addresses.n)
			return workload;
	}
	if (slash)
		error_set(error, "the configuration has no pod %s with an address", name);
	else
		error_set(error, "\"%s\" is not NAMESPACE/POD", name);
	return NULL;
}

static bool is_gateway(const struct model *model, const struct workload *workload)
{
	for (size_t i = 0; i < model->n_gateways; i++)
		if (model->gateways[i]->selector.n && labels_match(&model->gateways[i]->selector, &workload->labels))
			return true;
	return false;
}

static struct node node_of(struct arena *arena, const struct workload *workload, enum proxy_role role)
{
	return (struct node){
	    .id = arena_printf(arena, "%s~%s~%s.%s~%s.svc", role == PROXY_GATEWAY ? "router" : "sidecar",
	                       workload->addresses.v[0], workload->name, workload->namespace, workload->namespace),
	    .role = role,
	    .address = workload->addresses.v[0],
	    .addresses = workload->addresses,
	    .name = workload->name,
	    .namespace = workload->namespace,
	    .domain = "",
	    .labels = workload->labels,
	    .service_account = workload->service_account,
	    .cluster_id = "",
	    .network = "",
	    .version = "1.0.0",
	    .is_mtls_capable = true,
	};
}

static void emit_to(struct arena *arena, const struct model *model, const struct node *node,
                    struct resource_set *sets[RESOURCE_TYPE_COUNT])
{
	struct emit_cache *cache = emit_cache_new();
	if (node->role == PROXY_GATEWAY)
		emit_view_types(scope_of(arena, model, view_of(arena, model, node)), 1u << RESOURCE_LISTENER, cache,
		                sets);
	else
		emit_workload(model, workload_class_of(arena, model, node), cache, sets);
	emit_cache_free(cache);
}

static const envoy_listener *read_back(struct arena *arena, const struct resource *resource)
{
	return (const envoy_listener *)unpack_own(arena, envoy_listener_type(), resource->body + resource->value_at,
	                                          resource->body_n - resource->value_at);
}

const struct authz_proxy *authz_proxy_of(struct arena *arena, const struct load *load, const struct workload *workload)
{
	struct authz_proxy *proxy = ARENA_NEW(arena, struct authz_proxy);
	proxy->is_gateway = is_gateway(load->model, workload);
	proxy->address = workload->addresses.v[0];
	const struct node node = node_of(arena, workload, proxy->is_gateway ? PROXY_GATEWAY : PROXY_SIDECAR);
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {NULL};
	VEC(const envoy_listener *) listeners = {0};
	emit_to(arena, load->model, &node, sets);
	const struct resource_set *all = sets[RESOURCE_LISTENER];
	for (size_t i = 0; all && i < all->n; i++)
		if (proxy->is_gateway || strcmp(all->v[i]->name, NAME_VIRTUAL_INBOUND) == 0)
			VEC_PUSH(arena, &listeners, read_back(arena, all->v[i]));
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		if (sets[i])
			resource_set_unref(sets[i]);
	proxy->listeners = listeners.v;
	proxy->n_listeners = listeners.n;
	return proxy;
}
