/* What the access log says: in the format that Istio's users parse, with more on what is denied, and why. */
#include "base/json.h"
#include "base/text.h"
#include "proto/codec.h"
#include "translator/envoy/access_log.h"

#include <string.h>

/* ---- why ---- */

#define CODE ACCESS_LOG_CODE_DETAILS
#define END ACCESS_LOG_TERMINATION_DETAILS
#define SIDES 3

/* What Envoy's details begin with, and what it means; where it says so; NULL: it does not. The first one counts. */
static const struct {
	const char *begin, *words, *details[SIDES];
} reasons[] = {
    {ACCESS_LOG_DETAILS_RBAC "_matched_policy[none]", "no policy allows it", {CODE, END}},
    {ACCESS_LOG_DETAILS_RBAC "_matched_policy[" NAME_EXT_AUTHZ_PREFIX,
     "a CUSTOM policy matches, and nobody can be asked",
     {CODE, END}},
    {ACCESS_LOG_DETAILS_RBAC, "a policy denies it", {CODE, END}},
    {"ext_authz_denied", "the service that a CUSTOM policy asks denies it", {CODE, CODE}},
    {"ext_authz_error", "the service that a CUSTOM policy asks gives no answer", {CODE, CODE}},
    {ACCESS_LOG_DETAILS_JWT, "its token is not accepted", {CODE}},
    {"filter_chain_not_found",
     "no filter chain takes the connection, such as plaintext where mutual TLS is required",
     {[ACCESS_LOG_LISTENER] = CODE}},
};

/* Nothing has it, so that the field is null in JSON; an expression's own null would be a text. */
#define NO_REASON "response.none"

/* Only what begins so is a denial, and of nothing else the log says why. A connection has one kind of details or none.
 */
static const char *reason_format(struct arena *arena, enum access_log_side side)
{
	CLEANUP(text_done) struct text out = {0};
	text_add(&out, "%CEL(");
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		const char *details = reasons[i].details[side];
		if (details && side == ACCESS_LOG_CONNECTIONS)
			text_printf(&out, "has(%s) && ", details);
		if (details)
			text_printf(&out, "%s.startsWith('%s') ? '%s' : ", details, reasons[i].begin, reasons[i].words);
	}
	text_add(&out, NO_REASON ")%");
	return arena_strdup(arena, text_get(&out));
}

/* ---- fields ---- */

/* Whether a field says something there. */
typedef bool is_known_fn(const struct emit *emit, enum access_log_side side);

static bool is_guarded(const struct emit *emit, enum access_log_side side)
{
	return side == ACCESS_LOG_LISTENER ? emit->is_mtls_required : emit->authz.n || emit->jwt_rules.n;
}

/* The proxy knows who calls. */
static bool is_called(const struct emit *emit, enum access_log_side side)
{
	return side != ACCESS_LOG_LISTENER && (!emit->scope || emit->proxy.role == PROXY_GATEWAY);
}

static bool is_judged(const struct emit *emit, enum access_log_side side)
{
	return side == ACCESS_LOG_REQUESTS && emit->authz.n;
}

static bool is_audited(const struct emit *emit, enum access_log_side side)
{
	return side == ACCESS_LOG_REQUESTS && authz_has(&emit->authz, AUTHZ_AUDIT);
}

static bool is_asked_about(const struct emit *emit, enum access_log_side side)
{
	return side != ACCESS_LOG_LISTENER && emit->authz.provider;
}

static bool is_tried_to_allow(const struct emit *emit, enum access_log_side side)
{
	return side != ACCESS_LOG_LISTENER && authz_has_dry_run(&emit->authz, AUTHZ_ALLOW);
}

/* Beside enforced policies of ALLOW the result of others is no verdict. */
static bool is_decided_by_trial(const struct emit *emit, enum access_log_side side)
{
	return is_tried_to_allow(emit, side) && !authz_has_enforced(&emit->authz, AUTHZ_ALLOW);
}

static bool is_tried_to_deny(const struct emit *emit, enum access_log_side side)
{
	return side != ACCESS_LOG_LISTENER && authz_has_dry_run(&emit->authz, AUTHZ_DENY);
}

/*
 * A field of the default format: its name in JSON, and what Envoy writes, or a member of what the filter of access
 * control has noted. authz_policy is the rule that denied or allowed a request, authz_custom the one that left the
 * answer to a service outside; of a connection, connection_termination_details has the rule. authz_dry_run_* are what
 * policies would say that are only tried.
 */
