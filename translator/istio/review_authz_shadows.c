/*
 * Policies against each other: one that matches nothing but what a wider one has decided already changes nothing.
 * Policies that could be wider are found by a label that they ask for, so that not each is compared with each.
 */
#include "base/text.h"
#include "base/vec.h"
#include "translator/authz_overlap.h"
#include "translator/istio/policy_review.h"

#include <string.h>

#define COMPARED_MAX 256 /* rules that one is compared with: a namespace may have thousands */

typedef VEC(const struct authz_policy *) policy_list;

struct shadows {
	const struct policy_review *review;
	struct map by_label; /* "NAMESPACE KEY=VALUE", "NAMESPACE " without labels -> policy_list */
};

/* A rule of a policy; of two that match the same, the one that comes first counts. */
struct shadow {
	const struct authz_policy *policy; /* NULL: none */
	size_t rule;
};

static bool is_compared(const struct authz_policy *policy)
{
	return (policy->action == AUTHZ_ALLOW || policy->action == AUTHZ_DENY) && !policy->is_dry_run &&
	       !policy->source.object->is_stand_in;
}

/* ---- who could be wider ---- */

static const char *key_of(struct arena *arena, const char *namespace, const struct label *label)
{
	return label ? arena_printf(arena, "%s %s=%s", namespace, label->key, label->value)
	             : arena_printf(arena, "%s ", namespace);
}

static void index_policy(struct shadows *shadows, const struct authz_policy *policy)
{
	struct arena *arena = shadows->review->arena;
	for (size_t i = 0; i < policy->selectors.n; i++) {
		const struct labels *selector = &policy->selectors.v[i];
		const char *key = key_of(arena, policy->namespace, selector->n ? &selector->v[0] : NULL);
		void **slot = map_slot(arena, &shadows->by_label, key);
		if (!*slot)
			*slot = ARENA_NEW(arena, policy_list);
		policy_list *list = *slot;
		VEC_PUSH(arena, list, policy);
	}
}

/* Whether each workload of `narrow` is one of `wide`, which is in its namespace or the mesh's, as far as selectors say:
 * a workload with all labels of a selector has all of one that asks for fewer of them. */
static bool is_wider(const struct authz_policy *wide, const struct authz_policy *narrow)
{
	for (size_t i = 0; i < narrow->selectors.n; i++)
		if (!workload_selectors_match(&wide->selectors, &narrow->selectors.v[i]))
			return false;
	return narrow->selectors.n > 0;
}

/* ---- what they match ---- */

