#include "server/xds/set_cache.h"

#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum set_operation { SET_DIFF, SET_SELECT, SET_WITHOUT, SET_MISSING, SET_UNION, SET_REPLACE, SET_STEP };

/* Everything an answer depends on. */
struct set_key {
	struct digest operands[3];
	uint64_t operation; /* and the limit, shifted */
};

struct set_entry {
	struct set_key key;
	struct set_entry *next;
	int64_t used_ns;
	struct set_diff *diff;    /* SET_DIFF */
	struct name_list *names;  /* SET_MISSING; may be NULL */
	struct resource_set *set; /* the others; may be NULL */
};

struct set_cache {
	const struct clock *clock;
	struct name_table *names;
	struct set_entry **buckets;
	size_t n, n_buckets; /* a power of two */
	size_t bytes;        /* of the answers, about: names and resources are others' */
	int64_t swept_ns;
};

struct set_cache *set_cache_new(const struct clock *clock, struct name_table *names)
{
	struct set_cache *cache = HEAP_NEW(struct set_cache);

	cache->clock = clock;
	cache->names = names;
	cache->n_buckets = 256;
	cache->buckets = HEAP_NEW_N(struct set_entry *, cache->n_buckets);
	return cache;
}

static void set_unref(struct resource_set *set)
{
	if (set)
		resource_set_unref(set);
}

static void set_diff_free(struct set_diff *diff)
{
	if (!diff)
		return;
	for (size_t i = 0; i < 2; i++)
		buffer_unref(diff->bodies[i]);
	name_list_unref(diff->updated);
	set_unref(diff->from);
	set_unref(diff->to);
	free(diff);
}

static void set_entry_free(struct set_entry *entry)
{
	set_diff_free(entry->diff);
	name_list_unref(entry->names);
	set_unref(entry->set);
	free(entry);
}

void set_cache_free(struct set_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n_buckets; i++) {
		for (struct set_entry *entry = cache->buckets[i], *next; entry; entry = next) {
			next = entry->next;
			set_entry_free(entry);
		}
	}
	free(cache->buckets);
	free(cache);
}

/* What of the cache's memory goes with the entry. */
static size_t set_entry_bytes(const struct set_entry *entry)
{
	const struct set_diff *diff = entry->diff;
	size_t bytes = sizeof *entry;

	if (entry->set)
		bytes += sizeof *entry->set + entry->set->n * sizeof *entry->set->v;
	if (entry->names)
		bytes += sizeof *entry->names + entry->names->n * sizeof *entry->names->v + entry->names->bytes;
	if (!diff)
		return bytes;
	bytes += sizeof *diff + (set_count(diff->from) + set_count(diff->to)) * sizeof(void *);
	for (size_t i = 0; i < 2; i++)
		bytes += diff->bodies[i] ? diff->bodies[i]->n : 0;
	return bytes;
}

/* Forgets what was not asked for since then. */
static void set_cache_drop(struct set_cache *cache, int64_t since_ns)
{
	for (size_t i = 0; i < cache->n_buckets; i++) {
		struct set_entry **at = &cache->buckets[i];
		while (*at) {
			struct set_entry *entry = *at;
			if (entry->used_ns >= since_ns) {
				at = &entry->next;
				continue;
			}
			*at = entry->next;
			cache->bytes -= set_entry_bytes(entry);
			cache->n--;
			set_entry_free(entry);
		}
	}
}

int64_t set_cache_sweep(struct set_cache *cache)
{
	int64_t now_ns = clock_now_ns(cache->clock), keep_ns = SET_CACHE_KEEP_MS * CLOCK_MS;

	if (cache->bytes > SET_CACHE_BYTES_MAX) {
		set_cache_drop(cache, INT64_MAX);
	} else if (now_ns - cache->swept_ns >= keep_ns / 2) {
		cache->swept_ns = now_ns;
		set_cache_drop(cache, now_ns - keep_ns + 1);
	}
	return cache->n ? cache->swept_ns + keep_ns / 2 : INT64_MAX;
}

size_t set_cache_count(const struct set_cache *cache)
{
	return cache->n;
}

