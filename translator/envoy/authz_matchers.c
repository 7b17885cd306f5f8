#include "translator/envoy/authz_matchers.h"

#include "base/text.h"
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/metadata_matchers.h"

#include <string.h>

#define STRING(name) ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_##name
#define SPIFFE "spiffe://"
#define TEMPLATE_ONE "{*}"
#define TEMPLATE_ANY "{**}"

/* ---- text ---- */

envoy_string_matcher *authz_regex(struct arena *arena, const char *regex)
{
	envoy_string_matcher *matcher = envoy_string_matcher_new(arena);
	matcher->match_pattern_case = STRING(SAFE_REGEX);
	matcher->safe_regex = envoy_regex_matcher_new(arena);
	matcher->safe_regex->regex = borrow(regex);
	return matcher;
}

envoy_string_matcher *authz_text(struct arena *arena, const char *value, bool is_case_ignored)
{
	size_t n = strlen(value);
	if (strcmp(value, "*") == 0)
		return authz_regex(arena, ".+");
	envoy_string_matcher *matcher = envoy_string_matcher_new(arena);
	matcher->ignore_case = is_case_ignored;
	if (value[0] == '*') {
		matcher->match_pattern_case = STRING(SUFFIX);
		matcher->suffix = borrow(value + 1);
	} else if (n > 0 && value[n - 1] == '*') {
		matcher->match_pattern_case = STRING(PREFIX);
		matcher->prefix = arena_strndup(arena, value, n - 1);
	} else {
		matcher->match_pattern_case = STRING(EXACT);
		matcher->exact = borrow(value);
	}
	return matcher;
}

envoy_header_matcher *authz_header(struct arena *arena, const char *name, const char *value, bool is_case_ignored)
{
	envoy_header_matcher *matcher = envoy_header_matcher_new(arena);
	matcher->name = borrow(name);
	if (strcmp(value, "*") == 0) {
		matcher->header_match_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH;
		matcher->present_match = true;
		return matcher;
	}
	matcher->header_match_specifier_case =
	    ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
	matcher->string_match = authz_text(arena, value, is_case_ignored);
	return matcher;
}

/* ---- SPIFFE ids ---- */

/* As it stands, for an expression; with `star`, "*" is that. */
static void add_quoted(struct text *regex, const char *s, size_t n, const char *star)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '*' && star) {
			text_add(regex, star);
			continue;
		}
		if (strchr("\\.+*?()|[]{}^$", s[i]))
			text_add_char(regex, '\\');
		text_add_char(regex, s[i]);
	}
}

static envoy_string_matcher *principal(struct arena *arena, const char *value)
{
	CLEANUP(text_done) struct text regex = {0};
	if (value[0] != '*' || !value[1])
		return authz_text(arena, value[0] == '*' ? value : arena_printf(arena, SPIFFE "%s", value), false);
	text_add(&regex, SPIFFE ".*");
	add_quoted(&regex, value + 1, strlen(value + 1), NULL);
	return authz_regex(arena, arena_strdup(arena, text_get(&regex)));
}

/* Whatever else the id says between and behind, but no longer name. */
static void add_account(struct text *regex, const char *value)
{
	size_t n = strcspn(value, "/");
	text_add(regex, SPIFFE ".+/ns/");
	add_quoted(regex, value, n, NULL);
	text_add(regex, "/(.+/|)sa/");
	add_quoted(regex, value + n + 1, strlen(value + n + 1), NULL);
	text_add(regex, "(/.+)?");
}

/*
 * Istio's expression would find a namespace wherever a "/" is. In ids of the mesh that is the same but for values that
 * the word "sa" is one of: "*a" is all of "default/sa", and "s*" stands behind "/ns" of a namespace that is called
 * "ns".
 */
