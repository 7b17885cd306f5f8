#include "translator/request_authentication.h"

#include "base/vec.h"
#include "translator/model.h"

#include <string.h>
#include <strings.h>

void digest_add_jwt_rules(struct digest_state *state, const struct jwt_rules *rules)
{
	digest_add_u64(state, rules->n);
	for (size_t i = 0; i < rules->n; i++)
		digest_add_digest(state, rules->v[i]->digest);
}

/* ---- places of tokens ---- */

static const struct token_header usual_headers[] = {{"authorization", "Bearer "}};
static const char *const usual_params[] = {"access_token"};

struct places {
	const struct token_header *headers;
	size_t n_headers;
	struct strings params, cookies;
};

static struct places places_of(const struct jwt_rule *rule)
{
	if (rule->n_headers || rule->params.n || rule->cookies.n)
		return (struct places){rule->headers, rule->n_headers, rule->params, rule->cookies};
	return (struct places){.headers = usual_headers, .n_headers = 1, .params = {usual_params, 1}};
}

static bool share_one(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (strcmp(a->v[i], b->v[j]) == 0)
				return true;
	return false;
}

bool jwt_rules_meet(const struct jwt_rule *a, const struct jwt_rule *b)
{
	struct places x = places_of(a), y = places_of(b);
	for (size_t i = 0; i < x.n_headers; i++)
		for (size_t j = 0; j < y.n_headers; j++)
			if (strcasecmp(x.headers[i].name, y.headers[j].name) == 0)
				return true;
	return share_one(&x.params, &y.params) || share_one(&x.cookies, &y.cookies);
}

/* ---- the rules of a workload ---- */

typedef VEC(const struct jwt_rule *) rule_list;

/* Behind all of its issuer: whose rules come first stays first. */
static void insert(struct arena *arena, rule_list *rules, const struct jwt_rule *rule)
{
	VEC_PUSH(arena, rules, rule);
	size_t at = rules->n - 1;
	for (; at > 0 && strcmp(rules->v[at - 1]->issuer, rule->issuer) > 0; at--)
		rules->v[at] = rules->v[at - 1];
	rules->v[at] = rule;
}

/* The place of the namespace's first, or where it would be. */
static size_t first_of(const struct model *model, const char *namespace)
{
	size_t low = 0, high = model->n_request_authentications;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(model->request_authentications[middle]->namespace, namespace) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct jwt_rules model_jwt_rules(struct arena *arena, const struct model *model, const char *namespace,
                                 const struct labels *labels)
{
	const char *const namespaces[] = {model->mesh.root_namespace, namespace};
	size_t n_namespaces = strcmp(namespaces[0], namespace) == 0 ? 1 : 2;
	rule_list rules = {0};
	for (size_t i = 0; i < n_namespaces; i++) {
		size_t at = first_of(model, namespaces[i]);
		for (; at < model->n_request_authentications; at++) {
			const struct request_authentication *from = model->request_authentications[at];
			if (strcmp(from->namespace, namespaces[i]) != 0)
				break;
			for (size_t j = 0; j < from->n_rules && workload_selectors_match(&from->selectors, labels); j++)
				insert(arena, &rules, &from->rules[j]);
		}
	}
	return (struct jwt_rules){rules.v, rules.n};
}
