/*
 * What is legal in AuthorizationPolicies but hardly meant: rules that cannot match, that others make pointless, that
 * count on identities where plaintext comes in, that name ports nobody serves. Against the finished model: which
 * workloads a policy covers, what they take, what they serve.
 */
#include "translator/istio/istio_parts.h"

#include <stdlib.h>
#include <string.h>

/* A policy, and what is known of the workloads that it covers. */
struct review {
	struct draft *draft;
	const struct model *model;
	const struct authz_policy *policy;
	size_t n_workloads;
	enum mtls_mode least_mode, most_mode; /* of those workloads; with n_workloads */
	struct map served;                    /* their ports, as text */
};

/* ---- whom it covers ---- */

static bool is_of_mesh(const struct model *model, const struct authz_policy *policy)
{
	return strcmp(policy->namespace, model->mesh.root_namespace) == 0;
}

static bool covers(const struct review *review, const struct workload *workload)
{
	bool is_near =
	    is_of_mesh(review->model, review->policy) || strcmp(workload->namespace, review->policy->namespace) == 0;
	return is_near && workload_selectors_match(&review->policy->selectors, &workload->labels);
}

static void note_mode(struct review *review, enum mtls_mode mode)
{
	if (review->n_workloads == 0 || mode < review->least_mode)
		review->least_mode = mode;
	if (review->n_workloads == 0 || mode > review->most_mode)
		review->most_mode = mode;
}

static void note_served(struct review *review, const struct workload *workload)
{
	struct arena *arena = review->draft->arena;
	for (size_t i = 0; i < workload->addresses.n; i++) {
		const struct served_ports *served =
		    map_get(&review->model->served_by_address, workload->addresses.v[i]);
		for (size_t j = 0; served && j < served->n; j++)
			map_put(arena, &review->served, arena_printf(arena, "%u", served->v[j].target_port), review);
	}
}

static void look_at_workloads(struct review *review)
{
	const struct model *model = review->model;
	for (size_t i = 0; i < model->n_workloads; i++) {
		const struct workload *workload = model->workloads[i];
		if (!covers(review, workload))
			continue;
		const struct mtls_settings mtls =
		    model_mtls(review->draft->arena, model, workload->namespace, &workload->labels);
		note_mode(review, mtls.mode);
		note_served(review, workload);
		review->n_workloads++;
	}
}

/* ---- rows ---- */

__attribute__((format(printf, 3, 4))) static void warn(const struct review *review, size_t rule, const char *format,
                                                       ...)
{
	struct arena *arena = review->draft->arena;
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(arena, format, args);
	va_end(args);
	report_add(review->draft->report, review->policy->source.object, REPORT_WARNING, REASON_NO_EFFECT,
	           arena_printf(arena, "spec.rules[%zu]", rule), "%s", message);
}

static bool is_of_peer(enum authz_attribute attribute)
{
	return attribute == AUTHZ_PRINCIPAL || attribute == AUTHZ_NAMESPACE || attribute == AUTHZ_SERVICE_ACCOUNT ||
	       attribute == AUTHZ_TRUST_DOMAIN;
}

/* Whether every value is also excluded, as it stands or by "*". */
static bool excludes_itself(const struct authz_term *term)
{
	for (size_t i = 0; i < term->values.n; i++) {
		bool is_excluded = false;
		for (size_t j = 0; j < term->not_values.n && !is_excluded; j++)
			is_excluded = strcmp(term->not_values.v[j], "*") == 0 ||
			              strcmp(term->not_values.v[j], term->values.v[i]) == 0;
		if (!is_excluded)
			return false;
	}
	return term->values.n > 0;
}

static void review_contradictions(const struct review *review, size_t rule, const struct authz_terms *all, size_t n)
{
	size_t n_impossible = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < all[i].n; j++)
			if (excludes_itself(&all[i].v[j])) {
				n_impossible++;
				break;
			}
	if (n > 0 && n_impossible == n)
		warn(review, rule, "can never match: what it asks for it excludes as well");
}

