#pragma once
/*
 * What can be said about resource sets, worked out once and shared by all streams that ask: what differs between two,
 * which resources a list of names selects, and so on. What a proxy has and what it should have are both resource sets
 * here, so a thousand streams that go from one state to another pay for one comparison and one body.
 *
 * Sets go by their version: two sets with equal versions are the same content. A NULL set is the empty one. Answers are
 * borrowed from the cache and live until set_cache_sweep, which forgets what was not asked for lately, and everything
 * once the answers take SET_CACHE_BYTES_MAX (a peer that asks for other names all the time gets each time a new body);
 * whoever keeps one takes a reference. One thread.
 */
#include "base/clock.h"
#include "rpc/transport.h"
#include "server/xds/name_list.h"
#include "translator/resource.h"

#define SET_CACHE_KEEP_MS 10000          /* longer than a storm of reconnecting proxies pauses */
#define SET_CACHE_BYTES_MAX (256u << 20) /* of answers, bodies among them */

struct set_cache;

/* From one set to another. `added` are among `changed`: those that `from` does not hold in any version. */
struct set_diff {
	struct resource_set *from, *to;  /* references; may be NULL */
	struct resource *const *changed; /* in `to`, and not in the same version in `from`; by name */
	size_t n_changed, n_added;
	const char *const *removed; /* in `from` only; by name */
	size_t n_removed;
	struct name_list *updated; /* the changed ones that `from` holds in another version; NULL: none */
	struct buffer *bodies[2];  /* private to body.c: by form, NULL until asked for */
	struct set_cache *cache;   /* private */
};

struct set_cache *set_cache_new(const struct clock *clock, struct name_table *names);
void set_cache_free(struct set_cache *cache);
/* Forgets. Returns when to call again (monotonic; INT64_MAX: nothing to forget). */
int64_t set_cache_sweep(struct set_cache *cache);
size_t set_cache_count(const struct set_cache *cache);
size_t set_cache_bytes(const struct set_cache *cache);
/* The body is kept with the diff, and counted. The reference moves in. */
void set_diff_keep(struct set_diff *diff, size_t form, struct buffer *body);

bool set_equal(const struct resource_set *a, const struct resource_set *b);
size_t set_count(const struct resource_set *set);
/* *at = set, references counted; either may be NULL. */
void set_assign(struct resource_set **at, struct resource_set *set);

struct set_diff *set_cache_diff(struct set_cache *cache, struct resource_set *from, struct resource_set *to);
/* Those that `names` lists. */
struct resource_set *set_cache_select(struct set_cache *cache, struct resource_set *set, const struct name_list *names);
/* Those that `names` does not list. */
struct resource_set *set_cache_without(struct set_cache *cache, struct resource_set *set,
                                       const struct name_list *names);
/* The names that the set does not hold. */
struct name_list *set_cache_missing(struct set_cache *cache, struct name_list *names, const struct resource_set *set);
/* All of `set`, and what only `old` holds. */
struct resource_set *set_cache_union(struct set_cache *cache, struct resource_set *set, struct resource_set *old);
/* `set`, but each resource that is in `refused` in this very version as `old` holds it, or left out. */
struct resource_set *set_cache_replace(struct set_cache *cache, struct resource_set *set, struct resource_set *refused,
                                       struct resource_set *old);
/* `from` with no more than the first `limit` changes on the way to `to`; all removals are in it. */
struct resource_set *set_cache_step(struct set_cache *cache, struct resource_set *from, struct resource_set *to,
                                    size_t limit);
