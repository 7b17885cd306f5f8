#include "translator/authz_overlap.h"

#include "base/text.h"
#include "translator/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How values are read. */
enum reading {
	READ_TEXT,  /* a "*" at one end is a wildcard */
	READ_HOST,  /* so, and upper and lower case are the same */
	READ_GLOB,  /* a "*" anywhere is a wildcard */
	READ_PATH,  /* as text; or a template of segments */
	READ_CLAIM, /* as text, but of more than one part: what a wildcard reaches over is not told */
	READ_PORT,
	READ_RANGE, /* an address or a subnet */
	READ_WORD,  /* no wildcards */
};

static const struct {
	enum reading reading;
	bool is_single;      /* a request has one at most */
	bool is_there;       /* each HTTP request has one */
	bool is_more_closed; /* found in more forms where a match closes */
} attributes[AUTHZ_ATTRIBUTES] = {
    [AUTHZ_HOST] = {READ_HOST, .is_single = true, .is_there = true, .is_more_closed = true},
    [AUTHZ_METHOD] = {READ_TEXT, .is_single = true, .is_there = true},
    [AUTHZ_PATH] = {READ_PATH, .is_single = true, .is_there = true},
    [AUTHZ_PORT] = {READ_PORT, .is_single = true},
    [AUTHZ_DESTINATION_IP] = {READ_RANGE, .is_single = true},
    [AUTHZ_SERVER_NAME] = {READ_TEXT, .is_single = true},
    [AUTHZ_PRINCIPAL] = {READ_TEXT, .is_single = true},
    [AUTHZ_REQUEST_PRINCIPAL] = {READ_CLAIM, .is_single = true},
    [AUTHZ_SERVICE_ACCOUNT] = {READ_WORD, .is_single = true},
    [AUTHZ_NAMESPACE] = {READ_GLOB, .is_single = true},
    [AUTHZ_TRUST_DOMAIN] = {READ_GLOB, .is_single = true},
    [AUTHZ_REMOTE_IP] = {READ_RANGE, .is_single = true},
    [AUTHZ_SOURCE_IP] = {READ_RANGE, .is_single = true},
    [AUTHZ_HEADER] = {READ_TEXT, .is_more_closed = true},
};

/* ---- values ---- */

struct pattern {
	const char *s; /* without the wildcard */
	size_t n;
	bool is_prefix, is_suffix; /* both: "*", anything */
};

static struct pattern pattern_of(const char *value)
{
	size_t n = strlen(value);
	if (value[0] == '*')
		return (struct pattern){value + 1, n - 1, n == 1, true};
	if (n > 0 && value[n - 1] == '*')
		return (struct pattern){value, n - 1, true, false};
	return (struct pattern){value, n, false, false};
}

typedef int compare_function(const char *, const char *, size_t);

static bool begins_with(const struct pattern *s, const struct pattern *with, compare_function *compare)
{
	return s->n >= with->n && compare(s->s, with->s, with->n) == 0;
}

static bool ends_with(const struct pattern *s, const struct pattern *with, compare_function *compare)
{
	return s->n >= with->n && compare(s->s + s->n - with->n, with->s, with->n) == 0;
}

static bool is_exact(const struct pattern *pattern)
{
	return !pattern->is_prefix && !pattern->is_suffix;
}

static bool pattern_covers(const char *wide, const char *narrow, compare_function *compare)
{
	struct pattern w = pattern_of(wide), n = pattern_of(narrow);
	if (w.is_prefix && w.is_suffix)
		return true;
	if (w.is_prefix)
		return !n.is_suffix && begins_with(&n, &w, compare);
	if (w.is_suffix)
		return !n.is_prefix && ends_with(&n, &w, compare);
	return is_exact(&n) && w.n == n.n && compare(w.s, n.s, n.n) == 0;
}

static bool patterns_meet(const char *one, const char *other, compare_function *compare)
{
	struct pattern a = pattern_of(one), b = pattern_of(other);
	if (is_exact(&a) || is_exact(&b))
		return pattern_covers(one, other, compare) || pattern_covers(other, one, compare);
	if (a.is_prefix != b.is_prefix || a.is_suffix != b.is_suffix)
		return true; /* "a*" and "*b", or one is "*" */
	return a.is_prefix ? begins_with(&a, &b, compare) || begins_with(&b, &a, compare)
	                   : ends_with(&a, &b, compare) || ends_with(&b, &a, compare);
}

