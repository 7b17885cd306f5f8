/*
 * Rules of AuthorizationPolicies. Of a rule each source is joined with the conditions about the source, each operation
 * with those about the operation. What is written was checked when the object was decoded
 * (crds/check_authorization_policy.c).
 */
#include "translator/istio/authz_lowering.h"

#include "base/text.h"
#include "base/vec.h"
#include "translator/address.h"
#include "translator/istio/trust_domain_aliases.h"

#include <string.h>

/* ---- conditions ---- */

#define FILTER_PREFIX "experimental." /* and the filter's name, where no other key is meant */

static const struct condition {
	const char *key;
	enum authz_attribute attribute;
	bool is_named; /* KEY[NAME] */
} conditions[] = {
    {"request.headers", AUTHZ_HEADER, true},
    {"request.experimental.inline.headers", AUTHZ_HEADER_ELEMENT, true},
    {"source.ip", AUTHZ_SOURCE_IP, false},
    {"remote.ip", AUTHZ_REMOTE_IP, false},
    {"source.namespace", AUTHZ_NAMESPACE, false},
    {"source.serviceAccount", AUTHZ_SERVICE_ACCOUNT, false},
    {"source.principal", AUTHZ_PRINCIPAL, false},
    {"source.trustDomain", AUTHZ_TRUST_DOMAIN, false},
    {"request.auth.principal", AUTHZ_REQUEST_PRINCIPAL, false},
    {"request.auth.audiences", AUTHZ_AUDIENCE, false},
    {"request.auth.presenter", AUTHZ_PRESENTER, false},
    {"request.auth.claims", AUTHZ_CLAIM, true},
    {"destination.ip", AUTHZ_DESTINATION_IP, false},
    {"destination.port", AUTHZ_PORT, false},
    {"connection.sni", AUTHZ_SERVER_NAME, false},
};

static const struct condition *condition_of(const char *key)
{
	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
		size_t n = strlen(conditions[i].key);
		if (strncmp(key, conditions[i].key, n) == 0 && key[n] == (conditions[i].is_named ? '[' : '\0'))
			return &conditions[i];
	}
	return NULL;
}

/* What stands in the brackets: of "a[b][c]" b and c. */
static struct strings members_of(struct arena *arena, const char *key)
{
	VEC(const char *) members = {0};
	for (const char *at = strchr(key, '['); at; at = strchr(at, '[')) {
		size_t n = strcspn(++at, "]");
		VEC_PUSH(arena, &members, arena_strndup(arena, at, n));
	}
	return (struct strings){members.v, members.n};
}

/* ---- terms ---- */

typedef VEC(struct authz_term) term_list;

/* "reviews" is the policy's own namespace's. */
static const char *account_of(const struct authz_lowering *in, const char *value)
{
	return strchr(value, '/') ? value : arena_printf(in->arena, "%s/%s", in->namespace, value);
}

static const char *value_of(const struct authz_lowering *in, enum authz_attribute attribute, const char *value)
{
	if (attribute == AUTHZ_SERVICE_ACCOUNT)
		return account_of(in, value);
	if (attribute == AUTHZ_SOURCE_IP || attribute == AUTHZ_REMOTE_IP || attribute == AUTHZ_DESTINATION_IP)
		return address_unmapped(in->arena, value);
	return value;
}

static struct strings values_of(const struct authz_lowering *in, enum authz_attribute attribute, char *const *values,
                                size_t n)
{
	const char **out = ARENA_NEW_N(in->arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		out[i] = value_of(in, attribute, values[i]);
	struct strings all = {out, n};
	if (attribute == AUTHZ_PRINCIPAL)
		return trust_domain_aliases_of_principals(in->arena, in->trust_domains, &all);
	return attribute == AUTHZ_TRUST_DOMAIN ? trust_domain_aliases_of(in->arena, in->trust_domains, &all) : all;
}

/* A list of the policy and its negation. */
struct lists {
	enum authz_attribute attribute;
	char *const *values;
	size_t n;
	char *const *not_values;
	size_t n_not;
};
#define LISTS(message, name)                                                                                           \
	.values = (message)->name, .n = (message)->n_##name, .not_values = (message)->not_##name,                      \
	.n_not = (message)->n_not_##name

static void add_lists(const struct authz_lowering *in, term_list *terms, const struct lists *lists, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct lists *from = &lists[i];
		if (from->n + from->n_not == 0)
			continue;
		VEC_PUSH(in->arena, terms,
		         (struct authz_term){
		             .attribute = from->attribute,
		             .name = "",
		             .values = values_of(in, from->attribute, from->values, from->n),
		             .not_values = values_of(in, from->attribute, from->not_values, from->n_not),
		         });
	}
}