static int compare(const struct authz_policy *a, const struct authz_policy *b)
{
	int order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

/* Of two policies of a namespace, for the same workloads and with the same action. */
static bool are_alike(const struct authz_policy *a, const struct authz_policy *b)
{
	return a->action == b->action && strcmp(a->namespace, b->namespace) == 0 && is_wider(a, b) && is_wider(b, a);
}

static bool is_shadowed_by(const struct authz_policy *policy, size_t rule, const struct authz_policy *other,
                           size_t other_rule)
{
	const struct authz_rule *one = &policy->rules[rule], *two = &other->rules[other_rule];
	int order = compare(other, policy);
	if ((order == 0 && rule == other_rule) || !authz_rule_covers(two, one))
		return false;
	bool is_first = order < 0 || (order == 0 && other_rule < rule);
	return is_first || !are_alike(policy, other) || !authz_rule_covers(one, two);
}

/* *n_left: how many more rules may be compared. */
static struct shadow shadow_in(const struct authz_policy *policy, size_t rule, const policy_list *others,
                               size_t *n_left)
{
	for (size_t i = 0; others && i < others->n; i++) {
		const struct authz_policy *other = others->v[i];
		if ((other->action != AUTHZ_DENY && other->action != policy->action) || !is_wider(other, policy))
			continue;
		for (size_t j = 0; j < other->n_rules; j++) {
			if (*n_left == 0)
				return (struct shadow){0};
			--*n_left;
			if (is_shadowed_by(policy, rule, other, j))
				return (struct shadow){other, j};
		}
	}
	return (struct shadow){0};
}

static struct shadow shadow_of(const struct shadows *shadows, const struct authz_policy *policy, size_t rule)
{
	struct arena *arena = shadows->review->arena;
	const char *root = shadows->review->draft->model->mesh.root_namespace;
	const char *const namespaces[] = {root, policy->namespace};
	const struct labels *selector = &policy->selectors.v[0];
	size_t n_left = COMPARED_MAX;
	struct shadow shadow = {0};
	for (size_t i = strcmp(root, policy->namespace) == 0; i < 2 && !shadow.policy; i++) {
		const char *key = key_of(arena, namespaces[i], NULL);
		shadow = shadow_in(policy, rule, map_get(&shadows->by_label, key), &n_left);
		for (size_t j = 0; j < selector->n && !shadow.policy; j++) {
			key = key_of(arena, namespaces[i], &selector->v[j]);
			shadow = shadow_in(policy, rule, map_get(&shadows->by_label, key), &n_left);
		}
	}
	return shadow;
}

/* ---- rows ---- */

static const char *verb_of(const struct authz_policy *policy)
{
	return policy->action == AUTHZ_DENY ? "denies" : "allows";
}

static void say_of_rule(const struct shadows *shadows, const struct authz_policy *policy, size_t rule,
                        const struct shadow *shadow)
{
	struct rule_review review = {.all = shadows->review, .policy = policy, .place = rule};
	if (shadow->policy == policy)
		rule_review_say(&review, REPORT_WARNING, "", "has no effect: rule %zu %s all of it already",
		                shadow->rule, verb_of(policy));
	else
		rule_review_say(&review, REPORT_WARNING, "",
		                "has no effect: AuthorizationPolicy %s/%s, rule %zu, %s all of it%s",
		                shadow->policy->namespace, shadow->policy->name, shadow->rule, verb_of(shadow->policy),
		                shadow->policy->action == policy->action ? " already" : "");
}

/* Matches everything. */
static bool is_empty(const struct authz_rule *rule)
{
	return rule->n_sources == 1 && rule->sources[0].n == 0 && rule->n_operations == 1 && rule->operations[0].n == 0;
}

static void say_of_policy(const struct shadows *shadows, const struct authz_policy *policy, const struct shadow *shadow)
{
	const struct authz_policy *other = shadow->policy;
	report_add(shadows->review->draft->report, policy->source.object, REPORT_WARNING, REASON_NO_EFFECT, NULL,
	           "AuthorizationPolicy %s/%s %s %s: this one has no effect", other->namespace, other->name,
	           verb_of(other),
	           is_empty(&other->rules[shadow->rule]) ? "everything to these workloads"
	           : other->action == policy->action     ? "all that this one does"
	                                                 : "all that this one allows");
}

static void review_shadow(const struct shadows *shadows, const struct authz_policy *policy)
{
	struct arena *arena = shadows->review->arena;
	struct shadow *found = ARENA_NEW_N(arena, struct shadow, policy->n_rules);
	bool is_whole = policy->n_rules > 0;
	for (size_t i = 0; i < policy->n_rules; i++) {
		found[i] = shadow_of(shadows, policy, i);
		is_whole &= found[i].policy && found[i].policy != policy && found[i].policy == found[0].policy;
	}
	if (is_whole) {
		say_of_policy(shadows, policy, &found[0]);
		return;
	}
	for (size_t i = 0; i < policy->n_rules; i++)
		if (found[i].policy)
			say_of_rule(shadows, policy, i, &found[i]);
}

void review_authz_shadows(const struct policy_review *review)
{
	const struct model *model = review->draft->model;
	struct shadows shadows = {.review = review};
	for (size_t i = 0; i < model->n_authz_policies; i++)
		if (is_compared(model->authz_policies[i]))
			index_policy(&shadows, model->authz_policies[i]);
	for (size_t i = 0; i < model->n_authz_policies; i++)
		if (is_compared(model->authz_policies[i]) && model->authz_policies[i]->selectors.n)
			review_shadow(&shadows, model->authz_policies[i]);
}
