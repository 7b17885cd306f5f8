/* The mesh's access log, in the format that Istio's users parse. */
#include "base/json.h"
#include "base/text.h"
#include "proto/codec.h"
#include "translator/envoy/authz_matchers.h"
#include "translator/envoy/emit_parts.h"

#include <string.h>

#define STDOUT_PATH "/dev/stdout"
/* Envoy's flag for connections that no filter chain and requests that no route wanted. */
#define FLAG_NO_ROUTE "NR"
/* What a service outside was asked about, and did not let pass. */
#define FLAG_EXT_AUTHZ "UAEX"

/*
 * A field of the default format: its name in JSON, and what Envoy writes. Where policies are asked, some more say what
 * came of it: authz_policy is the rule that denied or allowed the request; a denied one without has found no policy
 * that allows it. authz_custom is the rule that left the answer to a service outside.
 */
static const struct {
	const char *name, *value;
	bool is_of_provider;           /* only where a service outside is asked */
	bool is_of_policies;           /* only where there are policies */
	const char *of_access_control; /* the same, and instead of a value: a member of the metadata of its filter */
} json_fields[] = {
    {.name = "authority", .value = "%REQ(:AUTHORITY)%"},
    {.name = "authz_custom", .of_access_control = NAME_EXT_AUTHZ_POLICY_ID, .is_of_provider = true},
    {.name = "authz_dry_run_allow", .of_access_control = NAME_DRY_RUN_ALLOW "shadow_effective_policy_id"},
    {.name = "authz_dry_run_deny", .of_access_control = NAME_DRY_RUN_DENY "shadow_effective_policy_id"},
    {.name = "authz_policy", .of_access_control = NAME_RBAC_POLICY},
    {.name = "authz_result", .of_access_control = NAME_RBAC_RESULT},
    {.name = "bytes_received", .value = "%BYTES_RECEIVED%"},
    {.name = "bytes_sent", .value = "%BYTES_SENT%"},
    {.name = "connection_termination_details", .value = "%CONNECTION_TERMINATION_DETAILS%"},
    {.name = "downstream_local_address", .value = "%DOWNSTREAM_LOCAL_ADDRESS%"},
    {.name = "downstream_remote_address", .value = "%DOWNSTREAM_REMOTE_ADDRESS%"},
    {.name = "duration", .value = "%DURATION%"},
    {.name = "method", .value = "%REQ(:METHOD)%"},
    {.name = "path", .value = "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
    {.name = "protocol", .value = "%PROTOCOL%"},
    {.name = "request_id", .value = "%REQ(X-REQUEST-ID)%"},
    {.name = "requested_server_name", .value = "%REQUESTED_SERVER_NAME%"},
    {.name = "response_code", .value = "%RESPONSE_CODE%"},
    {.name = "response_code_details", .value = "%RESPONSE_CODE_DETAILS%"},
    {.name = "response_flags", .value = "%RESPONSE_FLAGS%"},
    {.name = "route_name", .value = "%ROUTE_NAME%"},
    {.name = "source_principal", .value = "%DOWNSTREAM_PEER_URI_SAN%", .is_of_policies = true},
    {.name = "start_time", .value = "%START_TIME%"},
    {.name = "upstream_cluster", .value = "%UPSTREAM_CLUSTER_RAW%"},
    {.name = "upstream_host", .value = "%UPSTREAM_HOST%"},
    {.name = "upstream_local_address", .value = "%UPSTREAM_LOCAL_ADDRESS%"},
    {.name = "upstream_service_time", .value = "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"},
    {.name = "upstream_transport_failure_reason", .value = "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
    {.name = "user_agent", .value = "%REQ(USER-AGENT)%"},
    {.name = "x_forwarded_for", .value = "%REQ(X-FORWARDED-FOR)%"},
};

static const char text_format[] =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% "
    "%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

/* A mesh without an access log still says what its policies deny. */
static bool is_of_denials(const struct emit *emit)
{
	return text_is_empty(emit->mesh->access_log_file) && emit->authz.n > 0;
}

/* rbac: the filter that asks the policies. */
static google_struct *default_json(const struct emit *emit, const char *rbac)
{
	struct arena *arena = emit->arena;
	google_struct *object = build_struct(arena);
	for (size_t i = 0; i < sizeof json_fields / sizeof json_fields[0]; i++) {
		const char *member = json_fields[i].of_access_control, *value = json_fields[i].value;
		if ((member || json_fields[i].is_of_policies) && !emit->authz.n)
			continue;
		if (json_fields[i].is_of_provider && !emit->authz.provider)
			continue;
		if (member)
			value = arena_printf(arena, "%%DYNAMIC_METADATA(%s:%s)%%", rbac, member);
		build_struct_string(arena, object, json_fields[i].name, value);
	}
	return object;
}

/* The mesh's own JSON object; what is no object falls back to the default (the front end has said so). */
static google_struct *json_format(const struct emit *emit, const char *rbac)
{
	struct arena *arena = emit->arena;
	const char *format = emit->mesh->access_log_format;
	if (text_is_empty(format))
		return default_json(emit, rbac);
	struct error error;
	const struct json *value = json_parse(arena, format, strlen(format), &error);
	if (!value || value->type != JSON_OBJECT)
		return default_json(emit, rbac);
	struct codec_options options = {0};
	struct codec_issues issues = {0};
	return (google_struct *)codec_decode(arena, google_struct_type(), value, &options, &issues);
}

/* Entries are lines, whether the format says so or not. */
static const char *line_of(struct arena *arena, const char *format)
{
	return format[strlen(format) - 1] == '\n' ? format : arena_printf(arena, "%s\n", format);
}

static envoy_substitution_format_string *format_string(const struct emit *emit, const char *rbac)
{
	struct arena *arena = emit->arena;
	const struct mesh *mesh = emit->mesh;
	envoy_substitution_format_string *out = envoy_substitution_format_string_new(arena);
	if (mesh->is_access_log_json || is_of_denials(emit)) {
		out->format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_JSON_FORMAT;
		out->json_format = json_format(emit, rbac);
		return out;
	}
	out->format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT_SOURCE;
	out->text_format_source = envoy_data_source_new(arena);
	out->text_format_source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
	out->text_format_source->inline_string =
	    borrow(text_is_empty(mesh->access_log_format) ? text_format : line_of(arena, mesh->access_log_format));
	return out;
}

/* An unprivileged proxy may not open /dev/stdout as a file, so that one has a logger of its own. */
static google_any *logger(const struct emit *emit, const char *rbac, char **name)
{
	struct arena *arena = emit->arena;
	if (is_of_denials(emit) || strcmp(emit->mesh->access_log_file, STDOUT_PATH) == 0) {
		*name = borrow(NAME_STDOUT_ACCESS_LOG);
		envoy_stdout_access_log *out = envoy_stdout_access_log_new(arena);
		out->access_log_format_case =
		    ENVOY__EXTENSIONS__ACCESS_LOGGERS__STREAM__V3__STDOUT_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
		out->log_format = format_string(emit, rbac);
		return pack_any(arena, &out->base);
	}
	*name = borrow(NAME_FILE_ACCESS_LOG);
	envoy_file_access_log *out = envoy_file_access_log_new(arena);
	out->path = borrow(emit->mesh->access_log_file);
	out->access_log_format_case =
	    ENVOY__EXTENSIONS__ACCESS_LOGGERS__FILE__V3__FILE_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
	out->log_format = format_string(emit, rbac);
	return pack_any(arena, &out->base);
}

#define FILTER(name) ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG_FILTER__FILTER_SPECIFIER_##name

static envoy_access_log_filter *has_flag(struct arena *arena, const char *flag)
{
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(RESPONSE_FLAG_FILTER);
	filter->response_flag_filter = envoy_response_flag_filter_new(arena);
	BUILD_ADD(arena, filter->response_flag_filter, flags, borrow(flag));
	return filter;
}

static envoy_access_log_filter *denied_by_rules(struct arena *arena, const char *rbac)
{
	envoy_access_log_metadata_filter *metadata = envoy_access_log_metadata_filter_new(arena);
	metadata->matcher = authz_result(arena, rbac, NAME_RBAC_DENIED);
	metadata->match_if_key_not_found = build_bool(arena, false);
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(METADATA_FILTER);
	filter->metadata_filter = metadata;
	return filter;
}

static envoy_access_log_filter *denied(const struct emit *emit, const char *rbac)
{
	struct arena *arena = emit->arena;
	if (!emit->authz.provider)
		return denied_by_rules(arena, rbac);
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case = FILTER(OR_FILTER);
	filter->or_filter = envoy_access_log_or_filter_new(arena);
	BUILD_ADD(arena, filter->or_filter, filters, denied_by_rules(arena, rbac));
	BUILD_ADD(arena, filter->or_filter, filters, has_flag(arena, FLAG_EXT_AUTHZ));
	return filter;
}

size_t access_logs(const struct emit *emit, const char *rbac, envoy_access_log ***logs)
{
	if (text_is_empty(emit->mesh->access_log_file) && !is_of_denials(emit))
		return 0;
	envoy_access_log *log = envoy_access_log_new(emit->arena);
	log->config_type_case = ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG__CONFIG_TYPE_TYPED_CONFIG;
	log->typed_config = logger(emit, rbac, &log->name);
	if (is_of_denials(emit))
		log->filter = denied(emit, rbac);
	*logs = arena_memdup(emit->arena, &log, sizeof(envoy_access_log *));
	return 1;
}

void access_log_listener(const struct emit *emit, envoy_listener *listener)
{
	if (text_is_empty(emit->mesh->access_log_file))
		return;
	listener->n_access_log = access_logs(emit, NAME_NETWORK_RBAC, &listener->access_log);
	listener->access_log[0]->filter = has_flag(emit->arena, FLAG_NO_ROUTE);
}
