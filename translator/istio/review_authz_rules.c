/* What a rule asks for that cannot be: by itself, of the callers that come, of the tokens that are verified. */
#include "translator/authz_overlap.h"
#include "translator/istio/policy_review.h"

#include "base/text.h"

#include <string.h>

/* ---- contradictions ---- */

static void review_terms(const struct rule_review *review, const struct authz_terms *terms, size_t i)
{
	struct arena *arena = review->all->arena;
	for (size_t j = 0; j < terms->n; j++) {
		struct term_place place = {.term = &terms->v[j], .i = i, .is_not = true};
		if (authz_term_is_impossible(place.term, review->is_closing))
			rule_review_say(review, REPORT_WARNING, term_place_field(arena, &place),
			                place.term->values.n ? "can never match: what it asks for it excludes as well"
			                                     : "can never match: it excludes everything");
		for (size_t k = 0; k < j; k++) {
			struct term_place other = {.term = &terms->v[k], .i = i};
			place.is_not = false;
			if (authz_terms_exclude_each_other(place.term, other.term))
				rule_review_say(
				    review, REPORT_WARNING, term_place_field(arena, &place),
				    "can never match: both this and %s must hold, and they have nothing in common",
				    term_place_field(arena, &other));
		}
	}
}

void review_authz_contradictions(const struct rule_review *review)
{
	for (size_t i = 0; i < review->rule->n_sources; i++)
		review_terms(review, &review->rule->sources[i], i);
	for (size_t i = 0; i < review->rule->n_operations; i++)
		review_terms(review, &review->rule->operations[i], i);
}

/* ---- identities ---- */

/* What the workloads take on the ports that a rule is for. */
struct modes {
	bool is_known;
	enum mtls_mode least, most;
};

static void add_modes(struct modes *modes, enum mtls_mode least, enum mtls_mode most)
{
	if (!modes->is_known || least < modes->least)
		modes->least = least;
	if (!modes->is_known || most > modes->most)
		modes->most = most;
	modes->is_known = true;
}

static const struct strings *ports_of(const struct authz_terms *operation)
{
	for (size_t i = 0; i < operation->n; i++)
		if (operation->v[i].attribute == AUTHZ_PORT && operation->v[i].values.n)
			return &operation->v[i].values;
	return NULL;
}

static void add_modes_of_operation(const struct coverage *covered, const struct authz_terms *operation,
                                   struct modes *modes)
{
	const struct strings *ports = ports_of(operation);
	for (size_t i = 0; ports && i < ports->n; i++) {
		const struct coverage_port *port = coverage_port(covered, ports->v[i]);
		if (port)
			add_modes(modes, port->least_mode, port->most_mode);
		else
			add_modes(modes, covered->least_mode, covered->most_mode);
	}
	if (ports)
		return;
	add_modes(modes, covered->least_mode, covered->most_mode);
	for (size_t i = 0; i < covered->ports.n; i++) {
		const struct coverage_port *port = covered->ports.entries[i].value;
		add_modes(modes, port->least_mode, port->most_mode);
	}
}

/* Where no workloads are known at all, as in files, what those will take that have just the labels looked for. */
static struct modes modes_of(const struct rule_review *review)
{
	const struct model *model = review->all->draft->model;
	const struct coverage *covered = review->covered;
	struct modes modes = {0};
	if (covered->n_workloads > covered->n_gateways) {
		for (size_t i = 0; i < review->rule->n_operations; i++)
			add_modes_of_operation(covered, &review->rule->operations[i], &modes);
	} else if (!model->n_workloads) {
		const struct workload_selectors *selectors = &review->policy->selectors;
		for (size_t i = 0; i < selectors->n; i++) {
			struct mtls_settings mtls =
			    model_mtls(review->all->arena, model, review->policy->namespace, &selectors->v[i]);
			if (!coverage_are_of_gateway(model, &selectors->v[i]))
				add_modes(&modes, mtls.mode, mtls.mode);
		}
	}
	return modes;
}

static bool is_of_peer(enum authz_attribute attribute)
{
	return attribute == AUTHZ_PRINCIPAL || attribute == AUTHZ_NAMESPACE || attribute == AUTHZ_SERVICE_ACCOUNT ||
	       attribute == AUTHZ_TRUST_DOMAIN;
}

static bool has_any(const struct strings *values)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i], "*") == 0)
			return true;
	return false;
}

static bool asks_for_peer(const struct authz_terms *source)
{
	for (size_t i = 0; i < source->n; i++)
		if (is_of_peer(source->v[i].attribute) && source->v[i].values.n)
			return true;
	return false;
}

/* Of all sources of the policy: what holds for them all is said once. */
static bool is_first_to_ask(const struct rule_review *review, const struct term_place *place)
{
	for (size_t i = 0; i <= review->place; i++) {
		const struct authz_rule *rule = &review->policy->rules[i];
		for (size_t j = 0; j < (i == review->place ? place->i : rule->n_sources); j++)
			if (asks_for_peer(&rule->sources[j]))
				return false;
	}
	return true;
}

