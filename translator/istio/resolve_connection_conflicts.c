/*
 * TLS and TCP routes of which others take something first, in the same VirtualService or in one that comes before it:
 * nothing of a route may be left, which is hard to see in a proxy. Said of sidecars and of each gateway that a route is
 * for.
 */
#include "base/text.h"
#include "translator/istio/connection_lowering.h"

#include <string.h>

/* One match of a route (or a route without), for sidecars or a gateway. */
struct claim {
	const struct route_rule *rule;
	const char *field;    /* "spec.tls[0].match[1]" */
	const char *place;    /* "tls mesh" */
	struct strings names; /* in handshakes; TCP: of hosts */
	struct strings subnets;
	uint32_t port;
	const char *written; /* of the client; "" any */
	const char *client;  /* the same as far as it counts in the place */
	bool is_ending;      /* without subnets it ends the list: later ones with subnets are not reached either */
};

struct conflicts {
	struct draft *draft;
	struct map owners; /* all that a claim says, as text -> struct claim */
};

static const char *key_of(struct arena *arena, const struct claim *claim, const char *name, const char *subnet,
                          uint32_t port, const char *client)
{
	return arena_printf(arena, "%s|%s|%s|%u|%s", claim->place, name, subnet, port, client);
}

/* In every view that has both, the older one comes first: no proxy prefers what is for its own namespace. */
static bool is_before(const struct route_rule *older, const struct route_rule *younger)
{
	const struct visibility *a = &older->visibility, *b = &younger->visibility;
	if (a->is_public || b->is_public)
		return a->is_public && b->is_public;
	return strcmp(older->namespace, younger->namespace) == 0 && visibility_overlaps(a, b);
}

/* A claim of all that this one wants for the name and the subnet ("" any). */
static const struct claim *owner_of(const struct conflicts *conflicts, const struct claim *claim, const char *name,
                                    const char *subnet)
{
	const char *const subnets[] = {subnet, ""}, *const clients[] = {claim->client, ""};
	const uint32_t ports[] = {claim->port, 0};
	for (unsigned i = 0; i < 8; i++) {
		if (i & 4 && !claim->is_ending)
			break;
		const char *key = key_of(conflicts->draft->arena, claim, name, subnets[i >> 2 & 1], ports[i >> 1 & 1],
		                         clients[i & 1]);
		const struct claim *owner = map_get(&conflicts->owners, key);
		if (owner && is_before(owner->rule, claim->rule))
			return owner;
	}
	return NULL;
}

static void take(struct conflicts *conflicts, const struct claim *claim, const char *name, const char *subnet)
{
	struct arena *arena = conflicts->draft->arena;
	void **slot =
	    map_slot(arena, &conflicts->owners, key_of(arena, claim, name, subnet, claim->port, claim->client));
	if (*slot)
		return;
	struct claim *copy = *slot = ARENA_NEW(arena, struct claim);
	*copy = *claim;
}

static bool has_same(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return a->n == b->n;
}

/* The very same match in one VirtualService: decoding has said so. */
static bool is_repeated(const struct claim *loser, const struct claim *owner)
{
	return owner->rule == loser->rule && owner->port == loser->port &&
	       strcmp(owner->written, loser->written) == 0 && has_same(&owner->names, &loser->names) &&
	       has_same(&owner->subnets, &loser->subnets);
}

static void complain(struct conflicts *conflicts, const struct claim *loser, const struct claim *owner,
                     const char *name)
{
	const struct route_rule *rule = owner->rule;
	const char *of = owner->rule == loser->rule ? ""
	                                            : arena_printf(conflicts->draft->arena, " of VirtualService %s/%s",
	                                                           rule->namespace, rule->name);
	if (name)
		report_add(conflicts->draft->report, loser->rule->source.object, REPORT_WARNING, REASON_CONFLICT,
		           loser->field, "%s%s comes first and takes \"%s\"", owner->field, of, name);
	else
		report_add(conflicts->draft->report, loser->rule->source.object, REPORT_WARNING, REASON_NO_EFFECT,
		           loser->field, "%s%s comes first and takes all of it", owner->field, of);
}

