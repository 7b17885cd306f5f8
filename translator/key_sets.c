#include "translator/key_sets.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

int key_source_compare(const struct key_source *a, const struct key_source *b)
{
	int order = strcmp(a->url, b->url);
	return order ? order : (int)a->is_discovery - (int)b->is_discovery;
}

static int compare_sets(const void *a, const void *b)
{
	return key_source_compare(&((const struct key_set *)a)->source, &((const struct key_set *)b)->source);
}

static struct key_set copy_set(struct arena *arena, const struct key_set *from)
{
	struct key_set set = {.source = from->source};
	set.source.url = arena_strdup(arena, from->source.url);
	if (from->keys) {
		set.keys = arena_strndup(arena, from->keys, from->keys_n);
		set.keys_n = from->keys_n;
		set.digest = digest_of(from->keys, from->keys_n);
		set.issuer = from->issuer ? arena_strdup(arena, from->issuer) : NULL;
	}
	return set;
}

static struct digest digest_of_sets(const struct key_set *v, size_t n)
{
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < n; i++) {
		if (!v[i].keys)
			continue;
		digest_add_str(&state, v[i].source.url);
		digest_add_u64(&state, v[i].source.is_discovery);
		digest_add_digest(&state, v[i].digest);
		digest_add_str(&state, v[i].issuer);
	}
	return digest_final(&state);
}

struct key_sets *key_sets_new(const struct key_set *v, size_t n)
{
	struct arena *arena = arena_new();
	struct key_sets *sets = ARENA_NEW(arena, struct key_sets);
	struct key_set *copies = ARENA_NEW_N(arena, struct key_set, n);
	for (size_t i = 0; i < n; i++)
		copies[i] = copy_set(arena, &v[i]);
	if (n > 1)
		qsort(copies, n, sizeof *copies, compare_sets);
	sets->arena = arena;
	sets->v = copies;
	sets->n = n;
	sets->digest = digest_of_sets(copies, n);
	atomic_init(&sets->refs, 1);
	return sets;
}

struct key_sets *key_sets_ref(struct key_sets *sets)
{
	atomic_fetch_add_explicit(&sets->refs, 1, memory_order_relaxed);
	return sets;
}

void key_sets_unref(struct key_sets *sets)
{
	if (sets && atomic_fetch_sub_explicit(&sets->refs, 1, memory_order_acq_rel) == 1)
		arena_free(sets->arena);
}

const struct key_set *key_sets_get(const struct key_sets *sets, const struct key_source *source)
{
	if (!sets || !sets->n)
		return NULL;
	const struct key_set wanted = {.source = *source};
	return bsearch(&wanted, sets->v, sets->n, sizeof *sets->v, compare_sets);
}

bool key_sets_equal(const struct key_sets *a, const struct key_sets *b)
{
	const struct digest none = digest_of_sets(NULL, 0);
	return digest_equal(a ? a->digest : none, b ? b->digest : none);
}
