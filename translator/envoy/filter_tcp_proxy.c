#include "translator/envoy/emit_parts.h"

static envoy_tcp_proxy *tcp_proxy_to(struct arena *arena, const char *cluster)
{
	envoy_tcp_proxy *out = envoy_tcp_proxy_new(arena);
	out->stat_prefix = borrow(cluster);
	out->cluster_specifier_case =
	    ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
	out->cluster = borrow(cluster);
	return out;
}

static envoy_filter *filter_of(struct arena *arena, const envoy_tcp_proxy *config)
{
	envoy_filter *filter = envoy_filter_new(arena);
	filter->name = borrow(NAME_TCP_PROXY);
	filter->config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pack_any(arena, &config->base);
	return filter;
}

static envoy_filter *finish(const struct emit *emit, envoy_tcp_proxy *out, const struct connection_pool *pool)
{
	struct arena *arena = emit->arena;
	if (pool && pool->tcp_idle_timeout_ms >= 0)
		out->idle_timeout = build_duration_ms(arena, pool->tcp_idle_timeout_ms);
	if (pool && pool->max_connection_duration_ms > 0)
		out->max_downstream_connection_duration = build_duration_ms(arena, pool->max_connection_duration_ms);
	out->n_access_log = access_logs(emit, ACCESS_LOG_CONNECTIONS, &out->access_log);
	return filter_of(arena, out);
}

envoy_filter *filter_tcp_proxy(const struct emit *emit, const char *cluster, const struct connection_pool *pool)
{
	return finish(emit, tcp_proxy_to(emit->arena, cluster), pool);
}

/* A destination's cluster, even when the view has no such service: connections to it are closed and counted. */
struct target {
	const char *cluster;
	const struct connection_pool *pool;
};

static struct target target_of(const struct emit *emit, const struct destination *destination, uint32_t listener_port)
{
	uint32_t port = destination->port;
	const struct scope_service *service = scope_destination(emit->scope, destination, listener_port, &port);
	const char *host = service ? service->service->hostname : destination->host;
	if (!port)
		port = listener_port;
	return (struct target){
	    .cluster = name_outbound_cluster(emit->arena, port, destination->subset, host),
	    .pool = &traffic_policy_of(service ? service->policy : NULL, destination->subset, port)->pool,
	};
}

/* Of several destinations the first one's settings hold: a connection is set up before it is known where it goes. */
envoy_filter *filter_tcp_route(const struct emit *emit, const struct scope_chain *chain)
{
	struct arena *arena = emit->arena;
	const struct connection_route *route = chain->route;
	const struct target first = target_of(emit, &route->destinations[0].destination, chain->port);
	if (route->n_destinations == 1)
		return filter_tcp_proxy(emit, first.cluster, first.pool);
	envoy_tcp_proxy *out = envoy_tcp_proxy_new(arena);
	out->stat_prefix = arena_printf(arena, "%s.%s", chain->rule->name, chain->rule->namespace);
	out->cluster_specifier_case =
	    ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	out->weighted_clusters = envoy_tcp_proxy_weighted_cluster_new(arena);
	for (size_t i = 0; i < route->n_destinations; i++) {
		const struct weighted_destination *to = &route->destinations[i];
		envoy_tcp_proxy_weighted_cluster_cluster_weight *weight =
		    envoy_tcp_proxy_weighted_cluster_cluster_weight_new(arena);
		weight->name = borrow(target_of(emit, &to->destination, chain->port).cluster);
		weight->weight = to->weight;
		BUILD_ADD(arena, out->weighted_clusters, clusters, weight);
	}
	return finish(emit, out, first.pool);
}

envoy_filter *filter_black_hole(const struct emit *emit)
{
	return filter_of(emit->arena, tcp_proxy_to(emit->arena, NAME_BLACK_HOLE_CLUSTER));
}
