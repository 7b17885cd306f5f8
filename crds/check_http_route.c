/* One HTTP route of a VirtualService. */
#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"
#include "crds/routing_claim.h"

#include <ctype.h>
#include <string.h>

#define MATCH(name) ISTIO__NETWORKING__V1ALPHA3__STRING_MATCH__MATCH_TYPE##name
#define ABORT(name) ISTIO__NETWORKING__V1ALPHA3__HTTPFAULT_INJECTION__ABORT__ERROR_TYPE##name
#define DELAY(name) ISTIO__NETWORKING__V1ALPHA3__HTTPFAULT_INJECTION__DELAY__HTTP_DELAY_TYPE##name
#define REDIRECT_PORT(name) ISTIO__NETWORKING__V1ALPHA3__HTTPREDIRECT__REDIRECT_PORT##name
#define BODY(name) ISTIO__NETWORKING__V1ALPHA3__HTTPBODY__SPECIFIER_##name

#define BODY_MAX (1u << 20)      /* bytes of a direct response: it stands in each proxy's routes */
#define BODY_LARGE (100u << 10)  /* worth a warning */
#define FAULT_PERCENT_MIN 0.0001 /* Envoy counts in millionths */

/* An entry of a table of names. */
static bool is_one_of(const char *const *names, size_t n, const char *name, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return true;
	return false;
}
#define IS_ONE_OF(table, name, length) is_one_of((table), sizeof(table) / sizeof(table)[0], (name), (length))

static void check_match_name(struct check *check, const char *name)
{
	struct routing_claim claim;
	if (routing_claim_is_meant(name)) {
		if (!routing_claim_parse(check->arena, name, &claim))
			check_error(check, NULL,
			            "\"%s\" is not a claim, such as @request.auth.claims[a] or, of a claim a, "
			            "@request.auth.claims[a][b]",
			            name);
	} else if (!check_is_header_name(name)) {
		check_error(check, NULL, "\"%s\" is not a header's name", name);
	}
}

/* may_be_empty: a prefix of "" matches everything, which Envoy takes for paths only. */
static void check_string_match(struct check *check, const char *field, const istio_string_match *match,
                               bool may_be_empty)
{
	if (!match)
		return;
	if (field)
		check_enter(check, field);
	if (match->match_type_case == MATCH(_REGEX))
		check_regex(check, "regex", match->regex);
	else if (match->match_type_case == MATCH(_PREFIX) && text_is_empty(match->prefix) && !may_be_empty)
		check_error(check, "prefix", "must not be empty");
	if (field)
		check_leave(check);
}

static void check_header_matches(struct check *check, const istio_http_match_request *match)
{
	for (size_t i = 0; i < match->n_headers; i++) {
		check_enter_key(check, "headers", match->headers[i]->key);
		check_match_name(check, match->headers[i]->key);
		if (!match->headers[i]->value)
			check_error(check, NULL, "a header's match must not be null: {} matches any value");
		check_string_match(check, NULL, match->headers[i]->value, false);
		check_leave(check);
	}
	for (size_t i = 0; i < match->n_without_headers; i++) {
		const istio_string_match *value = match->without_headers[i]->value;
		check_enter_key(check, "withoutHeaders", match->without_headers[i]->key);
		check_match_name(check, match->without_headers[i]->key);
		/* "*" is not a regular expression: it stands for "is present" */
		if (value && !(value->match_type_case == MATCH(_REGEX) && strcmp(value->regex, "*") == 0))
			check_string_match(check, NULL, value, false);
		check_leave(check);
	}
}

static void check_match(struct check *check, const istio_http_match_request *match)
{
	check_header_matches(check, match);
	check_string_match(check, "uri", match->uri, true);
	check_string_match(check, "scheme", match->scheme, false);
	check_string_match(check, "method", match->method, false);
	check_string_match(check, "authority", match->authority, false);
	for (size_t i = 0; i < match->n_query_params; i++) {
		check_enter_key(check, "queryParams", match->query_params[i]->key);
		check_string_match(check, NULL, match->query_params[i]->value, false);
		check_leave(check);
	}
	if (match->port != 0)
		check_port(check, "port", match->port);
	CHECK_LABELS(check, "sourceLabels", match, source_labels);
	check_gateway_names(check, match->gateways, match->n_gateways);
	if (!text_is_empty(match->source_namespace) && !hostname_is_label_string(match->source_namespace))
		check_error(check, "sourceNamespace", "\"%s\" is not a namespace", match->source_namespace);
}

