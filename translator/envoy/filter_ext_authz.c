/* The filters that ask a service outside: about requests, and about connections. */
#include "translator/envoy/authz_matchers.h"
#include "translator/envoy/ext_authz.h"

#define URI_TIMEOUT_MS_MAX (INT64_C(1000) * UINT32_MAX) /* Envoy refuses more */
#define SERVICES(name) ENVOY__EXTENSIONS__FILTERS__HTTP__EXT_AUTHZ__V3__EXT_AUTHZ__SERVICES_##name

static const char *cluster_of(struct arena *arena, const struct authz_provider *provider)
{
	return name_outbound_cluster(arena, provider->port, "", provider->host);
}

/* Asked only when the filter of RBAC before has noted a policy of the provider's. */
static envoy_metadata_matcher *when_noted(struct arena *arena, const struct authz_provider *provider,
                                          const char *rbac_filter)
{
	const char *pattern = arena_printf(arena, "%s*", name_ext_authz(arena, provider->name));
	return authz_filter_metadata(arena, rbac_filter, NAME_EXT_AUTHZ_POLICY_ID, &(struct strings){&pattern, 1});
}

static envoy_grpc_service *grpc_service(struct arena *arena, const struct authz_provider *provider)
{
	envoy_grpc_service *service = envoy_grpc_service_new(arena);
	service->target_specifier_case = ENVOY__CONFIG__CORE__V3__GRPC_SERVICE__TARGET_SPECIFIER_ENVOY_GRPC;
	service->envoy_grpc = envoy_grpc_service_envoy_grpc_new(arena);
	service->envoy_grpc->cluster_name = borrow(cluster_of(arena, provider));
	service->envoy_grpc->authority = borrow(provider->host); /* "|" in the cluster's name is no part of one */
	service->timeout = build_duration_ms(arena, provider->timeout_ms);
	return service;
}

static envoy_list_string_matcher *headers(struct arena *arena, const struct strings *patterns)
{
	if (!patterns->n)
		return NULL;
	envoy_list_string_matcher *list = envoy_list_string_matcher_new(arena);
	for (size_t i = 0; i < patterns->n; i++)
		BUILD_ADD(arena, list, patterns, authz_text(arena, patterns->v[i], true));
	return list;
}

static envoy_ext_authz_request *request(struct arena *arena, const struct authz_provider *provider)
{
	if (!provider->n_added_headers)
		return NULL;
	envoy_ext_authz_request *out = envoy_ext_authz_request_new(arena);
	for (size_t i = 0; i < provider->n_added_headers; i++) {
		envoy_header_value *header = envoy_header_value_new(arena);
		header->key = borrow(provider->added_headers[i].name);
		header->value = borrow(header_text(arena, provider->added_headers[i].value));
		BUILD_ADD(arena, out, headers_to_add, header);
	}
	return out;
}

static envoy_ext_authz_response *response(struct arena *arena, const struct authz_provider *provider)
{
	if (!provider->upstream_headers.n && !provider->denied_headers.n && !provider->allowed_headers.n)
		return NULL;
	envoy_ext_authz_response *out = envoy_ext_authz_response_new(arena);
	out->allowed_upstream_headers = headers(arena, &provider->upstream_headers);
	out->allowed_client_headers = headers(arena, &provider->denied_headers);
	out->allowed_client_headers_on_success = headers(arena, &provider->allowed_headers);
	return out;
}

static envoy_ext_authz_http_service *http_service(struct arena *arena, const struct authz_provider *provider)
{
	envoy_ext_authz_http_service *service = envoy_ext_authz_http_service_new(arena);
	service->server_uri = envoy_http_uri_new(arena);
	service->server_uri->uri = arena_printf(arena, "http://%s", provider->host);
	service->server_uri->http_upstream_type_case = ENVOY__CONFIG__CORE__V3__HTTP_URI__HTTP_UPSTREAM_TYPE_CLUSTER;
	service->server_uri->cluster = borrow(cluster_of(arena, provider));
	service->server_uri->timeout = build_duration_ms(
	    arena, provider->timeout_ms < URI_TIMEOUT_MS_MAX ? provider->timeout_ms : URI_TIMEOUT_MS_MAX);
	service->path_prefix = borrow(provider->path_prefix);
	service->authorization_request = request(arena, provider);
	service->authorization_response = response(arena, provider);
	return service;
}

static void set_service(struct arena *arena, envoy_http_ext_authz *out, const struct authz_provider *provider)
{
	if (provider->is_grpc) {
		out->services_case = SERVICES(GRPC_SERVICE);
		out->grpc_service = grpc_service(arena, provider);
		return;
	}
	out->services_case = SERVICES(HTTP_SERVICE);
	out->http_service = http_service(arena, provider);
	out->allowed_headers = headers(arena, &provider->request_headers);
}

const ProtobufCMessage *ext_authz_http(struct arena *arena, const struct authz_provider *provider)
{
	envoy_http_ext_authz *out = envoy_http_ext_authz_new(arena);
	set_service(arena, out, provider);
	out->transport_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
	out->failure_mode_allow = provider->is_fail_open;
	out->clear_route_cache = provider->is_route_chosen_again;
	out->filter_enabled_metadata = when_noted(arena, provider, NAME_HTTP_RBAC);
	if (provider->status_on_error) {
		out->status_on_error = envoy_http_status_new(arena);
		out->status_on_error->code = (Envoy__Type__V3__StatusCode)provider->status_on_error;
	}
	if (provider->body.most) {
		out->with_request_body = envoy_ext_authz_buffer_settings_new(arena);
		out->with_request_body->max_request_bytes = provider->body.most;
		out->with_request_body->allow_partial_message = provider->body.is_cut;
		out->with_request_body->pack_as_bytes = provider->body.is_raw;
	}
	return &out->base;
}

const ProtobufCMessage *ext_authz_network(struct arena *arena, const struct authz_provider *provider)
{
	envoy_network_ext_authz *out = envoy_network_ext_authz_new(arena);
	out->stat_prefix = borrow(NAME_STAT_TCP);
	out->grpc_service = grpc_service(arena, provider);
	out->transport_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
	out->failure_mode_allow = provider->is_fail_open;
	out->filter_enabled_metadata = when_noted(arena, provider, NAME_NETWORK_RBAC);
	return &out->base;
}
