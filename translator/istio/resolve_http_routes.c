#include "base/regex.h"
#include "base/text.h"
#include "proto/build.h"
#include "translator/istio/http_lowering.h"

#include <stdarg.h>
#include <string.h>

#define REDIRECT_PORT(name) ISTIO__NETWORKING__V1ALPHA3__HTTPREDIRECT__REDIRECT_PORT_##name
#define REDIRECT_FROM(name) ISTIO__NETWORKING__V1ALPHA3__HTTPREDIRECT__REDIRECT_PORT_SELECTION__FROM_##name
#define BODY(name) ISTIO__NETWORKING__V1ALPHA3__HTTPBODY__SPECIFIER_##name

/* What Envoy takes, and Istio's own limit. */
#define DIRECT_RESPONSE_BYTES_MAX (1u << 20)

void http_complain(struct http_lowering *lowering, enum report_severity severity, enum report_reason reason,
                   const char *part, const char *format, ...)
{
	struct arena *arena = lowering->draft->arena;
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(arena, format, args);
	va_end(args);
	report_add(lowering->draft->report, lowering->object, severity, reason,
	           arena_printf(arena, "spec.http[%zu]%s%s", lowering->route, part ? "." : "", part ? part : ""), "%s",
	           message);
}

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

/* A text that goes into a header: Envoy refuses the whole table when it has a line break. NULL and a row then. */
static const char *line_or_null(struct http_lowering *lowering, const char *s, const char *part)
{
	if (!text_is_empty(s) && strpbrk(s, "\r\n")) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, part, "has a line break; left out");
		return NULL;
	}
	return or_null(s);
}

static bool lower_destination(struct http_lowering *lowering, const istio_destination *in, const char *part,
                              struct destination *out)
{
	if (!in || !in->host[0]) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, part, "has no host; left out");
		return false;
	}
	*out = (struct destination){
	    .host = istio_host_fqdn(lowering->draft, in->host, lowering->object->namespace),
	    .subset = in->subset,
	    .port = in->port ? in->port->number : 0,
	};
	return true;
}

/* ---- where to ---- */

/* One destination takes all; of several, those with a weight take part. */
static bool lower_destinations(struct http_lowering *lowering, const istio_http_route *in, struct http_route *out)
{
	struct arena *arena = lowering->draft->arena;
	VEC(struct weighted_destination) destinations = {0};
	for (size_t i = 0; i < in->n_route; i++) {
		const istio_http_route_destination *from = in->route[i];
		const char *part = arena_printf(arena, "route[%zu]", i);
		struct weighted_destination to = {.weight = (uint32_t)from->weight};
		if (from->weight < 0) {
			http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, part,
			              "weight %d is below 0; the destination is left out", from->weight);
			continue;
		}
		if (in->n_route > 1 && from->weight == 0)
			continue;
		if (!lower_destination(lowering, from->destination, arena_printf(arena, "%s.destination", part),
		                       &to.destination))
			continue;
		if (from->headers) {
			part = arena_printf(arena, "%s.headers", part);
			to.request_headers = http_lower_headers(lowering, from->headers->request, part, &to.authority);
			to.response_headers = http_lower_headers(lowering, from->headers->response, part, NULL);
		}
		VEC_PUSH(arena, &destinations, to);
	}
	out->destinations = destinations.v;
	out->n_destinations = destinations.n;
	if (destinations.n == 0)
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "route",
		              "no destination takes any traffic; the route is left out");
	return destinations.n > 0;
}

static void add_mirror(struct http_lowering *lowering, const istio_destination *in, const char *part, double percent,
                       struct http_route *out)
{
	struct mirror mirror = {.percent = percent > 100 ? 100 : percent};
	if (percent <= 0 || !lower_destination(lowering, in, part, &mirror.destination))
		return;
	VEC(struct mirror) mirrors = {0};
	VEC_RESERVE(lowering->draft->arena, &mirrors, out->n_mirrors + 1);
	for (size_t i = 0; i < out->n_mirrors; i++)
		VEC_PUSH(lowering->draft->arena, &mirrors, out->mirrors[i]);
	VEC_PUSH(lowering->draft->arena, &mirrors, mirror);
	out->mirrors = mirrors.v;
	out->n_mirrors = mirrors.n;
}

static void lower_mirrors(struct http_lowering *lowering, const istio_http_route *in, struct http_route *out)
{
	if (in->mirror) {
		double percent = 100;
		if (in->mirror_percentage)
			percent = in->mirror_percentage->value;
		else if (in->mirror_percent)
			percent = in->mirror_percent->value;
		add_mirror(lowering, in->mirror, "mirror", percent, out);
	}
	for (size_t i = 0; i < in->n_mirrors; i++)
		add_mirror(lowering, in->mirrors[i]->destination,
		           arena_printf(lowering->draft->arena, "mirrors[%zu].destination", i),
		           in->mirrors[i]->percentage ? in->mirrors[i]->percentage->value : 100, out);
}

/* ---- actions ---- */

static bool is_redirect_code(uint32_t code)
{
	return (code >= 301 && code <= 303) || code == 307 || code == 308;
}