/* What a route does with a request; at most one, and a root route delegates. */
static void check_actions(struct check *check, const istio_http_route *route, bool is_delegate)
{
	if (route->delegate && !is_delegate) {
		if (route->redirect)
			check_error(check, "redirect", "not possible together with delegate");
		if (route->n_route > 0)
			check_error(check, "route", "not possible together with delegate");
		return;
	}
	if (route->delegate)
		check_error(check, "delegate", "a delegate cannot delegate again");
	if (route->redirect || route->direct_response) {
		const char *action = route->redirect ? "redirect" : "directResponse";
		if (route->n_route > 0)
			check_error(check, "route", "not possible together with %s", action);
		if (route->fault)
			check_error(check, "fault", "not possible together with %s", action);
		if (route->rewrite)
			check_error(check, "rewrite", "not possible together with %s", action);
		if (route->redirect && route->direct_response)
			check_error(check, "directResponse", "not possible together with redirect");
	} else if (route->n_route == 0) {
		check_error(check, "route", "one of route, redirect and directResponse is required");
	}
	if (route->mirror && route->n_mirrors > 0)
		check_error(check, "mirrors", "not possible together with mirror");
}

static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE",
};

static void check_cors_names(struct check *check, const char *field, char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, field, i);
		if (strcmp(names[i], "*") != 0 && !check_is_header_name(names[i]))
			check_error(check, NULL, "\"%s\" is not a header's name", names[i]);
		check_leave(check);
	}
}

static void check_cors(struct check *check, const istio_cors_policy *cors)
{
	if (!cors)
		return;
	check_enter(check, "corsPolicy");
	for (size_t i = 0; i < cors->n_allow_origins; i++) {
		const istio_string_match *origin = cors->allow_origins[i];
		check_enter_at(check, "allowOrigins", i);
		if (origin->match_type_case == MATCH(__NOT_SET) ||
		    (origin->match_type_case == MATCH(_EXACT) && text_is_empty(origin->exact)))
			check_error(check, NULL, "one of exact, prefix and regex is required");
		else
			check_string_match(check, NULL, origin, false);
		check_leave(check);
	}
	for (size_t i = 0; i < cors->n_allow_methods; i++) {
		check_enter_at(check, "allowMethods", i);
		if (!IS_ONE_OF(methods, cors->allow_methods[i], strlen(cors->allow_methods[i])))
			check_error(check, NULL, "\"%s\" is not an HTTP method", cors->allow_methods[i]);
		check_leave(check);
	}
	check_cors_names(check, "allowHeaders", cors->allow_headers, cors->n_allow_headers);
	check_cors_names(check, "exposeHeaders", cors->expose_headers, cors->n_expose_headers);
	check_duration(check, "maxAge", cors->max_age);
	if (cors->max_age && cors->max_age->nanos > 0)
		check_error(check, "maxAge", "must be a whole number of seconds");
	check_leave(check);
}

