/*
 * Indexes by digest: units by what they were built from, resources by their content (so equal bytes are one resource,
 * even when they were built again for another reason), virtual hosts, and sets by the resources they were made of (so
 * views that see the same share one set).
 *
 * The sweep drops what the ending generation did not use and nobody holds. A view that was carried over did not ask for
 * its units, and the next emission like it will: so a unit stays as long as somebody outside holds its resource. Of
 * several units of one content only the last one does, so that they cannot pile up.
 */
#include "translator/envoy/emit_parts.h"

#include "base/heap.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct kept_set {
	struct digest key; /* of the resources it was made of */
	struct resource_set *set;
};

/* Stays while somebody else holds the resource, too. */
struct content {
	struct digest version;
	struct resource *resource;
	struct cache_unit *unit; /* the one used last, or NULL */
	unsigned n_units;        /* each holds a reference on the resource */
};

/* An open-addressing index. Keys are cryptographic digests, so their first word is as good as any hash. */
struct index {
	void **slots; /* NULL: free; each begins with its key */
	size_t n, n_slots;
};

struct emit_cache {
	struct index units, contents, hosts, sets;
	uint32_t generation;
};

#define SLOTS_FIRST 256

static struct digest key_of(const void *value)
{
	return *(const struct digest *)value;
}

static void **slot_of(const struct index *index, struct digest key)
{
	size_t at = key.w[0] & (index->n_slots - 1);
	while (index->slots[at] && !digest_equal(key_of(index->slots[at]), key))
		at = (at + 1) & (index->n_slots - 1);
	return &index->slots[at];
}

static void *index_get(const struct index *index, struct digest key)
{
	return index->n ? *slot_of(index, key) : NULL;
}

static void index_resize(struct index *index, size_t n_slots)
{
	struct index next = {.slots = heap_alloc(n_slots * sizeof *next.slots), .n_slots = n_slots, .n = index->n};
	for (size_t i = 0; i < index->n_slots; i++)
		if (index->slots[i])
			*slot_of(&next, key_of(index->slots[i])) = index->slots[i];
	free(index->slots);
	*index = next;
}

static void index_add(struct index *index, void *value)
{
	if (2 * (index->n + 1) > index->n_slots)
		index_resize(index, index->n_slots ? 2 * index->n_slots : SLOTS_FIRST);
	void **slot = slot_of(index, key_of(value));
	assert(!*slot);
	*slot = value;
	index->n++;
}

/* Frees what is not wanted any more, then closes the gaps. */
static void index_filter(struct index *index, bool (*drop)(void *value, uint32_t generation), uint32_t generation)
{
	size_t left = 0;
	for (size_t i = 0; i < index->n_slots; i++) {
		if (index->slots[i] && drop(index->slots[i], generation))
			index->slots[i] = NULL;
		left += index->slots[i] != NULL;
	}
	if (left == index->n)
		return;
	index->n = left;
	size_t n_slots = SLOTS_FIRST;
	while (n_slots < 2 * left + 2)
		n_slots *= 2;
	index_resize(index, n_slots);
}

/* ---- units ---- */

const struct cache_unit *cache_get(struct emit_cache *cache, struct digest key)
{
	struct cache_unit *unit = index_get(&cache->units, key);
	if (unit) {
		unit->used = cache->generation;
		unit->content->unit = unit;
	}
	return unit;
}

const struct cache_unit *cache_take(struct emit_cache *cache, struct digest key, struct resource *resource)
{
	struct content *content = index_get(&cache->contents, resource->version);
	if (content) {
		resource_unref(resource);
		resource = resource_ref(content->resource);
	} else {
		content = heap_alloc(sizeof *content);
		*content = (struct content){.version = resource->version, .resource = resource_ref(resource)};
		index_add(&cache->contents, content);
	}
	struct cache_unit *unit = heap_alloc(sizeof *unit);
	*unit = (struct cache_unit){.key = key, .resource = resource, .content = content, .used = cache->generation};
	content->unit = unit;
	content->n_units++;
	index_add(&cache->units, unit);
	return unit;
}