static void check_claim(struct conflicts *conflicts, const struct claim *claim)
{
	static const char *const any[] = {""};
	const struct strings subnets = claim->subnets.n ? claim->subnets : (struct strings){any, 1};
	const struct claim *owner = NULL;
	const char *lost = NULL;
	bool is_all = true;
	if (claim->names.n * subnets.n > CONNECTION_PAIRS_MAX)
		return; /* hosts of a TCP route are not counted elsewhere */
	for (size_t i = 0; i < claim->names.n; i++) {
		for (size_t j = 0; j < subnets.n; j++) {
			const struct claim *found = owner_of(conflicts, claim, claim->names.v[i], subnets.v[j]);
			is_all &= found != NULL;
			lost = found && !owner ? claim->names.v[i] : lost;
			owner = owner ? owner : found;
		}
	}
	if (owner && !is_repeated(claim, owner))
		complain(conflicts, claim, owner, is_all ? NULL : lost);
	for (size_t i = 0; i < claim->names.n; i++)
		for (size_t j = 0; j < subnets.n; j++)
			take(conflicts, claim, claim->names.v[i], subnets.v[j]);
}

/* ---- what rules claim ---- */

static const char *client_of(struct arena *arena, const struct connection_match *match)
{
	CLEANUP(text_done) struct text client = {0};
	if (match->source_namespace)
		text_printf(&client, "%s/", match->source_namespace);
	for (size_t i = 0; i < match->source_labels.n; i++)
		text_printf(&client, "%s=%s,", match->source_labels.v[i].key, match->source_labels.v[i].value);
	return arena_strdup(arena, text_get(&client));
}

/* For sidecars, and for each gateway. */
static void check_places(struct conflicts *conflicts, struct claim *claim, const char *kind,
                         const struct connection_match *match)
{
	struct arena *arena = conflicts->draft->arena;
	bool has_own = match && match->has_gateways;
	const struct strings *gateways = has_own ? &match->gateways : &claim->rule->gateways;
	if (has_own ? match->is_mesh : claim->rule->is_mesh) {
		claim->place = arena_printf(arena, "%s mesh", kind);
		claim->is_ending = strcmp(kind, "tcp") == 0;
		claim->client = claim->written;
		check_claim(conflicts, claim);
	}
	claim->client = has_own ? "" : claim->written; /* a gateway that is named is no client */
	claim->is_ending = false;
	for (size_t i = 0; i < gateways->n; i++) {
		claim->place = arena_printf(arena, "%s %s", kind, gateways->v[i]);
		check_claim(conflicts, claim);
	}
}

static void check_route(struct conflicts *conflicts, const struct route_rule *rule, const char *kind,
                        const struct connection_route *route)
{
	struct arena *arena = conflicts->draft->arena;
	const char *field = arena_printf(arena, "spec.%s[%u]", kind, route->place);
	struct claim claim = {.rule = rule, .field = field, .names = rule->hosts, .written = ""};
	if (route->n_matches == 0)
		check_places(conflicts, &claim, kind, NULL);
	for (size_t i = 0; i < route->n_matches; i++) {
		const struct connection_match *match = &route->matches[i];
		claim.field = arena_printf(arena, "%s.match[%u]", field, match->place);
		claim.names = match->server_names.n ? match->server_names : rule->hosts;
		claim.subnets = match->subnets;
		claim.port = match->port;
		claim.written = client_of(arena, match);
		check_places(conflicts, &claim, kind, match);
	}
}

void connection_check_conflicts(struct draft *draft, const struct route_rule *const *rules, size_t n)
{
	struct conflicts conflicts = {.draft = draft};
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < rules[i]->n_tls; j++)
			check_route(&conflicts, rules[i], "tls", &rules[i]->tls[j]);
		for (size_t j = 0; j < rules[i]->n_tcp; j++)
			check_route(&conflicts, rules[i], "tcp", &rules[i]->tcp[j]);
	}
}
