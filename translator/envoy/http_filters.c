/* The HTTP filters, in the order in which a request passes them. A new one is a row. */
#include "translator/envoy/emit_parts.h"

static bool is_always(enum protocol protocol)
{
	(void)protocol;
	return true;
}

static bool is_grpc_web(enum protocol protocol)
{
	return protocol == PROTOCOL_GRPC_WEB;
}

static ProtobufCMessage *grpc_web(struct arena *arena)
{
	return &envoy_grpc_web_new(arena)->base;
}

/* Counts of messages, without one statistic for each method that a client makes up. */
static ProtobufCMessage *grpc_stats(struct arena *arena)
{
	envoy_grpc_stats *config = envoy_grpc_stats_new(arena);
	config->emit_filter_state = true;
	config->per_method_stat_specifier_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__GRPC_STATS__V3__FILTER_CONFIG__PER_METHOD_STAT_SPECIFIER_STATS_FOR_ALL_METHODS;
	config->stats_for_all_methods = build_bool(arena, false);
	return &config->base;
}

/* Fault and CORS do what the routes say, and nothing without. */
static ProtobufCMessage *fault(struct arena *arena)
{
	return &envoy_http_fault_new(arena)->base;
}

static ProtobufCMessage *cors(struct arena *arena)
{
	return &envoy_cors_new(arena)->base;
}

static ProtobufCMessage *router(struct arena *arena)
{
	return &envoy_router_new(arena)->base;
}

static const struct http_filter {
	const char *name;
	bool (*is_wanted)(enum protocol protocol);
	ProtobufCMessage *(*build)(struct arena *arena);
} filters[] = {
    {NAME_GRPC_WEB, is_grpc_web, grpc_web}, {NAME_GRPC_STATS, is_always, grpc_stats}, {NAME_FAULT, is_always, fault},
    {NAME_CORS, is_always, cors},           {NAME_ROUTER, is_always, router}, /* ends the chain */
};

void http_filters_add(struct arena *arena, envoy_http_connection_manager *hcm, enum protocol protocol)
{
	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
		if (!filters[i].is_wanted(protocol))
			continue;
		envoy_http_filter *filter = envoy_http_filter_new(arena);
		filter->name = borrow(filters[i].name);
		filter->config_type_case =
		    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
		filter->typed_config = pack_any(arena, filters[i].build(arena));
		BUILD_ADD(arena, hcm, http_filters, filter);
	}
}
