/* Ports that a rule is for: those that nobody serves, and those that are no HTTP where the rule looks at HTTP. */
#include "translator/istio/policy_review.h"

#include <string.h>

static void say_of_port(const struct rule_review *review, const struct term_place *place, const char *port)
{
	const char *field = term_place_field(review->all->arena, place);
	const char *target = map_get(&review->covered->targets, port);
	if (target)
		rule_review_say(review, REPORT_WARNING, field,
		                "names port %s, which none of the workloads that it is for serves: ports are those of "
		                "the workload, not of its Service; behind port %s of the Service is %s",
		                port, port, target);
	else
		rule_review_say(review, REPORT_WARNING, field,
		                "names port %s, which none of the workloads that it is for serves for a Service", port);
}

static void review_port_term(const struct rule_review *review, size_t i, const struct authz_term *term)
{
	for (int is_not = 0; is_not <= 1; is_not++) {
		const struct strings *ports = is_not ? &term->not_values : &term->values;
		const struct term_place place = {.term = term, .i = i, .is_not = is_not};
		for (size_t j = 0; j < ports->n; j++)
			if (!coverage_port(review->covered, ports->v[j]))
				say_of_port(review, &place, ports->v[j]);
	}
}

static bool is_listed(const struct strings *list, const char *value)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], value) == 0)
			return true;
	return false;
}

static bool is_for_port(const struct authz_terms *operation, const char *port)
{
	for (size_t i = 0; i < operation->n; i++) {
		const struct authz_term *term = &operation->v[i];
		if (term->attribute != AUTHZ_PORT)
			continue;
		if ((term->values.n && !is_listed(&term->values, port)) || is_listed(&term->not_values, port))
			return false;
	}
	return true;
}

/* It is for ports that are served, and none of them can be HTTP. */
static bool is_for_tcp(const struct rule_review *review, const struct authz_terms *operation)
{
	bool is_any = false;
	for (size_t i = 0; i < review->covered->ports.n; i++) {
		const struct map_entry *entry = &review->covered->ports.entries[i];
		const struct coverage_port *port = entry->value;
		if (!is_for_port(operation, entry->key))
			continue;
		if (port->may_be_http)
			return false;
		is_any = true;
	}
	return is_any;
}

/* The first of the terms that is known of HTTP only, or NULL. */
static const struct authz_term *http_term(const struct authz_terms *terms)
{
	for (size_t i = 0; i < terms->n; i++)
		if (authz_attribute_is_http(terms->v[i].attribute))
			return &terms->v[i];
	return NULL;
}

static void say_of_tcp(const struct rule_review *review, const struct authz_term *term, size_t i)
{
	static const char *const what[] = {
	    [AUTHZ_ALLOW] = "can never match: it is known of HTTP only, and the ports that the rule is for are TCP",
	    [AUTHZ_DENY] = "is left out, as it is known of HTTP only, and the ports that the rule is for are TCP: it "
	                   "denies more than is written",
	    [AUTHZ_AUDIT] = "is left out, as it is known of HTTP only, and the ports that the rule is for are TCP",
	    [AUTHZ_CUSTOM] = "is left out, as it is known of HTTP only, and the ports that the rule is for are TCP: "
	                     "more is asked than is written",
	};
	const struct term_place place = {.term = term, .i = i, .is_not = !term->values.n};
	rule_review_say(review, REPORT_WARNING, term_place_field(review->all->arena, &place), "%s",
	                what[review->policy->action]);
}

static void review_protocols(const struct rule_review *review)
{
	const struct authz_rule *rule = review->rule;
	bool is_tcp = false;
	for (size_t i = 0; i < rule->n_operations; i++) {
		const struct authz_term *term = http_term(&rule->operations[i]);
		if (!is_for_tcp(review, &rule->operations[i]))
			continue;
		is_tcp = true;
		if (term)
			say_of_tcp(review, term, i);
	}
	for (size_t i = 0; is_tcp && rule->n_operations == 1 && i < rule->n_sources; i++) {
		const struct authz_term *term = http_term(&rule->sources[i]);
		if (term)
			say_of_tcp(review, term, i);
	}
}

void review_authz_ports(const struct rule_review *review)
{
	if (!review->covered->ports.n || review->covered->n_gateways)
		return;
	for (size_t i = 0; i < review->rule->n_operations; i++) {
		const struct authz_terms *operation = &review->rule->operations[i];
		for (size_t j = 0; j < operation->n; j++)
			if (operation->v[j].attribute == AUTHZ_PORT)
				review_port_term(review, i, &operation->v[j]);
	}
	review_protocols(review);
}
