#pragma once
/*
 * The chains of one listener in the making. A name in a handshake dialled at an address of a subnet, and everything
 * that has no name, belongs to the chain that came first: no two chains of a list take the same, which Envoy would
 * refuse.
 *
 *     struct chain_list list = {0};
 *     chain_list_add(arena, &list, &(struct scope_chain){.server_names = names, .route = route});
 */
#include "base/vec.h"
#include "translator/scope.h"

struct chain_list {
	VEC(struct scope_chain) v;
	struct map taken; /* "name|subnet" -> nothing in particular */
};

/*
 * Adds as much of the chain as no former one takes; in parts, when that is not the same for all of its names. Among
 * names "*" is any, like none; subnets are canonical. False: nothing is left of it.
 */
bool chain_list_add(struct arena *arena, struct chain_list *list, const struct scope_chain *chain);

/* All that output reads of the chain in this scope. */
void digest_add_chain(struct digest_state *state, const struct scope *scope, const struct scope_chain *chain);