static void add_condition(const struct authz_lowering *in, term_list *terms, const istio_authorization_rule *rule,
                          size_t place, bool is_of_source)
{
	const istio_authorization_condition *when = rule->when[place];
	struct authz_term term = {.attribute = AUTHZ_FILTER_METADATA, .name = "", .condition = (uint32_t)place + 1};
	const struct condition *condition = condition_of(when->key);
	if (condition)
		term.attribute = condition->attribute;
	if (authz_attribute_is_of_source(term.attribute) != is_of_source)
		return;
	term.path = members_of(in->arena, when->key);
	bool is_header = term.attribute == AUTHZ_HEADER || term.attribute == AUTHZ_HEADER_ELEMENT;
	if (is_header && term.path.n)
		term.name = term.path.v[0];
	if (!condition) {
		const char *filter = when->key + strlen(FILTER_PREFIX);
		term.name = arena_strndup(in->arena, filter, strcspn(filter, "["));
	}
	term.values = values_of(in, term.attribute, when->values, when->n_values);
	term.not_values = values_of(in, term.attribute, when->not_values, when->n_not_values);
	VEC_PUSH(in->arena, terms, term);
}

static struct authz_terms close_terms(const struct authz_lowering *in, term_list *terms,
                                      const istio_authorization_rule *rule, bool is_of_source)
{
	for (size_t i = 0; i < rule->n_when; i++)
		add_condition(in, terms, rule, i, is_of_source);
	return (struct authz_terms){terms->v, terms->n};
}

/* source NULL: any. */
static struct authz_terms source_terms(const struct authz_lowering *in, const istio_authorization_rule *rule,
                                       const istio_authorization_source *source)
{
	term_list terms = {0};
	if (source) {
		const struct lists lists[] = {
		    {AUTHZ_PRINCIPAL, LISTS(source, principals)},
		    {AUTHZ_REQUEST_PRINCIPAL, LISTS(source, request_principals)},
		    {AUTHZ_SERVICE_ACCOUNT, LISTS(source, service_accounts)},
		    {AUTHZ_NAMESPACE, LISTS(source, namespaces)},
		    {AUTHZ_TRUST_DOMAIN, LISTS(source, trust_domains)},
		    {AUTHZ_REMOTE_IP, LISTS(source, remote_ip_blocks)},
		    {AUTHZ_SOURCE_IP, LISTS(source, ip_blocks)},
		};
		add_lists(in, &terms, lists, sizeof lists / sizeof lists[0]);
	}
	return close_terms(in, &terms, rule, true);
}

/* operation NULL: any. */
static struct authz_terms operation_terms(const struct authz_lowering *in, const istio_authorization_rule *rule,
                                          const istio_authorization_operation *operation)
{
	term_list terms = {0};
	if (operation) {
		const struct lists lists[] = {
		    {AUTHZ_HOST, LISTS(operation, hosts)},
		    {AUTHZ_METHOD, LISTS(operation, methods)},
		    {AUTHZ_PATH, LISTS(operation, paths)},
		    {AUTHZ_PORT, LISTS(operation, ports)},
		};
		add_lists(in, &terms, lists, sizeof lists / sizeof lists[0]);
	}
	return close_terms(in, &terms, rule, false);
}

struct authz_rule authz_lower_rule(const struct authz_lowering *in, const istio_authorization_rule *rule)
{
	size_t n_sources = rule->n_from ? rule->n_from : 1, n_operations = rule->n_to ? rule->n_to : 1;
	struct authz_terms *sources = ARENA_NEW_N(in->arena, struct authz_terms, n_sources);
	struct authz_terms *operations = ARENA_NEW_N(in->arena, struct authz_terms, n_operations);
	for (size_t i = 0; i < n_sources; i++)
		sources[i] = source_terms(in, rule, rule->n_from ? rule->from[i]->source : NULL);
	for (size_t i = 0; i < n_operations; i++)
		operations[i] = operation_terms(in, rule, rule->n_to ? rule->to[i]->operation : NULL);
	return (struct authz_rule){sources, operations, n_sources, n_operations};
}