void cache_keep_hosts(struct emit_cache *cache, struct digest table, const struct virtual_host *const *hosts, size_t n)
{
	struct cache_unit *unit = index_get(&cache->units, table);
	assert(unit && !unit->hosts);
	unit->hosts = heap_alloc(n * sizeof *unit->hosts);
	if (n)
		memcpy(unit->hosts, hosts, n * sizeof *hosts); /* the cache's own */
	unit->n_hosts = n;
}

/* ---- virtual hosts ---- */

const struct virtual_host *cache_get_host(struct emit_cache *cache, struct digest key)
{
	struct virtual_host *host = index_get(&cache->hosts, key);
	if (host)
		host->used = cache->generation;
	return host;
}

/* The host, its domains, their text and its bytes are one allocation. */
const struct virtual_host *cache_put_host(struct emit_cache *cache, const struct virtual_host *host)
{
	size_t text_n = 0;
	for (size_t i = 0; i < host->n_domains; i++)
		text_n += strlen(host->domains[i]) + 1;
	struct virtual_host *copy =
	    heap_alloc(sizeof *copy + host->n_domains * sizeof *copy->domains + text_n + host->bytes_n);
	const char **domains = (const char **)(copy + 1);
	char *text = (char *)(domains + host->n_domains);
	for (size_t i = 0; i < host->n_domains; i++) {
		size_t size = strlen(host->domains[i]) + 1;
		domains[i] = memcpy(text, host->domains[i], size);
		text += size;
	}
	*copy = *host;
	copy->domains = domains;
	copy->bytes = memcpy(text, host->bytes, host->bytes_n);
	copy->used = cache->generation;
	index_add(&cache->hosts, copy);
	return copy;
}

/* ---- sets ---- */

static struct resource_set *keep_set(struct emit_cache *cache, struct digest key, struct resource_set *set)
{
	struct kept_set *kept = heap_alloc(sizeof *kept);
	*kept = (struct kept_set){.key = key, .set = set};
	index_add(&cache->sets, kept);
	return resource_set_ref(set);
}

/* The versions go in as one: a set has thousands. */
static struct digest set_key(struct digest_state *state, const struct cache_unit *const *units, size_t n)
{
	struct digest *versions = heap_alloc(n * sizeof *versions);
	for (size_t i = 0; i < n; i++)
		versions[i] = units[i]->resource->version;
	digest_add(state, versions, n * sizeof *versions);
	free(versions);
	return digest_final(state);
}

struct resource_set *cache_set(struct emit_cache *cache, enum resource_type type, const struct cache_unit *const *units,
                               size_t n)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_u64(&state, UNIT_SET);
	digest_add_u64(&state, type);
	struct digest key = set_key(&state, units, n);
	struct kept_set *kept = index_get(&cache->sets, key);
	if (kept)
		return resource_set_ref(kept->set);
	struct resource **taken = heap_alloc(n * sizeof *taken);
	for (size_t i = 0; i < n; i++)
		taken[i] = resource_ref(units[i]->resource);
	struct resource_set *set = resource_set_new(type, taken, n);
	free(taken);
	return keep_set(cache, key, set);
}

static int compare_name(const void *name, const void *resource)
{
	return strcmp(name, (*(struct resource *const *)resource)->name);
}

struct resource_set *cache_set_with(struct emit_cache *cache, struct resource_set *former,
                                    const struct cache_unit *const *units, size_t n)
{
	if (!n)
		return resource_set_ref(former);
	struct digest_state state;
	digest_init(&state);
	digest_add_u64(&state, UNIT_SET_WITH);
	digest_add_u64(&state, former->type);
	digest_add_digest(&state, former->version);
	struct digest key = set_key(&state, units, n);
	struct kept_set *kept = index_get(&cache->sets, key);
	if (kept)
		return resource_set_ref(kept->set);
	struct resource **v = heap_alloc(former->n * sizeof *v);
	for (size_t i = 0; i < former->n; i++)
		v[i] = resource_ref(former->v[i]);
	for (size_t i = 0; i < n; i++) {
		struct resource *resource = units[i]->resource;
		struct resource **at = bsearch(resource->name, v, former->n, sizeof(struct resource *), compare_name);
		assert(at);
		resource_unref(*at);
		*at = resource_ref(resource);
	}
	struct resource_set *set = resource_set_new(former->type, v, former->n);
	free(v);
	return keep_set(cache, key, set);
}

