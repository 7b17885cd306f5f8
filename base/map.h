#pragma once
/*
 * A map from strings to pointers that keeps insertion order, so walking it is deterministic.
 *
 *     struct map hosts = {0};
 *     map_put(arena, &hosts, "a.b", service);
 *     struct service *s = map_get(&hosts, "a.b");          NULL when absent
 *     for (size_t i = 0; i < hosts.n; i++) use(hosts.entries[i].key, hosts.entries[i].value);
 *
 * Zero-initialised is empty. Storage is in the arena; keys are borrowed and must outlive the map. There is no
 * removal: build a new map. Hashing is seeded per process so that a peer cannot choose collisions; order never
 * depends on it.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct map_entry {
	const char *key;
	void *value;
	uint32_t hash;
};

struct map {
	struct map_entry *entries; /* in order of insertion */
	size_t n;
	size_t cap;
	uint32_t *slots; /* 1 + index into entries, 0 = free; private */
	size_t n_slots;
};

/* Sets or replaces (the place in the order stays). Returns the former value, or NULL. */
void *map_put(struct arena *arena, struct map *map, const char *key, void *value);
void *map_get(const struct map *map, const char *key);
bool map_has(const struct map *map, const char *key);
/* The address of the key's value, made with NULL when absent; valid until the next put. */
void **map_slot(struct arena *arena, struct map *map, const char *key);
