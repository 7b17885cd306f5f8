#include "base/text.h"
#include "proto/build.h"
#include "translator/istio/http_lowering.h"

#include <string.h>
#include <strings.h>

/* ---- headers ---- */

static bool is_authority(const char *name)
{
	return strcasecmp(name, ":authority") == 0 || strcasecmp(name, "host") == 0;
}

static bool is_internal(const char *name)
{
	return name[0] == ':' || strcasecmp(name, "host") == 0;
}

static int compare_values(const void *a, const void *b)
{
	return strcmp(((const struct header_value *)a)->name, ((const struct header_value *)b)->name);
}

struct header_values {
	VEC(struct header_value) out;
	const char *authority;
};

static void add_value(struct http_lowering *lowering, struct header_values *values, const char *part, const char *name,
                      const char *value, bool is_request)
{
	if (!is_internal(name)) {
		VEC_PUSH(lowering->draft->arena, &values->out, (struct header_value){name, value});
	} else if (is_request && is_authority(name)) {
		values->authority = value;
	} else {
		http_complain(lowering, REPORT_WARNING, REASON_NO_EFFECT, part,
		              "\"%s\" cannot be changed as a header; left out", name);
	}
}

static struct strings removed(struct http_lowering *lowering, const istio_headers_header_operations *in,
                              const char *part)
{
	VEC(const char *) out = {0};
	for (size_t i = 0; i < in->n_remove; i++) {
		if (!is_internal(in->remove[i]))
			VEC_PUSH(lowering->draft->arena, &out, in->remove[i]);
		else
			http_complain(lowering, REPORT_WARNING, REASON_NO_EFFECT, part,
			              "\"%s\" cannot be removed; left out", in->remove[i]);
	}
	return (struct strings){out.v, out.n};
}

struct header_operations http_lower_headers(struct http_lowering *lowering, const istio_headers_header_operations *in,
                                            const char *part, const char **authority)
{
	if (!in)
		return (struct header_operations){0};
	struct header_values set = {0}, add = {0};
	for (size_t i = 0; i < in->n_set; i++)
		add_value(lowering, &set, part, in->set[i]->key, in->set[i]->value, authority);
	for (size_t i = 0; i < in->n_add; i++)
		add_value(lowering, &add, part, in->add[i]->key, in->add[i]->value, authority);
	VEC_SORT(&set.out, compare_values);
	VEC_SORT(&add.out, compare_values);
	if (authority)
		*authority = !text_is_empty(set.authority) ? set.authority : add.authority;
	return (struct header_operations){
	    .set = set.out.v,
	    .n_set = set.out.n,
	    .add = add.out.v,
	    .n_add = add.out.n,
	    .remove = removed(lowering, in, part),
	};
}

/* ---- retries ---- */

static bool is_http_status(uint64_t code)
{
	return code >= 100 && code <= 599;
}

/* Numbers are status codes, the rest conditions, which Envoy knows. */
static void lower_retry_on(struct http_lowering *lowering, const char *retry_on, struct retry_policy *out)
{
	struct arena *arena = lowering->draft->arena;
	VEC(uint32_t) codes = {0};
	CLEANUP(text_done) struct text conditions = {0};
	bool has_codes_condition = false;
	for (const char *at = retry_on; *at;) {
		at += strspn(at, " \t,");
		size_t n = strcspn(at, ",");
		size_t kept = n;
		while (kept > 0 && strchr(" \t", at[kept - 1]))
			kept--;
		const char *part = arena_strndup(arena, at, kept);
		at += n;
		uint64_t code;
		if (!kept)
			continue;
		if (text_parse_uint(part, UINT32_MAX, &code) && is_http_status(code)) {
			VEC_PUSH(arena, &codes, (uint32_t)code);
			continue;
		}
		has_codes_condition |= text_equal(part, "retriable-status-codes");
		text_printf(&conditions, "%s%s", conditions.n ? "," : "", part);
	}
	if (codes.n && !has_codes_condition)
		text_printf(&conditions, "%sretriable-status-codes", conditions.n ? "," : "");
	out->retry_on = arena_strdup(arena, text_get(&conditions));
	out->status_codes = codes.v;
	out->n_status_codes = codes.n;
}

struct retry_policy http_lower_retries(struct http_lowering *lowering, const istio_http_retry *in)
{
	struct retry_policy out = {.mode = RETRY_DEFAULT, .per_try_timeout_ms = -1, .backoff_ms = -1};
	if (!in)
		return out;
	if (in->attempts <= 0) {
		out.mode = RETRY_NONE;
		return out;
	}
	out.mode = RETRY_SET;
	out.attempts = (uint32_t)in->attempts;
	if (in->per_try_timeout)
		out.per_try_timeout_ms = build_duration_get_ms(in->per_try_timeout);
	if (in->backoff)
		out.backoff_ms = build_duration_get_ms(in->backoff);
	if (in->retry_on[0])
		lower_retry_on(lowering, in->retry_on, &out);
	out.has_previous_hosts = in->retry_ignore_previous_hosts;
	out.is_ignoring_previous_hosts = !in->retry_ignore_previous_hosts || in->retry_ignore_previous_hosts->value;
	out.is_retrying_remote_localities = in->retry_remote_localities && in->retry_remote_localities->value;
	return out;
}

/* ---- faults ---- */

