#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Up to here a walk over the entries is as fast as a table of slots, and most maps are small. */
#define MAP_WALKED_MAX 8

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
		fprintf(stderr, "weft: no random numbers from the kernel\n");
		abort();
	}
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein): keyed, so that collisions cannot be chosen without knowing the seed. */
static uint32_t hash_of(const char *key)
{
	pthread_once(&seed_once, seed_init);
	uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
	                 seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573)};
	size_t n = strlen(key), left = n;
	uint64_t word;
	for (; left >= 8; left -= 8, key += 8) {
		memcpy(&word, key, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = 0;
	memcpy(&word, key, left);
	word |= (uint64_t)n << 56;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(hash ^ hash >> 32);
}

static struct map_entry *find(const struct map *map, const char *key, uint32_t hash)
{
	if (!map->slots) {
		for (size_t i = 0; i < map->n; i++)
			if (map->entries[i].hash == hash && strcmp(map->entries[i].key, key) == 0)
				return &map->entries[i];
		return NULL;
	}
	size_t mask = map->n_slots - 1;
	for (size_t at = hash & mask; map->slots[at]; at = (at + 1) & mask) {
		struct map_entry *entry = &map->entries[map->slots[at] - 1];
		if (entry->hash == hash && strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static void slots_add(struct map *map, uint32_t index)
{
	size_t mask = map->n_slots - 1, at = map->entries[index].hash & mask;
	while (map->slots[at])
		at = (at + 1) & mask;
	map->slots[at] = index + 1;
}

static void grow(struct arena *arena, struct map *map)
{
	assert(map->cap < UINT32_MAX / 4);
	map->cap = map->cap ? map->cap * 2 : 4;
	struct map_entry *entries = ARENA_NEW_N(arena, struct map_entry, map->cap);
	if (map->n)
		memcpy(entries, map->entries, map->n * sizeof *entries);
	map->entries = entries;
	if (map->cap <= MAP_WALKED_MAX)
		return;
	map->n_slots = map->cap * 2; /* at most half full; a power of two, as cap is */
	map->slots = ARENA_NEW_N(arena, uint32_t, map->n_slots);
	for (size_t i = 0; i < map->n; i++)
		slots_add(map, (uint32_t)i);
}

void **map_slot(struct arena *arena, struct map *map, const char *key)
{
	uint32_t hash = hash_of(key);
	struct map_entry *entry = find(map, key, hash);
	if (entry)
		return &entry->value;
	if (map->n == map->cap)
		grow(arena, map);
	entry = &map->entries[map->n++];
	*entry = (struct map_entry){.key = key, .hash = hash};
	if (map->slots)
		slots_add(map, (uint32_t)(map->n - 1));
	return &entry->value;
}

void *map_put(struct arena *arena, struct map *map, const char *key, void *value)
{
	void **slot = map_slot(arena, map, key);
	void *former = *slot;
	*slot = value;
	return former;
}

void *map_get(const struct map *map, const char *key)
{
	struct map_entry *entry = map->n ? find(map, key, hash_of(key)) : NULL;
	return entry ? entry->value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
	return map->n && find(map, key, hash_of(key));
}
