/* The HTTP connection manager of outbound, inbound and gateway listeners. */
#include "translator/envoy/emit_parts.h"

envoy_config_source *ads_source(struct arena *arena)
{
	envoy_config_source *source = envoy_config_source_new(arena);
	source->config_source_specifier_case = ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS;
	source->ads = envoy_aggregated_config_source_new(arena);
	source->initial_fetch_timeout = google_duration_new(arena); /* 0: wait, rather than start without */
	source->resource_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
	return source;
}

static void set_routes(struct arena *arena, envoy_http_connection_manager *out, const struct hcm *hcm)
{
	if (hcm->routes) {
		out->route_specifier_case =
		    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_ROUTE_CONFIG;
		out->route_config = hcm->routes;
		return;
	}
	out->route_specifier_case =
	    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
	out->rds = envoy_rds_new(arena);
	out->rds->config_source = ads_source(arena);
	out->rds->route_config_name = borrow(hcm->table);
}

/* Who the peer is, as far as its certificate says, goes to the application; gateways believe no header of strangers. */
static void set_peer(struct arena *arena, envoy_http_connection_manager *out, enum hcm_side side)
{
	out->use_remote_address = build_bool(arena, side == HCM_GATEWAY);
	if (side == HCM_OUTBOUND)
		return;
	out->server_name = borrow(NAME_SERVER);
	out->forward_client_cert_details =
	    side == HCM_GATEWAY
	        ? ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__FORWARD_CLIENT_CERT_DETAILS__SANITIZE_SET
	        : ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__FORWARD_CLIENT_CERT_DETAILS__APPEND_FORWARD;
	envoy_http_connection_manager_set_current_client_cert_details *details =
	    envoy_http_connection_manager_set_current_client_cert_details_new(arena);
	details->subject = build_bool(arena, true);
	details->cert = side == HCM_GATEWAY;
	details->dns = true;
	details->uri = true;
	out->set_current_client_cert_details = details;
}

static void set_protocols(const struct emit *emit, envoy_http_connection_manager *out, const struct hcm *hcm)
{
	if (emit->proxy.is_http10 || hcm->side == HCM_GATEWAY) {
		out->http_protocol_options = envoy_http1_protocol_options_new(emit->arena);
		out->http_protocol_options->accept_http_10 = emit->proxy.is_http10;
	}
	if (protocol_is_http2(hcm->protocol))
		out->http2_protocol_options = envoy_http2_protocol_options_new(emit->arena);
	envoy_http_connection_manager_upgrade_config *websocket =
	    envoy_http_connection_manager_upgrade_config_new(emit->arena);
	websocket->upgrade_type = borrow("websocket");
	BUILD_ADD(emit->arena, out, upgrade_configs, websocket);
}

static Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__PathWithEscapedSlashesAction
slashes_action(const struct mesh *mesh)
{
	if (mesh->is_slash_decoded)
		return ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__PATH_WITH_ESCAPED_SLASHES_ACTION__UNESCAPE_AND_FORWARD;
	return ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__PATH_WITH_ESCAPED_SLASHES_ACTION__KEEP_UNCHANGED;
}

static void set_request_id(struct arena *arena, envoy_http_connection_manager *out)
{
	envoy_uuid_request_id_config *config = envoy_uuid_request_id_config_new(arena);
	config->use_request_id_for_trace_sampling = build_bool(arena, true);
	out->request_id_extension = envoy_request_id_extension_new(arena);
	out->request_id_extension->typed_config = pack_any(arena, &config->base);
}

envoy_filter *filter_hcm(const struct emit *emit, const struct hcm *hcm)
{
	struct arena *arena = emit->arena;
	envoy_http_connection_manager *out = envoy_http_connection_manager_new(arena);
	out->stat_prefix = borrow(hcm->stat_prefix);
	set_routes(arena, out, hcm);
	http_filters_add(emit, out, hcm);
	set_peer(arena, out, hcm->side);
	set_protocols(emit, out, hcm);
	out->stream_idle_timeout = google_duration_new(arena); /* 0: streams may be quiet for as long as they like */
	out->n_access_log = access_logs(emit, ACCESS_LOG_REQUESTS, &out->access_log);
	out->proxy_100_continue = true;
	out->normalize_path = build_bool(arena, emit->mesh->is_path_normalized);
	out->merge_slashes = emit->mesh->is_merge_slashes;
	out->path_with_escaped_slashes_action = slashes_action(emit->mesh);
	set_request_id(arena, out);
	envoy_filter *filter = envoy_filter_new(arena);
	filter->name = borrow(NAME_HTTP_CONNECTION_MANAGER);
	filter->config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pack_any(arena, &out->base);
	return filter;
}
