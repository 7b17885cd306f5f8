#include "cli/authz_match.h"

#include "base/regex.h"
#include "base/text.h"
#include "proto/pack.h"
#include "translator/envoy/names.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define STRING(name) ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_##name
#define VALUE(name) ENVOY__TYPE__MATCHER__V3__VALUE_MATCHER__MATCH_PATTERN_##name
/* What Envoy's path templates take: a segment, and any number of them. */
#define SEGMENT "[a-zA-Z0-9-._~%!$&'()+,;:@=*]+"
#define SEGMENTS "[a-zA-Z0-9-._~%!$&'()+,;:@=*/]*"

/* ---- text ---- */

static bool begins(const char *s, const char *prefix, bool is_case_ignored)
{
	size_t n = strlen(prefix);
	return is_case_ignored ? strncasecmp(s, prefix, n) == 0 : strncmp(s, prefix, n) == 0;
}

static bool matches(const envoy_string_matcher *matcher, const char *s)
{
	size_t n = strlen(s);
	switch ((int)matcher->match_pattern_case) {
	case STRING(EXACT):
		return strlen(matcher->exact) == n && begins(s, matcher->exact, matcher->ignore_case);
	case STRING(PREFIX):
		return begins(s, matcher->prefix, matcher->ignore_case);
	case STRING(SUFFIX):
		return strlen(matcher->suffix) <= n &&
		       begins(s + n - strlen(matcher->suffix), matcher->suffix, matcher->ignore_case);
	case STRING(SAFE_REGEX):
		return regex_matches(matcher->safe_regex->regex, s);
	default:
		return false;
	}
}

static const char *wanted_text(struct arena *arena, const envoy_string_matcher *matcher)
{
	switch ((int)matcher->match_pattern_case) {
	case STRING(EXACT):
		return *matcher->exact ? matcher->exact : "\"\"";
	case STRING(PREFIX):
		return arena_printf(arena, "%s*", matcher->prefix);
	case STRING(SUFFIX):
		return arena_printf(arena, "*%s", matcher->suffix);
	case STRING(SAFE_REGEX):
		return strcmp(matcher->safe_regex->regex, ".+") == 0
		           ? "*"
		           : arena_printf(arena, "/%s/", matcher->safe_regex->regex);
	default:
		return "nothing";
	}
}

struct authz_fact authz_match_text(struct arena *arena, const char *subject, const char *seen,
                                   const envoy_string_matcher *matcher)
{
	return (struct authz_fact){subject, seen, wanted_text(arena, matcher), seen && matches(matcher, seen)};
}

struct authz_fact authz_match_header(struct arena *arena, const struct authz_request *request,
                                     const envoy_header_matcher *matcher)
{
	const char *seen = authz_request_header(arena, request, matcher->name);
	const char *subject = strcmp(matcher->name, ":authority") == 0 ? "host"
	                      : matcher->name[0] == ':'                ? matcher->name + 1
	                                                : arena_printf(arena, "header %s", matcher->name);
	if (matcher->header_match_specifier_case ==
	    ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH)
		return (struct authz_fact){subject, seen, "*", seen != NULL};
	return authz_match_text(arena, subject, seen, matcher->string_match);
}

struct authz_fact authz_match_path(struct arena *arena, const struct authz_request *request,
                                   const envoy_string_matcher *matcher)
{
	return authz_match_text(arena, "path", request->is_http ? request->path : NULL, matcher);
}

struct authz_fact authz_match_template(struct arena *arena, const struct authz_request *request,
                                       const envoy_typed_extension_config *config)
{
	CLEANUP(text_done) struct text regex = {0};
	const envoy_uri_template_match *match = (const envoy_uri_template_match *)unpack_own(
	    arena, envoy_uri_template_match_type(), config->typed_config->value.data, config->typed_config->value.len);
	for (const char *at = match->path_template; *at; at++) {
		if (text_has_prefix(at, "**")) {
			text_add(&regex, SEGMENTS);
			at++;
		} else if (*at == '*') {
			text_add(&regex, SEGMENT);
		} else {
			if (strchr("\\.+?()|[]{}^$", *at))
				text_add_char(&regex, '\\');
			text_add_char(&regex, *at);
		}
	}
	bool is_met = request->is_http && regex_matches(text_get(&regex), request->path);
	return (struct authz_fact){"path", request->is_http ? request->path : NULL, match->path_template, is_met};
}

