/* Values that nothing in this mesh has: paths in a form that is compared in another, foreign trust domains, namespaces
 * that are not there. */
#include "base/text.h"
#include "translator/authz_path.h"
#include "translator/istio/policy_review.h"

#include <string.h>

#define FILLER "x" /* for what a wildcard stands for */

/* ---- paths ---- */

/* With an ordinary text where a template or a wildcard leaves it open. */
static const char *example_of(struct arena *arena, const char *value)
{
	CLEANUP(text_done) struct text example = {0};
	size_t n = strlen(value);
	bool is_template = strstr(value, "{*}") || strstr(value, "{**}");
	if (value[0] == '*')
		text_add(&example, "/" FILLER);
	for (size_t i = value[0] == '*'; i < n;) {
		size_t length = !is_template                         ? 0
		                : text_has_prefix(value + i, "{*}")  ? strlen("{*}")
		                : text_has_prefix(value + i, "{**}") ? strlen("{**}")
		                                                     : 0;
		bool is_wildcard = length > 0 || (!is_template && value[i] == '*' && i + 1 == n && value[0] != '*');
		if (is_wildcard)
			text_add(&example, FILLER);
		else
			text_add_char(&example, value[i]);
		i += length > 0 ? length : 1;
	}
	return arena_strdup(arena, text_get(&example));
}

static void review_paths(const struct rule_review *review, const struct term_place *place, const char *value)
{
	const struct mesh *mesh = &review->all->draft->model->mesh;
	const struct authz_path_rules rules = {mesh->is_slash_decoded, mesh->is_path_normalized,
	                                       mesh->is_merge_slashes};
	const char *example = example_of(review->all->arena, value);
	const char *compared = authz_path(review->all->arena, example, &rules);
	const char *field = term_place_field(review->all->arena, place);
	if (strpbrk(value, "?#"))
		rule_review_say(review, REPORT_WARNING, field,
		                "\"%s\" never matches: paths are compared without what follows \"?\" or \"#\"", value);
	else if (strcmp(example, compared) != 0)
		rule_review_say(review, REPORT_WARNING, field,
		                "\"%s\" never matches: by pathNormalization, %s is compared as %s", value, example,
		                compared);
}

/* ---- names ---- */

static bool is_listed(const struct strings *list, const char *s, size_t n)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->v[i]) == n && strncmp(list->v[i], s, n) == 0)
			return true;
	return false;
}

/* Of n bytes. */
static void review_trust_domain(const struct rule_review *review, const struct term_place *place, const char *domain,
                                size_t n)
{
	const struct mesh *mesh = &review->all->draft->model->mesh;
	if (place->is_not || memchr(domain, '*', n) || is_listed(&mesh->trust_domains, domain, n))
		return;
	rule_review_say(review, REPORT_WARNING, term_place_field(review->all->arena, place),
	                "trust domain %.*s is none of the mesh's, so no caller has it; the mesh's is %s, and one that "
	                "it had before is to be named in trustDomainAliases",
	                (int)n, domain, mesh->trust_domain);
}

/* Those that every cluster has need no object. */
static bool is_namespace_known(const struct policy_review *review, const char *namespace)
{
	return !review->namespaces.n || map_has(&review->namespaces, namespace) || strcmp(namespace, "default") == 0 ||
	       text_has_prefix(namespace, "kube-") || strcmp(namespace, review->draft->model->mesh.root_namespace) == 0;
}

static void review_namespace(const struct rule_review *review, const struct term_place *place, const char *namespace)
{
	if (strpbrk(namespace, "*/") || is_namespace_known(review->all, namespace))
		return;
	rule_review_say(review, REPORT_WARNING, term_place_field(review->all->arena, place),
	                "the mesh has no namespace %s, so no caller is of it", namespace);
}

/* TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT. */
static void review_principal(const struct rule_review *review, const struct term_place *place, const char *value)
{
	size_t n = strcspn(value, "/");
	if (n == 0 || !text_has_prefix(value + n, "/ns/"))
		return;
	review_trust_domain(review, place, value, n);
	const char *namespace = value + n + strlen("/ns/");
	size_t n_namespace = strcspn(namespace, "/");
	bool is_own = is_listed(&review->all->draft->model->mesh.trust_domains, value, n);
	if (is_own && namespace[n_namespace] == '/')
		review_namespace(review, place, arena_strndup(review->all->arena, namespace, n_namespace));
}

static void review_account(const struct rule_review *review, const struct term_place *place, const char *value)
{
	review_namespace(review, place, arena_strndup(review->all->arena, value, strcspn(value, "/")));
}

static void review_domain(const struct rule_review *review, const struct term_place *place, const char *value)
{
	review_trust_domain(review, place, value, strlen(value));
}

/* ---- all of a rule ---- */

static void (*const reviews[AUTHZ_ATTRIBUTES])(const struct rule_review *, const struct term_place *, const char *) = {
    [AUTHZ_PATH] = review_paths,          [AUTHZ_PRINCIPAL] = review_principal,
    [AUTHZ_NAMESPACE] = review_namespace, [AUTHZ_SERVICE_ACCOUNT] = review_account,
    [AUTHZ_TRUST_DOMAIN] = review_domain,
};

static void review_terms(const struct rule_review *review, const struct authz_terms *terms, size_t i)
{
	for (size_t j = 0; j < terms->n; j++) {
		const struct authz_term *term = &terms->v[j];
		for (int is_not = 0; reviews[term->attribute] && is_not <= 1; is_not++) {
			const struct strings *values = is_not ? &term->not_values : &term->values;
			const struct term_place place = {.term = term, .i = i, .is_not = is_not};
			for (size_t k = 0; k < values->n; k++)
				reviews[term->attribute](review, &place, values->v[k]);
		}
	}
}

void review_authz_values(const struct rule_review *review)
{
	for (size_t i = 0; i < review->rule->n_sources; i++)
		review_terms(review, &review->rule->sources[i], i);
	for (size_t i = 0; i < review->rule->n_operations; i++)
		review_terms(review, &review->rule->operations[i], i);
}
