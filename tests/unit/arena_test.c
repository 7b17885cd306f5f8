#include "base/arena.h"

#include "tests/unit/unit.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_all(const unsigned char *data, size_t n, size_t byte)
{
	for (size_t i = 0; i < n; i++)
		if (data[i] != byte)
			return false;
	return true;
}

START_TEST(memory_is_zeroed_aligned_and_apart)
{
	struct arena *arena = arena_new();
	unsigned char *values[2000];
	size_t sizes[2000];
	size_t n_unaligned = 0, n_not_zero = 0, n_overlapping = 0; /* counted: Check keeps a record of each assertion */
	for (size_t i = 0; i < 2000; i++) {
		sizes[i] = i % 97 == 0 ? i * 50 : i % 33;
		values[i] = arena_alloc(arena, sizes[i]);
		n_unaligned += (uintptr_t)values[i] % 16 != 0;
		n_not_zero += !is_all(values[i], sizes[i], 0);
		memset(values[i], (int)(i % 251 + 1), sizes[i]);
	}
	for (size_t i = 0; i < 2000; i++)
		n_overlapping += !is_all(values[i], sizes[i], i % 251 + 1);
	ck_assert_uint_eq(n_unaligned, 0);
	ck_assert_uint_eq(n_not_zero, 0);
	ck_assert_uint_eq(n_overlapping, 0);
	arena_free(arena);
}
END_TEST

START_TEST(size_zero_gives_distinct_pointers)
{
	struct arena *arena = arena_new();
	ck_assert_ptr_ne(arena_alloc(arena, 0), arena_alloc(arena, 0));
	arena_free(arena);
}
END_TEST

START_TEST(a_small_arena_is_small)
{
	struct arena *arena = arena_new();
	for (int i = 0; i < 8; i++)
		arena_alloc(arena, 32);
	ck_assert_uint_le(arena_size(arena), 1024);
	arena_free(arena);
}
END_TEST

START_TEST(size_follows_what_is_taken)
{
	struct arena *arena = arena_new();
	size_t before = arena_size(arena);
	arena_alloc(arena, 10 << 20);
	ck_assert_uint_ge(arena_size(arena), before + (10 << 20));
	ck_assert_uint_le(arena_size(arena), before + (11 << 20));
	/* many small ones: less than half is wasted */
	before = arena_size(arena);
	for (int i = 0; i < 100000; i++)
		arena_alloc(arena, 64);
	ck_assert_uint_le(arena_size(arena) - before, 64 * 100000 * 2);
	arena_free(arena);
}
END_TEST

START_TEST(strings_are_copied)
{
	struct arena *arena = arena_new();
	char s[] = "hello";
	char *copy = arena_strdup(arena, s), *part = arena_strndup(arena, s, 3), *whole = arena_strndup(arena, s, 99);
	int *numbers = arena_memdup(arena, (int[]){1, 2, 3}, 3 * sizeof(int));
	s[0] = 'j';
	ck_assert_str_eq(copy, "hello");
	ck_assert_str_eq(part, "hel");
	ck_assert_str_eq(whole, "hello");
	ck_assert_int_eq(numbers[2], 3);
	ck_assert_str_eq(arena_strndup(arena, "", 0), "");
	arena_free(arena);
}
END_TEST

START_TEST(printf_takes_any_length)
{
	struct arena *arena = arena_new();
	static const int widths[] = {0, 1, 254, 255, 256, 257, 10000};
	for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
		const char *s = arena_printf(arena, "%*s", widths[i], "");
		ck_assert_uint_eq(strlen(s), (size_t)widths[i]);
	}
	ck_assert_str_eq(arena_printf(arena, "%s:%d", "host", 80), "host:80");
	arena_free(arena);
}
END_TEST

START_TEST(an_array_too_large_aborts)
{
	struct arena *arena = arena_new();
	arena_alloc_n(arena, SIZE_MAX / 4, 8);
	arena_free(arena);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
	arena_free(NULL);
	struct arena *none = NULL;
	arena_freep(&none);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tcase = tcase_create("arena");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, memory_is_zeroed_aligned_and_apart);
	tcase_add_test(tcase, size_zero_gives_distinct_pointers);
	tcase_add_test(tcase, a_small_arena_is_small);
	tcase_add_test(tcase, size_follows_what_is_taken);
	tcase_add_test(tcase, strings_are_copied);
	tcase_add_test(tcase, printf_takes_any_length);
	tcase_add_test(tcase, freeing_nothing_is_fine);
	tcase_add_test_raise_signal(tcase, an_array_too_large_aborts, SIGABRT);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