/* ---- life ---- */

struct emit_cache *emit_cache_new(void)
{
	struct emit_cache *cache = heap_alloc(sizeof *cache);
	cache->generation = 1;
	return cache;
}

static unsigned refs_of(_Atomic unsigned *refs)
{
	return atomic_load_explicit(refs, memory_order_acquire);
}

static bool drop_unit(void *value, uint32_t generation)
{
	struct cache_unit *unit = value;
	struct content *content = unit->content;
	unsigned own = 1 + content->n_units; /* references on the resource */
	if (unit->used == generation || (content->unit == unit && refs_of(&unit->resource->refs) > own))
		return false;
	if (content->unit == unit)
		content->unit = NULL;
	content->n_units--;
	resource_unref(unit->resource);
	free(unit->hosts);
	free(unit);
	return true;
}

static bool drop_content(void *value, uint32_t generation)
{
	(void)generation;
	struct content *content = value;
	if (refs_of(&content->resource->refs) > 1)
		return false;
	resource_unref(content->resource);
	free(content);
	return true;
}

static bool drop_content_any(void *value, uint32_t generation)
{
	(void)generation;
	struct content *content = value;
	resource_unref(content->resource);
	free(content);
	return true;
}

static bool drop_host(void *value, uint32_t generation)
{
	struct virtual_host *host = value;
	if (host->used == generation)
		return false;
	free(host);
	return true;
}

static bool drop_set(void *value, uint32_t generation)
{
	(void)generation;
	struct kept_set *kept = value;
	if (refs_of(&kept->set->refs) > 1)
		return false;
	resource_set_unref(kept->set);
	free(kept);
	return true;
}

static bool drop_set_any(void *value, uint32_t generation)
{
	(void)generation;
	struct kept_set *kept = value;
	resource_set_unref(kept->set);
	free(kept);
	return true;
}

static bool drop_unit_any(void *value, uint32_t generation)
{
	(void)generation;
	struct cache_unit *unit = value;
	resource_unref(unit->resource);
	free(unit->hosts);
	free(unit);
	return true;
}

/* A table that was carried over did not ask for its hosts, and the next one like it will. */
static void use_hosts_of_tables(struct emit_cache *cache)
{
	for (size_t i = 0; i < cache->units.n_slots; i++) {
		const struct cache_unit *unit = cache->units.slots[i];
		for (size_t k = 0; unit && k < unit->n_hosts; k++)
			unit->hosts[k]->used = cache->generation;
	}
}

/* What is made of others goes before them. */
void emit_cache_sweep(struct emit_cache *cache)
{
	index_filter(&cache->sets, drop_set, cache->generation);
	index_filter(&cache->units, drop_unit, cache->generation);
	use_hosts_of_tables(cache);
	index_filter(&cache->hosts, drop_host, cache->generation);
	index_filter(&cache->contents, drop_content, cache->generation);
	cache->generation++;
}

void emit_cache_free(struct emit_cache *cache)
{
	if (!cache)
		return;
	cache->generation++; /* nothing was used in this one */
	index_filter(&cache->sets, drop_set_any, cache->generation);
	index_filter(&cache->units, drop_unit_any, cache->generation);
	index_filter(&cache->hosts, drop_host, cache->generation);
	index_filter(&cache->contents, drop_content_any, cache->generation);
	free(cache->units.slots);
	free(cache->contents.slots);
	free(cache->hosts.slots);
	free(cache->sets.slots);
	free(cache);
}
