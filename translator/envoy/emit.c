#include "translator/envoy/emit_parts.h"

#include <string.h>

void emit_key_init(struct digest_state *state, enum emit_unit unit, struct digest base)
{
	digest_init(state);
	digest_add_u64(state, unit);
	digest_add_digest(state, base);
}

const struct cache_unit *emit_put(struct emit *emit, struct digest key, enum resource_type type, const char *name,
                                  const ProtobufCMessage *message)
{
	struct bytes bytes = pack(emit->arena, message);
	return cache_take(emit->cache, key, resource_new(type, name, bytes.data, bytes.n));
}

void emit_collect(struct emit *emit, const struct cache_unit *unit)
{
	VEC_PUSH(emit->arena, &emit->units[unit->resource->type], unit);
}

void emit_add_networks(struct digest_state *state, const struct emit_proxy *proxy)
{
	digest_add_u64(state, proxy->networks.n);
	for (size_t i = 0; i < proxy->networks.n; i++)
		digest_add_str(state, proxy->networks.v[i]);
}

/* Clusters read less of the proxy than listeners do, and so more proxies share them. */
static void set_bases(struct emit *emit)
{
	const struct emit_proxy *proxy = &emit->proxy;
	struct digest_state state;
	emit_key_init(&state, UNIT_PROXY, emit->mesh->digest);
	digest_add_u64(&state, proxy->role);
	digest_add_u64(&state, proxy->is_ipv4);
	digest_add_u64(&state, proxy->is_ipv6);
	digest_add_u64(&state, proxy->is_mtls_capable);
	emit_add_networks(&state, proxy);
	emit->cluster_base = digest_final(&state);
	emit_key_init(&state, UNIT_PROXY, emit->cluster_base);
	digest_add_u64(&state, proxy->is_http10);
	digest_add_u64(&state, proxy->is_exact_balance);
	digest_add_u64(&state, (uint64_t)proxy->interception);
	digest_add_authz(&state, &emit->authz);
	digest_add_jwt_rules(&state, &emit->jwt_rules);
	emit->listener_base = digest_final(&state);
}

static struct resource_set *take_set(struct emit *emit, enum resource_type type)
{
	return cache_set(emit->cache, type, emit->units[type].v, emit->units[type].n);
}

static struct emit emit_of_view(struct arena *arena, const struct scope *scope, struct emit_cache *cache)
{
	const struct view *view = scope->view;
	struct emit emit = {
	    .arena = arena,
	    .cache = cache,
	    .model = scope->model,
	    .mesh = &scope->model->mesh,
	    .scope = scope,
	    .authz = scope->authz,
	    .jwt_rules = scope->jwt_rules,
	    .proxy = {.role = view->role,
	              .is_ipv4 = view->is_ipv4,
	              .is_ipv6 = view->is_ipv6,
	              .is_mtls_capable = view->is_mtls_capable,
	              .is_http10 = view->is_http10,
	              .is_exact_balance = view->is_outbound_exact_balance,
	              .interception = view->interception,
	              .networks = view->networks},
	};
	set_bases(&emit);
	return emit;
}

static void emit_listeners(struct emit *emit)
{
	if (emit->proxy.role == PROXY_GATEWAY)
		emit_gateway_listeners(emit);
	else
		emit_outbound_listeners(emit);
}

void emit_view_types(const struct scope *scope, unsigned types, struct emit_cache *cache,
                     struct resource_set *sets[RESOURCE_TYPE_COUNT])
{
	static void (*const emitters[RESOURCE_TYPE_COUNT])(struct emit *) = {
	    [RESOURCE_CLUSTER] = emit_outbound_clusters,
	    [RESOURCE_ENDPOINTS] = emit_endpoints,
	    [RESOURCE_SECRET] = emit_secrets,
	    [RESOURCE_LISTENER] = emit_listeners,
	    [RESOURCE_ROUTE] = emit_routes,
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct emit emit = emit_of_view(arena, scope, cache);
	for (size_t type = 0; type < RESOURCE_TYPE_COUNT; type++) {
		if (!(types & 1u << type))
			continue;
		emitters[type](&emit);
		sets[type] = take_set(&emit, (enum resource_type)type);
	}
}

void emit_view(const struct scope *scope, struct emit_cache *cache, struct resource_set *sets[RESOURCE_TYPE_COUNT])
{
	emit_view_types(scope, EMIT_ALL, cache, sets);
}

struct resource_set *emit_view_endpoints(const struct scope *changed, struct emit_cache *cache,
                                         struct resource_set *former)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct emit emit = emit_of_view(arena, changed, cache);
	emit_endpoints(&emit);
	return cache_set_with(cache, former, emit.units[RESOURCE_ENDPOINTS].v, emit.units[RESOURCE_ENDPOINTS].n);
}

static bool is_mtls_required(const struct workload_class *workload)
{
	bool is_required = workload->mtls_mode == MTLS_STRICT;
	for (size_t i = 0; i < workload->n_ports; i++)
		is_required |= workload->ports[i].mtls_mode == MTLS_STRICT;
	for (size_t i = 0; i < workload->n_other_ports; i++)
		is_required |= workload->other_ports[i].mode == MTLS_STRICT;
	return is_required;
}

void emit_workload(const struct model *model, const struct workload_class *workload, struct emit_cache *cache,
                   struct resource_set *sets[RESOURCE_TYPE_COUNT])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct emit emit = {
	    .arena = arena,
	    .cache = cache,
	    .model = model,
	    .mesh = &model->mesh,
	    .authz = workload->authz,
	    .jwt_rules = workload->jwt_rules,
	    .is_mtls_required = is_mtls_required(workload),
	    .proxy = {.role = workload->role,
	              .is_ipv4 = workload->is_ipv4,
	              .is_ipv6 = workload->is_ipv6,
	              .is_mtls_capable = workload->is_mtls_capable,
	              .is_http10 = workload->is_http10,
	              .is_exact_balance = workload->is_inbound_exact_balance,
	              .interception = workload->interception},
	};
	set_bases(&emit);
	if (workload->role == PROXY_SIDECAR) {
		emit_inbound_clusters(&emit, workload);
		emit_inbound_listener(&emit, workload);
	}
	for (size_t type = 0; type < RESOURCE_TYPE_COUNT; type++) {
		bool is_own = type == RESOURCE_CLUSTER || type == RESOURCE_LISTENER;
		sets[type] = is_own ? take_set(&emit, (enum resource_type)type) : NULL;
	}
}