static void add_namespace(struct text *regex, const char *value)
{
	size_t n = strlen(value);
	bool is_suffix = value[0] == '*' && text_has_suffix("sa", value + 1);
	bool is_prefix = n > 1 && value[n - 1] == '*' && strncmp("sa", value, n - 1) == 0;
	bool is_loose = strcmp(value, "*") == 0 || !(is_suffix || is_prefix || strcmp(value, "sa") == 0);
	text_add(regex, is_loose ? ".*/ns/" : SPIFFE "[^/]+/ns/");
	add_quoted(regex, value, n, is_loose ? ".*" : "[^/]*");
	text_add(regex, "/.*");
}

envoy_string_matcher *authz_spiffe_id(struct arena *arena, enum authz_attribute attribute, const char *value)
{
	CLEANUP(text_done) struct text regex = {0};
	if (attribute == AUTHZ_PRINCIPAL)
		return principal(arena, value);
	if (attribute == AUTHZ_SERVICE_ACCOUNT) {
		add_account(&regex, value);
	} else if (attribute == AUTHZ_NAMESPACE) {
		add_namespace(&regex, value);
	} else {
		text_add(&regex, SPIFFE);
		add_quoted(&regex, value, strlen(value), "[^/]*");
		text_add(&regex, "/.*");
	}
	return authz_regex(arena, arena_strdup(arena, text_get(&regex)));
}

/* ---- what closes, in all forms ---- */

/* Any bytes: "." is for characters of UTF-8, and a caller may send others. */
#define ANYTHING "\\C*"
/* Envoy takes no expression beyond some size, and gives up the whole listener. */
#define QUOTED_MAX 512

/* The value with what may be before and behind it. */
static envoy_string_matcher *text_within(struct arena *arena, const char *before, const char *value, const char *behind)
{
	size_t n = strlen(value);
	bool is_suffix = value[0] == '*', is_prefix = !is_suffix && n > 0 && value[n - 1] == '*';
	const char *text = value + is_suffix;
	n -= is_suffix + is_prefix;
	if (n > QUOTED_MAX) {
		envoy_string_matcher *matcher = envoy_string_matcher_new(arena);
		matcher->match_pattern_case = STRING(CONTAINS);
		matcher->contains = arena_strndup(arena, text, n);
		return matcher;
	}
	CLEANUP(text_done) struct text regex = {0};
	text_printf(&regex, "%s%s", before, is_suffix ? ANYTHING : "");
	add_quoted(&regex, text, n, NULL);
	text_printf(&regex, "%s%s", is_prefix ? ANYTHING : "", behind);
	return authz_regex(arena, arena_strdup(arena, text_get(&regex)));
}

static envoy_header_matcher *header_within(struct arena *arena, const char *name, const char *before, const char *value,
                                           const char *behind)
{
	if (strcmp(value, "*") == 0)
		return authz_header(arena, name, value, false);
	envoy_header_matcher *matcher = envoy_header_matcher_new(arena);
	matcher->name = borrow(name);
	matcher->header_match_specifier_case =
	    ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
	matcher->string_match = text_within(arena, before, value, behind);
	return matcher;
}

envoy_header_matcher *authz_header_element(struct arena *arena, const char *name, const char *value)
{
	return header_within(arena, name, "(" ANYTHING ",)?[ \\t]*", value, "[ \\t]*(," ANYTHING ")?");
}

envoy_header_matcher *authz_host_in_all_forms(struct arena *arena, const char *value)
{
	return header_within(arena, ":authority", "(?i)(" ANYTHING "@)?", value, "\\.?(:" ANYTHING ")?");
}

/* ---- metadata ---- */

/* One needs no "or" around it. */
static envoy_value_matcher *values_text(struct arena *arena, const struct strings *values)
{
	if (values->n == 1)
		return value_text(arena, authz_text(arena, values->v[0], false));
	envoy_value_matcher *any = value_any_of(arena);
	for (size_t i = 0; i < values->n; i++)
		BUILD_ADD(arena, any->or_match, value_matchers,
		          value_text(arena, authz_text(arena, values->v[i], false)));
	return any;
}