static const struct {
	const char *name, *value, *noted;
	is_known_fn *is_known; /* NULL: everywhere */
} json_fields[] = {
    {"authority", "%REQ(:AUTHORITY)%", NULL, NULL},
    {"authz_audit", NULL, NAME_AUDIT NAME_RBAC_POLICY, is_audited},
    {"authz_custom", NULL, NAME_EXT_AUTHZ_POLICY_ID, is_asked_about},
    {"authz_dry_run_allow", NULL, NAME_DRY_RUN_ALLOW NAME_RBAC_SHADOW_POLICY, is_tried_to_allow},
    {"authz_dry_run_allow_result", NULL, NAME_DRY_RUN_ALLOW NAME_RBAC_SHADOW_RESULT, is_decided_by_trial},
    {"authz_dry_run_deny", NULL, NAME_DRY_RUN_DENY NAME_RBAC_SHADOW_POLICY, is_tried_to_deny},
    {"authz_dry_run_deny_result", NULL, NAME_DRY_RUN_DENY NAME_RBAC_SHADOW_RESULT, is_tried_to_deny},
    {"authz_policy", NULL, NAME_RBAC_POLICY, is_judged},
    {"authz_reason", NULL, NULL, is_guarded}, /* reason_format() */
    {"authz_result", NULL, NAME_RBAC_RESULT, is_judged},
    {"bytes_received", "%BYTES_RECEIVED%", NULL, NULL},
    {"bytes_sent", "%BYTES_SENT%", NULL, NULL},
    {"connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%", NULL, NULL},
    {"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%", NULL, NULL},
    {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%", NULL, NULL},
    {"duration", "%DURATION%", NULL, NULL},
    {"method", "%REQ(:METHOD)%", NULL, NULL},
    {"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", NULL, NULL},
    {"protocol", "%PROTOCOL%", NULL, NULL},
    {"request_id", "%REQ(X-REQUEST-ID)%", NULL, NULL},
    {"requested_server_name", "%REQUESTED_SERVER_NAME%", NULL, NULL},
    {"response_code", "%RESPONSE_CODE%", NULL, NULL},
    {"response_code_details", "%RESPONSE_CODE_DETAILS%", NULL, NULL},
    {"response_flags", "%RESPONSE_FLAGS%", NULL, NULL},
    {"route_name", "%ROUTE_NAME%", NULL, NULL},
    {"source_principal", "%DOWNSTREAM_PEER_URI_SAN%", NULL, is_called},
    {"start_time", "%START_TIME%", NULL, NULL},
    {"upstream_cluster", "%UPSTREAM_CLUSTER_RAW%", NULL, NULL},
    {"upstream_host", "%UPSTREAM_HOST%", NULL, NULL},
    {"upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%", NULL, NULL},
    {"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", NULL, NULL},
    {"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%", NULL, NULL},
    {"user_agent", "%REQ(USER-AGENT)%", NULL, NULL},
    {"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%", NULL, NULL},
};

static const char text_format[] =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% "
    "%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

static google_struct *default_json(const struct emit *emit, enum access_log_side side)
{
	struct arena *arena = emit->arena;
	const char *rbac = side == ACCESS_LOG_REQUESTS ? NAME_HTTP_RBAC : NAME_NETWORK_RBAC;
	google_struct *object = build_struct(arena);
	for (size_t i = 0; i < sizeof json_fields / sizeof json_fields[0]; i++) {
		if (json_fields[i].is_known && !json_fields[i].is_known(emit, side))
			continue;
		const char *value = json_fields[i].value;
		if (json_fields[i].noted)
			value = arena_printf(arena, "%%DYNAMIC_METADATA(%s:%s)%%", rbac, json_fields[i].noted);
		build_struct_string(arena, object, json_fields[i].name, value ? value : reason_format(arena, side));
	}
	return object;
}

/* ---- formats ---- */

/* The mesh's own JSON object; what is no object falls back to the default (the front end has said so). */
static google_struct *json_format(const struct emit *emit, enum access_log_side side)
{
	struct arena *arena = emit->arena;
	const char *format = emit->mesh->access_log_format;
	if (text_is_empty(format))
		return default_json(emit, side);
	struct error error;
	const struct json *value = json_parse(arena, format, strlen(format), &error);
	if (!value || value->type != JSON_OBJECT)
		return default_json(emit, side);
	struct codec_options options = {0};
	struct codec_issues issues = {0};
	return (google_struct *)codec_decode(arena, google_struct_type(), value, &options, &issues);
}

/* Entries are lines, whether the format says so or not. */
static const char *line_of(struct arena *arena, const char *format)
{
	return format[strlen(format) - 1] == '\n' ? format : arena_printf(arena, "%s\n", format);
}

envoy_substitution_format_string *access_log_format(const struct emit *emit, enum access_log_side side)
{
	struct arena *arena = emit->arena;
	const struct mesh *mesh = emit->mesh;
	envoy_substitution_format_string *out = envoy_substitution_format_string_new(arena);
	if (mesh->is_access_log_json || access_log_is_of_denials(emit)) {
		out->format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_JSON_FORMAT;
		out->json_format = json_format(emit, side);
		return out;
	}
	out->format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT_SOURCE;
	out->text_format_source = envoy_data_source_new(arena);
	out->text_format_source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
	out->text_format_source->inline_string =
	    borrow(text_is_empty(mesh->access_log_format) ? text_format : line_of(arena, mesh->access_log_format));
	return out;
}
