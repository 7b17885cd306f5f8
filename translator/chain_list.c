#include "translator/chain_list.h"

#include "translator/draft.h"
#include "translator/scope_parts.h"

#include <string.h>

/* ---- who takes what ---- */

static bool take(struct arena *arena, struct chain_list *list, const char *name, const char *subnet)
{
	return !map_put(arena, &list->taken, arena_printf(arena, "%s|%s", name, subnet), list);
}

/* Takes what no former chain has of the name: at any address, or at those of the subnets. False: nothing is left. */
static bool take_name(struct arena *arena, struct chain_list *list, const char *name, const struct strings *subnets,
                      struct strings *left)
{
	VEC(const char *) kept = {0};
	if (subnets->n == 0)
		return take(arena, list, name, "");
	for (size_t i = 0; i < subnets->n; i++)
		if (take(arena, list, name, subnets->v[i]))
			VEC_PUSH(arena, &kept, subnets->v[i]);
	*left = (struct strings){kept.v, kept.n};
	return kept.n > 0;
}

static bool is_any_name(const struct strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], "*") == 0)
			return true;
	return names->n == 0;
}

static void push(struct arena *arena, struct chain_list *list, const struct scope_chain *chain,
                 const struct strings *names, const struct strings *subnets)
{
	struct scope_chain part = *chain;
	part.server_names = *names;
	part.subnets = *subnets;
	VEC_PUSH(arena, &list->v, part);
}

bool chain_list_add(struct arena *arena, struct chain_list *list, const struct scope_chain *chain)
{
	static const char *const any[] = {"*"};
	const bool is_any = is_any_name(&chain->server_names);
	const struct strings names = is_any ? (struct strings){any, 1} : chain->server_names;
	const size_t n_before = list->v.n;
	VEC(const char *) whole = {0}; /* of which nothing was taken */
	for (size_t i = 0; i < names.n; i++) {
		struct strings left = {0};
		if (!take_name(arena, list, names.v[i], &chain->subnets, &left))
			continue;
		if (left.n == chain->subnets.n)
			VEC_PUSH(arena, &whole, names.v[i]);
		else
			push(arena, list, chain, &(struct strings){&names.v[i], is_any ? 0 : 1}, &left);
	}
	if (whole.n > 0)
		push(arena, list, chain, &(struct strings){whole.v, is_any ? 0 : whole.n}, &chain->subnets);
	return list->v.n > n_before;
}

/* ---- digests ---- */

static void digest_add_credential(struct digest_state *state, const struct credential *credential)
{
	digest_add_str(state, credential->secret);
	digest_add_str(state, credential->namespace);
	digest_add_str(state, credential->file);
	digest_add_str(state, credential->key_file);
}

static void digest_add_tls(struct digest_state *state, const struct gateway_tls *tls)
{
	digest_add_u64(state, tls->mode);
	digest_add_u64(state, tls->n_certificates);
	for (size_t i = 0; i < tls->n_certificates; i++)
		digest_add_credential(state, &tls->certificates[i]);
	digest_add_credential(state, &tls->ca);
	digest_add_str(state, tls->crl_file);
	digest_add_strings(state, &tls->names);
	digest_add_strings(state, &tls->hashes);
	digest_add_strings(state, &tls->spki);
	digest_add_u64(state, tls->min_version);
	digest_add_u64(state, tls->max_version);
	digest_add_strings(state, &tls->cipher_suites);
}

/* Where it goes, and what the services are there. */
static void digest_add_route(struct digest_state *state, const struct scope *scope, const struct scope_chain *chain)
{
	digest_add_str(state, chain->rule->name);
	digest_add_str(state, chain->rule->namespace);
	digest_add_source(state, &chain->rule->source);
	for (size_t i = 0; i < chain->route->n_destinations; i++) {
		const struct weighted_destination *to = &chain->route->destinations[i];
		uint32_t port;
		const struct scope_service *service = scope_destination(scope, &to->destination, chain->port, &port);
		digest_add_str(state, to->destination.host);
		digest_add_str(state, to->destination.subset);
		digest_add_u64(state, port);
		digest_add_u64(state, to->weight);
		digest_add_bool(state, service);
		if (service)
			digest_add_scope_service(state, service);
	}
}

void digest_add_chain(struct digest_state *state, const struct scope *scope, const struct scope_chain *chain)
{
	digest_add_strings(state, &chain->server_names);
	digest_add_strings(state, &chain->subnets);
	digest_add_str(state, chain->table);
	digest_add_u64(state, chain->port);
	digest_add_bool(state, chain->tls);
	if (chain->tls)
		digest_add_tls(state, chain->tls);
	digest_add_bool(state, chain->service);
	if (chain->service)
		digest_add_scope_service(state, chain->service);
	digest_add_str(state, chain->subset);
	digest_add_bool(state, chain->is_auto_passthrough);
	digest_add_u64(state, chain->route ? chain->route->n_destinations : 0);
	if (chain->route)
		digest_add_route(state, scope, chain);
}
