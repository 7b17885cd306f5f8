#pragma once
/*
 * A claim of the request's token in the place of a header's name, in the matches of a VirtualService:
 * "@request.auth.claims.a.b", or "@request.auth.claims[a][b]" where a name has a "." of its own. The beginning is the
 * same in any case, the claims' names are not.
 *
 *     struct routing_claim claim;
 *     if (routing_claim_parse(arena, name, &claim)) …
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the claim is: of nested ones the outermost first. At least one, none empty. */
struct routing_claim {
	const char *const *path;
	size_t n;
};

/* The name is meant as a claim, and no header's. */
bool routing_claim_is_meant(const char *name);
/* False: it is none, or a part of the path is empty. */
bool routing_claim_parse(struct arena *arena, const char *name, struct routing_claim *claim);