static void say_of_identity(const struct rule_review *review, const struct modes *modes, const struct term_place *place)
{
	enum authz_action action = review->policy->action;
	const char *field = term_place_field(review->all->arena, place);
	if (!place->is_not && modes->most == MTLS_DISABLE)
		rule_review_say(review, REPORT_WARNING, field,
		                "can never match: it asks who the caller is, and mutual TLS is disabled for the "
		                "workloads that it is for");
	else if (modes->least == MTLS_STRICT)
		return;
	else if (!place->is_not && action == AUTHZ_DENY)
		rule_review_say(review, REPORT_WARNING, field,
		                "does not hold for plaintext, of which no caller is known and which the workloads "
		                "take: set PeerAuthentication STRICT");
	else if (!place->is_not && action == AUTHZ_ALLOW && is_first_to_ask(review, place))
		rule_review_say(
		    review, REPORT_INFO, field,
		    "lets in no plaintext, which the workloads take as well, for of that no caller is known");
	else if (place->is_not && action == AUTHZ_ALLOW)
		rule_review_say(review, REPORT_WARNING, field,
		                "lets plaintext in, of which no caller is known: set PeerAuthentication STRICT, or ask "
		                "for principal \"*\" as well");
}

/* Of plaintext no identity is known. A row for the first term that asks for one, else for what is excluded; but who
 * excludes all identities means plaintext. */
static void review_source(const struct rule_review *review, const struct modes *modes, size_t i)
{
	const struct authz_terms *source = &review->rule->sources[i];
	struct term_place found = {.i = i};
	for (size_t j = 0; j < source->n; j++) {
		const struct authz_term *term = &source->v[j];
		if (!is_of_peer(term->attribute))
			continue;
		if (!term->values.n && has_any(&term->not_values))
			return;
		if (!found.term || (found.is_not && term->values.n)) {
			found.term = term;
			found.is_not = !term->values.n;
		}
	}
	if (found.term)
		say_of_identity(review, modes, &found);
}

void review_authz_identity(const struct rule_review *review)
{
	const struct modes modes = modes_of(review);
	for (size_t i = 0; modes.is_known && i < review->rule->n_sources; i++)
		review_source(review, &modes, i);
}

/* ---- tokens ---- */

static bool is_of_token(enum authz_attribute attribute)
{
	return attribute == AUTHZ_REQUEST_PRINCIPAL || attribute == AUTHZ_AUDIENCE || attribute == AUTHZ_PRESENTER ||
	       attribute == AUTHZ_CLAIM;
}

/* Where no workloads are known at all, there is one when any could be for them. */
static bool may_have_issuers(const struct rule_review *review)
{
	const struct model *model = review->all->draft->model;
	if (review->covered->n_workloads)
		return coverage_issuers(review->all->coverages, review->covered)->n > 0;
	for (size_t i = 0; i < model->n_request_authentications; i++) {
		const char *namespace = model->request_authentications[i]->namespace;
		if (strcmp(namespace, review->policy->namespace) == 0 ||
		    strcmp(namespace, model->mesh.root_namespace) == 0)
			return true;
	}
	return model->n_workloads > 0; /* for none of those there are: nothing is to be said */
}

/* ISSUER of ISSUER/SUBJECT, if it is written in full; else NULL. */
static const char *issuer_of(struct arena *arena, const char *principal)
{
	const char *slash = strrchr(principal, '/');
	if (!slash || principal[0] == '*')
		return NULL;
	const char *issuer = arena_strndup(arena, principal, (size_t)(slash - principal));
	return text_has_suffix(issuer, "*") ? NULL : issuer;
}

static void review_issuers(const struct rule_review *review, const struct term_place *place)
{
	const struct strings *issuers = coverage_issuers(review->all->coverages, review->covered);
	const struct strings *values = &place->term->values;
	for (size_t i = 0; issuers->n && i < values->n; i++) {
		const char *issuer = issuer_of(review->all->arena, values->v[i]);
		bool is_known = !issuer;
		for (size_t j = 0; j < issuers->n && !is_known; j++)
			is_known = !*issuers->v[j] || strcmp(issuers->v[j], issuer) == 0;
		if (!is_known)
			rule_review_say(review, REPORT_WARNING, term_place_field(review->all->arena, place),
			                "\"%s\" can never match: no RequestAuthentication for these workloads verifies "
			                "tokens of issuer \"%s\"",
			                values->v[i], issuer);
	}
}

void review_authz_tokens(const struct rule_review *review)
{
	for (size_t i = 0; i < review->rule->n_sources; i++) {
		const struct authz_terms *source = &review->rule->sources[i];
		for (size_t j = 0; j < source->n; j++) {
			struct term_place place = {.term = &source->v[j], .i = i, .is_not = !source->v[j].values.n};
			if (!is_of_token(place.term->attribute))
				continue;
			if (place.term->attribute == AUTHZ_REQUEST_PRINCIPAL && review->covered->n_workloads)
				review_issuers(review, &place);
			if (may_have_issuers(review))
				continue;
			rule_review_say(review, REPORT_WARNING, term_place_field(review->all->arena, &place),
			                place.is_not ? "excludes nothing: no RequestAuthentication verifies tokens for "
			                               "these workloads, so none is known"
			                             : "can never match: no RequestAuthentication verifies tokens for "
			                               "these workloads, so none is known");
		}
	}
}