/* Of plaintext no identity is known. */
static void review_identity(const struct review *review, size_t rule, const struct authz_terms *sources)
{
	bool has_values = false, has_not_values = false;
	for (size_t i = 0; i < sources->n; i++) {
		if (!is_of_peer(sources->v[i].attribute))
			continue;
		has_values |= sources->v[i].values.n > 0;
		has_not_values |= sources->v[i].values.n == 0;
	}
	bool is_deny = review->policy->action == AUTHZ_DENY || review->policy->action == AUTHZ_CUSTOM;
	if (has_values && review->most_mode == MTLS_DISABLE)
		warn(review, rule,
		     "can never match: it asks who the caller is, and mutual TLS is disabled for the workloads that it "
		     "is for");
	else if (has_values && is_deny && review->least_mode != MTLS_STRICT)
		warn(review, rule,
		     "does not hold for plaintext, of which no caller is known and which the workloads take: set "
		     "PeerAuthentication STRICT");
	else if (has_not_values && !has_values && !is_deny && review->least_mode != MTLS_STRICT)
		warn(review, rule,
		     "lets plaintext in, of which no caller is known: set PeerAuthentication STRICT, or ask for "
		     "principal \"*\" as well");
}

static void review_ports(const struct review *review, size_t rule, const struct authz_terms *operations)
{
	if (review->served.n == 0)
		return;
	for (size_t i = 0; i < operations->n; i++) {
		const struct authz_term *term = &operations->v[i];
		for (size_t j = 0; term->attribute == AUTHZ_PORT && j < term->values.n; j++)
			if (!map_has(&review->served, term->values.v[j]))
				warn(
				    review, rule,
				    "names port %s, which none of the workloads that it is for serves: ports are those "
				    "of the workload, not of its Service",
				    term->values.v[j]);
	}
}

/* ---- policies against each other ---- */

/* Matches everything. */
static bool is_empty(const struct authz_rule *rule)
{
	return rule->n_sources == 1 && rule->sources[0].n == 0 && rule->n_operations == 1 && rule->operations[0].n == 0;
}

static bool has_empty_rule(const struct authz_policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++)
		if (is_empty(&policy->rules[i]))
			return true;
	return false;
}

static bool is_selector_wider(const struct labels *wide, const struct labels *narrow)
{
	return labels_match(wide, narrow); /* a workload with all of narrow's labels has all of wide's */
}

/* Whether each workload of `narrow` is one of `wide`, as far as selectors say. */
static bool is_wider(const struct model *model, const struct authz_policy *wide, const struct authz_policy *narrow)
{
	if (!is_of_mesh(model, wide) && strcmp(wide->namespace, narrow->namespace) != 0)
		return false;
	for (size_t i = 0; i < narrow->selectors.n; i++) {
		bool is_covered = false;
		for (size_t j = 0; j < wide->selectors.n && !is_covered; j++)
			is_covered = is_selector_wider(&wide->selectors.v[j], &narrow->selectors.v[i]);
		if (!is_covered)
			return false;
	}
	return narrow->selectors.n > 0;
}

/* The policy that makes this one pointless, or NULL. */
static const struct authz_policy *shadow_of(const struct model *model, const struct authz_policy *policy)
{
	for (size_t i = 0; i < model->n_authz_policies; i++) {
		const struct authz_policy *other = model->authz_policies[i];
		bool is_stronger = other->action == AUTHZ_DENY || other->action == policy->action;
		if (other != policy && !other->is_dry_run && is_stronger && has_empty_rule(other) &&
		    !(other->action == policy->action && has_empty_rule(policy)) && is_wider(model, other, policy))
			return other;
	}
	return NULL;
}

static void review_shadow(const struct review *review)
{
	const struct authz_policy *policy = review->policy;
	if (policy->action == AUTHZ_AUDIT || policy->action == AUTHZ_CUSTOM)
		return;
	const struct authz_policy *other = shadow_of(review->model, policy);
	if (other)
		report_add(review->draft->report, policy->source.object, REPORT_WARNING, REASON_NO_EFFECT, NULL,
		           "AuthorizationPolicy %s/%s %s everything to these workloads: this one has no effect",
		           other->namespace, other->name, other->action == AUTHZ_DENY ? "denies" : "allows");
}

static void review_policy(struct draft *draft, const struct authz_policy *policy)
{
	struct review review = {.draft = draft, .model = draft->model, .policy = policy};
	if (policy->source.object->is_stand_in)
		return;
	look_at_workloads(&review);
	review_shadow(&review);
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct authz_rule *rule = &policy->rules[i];
		review_contradictions(&review, i, rule->sources, rule->n_sources);
		review_contradictions(&review, i, rule->operations, rule->n_operations);
		for (size_t j = 0; review.n_workloads && j < rule->n_sources; j++)
			review_identity(&review, i, &rule->sources[j]);
		for (size_t j = 0; j < rule->n_operations; j++)
			review_ports(&review, i, &rule->operations[j]);
	}
}

void review_authorization_policies(struct draft *draft)
{
	for (size_t i = 0; i < draft->model->n_authz_policies; i++)
		review_policy(draft, draft->model->authz_policies[i]);
}