static bool lower_redirect(struct http_lowering *lowering, const istio_http_redirect *in, struct http_redirect *out)
{
	*out = (struct http_redirect){
	    .uri = in->prefix_rewrite[0] ? line_or_null(lowering, in->prefix_rewrite, "redirect.prefixRewrite")
	                                 : line_or_null(lowering, in->uri, "redirect.uri"),
	    .is_prefix_rewrite = in->prefix_rewrite[0],
	    .authority = line_or_null(lowering, in->authority, "redirect.authority"),
	    .scheme = or_null(in->scheme),
	    .code = in->redirect_code ? in->redirect_code : 301,
	};
	if (!is_redirect_code(out->code)) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "redirect.redirectCode",
		              "%u is not 301, 302, 303, 307 or 308; the route is left out", out->code);
		return false;
	}
	if (in->redirect_port_case == REDIRECT_PORT(PORT)) {
		/* the default port of the scheme is not spelt out */
		bool is_https = out->scheme && text_equal(out->scheme, "https");
		out->port = in->port == (is_https ? 443 : 80) ? 0 : in->port;
	} else if (in->redirect_port_case == REDIRECT_PORT(DERIVE_PORT)) {
		out->is_port_from_scheme = in->derive_port == REDIRECT_FROM(PROTOCOL_DEFAULT);
		out->is_port_from_request = in->derive_port == REDIRECT_FROM(REQUEST_PORT);
	}
	return true;
}

static bool lower_direct_response(struct http_lowering *lowering, const istio_http_direct_response *in,
                                  struct http_direct_response *out)
{
	out->status = in->status;
	if (in->status < 200 || in->status > 599) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "directResponse.status",
		              "%u is not a status from 200 to 599; the route is left out", in->status);
		return false;
	}
	if (in->body && in->body->specifier_case == BODY(STRING)) {
		out->body = in->body->string;
		out->body_n = strlen(in->body->string);
	} else if (in->body && in->body->specifier_case == BODY(BYTES)) {
		out->body_n = in->body->bytes.len;
		out->body = arena_memdup(lowering->draft->arena, in->body->bytes.data, out->body_n);
	}
	if (out->body_n > DIRECT_RESPONSE_BYTES_MAX) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "directResponse.body",
		              "%zu bytes are more than %u; the route is left out", out->body_n,
		              DIRECT_RESPONSE_BYTES_MAX);
		return false;
	}
	return true;
}

static void lower_rewrite(struct http_lowering *lowering, const istio_http_rewrite *in, struct http_rewrite *out)
{
	out->authority = line_or_null(lowering, in->authority, "rewrite.authority");
	if (!in->uri_regex_rewrite) {
		out->uri = line_or_null(lowering, in->uri, "rewrite.uri");
		return;
	}
	struct error error;
	if (!regex_check(in->uri_regex_rewrite->match, &error)) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "rewrite.uriRegexRewrite.match",
		              "%s; the path is not rewritten", error.message);
		return;
	}
	out->regex_rewrite = line_or_null(lowering, in->uri_regex_rewrite->rewrite, "rewrite.uriRegexRewrite.rewrite");
	if (out->regex_rewrite)
		out->regex = in->uri_regex_rewrite->match;
}

/* An authority comes, in this order, from the rewrite, from the route's headers, from the one destination's headers. */
static void lower_authority(const char *from_headers, struct http_route *out)
{
	struct http_rewrite *rewrite = &out->rewrite;
	if (!rewrite->authority)
		rewrite->authority = from_headers;
	if (!rewrite->authority && out->n_destinations == 1)
		rewrite->authority = out->destinations[0].authority;
	out->has_rewrite = rewrite->authority || rewrite->uri || rewrite->regex;
}

static bool lower_forward(struct http_lowering *lowering, const istio_http_route *in, const char *authority,
                          struct http_route *out)
{
	out->action = HTTP_FORWARD;
	if (in->delegate) {
		http_complain(lowering, REPORT_WARNING, REASON_NOT_SUPPORTED, "delegate",
		              "delegates are not supported yet; the route is left out");
		return false;
	}
	if (!lower_destinations(lowering, in, out))
		return false;
	if (in->rewrite)
		lower_rewrite(lowering, in->rewrite, &out->rewrite);
	lower_authority(authority, out);
	lower_mirrors(lowering, in, out);
	if (in->timeout)
		out->timeout_ms = build_duration_get_ms(in->timeout);
	out->retry = http_lower_retries(lowering, in->retries);
	return true;
}

/* ---- the route ---- */

static bool lower_matches(struct http_lowering *lowering, const istio_http_route *in, struct http_route *out)
{
	struct arena *arena = lowering->draft->arena;
	VEC(struct http_match) matches = {0};
	for (size_t i = 0; i < in->n_match; i++) {
		struct http_match match;
		if (http_lower_match(lowering, in->match[i], arena_printf(arena, "match[%zu]", i), &match))
			VEC_PUSH(arena, &matches, match);
	}
	out->matches = matches.v;
	out->n_matches = matches.n;
	return matches.n > 0 || in->n_match == 0;
}

bool http_lower_route(struct http_lowering *lowering, const istio_http_route *in, struct http_route *out)
{
	*out = (struct http_route){.name = or_null(in->name), .timeout_ms = -1};
	const char *authority = NULL;
	if (in->headers) {
		out->request_headers =
		    http_lower_headers(lowering, in->headers->request, "headers.request", &authority);
		out->response_headers = http_lower_headers(lowering, in->headers->response, "headers.response", NULL);
	}
	out->fault = http_lower_fault(lowering, in->fault);
	out->cors = http_lower_cors(lowering, in->cors_policy);
	bool is_valid = lower_matches(lowering, in, out);
	if (in->redirect) {
		out->action = HTTP_REDIRECT;
		is_valid &= lower_redirect(lowering, in->redirect, &out->redirect);
	} else if (in->direct_response) {
		out->action = HTTP_DIRECT_RESPONSE;
		is_valid &= lower_direct_response(lowering, in->direct_response, &out->direct_response);
	} else {
		is_valid &= lower_forward(lowering, in, authority, out);
	}
	return is_valid;
}