envoy_metadata_matcher *authz_claim_text(struct arena *arena, const char *claim, envoy_string_matcher *text)
{
	return metadata_of_claim(arena, &(struct strings){&claim, 1}, value_text(arena, text));
}

envoy_metadata_matcher *authz_claim(struct arena *arena, const struct strings *path, const struct strings *values)
{
	return metadata_of_claim(arena, path, value_or_element(arena, values_text(arena, values)));
}

static envoy_value_matcher *value_of_filter(struct arena *arena, const char *value)
{
	size_t n = strlen(value);
	if (n < 2 || value[0] != '[' || value[n - 1] != ']')
		return value_text(arena, authz_text(arena, value, false));
	return value_list(arena, value_text(arena, authz_text(arena, arena_strndup(arena, value + 1, n - 2), false)));
}

envoy_metadata_matcher *authz_filter_metadata(struct arena *arena, const char *filter, const char *member,
                                              const struct strings *values)
{
	envoy_metadata_matcher *matcher = metadata_of_filter(arena, filter, member);
	if (values->n == 1) {
		matcher->value = value_of_filter(arena, values->v[0]);
		return matcher;
	}
	matcher->value = value_any_of(arena);
	for (size_t i = 0; i < values->n; i++)
		BUILD_ADD(arena, matcher->value->or_match, value_matchers, value_of_filter(arena, values->v[i]));
	return matcher;
}

/* ---- paths ---- */

bool authz_is_path_template(const char *value)
{
	return strstr(value, TEMPLATE_ONE) || strstr(value, TEMPLATE_ANY);
}

/* How long the wildcard is that stands there, as one is at the beginning of a segment, or 0. */
static size_t wildcard_length(const char *value, const char *at)
{
	if (at == value || at[-1] != '/')
		return 0;
	return text_has_prefix(at, TEMPLATE_ANY)   ? strlen(TEMPLATE_ANY)
	       : text_has_prefix(at, TEMPLATE_ONE) ? strlen(TEMPLATE_ONE)
	                                           : 0;
}

/* What a path may have, but "/": two ranges, for there may be a hundred of them in an expression that Envoy takes. */
#define SEGMENT "[!-.0-~]+"

envoy_string_matcher *authz_path_template_in_all_forms(struct arena *arena, const char *value)
{
	CLEANUP(text_done) struct text regex = {0};
	for (const char *at = value; *at;) {
		size_t n = wildcard_length(value, at);
		if (n)
			text_add(&regex, n == strlen(TEMPLATE_ANY) ? ANYTHING : SEGMENT);
		else if (!strchr("{}", *at)) /* within a segment what is in braces is as it stands, without them */
			add_quoted(&regex, at, 1, NULL);
		at += n ? n : 1;
	}
	return authz_regex(arena, arena_strdup(arena, text_get(&regex)));
}

/* Envoy writes the same without braces. */
static const char *without_braces(struct arena *arena, const char *value)
{
	CLEANUP(text_done) struct text out = {0};
	for (const char *at = value; *at;) {
		bool is_one = text_has_prefix(at, TEMPLATE_ONE), is_any = text_has_prefix(at, TEMPLATE_ANY);
		if (is_one || is_any)
			text_add(&out, is_one ? "*" : "**");
		else
			text_add_char(&out, *at);
		at += is_one ? strlen(TEMPLATE_ONE) : is_any ? strlen(TEMPLATE_ANY) : 1;
	}
	return arena_strdup(arena, text_get(&out));
}

envoy_typed_extension_config *authz_path_template(struct arena *arena, const char *value)
{
	envoy_uri_template_match *match = envoy_uri_template_match_new(arena);
	match->path_template = borrow(without_braces(arena, value));
	envoy_typed_extension_config *config = envoy_typed_extension_config_new(arena);
	config->name = borrow(NAME_URI_TEMPLATE);
	config->typed_config = pack_any(arena, &match->base);
	return config;
}