static bool glob_matches(const char *glob, const char *s)
{
	const char *star = NULL, *from = s;
	while (*s) {
		if (*glob == '*') {
			star = ++glob;
			from = s;
		} else if (*glob == *s) {
			glob++;
			s++;
		} else if (star) {
			glob = star;
			s = ++from;
		} else {
			return false;
		}
	}
	return glob[strspn(glob, "*")] == '\0';
}

static bool globs_meet(const char *a, const char *b)
{
	bool has_stars = strchr(a, '*') && strchr(b, '*');
	return has_stars || glob_matches(a, b) || glob_matches(b, a);
}

/* Of a template only what stands before its first wildcard is looked at. */
static bool path_covers(const char *wide, const char *narrow)
{
	const char *brace = strstr(narrow, "{*");
	if (strcmp(wide, narrow) == 0)
		return true;
	if (strstr(wide, "{*"))
		return false;
	if (!brace)
		return pattern_covers(wide, narrow, strncmp);
	struct pattern w = pattern_of(wide), head = {narrow, (size_t)(brace - narrow), false, false};
	return w.is_prefix && (w.is_suffix || begins_with(&head, &w, strncmp));
}

static bool value_covers(enum authz_attribute attribute, const char *wide, const char *narrow)
{
	switch (attributes[attribute].reading) {
	case READ_TEXT:
		return pattern_covers(wide, narrow, strncmp);
	case READ_HOST:
		return pattern_covers(wide, narrow, strncasecmp);
	case READ_GLOB:
		return strcmp(wide, narrow) == 0 || glob_matches(wide, narrow);
	case READ_PATH:
		return path_covers(wide, narrow);
	case READ_CLAIM:
		return strcmp(wide, "*") == 0 || strcmp(wide, narrow) == 0;
	case READ_PORT:
		return strtoul(wide, NULL, 10) == strtoul(narrow, NULL, 10);
	case READ_RANGE:
		return address_range_covers(wide, narrow);
	case READ_WORD:
		break;
	}
	return strcmp(wide, narrow) == 0;
}

static bool values_meet(enum authz_attribute attribute, const char *a, const char *b)
{
	switch (attributes[attribute].reading) {
	case READ_TEXT:
		return patterns_meet(a, b, strncmp);
	case READ_HOST:
		return patterns_meet(a, b, strncasecmp);
	case READ_GLOB:
		return globs_meet(a, b);
	case READ_PATH:
		return strstr(a, "{*") || strstr(b, "{*") || patterns_meet(a, b, strncmp);
	case READ_CLAIM:
		return strchr(a, '*') || strchr(b, '*') || strcmp(a, b) == 0;
	case READ_PORT:
	case READ_RANGE:
	case READ_WORD:
		break;
	}
	return value_covers(attribute, a, b) || value_covers(attribute, b, a);
}

/* ---- lists ---- */

static bool some_covers(enum authz_attribute attribute, const struct strings *wide, const char *narrow)
{
	for (size_t i = 0; i < wide->n; i++)
		if (value_covers(attribute, wide->v[i], narrow))
			return true;
	return false;
}

static bool list_covers(enum authz_attribute attribute, const struct strings *wide, const struct strings *narrow)
{
	for (size_t i = 0; i < narrow->n; i++)
		if (!some_covers(attribute, wide, narrow->v[i]))
			return false;
	return true;
}

