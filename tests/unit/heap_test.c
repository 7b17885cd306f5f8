#include "base/heap.h"

#include "unit.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

START_TEST(memory_is_zeroed)
{
	unsigned char *bytes = heap_alloc(1000);
	uint64_t *numbers = HEAP_NEW_N(uint64_t, 100);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(bytes[i], 0);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(numbers[i], 0);
	free(bytes);
	free(numbers);
}
END_TEST

START_TEST(nothing_is_a_pointer_too)
{
	void *nothing[] = {heap_alloc(0), heap_alloc_n(0, 8), heap_alloc_n(8, 0)};
	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
		ck_assert_ptr_nonnull(nothing[i]);
		free(nothing[i]);
	}
}
END_TEST

START_TEST(growing_keeps_what_was_there)
{
	size_t *v = NULL, cap = 0;
	for (size_t i = 0; i < 1000; i++) {
		v = heap_grow(v, &cap, i + 1, sizeof *v);
		ck_assert_uint_gt(cap, i);
		v[i] = i;
	}
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(v[i], i);
	size_t *same = heap_grow(v, &cap, 1, sizeof *v);
	ck_assert_ptr_eq(same, v);
	v = heap_grow(v, &cap, 100000, sizeof *v);
	ck_assert_uint_ge(cap, 100000);
	free(v);
}
END_TEST

START_TEST(strings_are_copied)
{
	char *whole = heap_strdup("abc"), *part = heap_strndup("abc", 2), *more = heap_strndup("abc", 9);
	ck_assert_str_eq(whole, "abc");
	ck_assert_str_eq(part, "ab");
	ck_assert_str_eq(more, "abc");
	free(whole);
	free(part);
	free(more);
}
END_TEST

START_TEST(overflow_aborts)
{
	free(heap_alloc_n(SIZE_MAX / 4, 8));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap");
	TCase *good = tcase_create("heap"), *fatal = tcase_create("fatal");
	tcase_add_test(good, memory_is_zeroed);
	tcase_add_test(good, nothing_is_a_pointer_too);
	tcase_add_test(good, growing_keeps_what_was_there);
	tcase_add_test(good, strings_are_copied);
	tcase_add_test_raise_signal(fatal, overflow_aborts, SIGABRT);
	suite_add_tcase(suite, good);
	suite_add_tcase(suite, fatal);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
