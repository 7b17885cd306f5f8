#pragma once
/*
 * The key sets of token issuers that somebody has fetched: a value that comes with a snapshot, as the objects do. What
 * is not in it was not asked for yet. Const once made, counted; any thread may hold it.
 *
 *     struct key_sets *sets = key_sets_new(found, n);
 *     const struct key_set *set = key_sets_get(sets, &source);
 *     key_sets_unref(sets);
 */
#include "base/arena.h"
#include "base/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the keys of an issuer are. */
struct key_source {
	const char *url;
	bool is_discovery;  /* what is there says where they are (OpenID Connect Discovery) */
	int64_t timeout_ms; /* how long asking may take; not part of what it is */
};

struct key_set {
	struct key_source source;
	const char *keys; /* a JWKS; NULL: asked for, and there was never a good one */
	size_t keys_n;
	const char *issuer;   /* whose they are, as the discovery said; NULL: it did not */
	struct digest digest; /* of the keys; key_sets_new fills it */
};

struct key_sets {
	const struct key_set *v; /* by source */
	size_t n;
	struct digest digest; /* of what there are keys of, and whose these are */

	struct arena *arena;   /* private */
	_Atomic unsigned refs; /* private */
};

int key_source_compare(const struct key_source *a, const struct key_source *b);

struct key_sets *key_sets_new(const struct key_set *v, size_t n); /* copied; any order, each source once */
struct key_sets *key_sets_ref(struct key_sets *sets);
void key_sets_unref(struct key_sets *sets); /* NULL is fine */
/* NULL: not asked for yet; sets may be NULL. */
const struct key_set *key_sets_get(const struct key_sets *sets, const struct key_source *source);
/* Whether they say the same of all keys; NULL is as without any. */
bool key_sets_equal(const struct key_sets *a, const struct key_sets *b);