static bool has_text(const struct strings *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

/* ---- terms ---- */

bool authz_term_is_impossible(const struct authz_term *term, bool is_closing)
{
	const struct strings *not = &term->not_values;
	if (!not ->n)
		return false;
	if (attributes[term->attribute].reading == READ_RANGE) {
		const struct strings all = {(const char *const[]){"0.0.0.0/0", "::/0"}, 2};
		return list_covers(term->attribute, not, term->values.n ? &term->values : &all);
	}
	if (attributes[term->attribute].is_there || term->values.n) {
		if (has_text(not, "*"))
			return true;
	}
	if (!term->values.n || (is_closing && attributes[term->attribute].is_more_closed))
		return false;
	return list_covers(term->attribute, not, &term->values);
}

/* NAMESPACE of "TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT"; n 0: it is written otherwise. */
static struct pattern namespace_of_principal(const char *principal)
{
	const char *at = strchr(principal, '/');
	if (strchr(principal, '*') || !at || !text_has_prefix(at, "/ns/"))
		return (struct pattern){0};
	at += strlen("/ns/");
	size_t n = strcspn(at, "/");
	return text_has_prefix(at + n, "/sa/") ? (struct pattern){.s = at, .n = n} : (struct pattern){0};
}

/* Of principals in full and namespaces without wildcards. */
static bool are_of_other_namespaces(const struct strings *principals, const struct strings *namespaces)
{
	for (size_t i = 0; i < principals->n; i++) {
		struct pattern own = namespace_of_principal(principals->v[i]);
		for (size_t j = 0; j < namespaces->n; j++) {
			struct pattern wanted = {.s = namespaces->v[j], .n = strlen(namespaces->v[j])};
			if (own.n == 0 || strchr(wanted.s, '*'))
				return false;
			if (wanted.n == own.n && strncmp(wanted.s, own.s, own.n) == 0)
				return false;
		}
	}
	return principals->n > 0 && namespaces->n > 0;
}

static bool is_of_same(const struct authz_term *a, const struct authz_term *b)
{
	if (a->attribute != b->attribute || a->path.n != b->path.n || strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < a->path.n; i++)
		if (strcmp(a->path.v[i], b->path.v[i]) != 0)
			return false;
	return true;
}

bool authz_terms_exclude_each_other(const struct authz_term *a, const struct authz_term *b)
{
	if (a->attribute == AUTHZ_PRINCIPAL && b->attribute == AUTHZ_NAMESPACE)
		return are_of_other_namespaces(&a->values, &b->values);
	if (a->attribute == AUTHZ_NAMESPACE && b->attribute == AUTHZ_PRINCIPAL)
		return are_of_other_namespaces(&b->values, &a->values);
	if (!attributes[a->attribute].is_single || !is_of_same(a, b) || !a->values.n || !b->values.n)
		return false;
	for (size_t i = 0; i < a->values.n; i++)
		for (size_t j = 0; j < b->values.n; j++)
			if (values_meet(a->attribute, a->values.v[i], b->values.v[j]))
				return false;
	return true;
}

/* Whatever meets `narrow` meets `wide`. */
static bool term_covers(const struct authz_term *wide, const struct authz_term *narrow)
{
	if (!is_of_same(wide, narrow))
		return false;
	bool has_values =
	    !wide->values.n || (narrow->values.n && list_covers(wide->attribute, &wide->values, &narrow->values));
	return has_values && list_covers(wide->attribute, &narrow->not_values, &wide->not_values);
}

/* Each term of the wide ones is met where all of the narrow ones are. */
static bool terms_cover(const struct authz_terms *wide, const struct authz_terms *narrow)
{
	for (size_t i = 0; i < wide->n; i++) {
		bool is_met = false;
		for (size_t j = 0; j < narrow->n && !is_met; j++)
			is_met = term_covers(&wide->v[i], &narrow->v[j]);
		if (!is_met)
			return false;
	}
	return true;
}

static bool all_covered(const struct authz_terms *wide, size_t n_wide, const struct authz_terms *narrow, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool is_covered = false;
		for (size_t j = 0; j < n_wide && !is_covered; j++)
			is_covered = terms_cover(&wide[j], &narrow[i]);
		if (!is_covered)
			return false;
	}
	return true;
}

bool authz_rule_covers(const struct authz_rule *wide, const struct authz_rule *narrow)
{
	return all_covered(wide->sources, wide->n_sources, narrow->sources, narrow->n_sources) &&
	       all_covered(wide->operations, wide->n_operations, narrow->operations, narrow->n_operations);
}
