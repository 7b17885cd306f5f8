/* The mesh's access log, in the format that Istio's users parse. */
#include "base/json.h"
#include "base/text.h"
#include "proto/codec.h"
#include "translator/envoy/emit_parts.h"

#include <string.h>

#define STDOUT_PATH "/dev/stdout"
/* Envoy's flag for connections that no filter chain and requests that no route wanted. */
#define FLAG_NO_ROUTE "NR"

/* A field of the default format: its name in JSON, and what Envoy writes. */
static const struct {
	const char *name, *value;
} json_fields[] = {
    {"authority", "%REQ(:AUTHORITY)%"},
    {"bytes_received", "%BYTES_RECEIVED%"},
    {"bytes_sent", "%BYTES_SENT%"},
    {"connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"},
    {"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"},
    {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
    {"duration", "%DURATION%"},
    {"method", "%REQ(:METHOD)%"},
    {"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
    {"protocol", "%PROTOCOL%"},
    {"request_id", "%REQ(X-REQUEST-ID)%"},
    {"requested_server_name", "%REQUESTED_SERVER_NAME%"},
    {"response_code", "%RESPONSE_CODE%"},
    {"response_code_details", "%RESPONSE_CODE_DETAILS%"},
    {"response_flags", "%RESPONSE_FLAGS%"},
    {"route_name", "%ROUTE_NAME%"},
    {"start_time", "%START_TIME%"},
    {"upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"},
    {"upstream_host", "%UPSTREAM_HOST%"},
    {"upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"},
    {"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"},
    {"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
    {"user_agent", "%REQ(USER-AGENT)%"},
    {"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"},
};

static const char text_format[] =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% "
    "%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

static google_struct *default_json(struct arena *arena)
{
	google_struct *object = build_struct(arena);
	for (size_t i = 0; i < sizeof json_fields / sizeof json_fields[0]; i++)
		build_struct_string(arena, object, json_fields[i].name, json_fields[i].value);
	return object;
}

/* The mesh's own JSON object; what is no object falls back to the default (the front end has said so). */
static google_struct *json_format(struct arena *arena, const char *format)
{
	if (text_is_empty(format))
		return default_json(arena);
	struct error error;
	const struct json *value = json_parse(arena, format, strlen(format), &error);
	if (!value || value->type != JSON_OBJECT)
		return default_json(arena);
	struct codec_options options = {0};
	struct codec_issues issues = {0};
	return (google_struct *)codec_decode(arena, google_struct_type(), value, &options, &issues);
}

/* Entries are lines, whether the format says so or not. */
static const char *line_of(struct arena *arena, const char *format)
{
	return format[strlen(format) - 1] == '\n' ? format : arena_printf(arena, "%s\n", format);
}

static envoy_substitution_format_string *format_string(const struct emit *emit)
{
	struct arena *arena = emit->arena;
	const struct mesh *mesh = emit->mesh;
	envoy_substitution_format_string *out = envoy_substitution_format_string_new(arena);
	if (mesh->is_access_log_json) {
		out->format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_JSON_FORMAT;
		out->json_format = json_format(arena, mesh->access_log_format);
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
static google_any *logger(const struct emit *emit, char **name)
{
	struct arena *arena = emit->arena;
	if (strcmp(emit->mesh->access_log_file, STDOUT_PATH) == 0) {
		*name = borrow(NAME_STDOUT_ACCESS_LOG);
		envoy_stdout_access_log *out = envoy_stdout_access_log_new(arena);
		out->access_log_format_case =
		    ENVOY__EXTENSIONS__ACCESS_LOGGERS__STREAM__V3__STDOUT_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
		out->log_format = format_string(emit);
		return pack_any(arena, &out->base);
	}
	*name = borrow(NAME_FILE_ACCESS_LOG);
	envoy_file_access_log *out = envoy_file_access_log_new(arena);
	out->path = borrow(emit->mesh->access_log_file);
	out->access_log_format_case =
	    ENVOY__EXTENSIONS__ACCESS_LOGGERS__FILE__V3__FILE_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
	out->log_format = format_string(emit);
	return pack_any(arena, &out->base);
}

size_t access_logs(const struct emit *emit, envoy_access_log ***logs)
{
	if (text_is_empty(emit->mesh->access_log_file))
		return 0;
	envoy_access_log *log = envoy_access_log_new(emit->arena);
	log->config_type_case = ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG__CONFIG_TYPE_TYPED_CONFIG;
	log->typed_config = logger(emit, &log->name);
	*logs = arena_memdup(emit->arena, &log, sizeof(envoy_access_log *));
	return 1;
}

void access_log_listener(const struct emit *emit, envoy_listener *listener)
{
	listener->n_access_log = access_logs(emit, &listener->access_log);
	if (!listener->n_access_log)
		return;
	struct arena *arena = emit->arena;
	envoy_response_flag_filter *flags = envoy_response_flag_filter_new(arena);
	BUILD_ADD(arena, flags, flags, borrow(FLAG_NO_ROUTE));
	envoy_access_log_filter *filter = envoy_access_log_filter_new(arena);
	filter->filter_specifier_case =
	    ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG_FILTER__FILTER_SPECIFIER_RESPONSE_FLAG_FILTER;
	filter->response_flag_filter = flags;
	listener->access_log[0]->filter = filter;
}
