#include "cli/authz_proxy.h"

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

static struct node node_of(struct arena *arena, const struct workload *workload)
{
	return (struct node){
	    .id = arena_printf(arena, "sidecar~%s~%s.%s~%s.svc", workload->addresses.v[0], workload->name,
	                       workload->namespace, workload->namespace),
	    .role = PROXY_SIDECAR,
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

const envoy_listener *authz_proxy_listener(struct arena *arena, const struct load *load,
                                           const struct workload *workload)
{
	const struct node node = node_of(arena, workload);
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {NULL};
	struct emit_cache *cache = emit_cache_new();
	const envoy_listener *listener = NULL;
	emit_workload(load->model, workload_class_of(arena, load->model, &node), cache, sets);
	const struct resource_set *listeners = sets[RESOURCE_LISTENER];
	for (size_t i = 0; listeners && i < listeners->n; i++)
		if (strcmp(listeners->v[i]->name, NAME_VIRTUAL_INBOUND) == 0)
			listener = (const envoy_listener *)unpack_own(
			    arena, envoy_listener_type(), listeners->v[i]->body + listeners->v[i]->value_at,
			    listeners->v[i]->body_n - listeners->v[i]->value_at);
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		if (sets[i])
			resource_set_unref(sets[i]);
	emit_cache_free(cache);
	return listener;
}
