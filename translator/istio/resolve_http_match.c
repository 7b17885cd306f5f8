#include "base/regex.h"
#include "base/text.h"
#include "crds/routing_claim.h"
#include "translator/istio/http_lowering.h"

#include <string.h>

#define MATCH_TYPE(name) ISTIO__NETWORKING__V1ALPHA3__STRING_MATCH__MATCH_TYPE_##name

bool http_lower_string_match(struct http_lowering *lowering, const istio_string_match *in, const char *part,
                             struct string_match *out)
{
	struct error error;
	switch ((int)in->match_type_case) {
	case MATCH_TYPE(EXACT):
		*out = (struct string_match){.type = MATCH_EXACT, .value = in->exact};
		return true;
	case MATCH_TYPE(PREFIX):
		*out = (struct string_match){.type = MATCH_PREFIX, .value = in->prefix};
		return true;
	case MATCH_TYPE(REGEX):
		if (text_equal(in->regex, "*")) {
			*out = (struct string_match){.type = MATCH_PRESENT, .value = ""};
			return true;
		}
		if (!regex_check(in->regex, &error)) {
			http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, part, "%s; the match is left out",
			              error.message);
			return false;
		}
		*out = (struct string_match){.type = MATCH_REGEX, .value = in->regex};
		return true;
	case MATCH_TYPE(_NOT_SET):
	default:
		*out = (struct string_match){.type = MATCH_PRESENT, .value = ""};
		return true;
	}
}

static int compare_headers(const void *a, const void *b)
{
	const struct header_match *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order : x->is_inverted - y->is_inverted;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim_match *x = a, *y = b;
	for (size_t i = 0; i < x->path.n && i < y->path.n; i++) {
		int order = strcmp(x->path.v[i], y->path.v[i]);
		if (order)
			return order;
	}
	if (x->path.n != y->path.n)
		return x->path.n < y->path.n ? -1 : 1;
	return x->is_inverted - y->is_inverted;
}

struct headers_building {
	VEC(struct header_match) out;
	VEC(struct claim_match) claims;
	bool is_valid;
};

static void add_header(struct http_lowering *lowering, struct headers_building *headers, const char *part,
                       const char *field, const char *name, const istio_string_match *in, bool is_inverted)
{
	struct header_match header = {.name = name, .is_inverted = is_inverted};
	const char *path = arena_printf(lowering->draft->arena, "%s.%s", part, field);
	if (text_is_empty(name)) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, path, "has no name; the match is left out");
		headers->is_valid = false;
	} else if (http_lower_string_match(lowering, in, path, &header.match)) {
		VEC_PUSH(lowering->draft->arena, &headers->out, header);
	} else {
		headers->is_valid = false;
	}
}

static void add_header_or_claim(struct http_lowering *lowering, struct headers_building *headers, const char *part,
                                const char *list, const char *name, const istio_string_match *in, bool is_inverted)
{
	struct arena *arena = lowering->draft->arena;
	const char *field = arena_printf(arena, "%s[%s]", list, name);
	struct claim_match match = {.is_inverted = is_inverted};
	struct routing_claim claim;
	if (!routing_claim_parse(arena, name, &claim)) {
		add_header(lowering, headers, part, field, name, in, is_inverted);
		return;
	}
	match.path = (struct strings){claim.path, claim.n};
	headers->is_valid &=
	    http_lower_string_match(lowering, in, arena_printf(arena, "%s.%s", part, field), &match.match);
	VEC_PUSH(arena, &headers->claims, match);
}

