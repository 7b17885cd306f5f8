/* What a request must look like for a route. Envoy refuses empty prefixes and expressions: here they become what they
 * mean. */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/metadata_matchers.h"

#include <string.h>

static envoy_regex_matcher *regex_matcher(struct arena *arena, const char *regex)
{
	envoy_regex_matcher *matcher = envoy_regex_matcher_new(arena);
	matcher->regex = borrow(regex);
	return matcher;
}

/* Any text will do. */
static bool is_any(const struct string_match *match)
{
	return match->type == MATCH_PRESENT || (match->type == MATCH_PREFIX && text_is_empty(match->value));
}

envoy_string_matcher *string_matcher(struct arena *arena, const struct string_match *match)
{
	envoy_string_matcher *matcher = envoy_string_matcher_new(arena);
	bool is_regex = match->type == MATCH_REGEX && !text_is_empty(match->value);
	if (is_regex || is_any(match)) {
		matcher->match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
		matcher->safe_regex = regex_matcher(arena, is_regex ? match->value : ".*");
		return matcher; /* where case does not matter the expression says so */
	}
	if (match->type == MATCH_PREFIX) {
		matcher->match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_PREFIX;
		matcher->prefix = borrow(match->value);
	} else {
		matcher->match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
		matcher->exact = borrow(match->value);
	}
	matcher->ignore_case = match->is_case_ignored;
	return matcher;
}

static envoy_header_matcher *header_matcher(struct arena *arena, const struct header_match *header)
{
	envoy_header_matcher *matcher = envoy_header_matcher_new(arena);
	matcher->name = borrow(header->name);
	matcher->invert_match = header->is_inverted;
	if (is_any(&header->match)) {
		matcher->header_match_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH;
		matcher->present_match = true;
		return matcher;
	}
	matcher->header_match_specifier_case =
	    ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
	matcher->string_match = string_matcher(arena, &header->match);
	/* A header that is not there differs from every value. */
	matcher->treat_missing_header_as_empty = header->is_inverted;
	return matcher;
}

static envoy_query_parameter_matcher *query_matcher(struct arena *arena, const struct header_match *parameter)
{
	envoy_query_parameter_matcher *matcher = envoy_query_parameter_matcher_new(arena);
	matcher->name = borrow(parameter->name);
	if (is_any(&parameter->match)) {
		matcher->query_parameter_match_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__QUERY_PARAMETER_MATCHER__QUERY_PARAMETER_MATCH_SPECIFIER_PRESENT_MATCH;
		matcher->present_match = true;
		return matcher;
	}
	matcher->query_parameter_match_specifier_case =
	    ENVOY__CONFIG__ROUTE__V3__QUERY_PARAMETER_MATCHER__QUERY_PARAMETER_MATCH_SPECIFIER_STRING_MATCH;
	matcher->string_match = string_matcher(arena, &parameter->match);
	return matcher;
}

/* A claim that is there may be of any kind, a list or an object too. */
static envoy_value_matcher *claim_value(struct arena *arena, const struct string_match *match)
{
	if (is_any(match))
		return value_present(arena);
	return value_or_element(arena, value_text(arena, string_matcher(arena, match)));
}

static envoy_metadata_matcher *claim_matcher(struct arena *arena, const struct claim_match *claim)
{
	envoy_metadata_matcher *matcher = metadata_of_claim(arena, &claim->path, claim_value(arena, &claim->match));
	matcher->invert = claim->is_inverted;
	return matcher;
}

static void set_prefix(envoy_route_match *out, const char *prefix)
{
	out->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
	out->prefix = borrow(prefix);
}

static void set_path(struct arena *arena, envoy_route_match *out, const struct string_match *path)
{
	switch (path->type) {
	case MATCH_EXACT:
		out->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PATH;
		out->path = borrow(path->value);
		break;
	case MATCH_PREFIX:
		set_prefix(out, path->value);
		break;
	case MATCH_REGEX:
		if (text_is_empty(path->value)) { /* the empty path, which no request has */
			out->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PATH;
			out->path = borrow("");
			break;
		}
		out->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_SAFE_REGEX;
		out->safe_regex = regex_matcher(arena, path->value);
		break;
	case MATCH_PRESENT:
		set_prefix(out, "/");
		break;
	}
}

envoy_route_match *route_match(struct arena *arena, const struct http_match *match)
{
	envoy_route_match *out = envoy_route_match_new(arena);
	set_prefix(out, "/");
	if (!match)
		return out;
	if (match->has_path)
		set_path(arena, out, &match->path);
	out->case_sensitive = build_bool(arena, !(match->has_path && match->path.is_case_ignored));
	for (size_t i = 0; i < match->n_headers; i++)
		BUILD_ADD(arena, out, headers, header_matcher(arena, &match->headers[i]));
	for (size_t i = 0; i < match->n_query_params; i++)
		BUILD_ADD(arena, out, query_parameters, query_matcher(arena, &match->query_params[i]));
	for (size_t i = 0; i < match->n_claims; i++)
		BUILD_ADD(arena, out, dynamic_metadata, claim_matcher(arena, &match->claims[i]));
	return out;
}

bool route_match_is_catch_all(const envoy_route_match *match)
{
	if (match->n_headers || match->n_query_parameters || match->n_dynamic_metadata)
		return false;
	if (match->path_specifier_case == ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX)
		return strcmp(match->prefix, "/") == 0;
	return match->path_specifier_case == ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_SAFE_REGEX &&
	       strcmp(match->safe_regex->regex, ".*") == 0;
}
