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

envoy_filter *filter_tcp_proxy(const struct emit *emit, const char *cluster, const struct connection_pool *pool)
{
	struct arena *arena = emit->arena;
	envoy_tcp_proxy *out = tcp_proxy_to(arena, cluster);
	if (pool && pool->tcp_idle_timeout_ms >= 0)
		out->idle_timeout = build_duration_ms(arena, pool->tcp_idle_timeout_ms);
	if (pool && pool->max_connection_duration_ms > 0)
		out->max_downstream_connection_duration = build_duration_ms(arena, pool->max_connection_duration_ms);
	out->n_access_log = access_logs(emit, &out->access_log);
	return filter_of(arena, out);
}

envoy_filter *filter_black_hole(const struct emit *emit)
{
	return filter_of(emit->arena, tcp_proxy_to(emit->arena, NAME_BLACK_HOLE_CLUSTER));
}