size_t set_cache_bytes(const struct set_cache *cache)
{
	return cache->bytes;
}

void set_diff_keep(struct set_diff *diff, size_t form, struct buffer *body)
{
	assert(!diff->bodies[form]);
	diff->bodies[form] = body;
	diff->cache->bytes += body->n;
}

/* ---- entries ---- */

static struct digest set_version(const struct resource_set *set)
{
	return set && set->n ? set->version : (struct digest){0};
}

bool set_equal(const struct resource_set *a, const struct resource_set *b)
{
	return a == b || digest_equal(set_version(a), set_version(b));
}

size_t set_count(const struct resource_set *set)
{
	return set ? set->n : 0;
}

void set_assign(struct resource_set **at, struct resource_set *set)
{
	if (*at == set)
		return;
	struct resource_set *former = *at;
	*at = set ? resource_set_ref(set) : NULL;
	set_unref(former);
}

/* Digests are evenly spread already; this only tells places of operands apart. */
static size_t set_key_hash(const struct set_key *key)
{
	uint64_t hash = key->operation * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < 3; i++)
		hash = (hash ^ key->operands[i].w[0]) * UINT64_C(0x9e3779b97f4a7c15) + key->operands[i].w[1];
	return (size_t)(hash ^ hash >> 32);
}

static void set_cache_grow(struct set_cache *cache)
{
	size_t n_buckets = cache->n_buckets * 2;
	struct set_entry **buckets = HEAP_NEW_N(struct set_entry *, n_buckets);

	for (size_t i = 0; i < cache->n_buckets; i++) {
		for (struct set_entry *entry = cache->buckets[i], *next; entry; entry = next) {
			next = entry->next;
			struct set_entry **bucket = &buckets[set_key_hash(&entry->key) & (n_buckets - 1)];
			entry->next = *bucket;
			*bucket = entry;
		}
	}
	free(cache->buckets);
	cache->buckets = buckets;
	cache->n_buckets = n_buckets;
}

/* The entry for the key; *is_new when it is still to be filled in. */
static struct set_entry *set_cache_entry(struct set_cache *cache, enum set_operation operation, size_t limit,
                                         const struct digest operands[3], bool *is_new)
{
	struct set_key key = {.operands = {operands[0], operands[1], operands[2]},
	                      .operation = (uint64_t)limit << 8 | operation};
	struct set_entry **bucket = &cache->buckets[set_key_hash(&key) & (cache->n_buckets - 1)];
	struct set_entry *entry = *bucket;

	while (entry && memcmp(&entry->key, &key, sizeof key) != 0)
		entry = entry->next;
	*is_new = !entry;
	if (!entry) {
		if (cache->n >= cache->n_buckets) {
			set_cache_grow(cache);
			bucket = &cache->buckets[set_key_hash(&key) & (cache->n_buckets - 1)];
		}
		entry = HEAP_NEW(struct set_entry);
		entry->key = key;
		entry->next = *bucket;
		*bucket = entry;
		cache->n++;
	}
	entry->used_ns = clock_now_ns(cache->clock);
	return entry;
}

static struct digest names_digest(const struct name_list *names)
{
	return names ? names->digest : (struct digest){0};
}

/* ---- operations ---- */

/* Resources picked for a new set. */
struct set_builder {
	struct resource **v;
	size_t n;
};

static struct set_builder set_builder_new(size_t cap)
{
	return (struct set_builder){.v = HEAP_NEW_N(struct resource *, cap)};
}

static void set_builder_add(struct set_builder *builder, struct resource *resource)
{
	builder->v[builder->n++] = resource_ref(resource);
}

/* One of `like` when it would be the same. */
static struct resource_set *set_builder_finish(struct set_builder *builder, struct resource_set *like)
{
	struct resource_set *set = NULL;

	if (like && builder->n == like->n && memcmp(builder->v, like->v, builder->n * sizeof *builder->v) == 0) {
		set = resource_set_ref(like);
		for (size_t i = 0; i < builder->n; i++)
			resource_unref(builder->v[i]);
	} else if (builder->n) {
		set = resource_set_new(builder->v[0]->type, builder->v, builder->n);
	}
	free(builder->v);
	return set;
}