static const char *const grpc_codes[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

static void check_status(struct check *check, const char *field, int64_t status)
{
	if (status < 200 || status > 600)
		check_error(check, field, "HTTP status %lld is not in the range 200..600", (long long)status);
}

static void check_fault_percentage(struct check *check, const istio_percent *percentage)
{
	if (!percentage || percentage->value == 0)
		return;
	check_enter(check, "percentage");
	if (!(percentage->value >= FAULT_PERCENT_MIN && percentage->value <= 100))
		check_error(check, "value", "%g is neither 0 nor in the range %g..100", percentage->value,
		            FAULT_PERCENT_MIN);
	check_leave(check);
}

static void check_abort(struct check *check, const istio_http_fault_injection_abort *abort)
{
	check_enter(check, "abort");
	check_fault_percentage(check, abort->percentage);
	if (abort->error_type_case == ABORT(_GRPC_STATUS)) {
		if (!IS_ONE_OF(grpc_codes, abort->grpc_status, strlen(abort->grpc_status)))
			check_error(check, "grpcStatus", "\"%s\" is not a gRPC status, such as NOT_FOUND",
			            abort->grpc_status);
	} else if (abort->error_type_case == ABORT(_HTTP2_ERROR)) {
		check_error(check, "http2Error", "is not supported");
	} else if (abort->error_type_case == ABORT(_HTTP_STATUS)) {
		check_status(check, "httpStatus", abort->http_status);
	} else {
		check_warn(check, NULL, "has no effect without httpStatus or grpcStatus");
	}
	check_leave(check);
}

static void check_fault(struct check *check, const istio_http_fault_injection *fault)
{
	if (!fault)
		return;
	check_enter(check, "fault");
	if (!fault->abort && !fault->delay)
		check_error(check, NULL, "one of abort and delay is required");
	if (fault->abort)
		check_abort(check, fault->abort);
	if (fault->delay) {
		check_enter(check, "delay");
		check_fault_percentage(check, fault->delay->percentage);
		if (fault->delay->http_delay_type_case == DELAY(_FIXED_DELAY))
			check_duration(check, "fixedDelay", fault->delay->fixed_delay);
		if (fault->delay->http_delay_type_case == DELAY(_EXPONENTIAL_DELAY))
			check_error(check, "exponentialDelay", "is not supported");
		check_leave(check);
	}
	check_leave(check);
}

static void check_percentage(struct check *check, const char *field, const istio_percent *percentage)
{
	if (!percentage)
		return;
	check_enter(check, field);
	check_percent(check, "value", percentage->value);
	check_leave(check);
}

static void check_mirrors(struct check *check, const istio_http_route *route)
{
	if (route->mirror) {
		check_enter(check, "mirror");
		check_destination(check, route->mirror);
		check_leave(check);
	}
	if (route->mirror_percent) {
		check_percent(check, "mirrorPercent", route->mirror_percent->value);
		check_warn(check, "mirrorPercent", "is deprecated: use mirrorPercentage");
	}
	check_percentage(check, "mirrorPercentage", route->mirror_percentage);
	for (size_t i = 0; i < route->n_mirrors; i++) {
		check_enter_at(check, "mirrors", i);
		if (!route->mirrors[i]->destination) {
			check_error(check, "destination", "is required");
		} else {
			check_enter(check, "destination");
			check_destination(check, route->mirrors[i]->destination);
			check_leave(check);
		}
		check_percentage(check, "percentage", route->mirrors[i]->percentage);
		check_leave(check);
	}
}

static void check_redirect(struct check *check, const istio_http_redirect *redirect)
{
	if (!redirect)
		return;
	check_enter(check, "redirect");
	if (text_is_empty(redirect->uri) && text_is_empty(redirect->authority) && text_is_empty(redirect->scheme) &&
	    text_is_empty(redirect->prefix_rewrite) && redirect->redirect_port_case == REDIRECT_PORT(__NOT_SET))
		check_error(check, NULL, "one of uri, authority, scheme and port is required");
	if (redirect->redirect_code != 0 && (redirect->redirect_code < 300 || redirect->redirect_code > 399))
		check_error(check, "redirectCode", "%u is not a redirect's status (3xx)", redirect->redirect_code);
	if (!text_is_empty(redirect->scheme) && strcmp(redirect->scheme, "http") != 0 &&
	    strcmp(redirect->scheme, "https") != 0)
		check_error(check, "scheme", "must be http or https, is \"%s\"", redirect->scheme);
	if (redirect->redirect_port_case == REDIRECT_PORT(_PORT) && redirect->port > 0)
		check_port(check, "port", redirect->port);
	check_leave(check);
}

static void check_direct_response(struct check *check, const istio_http_direct_response *response)
{
	if (!response)
		return;
	check_enter(check, "directResponse");
	check_status(check, "status", response->status);
	size_t n = 0;
	if (response->body && response->body->specifier_case == BODY(STRING))
		n = strlen(response->body->string);
	else if (response->body && response->body->specifier_case == BODY(BYTES))
		n = response->body->bytes.len;
	if (n > BODY_MAX)
		check_error(check, "body", "has %zu bytes, at most %u are possible", n, BODY_MAX);
	else if (n > BODY_LARGE)
		check_warn(check, "body", "has %zu bytes, which every proxy must hold", n);
	check_leave(check);
}

static const char *const retry_conditions[] = {
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
    /* of gRPC */
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
};

/* Ranges of assigned HTTP status codes. */
static const struct {
	unsigned from, to;
} http_statuses[] = {
    {100, 103}, {200, 208}, {226, 226}, {300, 305}, {307, 308}, {400, 418},
    {421, 426}, {428, 429}, {431, 431}, {451, 451}, {500, 508}, {510, 511},
};

static bool is_http_status(const char *s, size_t n)
{
	if (n != 3 || !isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]) || !isdigit((unsigned char)s[2]))
		return false;
	unsigned code = (unsigned)(s[0] - '0') * 100 + (unsigned)(s[1] - '0') * 10 + (unsigned)(s[2] - '0');
	for (size_t i = 0; i < sizeof http_statuses / sizeof http_statuses[0]; i++)
		if (code >= http_statuses[i].from && code <= http_statuses[i].to)
			return true;
	return false;
}