/* Headers by name, then the pseudo headers in the order that Istio gives them; claims by themselves. */
static bool lower_headers(struct http_lowering *lowering, const istio_http_match_request *in, const char *part,
                          struct http_match *out)
{
	struct headers_building headers = {.is_valid = true};
	for (size_t i = 0; i < in->n_headers; i++)
		add_header_or_claim(lowering, &headers, part, "headers", in->headers[i]->key, in->headers[i]->value,
		                    false);
	for (size_t i = 0; i < in->n_without_headers; i++)
		add_header_or_claim(lowering, &headers, part, "withoutHeaders", in->without_headers[i]->key,
		                    in->without_headers[i]->value, true);
	VEC_SORT(&headers.out, compare_headers);
	VEC_SORT(&headers.claims, compare_claims);
	if (in->method)
		add_header(lowering, &headers, part, "method", ":method", in->method, false);
	if (in->authority)
		add_header(lowering, &headers, part, "authority", ":authority", in->authority, false);
	if (in->scheme)
		add_header(lowering, &headers, part, "scheme", ":scheme", in->scheme, false);
	out->headers = headers.out.v;
	out->n_headers = headers.out.n;
	out->claims = headers.claims.v;
	out->n_claims = headers.claims.n;
	return headers.is_valid;
}

static bool lower_query_params(struct http_lowering *lowering, const istio_http_match_request *in, const char *part,
                               struct http_match *out)
{
	struct arena *arena = lowering->draft->arena;
	struct headers_building params = {.is_valid = true};
	for (size_t i = 0; i < in->n_query_params; i++)
		add_header(lowering, &params, part, arena_printf(arena, "queryParams[%s]", in->query_params[i]->key),
		           in->query_params[i]->key, in->query_params[i]->value, false);
	VEC_SORT(&params.out, compare_headers);
	out->query_params = params.out.v;
	out->n_query_params = params.out.n;
	return params.is_valid;
}

static bool lower_path(struct http_lowering *lowering, const istio_http_match_request *in, const char *part,
                       struct http_match *out)
{
	if (!in->uri || in->uri->match_type_case == MATCH_TYPE(_NOT_SET))
		return true;
	const char *path = arena_printf(lowering->draft->arena, "%s.uri", part);
	/* for a path "*" is a regex like any other, and not a valid one */
	struct error error;
	if (in->uri->match_type_case == MATCH_TYPE(REGEX) && !regex_check(in->uri->regex, &error)) {
		http_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, path, "%s; the match is left out",
		              error.message);
		return false;
	}
	if (!http_lower_string_match(lowering, in->uri, path, &out->path))
		return false;
	out->path.is_case_ignored = in->ignore_uri_case;
	out->has_path = true;
	return true;
}

static void lower_gateways(struct http_lowering *lowering, const istio_http_match_request *in, struct http_match *out)
{
	struct draft *draft = lowering->draft;
	VEC(const char *) gateways = {0};
	for (size_t i = 0; i < in->n_gateways; i++) {
		const char *name = istio_gateway_name(draft, in->gateways[i], lowering->object->namespace);
		if (name)
			VEC_PUSH(draft->arena, &gateways, name);
		else
			out->is_mesh = true;
	}
	out->has_gateways = in->n_gateways > 0;
	out->gateways = (struct strings){gateways.v, gateways.n};
}

bool http_lower_match(struct http_lowering *lowering, const istio_http_match_request *in, const char *part,
                      struct http_match *out)
{
	*out = (struct http_match){
	    .name = in->name[0] ? in->name : NULL,
	    .port = in->port,
	    .source_labels = ISTIO_LABELS(lowering->draft->arena, in, source_labels),
	    .source_namespace = in->source_namespace[0] ? in->source_namespace : NULL,
	};
	lower_gateways(lowering, in, out);
	if (in->stat_prefix[0])
		http_complain(lowering, REPORT_INFO, REASON_NOT_SUPPORTED, part,
		              "statPrefix is not supported yet; statistics keep their usual names");
	/* all of them, so that one look shows all mistakes */
	bool is_valid = lower_path(lowering, in, part, out);
	is_valid &= lower_headers(lowering, in, part, out);
	is_valid &= lower_query_params(lowering, in, part, out);
	return is_valid;
}