/* Walks two sets side by side. */
struct set_pair {
	const struct resource_set *a, *b;
	size_t i, j;
	struct resource *in_a, *in_b; /* of the present name; NULL where it is missing */
};

static bool set_pair_next(struct set_pair *pair)
{
	struct resource *a = pair->i < set_count(pair->a) ? pair->a->v[pair->i] : NULL;
	struct resource *b = pair->j < set_count(pair->b) ? pair->b->v[pair->j] : NULL;
	/* the same resource in both is the usual case, and needs no look at the name */
	int order = a == b ? 0 : !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

	pair->in_a = order <= 0 ? a : NULL;
	pair->in_b = order >= 0 ? b : NULL;
	pair->i += pair->in_a != NULL;
	pair->j += pair->in_b != NULL;
	return a || b;
}

static bool is_same(const struct resource *a, const struct resource *b)
{
	return a == b || (a && b && digest_equal(a->version, b->version));
}

static struct set_diff *set_diff_new(struct set_cache *cache, struct resource_set *from, struct resource_set *to)
{
	size_t n_from = set_count(from), n_to = set_count(to), n_updated = 0;
	struct set_diff *diff = heap_alloc(sizeof *diff + (n_from + n_to) * sizeof(void *));
	struct resource **changed = (struct resource **)(diff + 1);
	const char **removed = (const char **)(void *)(changed + n_to);
	const char **updated = HEAP_NEW_N(const char *, n_to);

	for (struct set_pair pair = {.a = from, .b = to}; set_pair_next(&pair);) {
		if (!pair.in_b) {
			removed[diff->n_removed++] = pair.in_a->name;
		} else if (!is_same(pair.in_a, pair.in_b)) {
			changed[diff->n_changed++] = pair.in_b;
			diff->n_added += !pair.in_a;
			if (pair.in_a)
				updated[n_updated++] = pair.in_b->name;
		}
	}
	diff->changed = changed;
	diff->removed = removed;
	diff->from = from ? resource_set_ref(from) : NULL;
	diff->to = to ? resource_set_ref(to) : NULL;
	diff->updated = name_list_new(cache->names, updated, n_updated);
	diff->cache = cache;
	free(updated);
	return diff;
}

struct set_diff *set_cache_diff(struct set_cache *cache, struct resource_set *from, struct resource_set *to)
{
	bool is_new;
	const struct digest key[3] = {set_version(from), set_version(to)};
	/* the type is in it for the empty set's sake: its version says nothing */
	size_t type = from ? from->type : to ? to->type : 0;
	struct set_entry *entry = set_cache_entry(cache, SET_DIFF, type, key, &is_new);
	if (is_new) {
		entry->diff = set_diff_new(cache, from, to);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->diff;
}

/* Whether `is_listed` ones are kept, or the others. */
static struct resource_set *set_filter(struct resource_set *set, const struct name_list *names, bool is_listed)
{
	struct set_builder builder = set_builder_new(set->n);

	for (size_t i = 0, j = 0; i < set->n; i++) {
		while (j < names->n && strcmp(names->v[j], set->v[i]->name) < 0)
			j++;
		bool is_match = j < names->n && strcmp(names->v[j], set->v[i]->name) == 0;
		if (is_match == is_listed)
			set_builder_add(&builder, set->v[i]);
	}
	return set_builder_finish(&builder, set);
}

struct resource_set *set_cache_select(struct set_cache *cache, struct resource_set *set, const struct name_list *names)
{
	bool is_new;
	const struct digest key[3] = {set_version(set), names_digest(names)};

	if (!names || !set_count(set))
		return NULL;
	struct set_entry *entry = set_cache_entry(cache, SET_SELECT, 0, key, &is_new);
	if (is_new) {
		entry->set = set_filter(set, names, true);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->set;
}

struct resource_set *set_cache_without(struct set_cache *cache, struct resource_set *set, const struct name_list *names)
{
	bool is_new;
	const struct digest key[3] = {set_version(set), names_digest(names)};