static void check_retry_on(struct check *check, const char *retry_on)
{
	for (const char *s = retry_on;; s++) {
		size_t n = strcspn(s, ",");
		if (!IS_ONE_OF(retry_conditions, s, n) && !is_http_status(s, n))
			check_error(check, "retryOn", "\"%.*s\" is neither a condition for retries nor an HTTP status",
			            (int)n, s);
		s += n;
		if (*s == '\0')
			return;
	}
}

static void check_retry(struct check *check, const istio_http_retry *retry)
{
	if (!retry)
		return;
	check_enter(check, "retries");
	check_not_negative(check, "attempts", retry->attempts);
	if (retry->attempts == 0 &&
	    (retry->per_try_timeout || !text_is_empty(retry->retry_on) || retry->retry_remote_localities))
		check_error(check, "attempts", "is 0, which switches retries off, but they are configured");
	check_duration(check, "perTryTimeout", retry->per_try_timeout);
	check_duration(check, "backoff", retry->backoff);
	if (!text_is_empty(retry->retry_on))
		check_retry_on(check, retry->retry_on);
	check_leave(check);
}

static void check_rewrite(struct check *check, const istio_http_rewrite *rewrite)
{
	if (!rewrite)
		return;
	const istio_regex_rewrite *regex = rewrite->uri_regex_rewrite;
	check_enter(check, "rewrite");
	if (!text_is_empty(rewrite->uri) && regex)
		check_error(check, "uriRegexRewrite", "not possible together with uri");
	if (text_is_empty(rewrite->uri) && text_is_empty(rewrite->authority) && !regex)
		check_error(check, NULL, "one of uri, authority and uriRegexRewrite is required");
	if (regex) {
		check_enter(check, "uriRegexRewrite");
		check_regex(check, "match", regex->match);
		if (text_is_empty(regex->rewrite))
			check_error(check, "rewrite", "is required");
		check_leave(check);
	}
	check_leave(check);
}

static void check_destinations(struct check *check, const istio_http_route *route)
{
	int64_t total = 0;
	for (size_t i = 0; i < route->n_route; i++) {
		const istio_http_route_destination *destination = route->route[i];
		check_enter_at(check, "route", i);
		check_not_negative(check, "weight", destination->weight);
		total += destination->weight;
		check_headers(check, destination->headers);
		if (!destination->destination) {
			check_error(check, "destination", "is required");
		} else {
			check_enter(check, "destination");
			check_destination(check, destination->destination);
			check_leave(check);
		}
		check_leave(check);
	}
	if (route->n_route > 1 && total == 0)
		check_error(check, "route", "all weights are 0");
}

void check_http_route(struct check *check, const istio_http_route *route, bool is_delegate)
{
	check_actions(check, route, is_delegate);
	for (size_t i = 0; i < route->n_match; i++) {
		check_enter_at(check, "match", i);
		check_match(check, route->match[i]);
		check_leave(check);
	}
	check_headers(check, route->headers);
	check_cors(check, route->cors_policy);
	check_fault(check, route->fault);
	check_mirrors(check, route);
	check_redirect(check, route->redirect);
	check_direct_response(check, route->direct_response);
	check_retry(check, route->retries);
	check_rewrite(check, route->rewrite);
	check_authority(check, route);
	check_destinations(check, route);
	check_duration(check, "timeout", route->timeout);
}
