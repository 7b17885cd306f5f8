#pragma once
/*
 * A set of keys (RFC 7517) as proxies can be given it: a proxy may refuse all of its configuration because of one set
 * without a key that it can use. Each key that is left has what verifying needs and nothing else: no private part, no
 * certificates. Keys of other kinds, for other uses, too small, or for an algorithm that is not theirs are left out.
 *
 *     struct jwks_sifted sifted;
 *     if (!jwks_sift(arena, s, n, JWKS_TRIED, &sifted, &error)) …     not even a set
 *     if (!sifted.n_keys) …                                            sifted.why says what is wrong with the last one
 */
#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum jwks_demands {
	JWKS_ANY = 0,
	JWKS_TRIED = 1,  /* a broken key (no point on its curve) is left out; costs what loading it costs */
	JWKS_PUBLIC = 2, /* keys that sign and verify alike are left out: whoever reads the set could sign */
};

struct jwks_sifted {
	const char *s; /* a set of the keys that are left, NUL-terminated; in the arena */
	size_t n, n_keys;
	size_t n_broken;  /* of those that are left out: a token of theirs could never be verified */
	struct error why; /* of the last key that is left out; "" none is */
};

/* One key by itself is a set of one. At most JWKS_KEYS_MAX keys; how long the text may be is the caller's. */
bool jwks_sift(struct arena *arena, const char *s, size_t n, unsigned demands, struct jwks_sifted *out,
               struct error *error);
