/* The HTTP filters, in the order in which a request passes them. A new one is a row. */
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/ext_authz.h"

/* What a version of HTTP is offered by, as the metadata of the request's cluster says; a cluster that says nothing
 * keeps its own offer. See cluster_tls.c. */
#define ALPN_OF_CLUSTER "%CEL(xds.cluster_metadata.filter_metadata['" NAME_METADATA_ALPN "'][request.protocol])%"
#define ALPN_STATE "envoy.network.application_protocols"

static bool is_always(const struct emit *emit, const struct hcm *hcm)
{
	(void)emit;
	(void)hcm;
	return true;
}

static bool is_grpc_web(const struct emit *emit, const struct hcm *hcm)
{
	(void)emit;
	return hcm->protocol == PROTOCOL_GRPC_WEB;
}

static bool is_client_of_mesh(const struct emit *emit, const struct hcm *hcm)
{
	return emit->proxy.is_mtls_capable && hcm->side != HCM_INBOUND;
}

static ProtobufCMessage *grpc_web(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return &envoy_grpc_web_new(emit->arena)->base;
}

/* Counts of messages, without one statistic for each method that a client makes up. */
static ProtobufCMessage *grpc_stats(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	struct arena *arena = emit->arena;
	envoy_grpc_stats *config = envoy_grpc_stats_new(arena);
	config->emit_filter_state = true;
	config->per_method_stat_specifier_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__GRPC_STATS__V3__FILTER_CONFIG__PER_METHOD_STAT_SPECIFIER_STATS_FOR_ALL_METHODS;
	config->stats_for_all_methods = build_bool(arena, false);
	return &config->base;
}

static ProtobufCMessage *alpn(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	struct arena *arena = emit->arena;
	envoy_substitution_format_string *format = envoy_substitution_format_string_new(arena);
	format->format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT_SOURCE;
	format->text_format_source = envoy_data_source_new(arena);
	format->text_format_source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
	format->text_format_source->inline_string = borrow(ALPN_OF_CLUSTER);
	format->omit_empty_values = true;
	envoy_filter_state_value *value = envoy_filter_state_value_new(arena);
	value->key_case = ENVOY__EXTENSIONS__FILTERS__COMMON__SET_FILTER_STATE__V3__FILTER_STATE_VALUE__KEY_OBJECT_KEY;
	value->object_key = borrow(ALPN_STATE);
	value->value_case =
	    ENVOY__EXTENSIONS__FILTERS__COMMON__SET_FILTER_STATE__V3__FILTER_STATE_VALUE__VALUE_FORMAT_STRING;
	value->format_string = format;
	value->skip_if_empty = true;
	envoy_set_filter_state *config = envoy_set_filter_state_new(arena);
	BUILD_ADD(arena, config, on_request_headers, value);
	return &config->base;
}

/* Fault and CORS do what the routes say, and nothing without. */
static ProtobufCMessage *fault(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return &envoy_http_fault_new(emit->arena)->base;
}

static ProtobufCMessage *cors(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return &envoy_cors_new(emit->arena)->base;
}

static ProtobufCMessage *router(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return &envoy_router_new(emit->arena)->base;
}

static bool has_audit(const struct emit *emit, const struct hcm *hcm)
{
	return hcm->side != HCM_OUTBOUND && authz_has(&emit->authz, AUTHZ_AUDIT);
}

static bool has_deny(const struct emit *emit, const struct hcm *hcm)
{
	return hcm->side != HCM_OUTBOUND && authz_has(&emit->authz, AUTHZ_DENY);
}

static bool has_allow(const struct emit *emit, const struct hcm *hcm)
{
	return hcm->side != HCM_OUTBOUND && authz_has(&emit->authz, AUTHZ_ALLOW);
}

static ProtobufCMessage *audit(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return filter_http_rbac(emit, AUTHZ_AUDIT);
}

static ProtobufCMessage *deny(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return filter_http_rbac(emit, AUTHZ_DENY);
}

static ProtobufCMessage *allow(const struct emit *emit, const struct hcm *hcm)
{
	(void)hcm;
	return filter_http_rbac(emit, AUTHZ_ALLOW);
}

struct http_filter {
	const char *name;
	bool (*is_wanted)(const struct emit *emit, const struct hcm *hcm);
	ProtobufCMessage *(*build)(const struct emit *emit, const struct hcm *hcm);
};

/* Before and behind the filters that ask a service outside, of which there may be any number. */
static const struct http_filter first_filters[] = {
    {NAME_GRPC_WEB, is_grpc_web, grpc_web},
};
static const struct http_filter filters[] = {
    {NAME_HTTP_RBAC, has_audit, audit},
    {NAME_HTTP_RBAC, has_deny, deny},
    {NAME_HTTP_RBAC, has_allow, allow},
    {NAME_GRPC_STATS, is_always, grpc_stats},
    {NAME_SET_FILTER_STATE, is_client_of_mesh, alpn},
    {NAME_FAULT, is_always, fault},
    {NAME_CORS, is_always, cors},
    {NAME_ROUTER, is_always, router}, /* ends the chain */
};

static void add_filter(const struct emit *emit, envoy_http_connection_manager *out, const char *name,
                       const ProtobufCMessage *config)
{
	envoy_http_filter *filter = envoy_http_filter_new(emit->arena);
	filter->name = borrow(name);
	filter->config_type_case =
	    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pack_any(emit->arena, config);
	BUILD_ADD(emit->arena, out, http_filters, filter);
}

static void add_rows(const struct emit *emit, envoy_http_connection_manager *out, const struct hcm *hcm,
                     const struct http_filter *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].is_wanted(emit, hcm))
			add_filter(emit, out, rows[i].name, rows[i].build(emit, hcm));
}

static void add_custom(const struct emit *emit, envoy_http_connection_manager *out, const struct hcm *hcm)
{
	if (hcm->side == HCM_OUTBOUND)
		return;
	const struct filter_configs custom = ext_authz_filters(emit, RBAC_HTTP);
	for (size_t i = 0; i < custom.n; i++)
		add_filter(emit, out, custom.v[i].name, custom.v[i].config);
}

void http_filters_add(const struct emit *emit, envoy_http_connection_manager *out, const struct hcm *hcm)
{
	add_rows(emit, out, hcm, first_filters, sizeof first_filters / sizeof first_filters[0]);
	add_custom(emit, out, hcm);
	add_rows(emit, out, hcm, filters, sizeof filters / sizeof filters[0]);
}