	if (!names || !set_count(set))
		return set;
	struct set_entry *entry = set_cache_entry(cache, SET_WITHOUT, 0, key, &is_new);
	if (is_new) {
		entry->set = set_filter(set, names, false);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->set;
}

static struct name_list *set_missing(struct name_table *table, struct name_list *names, const struct resource_set *set)
{
	const char **missing = HEAP_NEW_N(const char *, names->n);
	size_t n = 0;

	for (size_t i = 0, j = 0; i < names->n; i++) {
		while (j < set->n && strcmp(set->v[j]->name, names->v[i]) < 0)
			j++;
		if (j == set->n || strcmp(set->v[j]->name, names->v[i]) != 0)
			missing[n++] = names->v[i];
	}
	struct name_list *list = name_list_new(table, missing, n);
	free(missing);
	return list;
}

struct name_list *set_cache_missing(struct set_cache *cache, struct name_list *names, const struct resource_set *set)
{
	bool is_new;
	const struct digest key[3] = {set_version(set), names_digest(names)};

	if (!names || !set_count(set))
		return names;
	struct set_entry *entry = set_cache_entry(cache, SET_MISSING, 0, key, &is_new);
	if (is_new) {
		entry->names = set_missing(cache->names, names, set);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->names;
}

static struct resource_set *set_union(struct resource_set *set, struct resource_set *old)
{
	struct set_builder builder = set_builder_new(set_count(set) + set_count(old));

	for (struct set_pair pair = {.a = set, .b = old}; set_pair_next(&pair);)
		set_builder_add(&builder, pair.in_a ? pair.in_a : pair.in_b);
	return set_builder_finish(&builder, set);
}

struct resource_set *set_cache_union(struct set_cache *cache, struct resource_set *set, struct resource_set *old)
{
	bool is_new;
	const struct digest key[3] = {set_version(set), set_version(old)};

	if (set_equal(set, old) || !set_count(old))
		return set;
	struct set_entry *entry = set_cache_entry(cache, SET_UNION, 0, key, &is_new);
	if (is_new) {
		entry->set = set_union(set, old);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->set;
}

static struct resource_set *set_replace(struct resource_set *set, const struct resource_set *refused,
                                        const struct resource_set *old)
{
	struct set_builder builder = set_builder_new(set->n);

	for (size_t i = 0; i < set->n; i++) {
		struct resource *resource = set->v[i];
		if (is_same(resource_set_get(refused, resource->name), resource))
			resource = old ? resource_set_get(old, resource->name) : NULL;
		if (resource)
			set_builder_add(&builder, resource);
	}
	return set_builder_finish(&builder, set);
}

struct resource_set *set_cache_replace(struct set_cache *cache, struct resource_set *set, struct resource_set *refused,
                                       struct resource_set *old)
{
	bool is_new;
	const struct digest key[3] = {set_version(set), set_version(refused), set_version(old)};

	if (!set_count(refused) || !set_count(set))
		return set;
	struct set_entry *entry = set_cache_entry(cache, SET_REPLACE, 0, key, &is_new);
	if (is_new) {
		entry->set = set_replace(set, refused, old);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->set;
}

static struct resource_set *set_step(struct resource_set *from, struct resource_set *to, size_t limit)
{
	struct set_builder builder = set_builder_new(set_count(to));

	for (struct set_pair pair = {.a = from, .b = to}; set_pair_next(&pair);) {
		struct resource *resource = pair.in_b;
		if (resource && !is_same(pair.in_a, resource)) {
			if (limit)
				limit--;
			else
				resource = pair.in_a;
		}
		if (resource)
			set_builder_add(&builder, resource);
	}
	return set_builder_finish(&builder, to);
}

struct resource_set *set_cache_step(struct set_cache *cache, struct resource_set *from, struct resource_set *to,
                                    size_t limit)
{
	bool is_new;
	const struct digest key[3] = {set_version(from), set_version(to)};
	struct set_entry *entry = set_cache_entry(cache, SET_STEP, limit, key, &is_new);

	if (is_new) {
		entry->set = set_step(from, to, limit);
		cache->bytes += set_entry_bytes(entry);
	}
	return entry->set;
}
