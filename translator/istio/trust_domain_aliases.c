#include "translator/istio/trust_domain_aliases.h"

#include "base/text.h"
#include "base/vec.h"

#include <string.h>

#define OWN_TRUST_DOMAIN "cluster.local"

typedef VEC(const char *) string_list;

/* "*-td" what ends so, "td-*" what begins so, else itself. */
static bool matches(const char *pattern, const char *s)
{
	size_t n = strlen(pattern);
	if (pattern[0] == '*')
		return text_has_suffix(s, pattern + 1);
	if (n > 0 && pattern[n - 1] == '*')
		return strncmp(s, pattern, n - 1) == 0;
	return strcmp(pattern, s) == 0;
}

static bool is_of_mesh(const struct strings *trust_domains, const char *pattern)
{
	for (size_t i = 0; i < trust_domains->n; i++)
		if (matches(pattern, trust_domains->v[i]))
			return true;
	return strcmp(pattern, OWN_TRUST_DOMAIN) == 0;
}

static void add_once(struct arena *arena, string_list *list, size_t from, const char *value)
{
	for (size_t i = from; i < list->n; i++)
		if (strcmp(list->v[i], value) == 0)
			return;
	VEC_PUSH(arena, list, value);
}

/* Of TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT; NULL when it is written otherwise, or any trust domain will do. */
static const char *trust_domain_of(struct arena *arena, const char *principal)
{
	size_t n_slashes = 0, n = strcspn(principal, "/");
	for (const char *at = principal; (at = strchr(at, '/')); at++)
		n_slashes++;
	return n_slashes == 4 && !(n == 1 && principal[0] == '*') ? arena_strndup(arena, principal, n) : NULL;
}

struct strings trust_domain_aliases_of_principals(struct arena *arena, const struct strings *trust_domains,
                                                  const struct strings *principals)
{
	string_list out = {0};
	for (size_t i = 0; i < principals->n; i++) {
		const char *principal = principals->v[i], *pattern = trust_domain_of(arena, principal);
		size_t from = out.n;
		if (!pattern || !is_of_mesh(trust_domains, pattern)) {
			VEC_PUSH(arena, &out, principal);
			continue;
		}
		for (size_t j = 0; j < trust_domains->n; j++) {
			const char *own = trust_domains->v[j];
			bool is_meant = pattern[0] == '*' && matches(pattern, own);
			add_once(arena, &out, from,
			         is_meant ? principal : arena_printf(arena, "%s%s", own, strchr(principal, '/')));
		}
	}
	return (struct strings){out.v, out.n};
}

static bool is_listed(const struct strings *list, const char *value)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], value) == 0)
			return true;
	return false;
}

struct strings trust_domain_aliases_of(struct arena *arena, const struct strings *trust_domains,
                                       const struct strings *values)
{
	string_list out = {0};
	for (size_t i = 0; i < values->n; i++) {
		if (!is_listed(trust_domains, values->v[i]))
			add_once(arena, &out, 0, values->v[i]);
		else
			for (size_t j = 0; j < trust_domains->n; j++)
				add_once(arena, &out, 0, trust_domains->v[j]);
	}
	return (struct strings){out.v, out.n};
}