/* ---- numbers ---- */

struct authz_fact authz_match_port(struct arena *arena, const struct authz_request *request, uint32_t port)
{
	return (struct authz_fact){"port", arena_printf(arena, "%u", request->port), arena_printf(arena, "%u", port),
	                           port == request->port};
}

bool authz_is_within(const char *address, const envoy_cidr_range *range)
{
	unsigned char a[sizeof(struct in6_addr)] = {0}, b[sizeof(struct in6_addr)] = {0};
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	uint32_t bits = range->prefix_len ? range->prefix_len->value : 0;
	if (inet_pton(family, address, a) != 1 || inet_pton(family, range->address_prefix, b) != 1)
		return false;
	for (uint32_t bit = 0; bit < bits; bit++)
		if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8)) & 1)
			return false;
	return true;
}

struct authz_fact authz_match_ip(struct arena *arena, const char *subject, const char *seen,
                                 const envoy_cidr_range *range)
{
	const char *wanted =
	    arena_printf(arena, "%s/%u", range->address_prefix, range->prefix_len ? range->prefix_len->value : 0);
	return (struct authz_fact){subject, seen, wanted, seen && authz_is_within(seen, range)};
}

/* ---- claims ---- */

static bool value_matches(const envoy_value_matcher *matcher, const struct json *value)
{
	switch ((int)matcher->match_pattern_case) {
	case VALUE(STRING_MATCH):
		return value->type == JSON_STRING && matches(matcher->string_match, value->string.s);
	case VALUE(LIST_MATCH):
		for (size_t i = 0; value->type == JSON_ARRAY && i < value->array.n; i++)
			if (value_matches(matcher->list_match->one_of, value->array.v[i]))
				return true;
		return false;
	case VALUE(OR_MATCH):
		for (size_t i = 0; i < matcher->or_match->n_value_matchers; i++)
			if (value_matches(matcher->or_match->value_matchers[i], value))
				return true;
		return false;
	default:
		return false;
	}
}

static void add_wanted(struct arena *arena, struct text *out, const envoy_value_matcher *matcher)
{
	if (matcher->match_pattern_case == VALUE(STRING_MATCH))
		text_printf(out, "%s%s", out->n ? " or " : "", wanted_text(arena, matcher->string_match));
	for (size_t i = 0; matcher->match_pattern_case == VALUE(OR_MATCH) && i < matcher->or_match->n_value_matchers;
	     i++)
		add_wanted(arena, out, matcher->or_match->value_matchers[i]); /* lists say the same again */
}

struct authz_fact authz_match_claim(struct arena *arena, const struct authz_request *request,
                                    const envoy_metadata_matcher *matcher)
{
	CLEANUP(text_done) struct text name = {0};
	CLEANUP(text_done) struct text wanted = {0};
	CLEANUP(text_done) struct text seen = {0};
	const struct json *value = request->claims;
	if (strcmp(matcher->filter, NAME_JWT_AUTHN) != 0)
		return authz_match_unknown(arena);
	text_add(&name, "claim");
	for (size_t i = 1; i < matcher->n_path; i++) { /* the first one is where the filter puts claims */
		text_printf(&name, "%s%s", i > 1 ? "." : " ", matcher->path[i]->key);
		value = value && value->type == JSON_OBJECT ? json_get(value, matcher->path[i]->key) : NULL;
	}
	add_wanted(arena, &wanted, matcher->value);
	if (value)
		json_print(value, 0, &seen);
	return (struct authz_fact){
	    arena_strdup(arena, text_get(&name)), value ? arena_strdup(arena, text_get(&seen)) : NULL,
	    arena_strdup(arena, text_get(&wanted)), value && value_matches(matcher->value, value)};
}

struct authz_fact authz_match_unknown(struct arena *arena)
{
	(void)arena;
	return (struct authz_fact){"metadata of other filters", NULL, "some", false};
}
