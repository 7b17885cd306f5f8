#include "base/map.h"

#include "tests/unit/unit.h"

#include <string.h>

START_TEST(an_empty_map_has_nothing)
{
	struct map map = {0};
	ck_assert_ptr_null(map_get(&map, "a"));
	ck_assert(!map_has(&map, ""));
	ck_assert_uint_eq(map.n, 0);
}
END_TEST

START_TEST(put_sets_and_replaces)
{
	struct arena *arena = arena_new();
	struct map map = {0};
	int one, two;
	ck_assert_ptr_null(map_put(arena, &map, "a", &one));
	ck_assert_ptr_null(map_put(arena, &map, "b", &one));
	ck_assert_ptr_eq(map_put(arena, &map, "a", &two), &one);
	ck_assert_uint_eq(map.n, 2);
	ck_assert_ptr_eq(map_get(&map, "a"), &two);
	ck_assert_str_eq(map.entries[0].key, "a"); /* its place stays */
	ck_assert_ptr_null(map_put(arena, &map, "", &one));
	ck_assert_ptr_eq(map_get(&map, ""), &one);
	arena_free(arena);
}
END_TEST

START_TEST(a_null_value_is_there)
{
	struct arena *arena = arena_new();
	struct map map = {0};
	map_put(arena, &map, "a", NULL);
	ck_assert(map_has(&map, "a"));
	ck_assert_ptr_null(map_get(&map, "a"));
	arena_free(arena);
}
END_TEST

/* Across all growth, and against the plain answer. */
START_TEST(many_keys_keep_their_order)
{
	struct arena *arena = arena_new();
	struct map map = {0};
	const size_t n = 50000;
	const char **keys = ARENA_NEW_N(arena, const char *, n);
	for (size_t i = 0; i < n; i++) {
		keys[i] = arena_printf(arena, "service-%zu.namespace-%zu.svc.cluster.local", i, i % 7);
		map_put(arena, &map, keys[i], &keys[i]);
		if (i < 200) /* all of the small sizes */
			for (size_t k = 0; k <= i; k++)
				ck_assert_ptr_eq(map_get(&map, keys[k]), &keys[k]);
		ck_assert(!map_has(&map, "service-.namespace-0"));
	}
	ck_assert_uint_eq(map.n, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_eq(map_get(&map, arena_strdup(arena, keys[i])), &keys[i]);
		ck_assert_ptr_eq(map.entries[i].key, keys[i]);
	}
	arena_free(arena);
}
END_TEST

/* The last byte counts, whatever the length: the hash reads eight bytes at a time. */
START_TEST(keys_that_differ_little_are_apart)
{
	struct arena *arena = arena_new();
	struct map map = {0};
	for (size_t length = 0; length < 40; length++) {
		for (int last = 'a'; last <= 'z'; last++) {
			char *key = arena_alloc(arena, length + 2);
			memset(key, 'x', length);
			key[length] = (char)last;
			ck_assert(length && last == 'x' ? true : !map_has(&map, key));
			map_put(arena, &map, key, key);
		}
	}
	ck_assert_uint_eq(map.n, 40 * 26);
	arena_free(arena);
}
END_TEST

START_TEST(slot_makes_and_finds)
{
	struct arena *arena = arena_new();
	struct map map = {0};
	int value;
	void **slot = map_slot(arena, &map, "a");
	ck_assert_ptr_null(*slot);
	*slot = &value;
	ck_assert_ptr_eq(*map_slot(arena, &map, "a"), &value);
	ck_assert_uint_eq(map.n, 1);
	arena_free(arena);
}
END_TEST

UNIT_MAIN("map", an_empty_map_has_nothing, put_sets_and_replaces, a_null_value_is_there, many_keys_keep_their_order,
          keys_that_differ_little_are_apart, slot_makes_and_finds)
