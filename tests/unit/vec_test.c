#include "base/vec.h"

#include "tests/unit/unit.h"

#include <stdint.h>

static int compare(const void *a, const void *b)
{
	const int *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

START_TEST(pushed_values_stay_in_order)
{
	struct arena *arena = arena_new();
	VEC(int) numbers = {0};
	for (int i = 0; i < 1000; i++)
		VEC_PUSH(arena, &numbers, i * 7);
	ck_assert_uint_eq(numbers.n, 1000);
	ck_assert_uint_ge(numbers.cap, numbers.n);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(numbers.v[i], i * 7);
	arena_free(arena);
}
END_TEST

START_TEST(structs_are_pushed_as_literals)
{
	struct arena *arena = arena_new();
	struct pair {
		const char *key;
		int value;
	};
	VEC(struct pair) pairs = {0};
	VEC_PUSH(arena, &pairs, (struct pair){"a", 1});
	VEC_PUSH(arena, &pairs, (struct pair){.key = "b", .value = 2});
	ck_assert_str_eq(pairs.v[1].key, "b");
	ck_assert_int_eq(pairs.v[0].value, 1);
	arena_free(arena);
}
END_TEST

START_TEST(reserve_keeps_what_is_there)
{
	struct arena *arena = arena_new();
	VEC(uint64_t) numbers = {0};
	VEC_RESERVE(arena, &numbers, 100);
	ck_assert_uint_ge(numbers.cap, 100);
	ck_assert_uint_eq(numbers.n, 0);
	const uint64_t *before = numbers.v;
	for (uint64_t i = 0; i < 100; i++)
		VEC_PUSH(arena, &numbers, i);
	ck_assert_ptr_eq(numbers.v, before);
	VEC_RESERVE(arena, &numbers, 10000);
	ck_assert_uint_eq(numbers.v[99], 99);
	arena_free(arena);
}
END_TEST

START_TEST(sorts)
{
	struct arena *arena = arena_new();
	VEC(int) numbers = {0};
	VEC_SORT(&numbers, compare); /* an empty one has no storage */
	for (int i = 0; i < 100; i++)
		VEC_PUSH(arena, &numbers, i * 37 % 101);
	VEC_SORT(&numbers, compare);
	for (size_t i = 1; i < numbers.n; i++)
		ck_assert_int_lt(numbers.v[i - 1], numbers.v[i]);
	arena_free(arena);
}
END_TEST

UNIT_MAIN("vec", pushed_values_stay_in_order, structs_are_pushed_as_literals, reserve_keeps_what_is_there, sorts)
