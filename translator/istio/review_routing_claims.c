/*
 * VirtualServices that ask for claims of tokens at gateways where nobody reads tokens: no RequestAuthentication is for
 * the gateway's proxies, as far as there are any to be seen, or there is none at all.
 */
#include "translator/istio/istio_parts.h"

#include <string.h>

struct claims_review {
	struct draft *draft;
	struct arena *scratch;
	struct map gateways; /* "namespace/name" -> struct gateway */
	struct map readers;  /* "namespace/name" -> READ or UNREAD, of those that were looked at */
};

static char READ[] = "read", UNREAD[] = "unread";

/* Whether its proxies read tokens; those that may come are given the benefit of the doubt. */
static bool has_reader(struct claims_review *review, const struct gateway *gateway)
{
	const struct model *model = review->draft->model;
	size_t n_proxies = 0;
	if (!model->n_request_authentications)
		return false;
	for (size_t i = 0; gateway->selector.n && i < model->n_workloads; i++) {
		const struct workload *workload = model->workloads[i];
		if (!labels_match(&gateway->selector, &workload->labels))
			continue;
		n_proxies++;
		if (model_jwt_rules(review->scratch, model, workload->namespace, &workload->labels).n)
			return true;
	}
	return n_proxies == 0;
}

static bool is_read_at(struct claims_review *review, const char *name)
{
	const struct gateway *gateway = map_get(&review->gateways, name);
	if (!gateway) /* that it is missing is said elsewhere */
		return true;
	void **slot = map_slot(review->scratch, &review->readers, name);
	if (!*slot)
		*slot = has_reader(review, gateway) ? READ : UNREAD;
	return *slot == READ;
}

static bool has_name(const struct strings *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return true;
	return false;
}

static bool asks_for_claims_at(const struct route_rule *rule, const char *gateway)
{
	for (size_t i = 0; i < rule->n_http; i++)
		for (size_t j = 0; j < rule->http[i].n_matches; j++) {
			const struct http_match *match = &rule->http[i].matches[j];
			if (match->n_claims && (!match->has_gateways || has_name(&match->gateways, gateway)))
				return true;
		}
	return false;
}

static void review_rule(struct claims_review *review, const struct route_rule *rule)
{
	for (size_t i = 0; i < rule->gateways.n; i++) {
		const char *gateway = rule->gateways.v[i];
		if (asks_for_claims_at(rule, gateway) && !is_read_at(review, gateway))
			report_add(review->draft->report, rule->source.object, REPORT_WARNING, REASON_NO_EFFECT,
			           "spec.gateways",
			           "routes ask for claims of tokens, and at gateway %s no RequestAuthentication has "
			           "tokens read: there it is as if no request had one",
			           gateway);
	}
}

void review_routing_claims(struct draft *draft)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct claims_review review = {.draft = draft, .scratch = scratch};
	const struct model *model = draft->model;
	for (size_t i = 0; i < model->n_gateways; i++) {
		const struct gateway *gateway = model->gateways[i];
		map_put(scratch, &review.gateways, arena_printf(scratch, "%s/%s", gateway->namespace, gateway->name),
		        (void *)(uintptr_t)gateway);
	}
	for (size_t i = 0; i < model->n_rules; i++)
		review_rule(&review, model->rules[i]);
}