/* https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
static const char *const grpc_statuses[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

static bool parse_grpc_status(const char *name, uint32_t *status)
{
	for (uint32_t i = 0; i < sizeof grpc_statuses / sizeof grpc_statuses[0]; i++) {
		if (strcmp(grpc_statuses[i], name) == 0) {
			*status = i;
			return true;
		}
	}
	return false;
}

static double bounded_percent(struct http_lowering *lowering, double value, const char *part)
{
	if (value >= 0 && value <= 100)
		return value;
	http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, part, "%g is no percentage", value);
	return value > 100 ? 100 : 0;
}

#define DELAY(name) ISTIO__NETWORKING__V1ALPHA3__HTTPFAULT_INJECTION__DELAY__HTTP_DELAY_TYPE_##name
#define ABORT(name) ISTIO__NETWORKING__V1ALPHA3__HTTPFAULT_INJECTION__ABORT__ERROR_TYPE_##name

static void lower_delay(struct http_lowering *lowering, const istio_http_fault_injection_delay *in, struct fault *out)
{
	if (in->http_delay_type_case != DELAY(FIXED_DELAY)) {
		http_complain(lowering, REPORT_ERROR, REASON_NOT_SUPPORTED, "fault.delay",
		              "only fixedDelay is supported; no delay is injected");
		return;
	}
	out->has_delay = true;
	out->delay_ms = build_duration_get_ms(in->fixed_delay);
	/* neither given: none are delayed, as Istio's API says */
	out->delay_percent =
	    bounded_percent(lowering, in->percentage ? in->percentage->value : in->percent, "fault.delay.percentage");
	if (out->delay_percent <= 0)
		http_complain(lowering, REPORT_WARNING, REASON_NO_EFFECT, "fault.delay.percentage",
		              "no request is delayed: the percentage is 0 or missing");
}

static void lower_abort(struct http_lowering *lowering, const istio_http_fault_injection_abort *in, struct fault *out)
{
	switch ((int)in->error_type_case) {
	case ABORT(HTTP_STATUS):
		if (in->http_status < 200 || in->http_status > 599) {
			http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "fault.abort.httpStatus",
			              "%d is not a status from 200 to 599; nothing is aborted", in->http_status);
			return;
		}
		out->abort_http_status = (uint32_t)in->http_status;
		break;
	case ABORT(GRPC_STATUS):
		if (!parse_grpc_status(in->grpc_status, &out->abort_grpc_status)) {
			http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "fault.abort.grpcStatus",
			              "\"%s\" is no gRPC status such as UNAVAILABLE; nothing is aborted",
			              in->grpc_status);
			return;
		}
		out->is_abort_grpc = true;
		break;
	case ABORT(HTTP2_ERROR):
	case ABORT(_NOT_SET):
	default:
		http_complain(lowering, REPORT_ERROR, REASON_NOT_SUPPORTED, "fault.abort",
		              "only httpStatus and grpcStatus are supported; nothing is aborted");
		return;
	}
	out->has_abort = true;
	out->abort_percent =
	    bounded_percent(lowering, in->percentage ? in->percentage->value : 0, "fault.abort.percentage");
	if (out->abort_percent <= 0)
		http_complain(lowering, REPORT_WARNING, REASON_NO_EFFECT, "fault.abort.percentage",
		              "no request is aborted: the percentage is 0 or missing");
}

struct fault http_lower_fault(struct http_lowering *lowering, const istio_http_fault_injection *in)
{
	struct fault out = {0};
	if (in && in->delay)
		lower_delay(lowering, in->delay, &out);
	if (in && in->abort)
		lower_abort(lowering, in->abort, &out);
	return out;
}

/* ---- CORS ---- */

#define PREFLIGHTS(name) ISTIO__NETWORKING__V1ALPHA3__CORS_POLICY__UNMATCHED_PREFLIGHTS__##name

static void lower_origins(struct http_lowering *lowering, const istio_cors_policy *in, struct cors_policy *out)
{
	struct arena *arena = lowering->draft->arena;
	VEC(struct string_match) origins = {0};
	for (size_t i = 0; i < in->n_allow_origins; i++) {
		struct string_match match;
		const char *part = arena_printf(arena, "corsPolicy.allowOrigins[%zu]", i);
		if (http_lower_string_match(lowering, in->allow_origins[i], part, &match) &&
		    match.type != MATCH_PRESENT)
			VEC_PUSH(arena, &origins, match);
	}
	for (size_t i = 0; !in->n_allow_origins && i < in->n_allow_origin; i++)
		VEC_PUSH(arena, &origins, (struct string_match){.type = MATCH_EXACT, .value = in->allow_origin[i]});
	out->allow_origins = origins.v;
	out->n_allow_origins = origins.n;
}

const struct cors_policy *http_lower_cors(struct http_lowering *lowering, const istio_cors_policy *in)
{
	if (!in)
		return NULL;
	struct cors_policy *out = ARENA_NEW(lowering->draft->arena, struct cors_policy);
	lower_origins(lowering, in, out);
	out->allow_methods = (struct strings){(const char *const *)in->allow_methods, in->n_allow_methods};
	out->allow_headers = (struct strings){(const char *const *)in->allow_headers, in->n_allow_headers};
	out->expose_headers = (struct strings){(const char *const *)in->expose_headers, in->n_expose_headers};
	out->max_age_s = in->max_age ? in->max_age->seconds : -1;
	if (in->allow_credentials)
		out->credentials = in->allow_credentials->value ? CORS_CREDENTIALS_TRUE : CORS_CREDENTIALS_FALSE;
	if (in->unmatched_preflights == PREFLIGHTS(FORWARD))
		out->unmatched_preflights = CORS_UNMATCHED_FORWARD;
	else if (in->unmatched_preflights == PREFLIGHTS(IGNORE))
		out->unmatched_preflights = CORS_UNMATCHED_IGNORE;
	return out;
}
