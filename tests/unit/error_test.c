#include "base/error.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

START_TEST(set_gives_false_and_the_message)
{
	struct error error;
	ck_assert(!error_set(&error, "no %s in %d", "host", 7));
	ck_assert_str_eq(error.message, "no host in 7");
	ck_assert(!error_set(&error, "it was: %s", error.message)); /* its own text as argument */
	ck_assert_str_eq(error.message, "it was: no host in 7");
}
END_TEST

START_TEST(wrap_puts_where_before_what)
{
	struct error error;
	error_set(&error, "no such file");
	ck_assert(!error_wrap(&error, "reading %s", "a.yaml"));
	ck_assert(!error_wrap(&error, "starting"));
	ck_assert_str_eq(error.message, "starting: reading a.yaml: no such file");
}
END_TEST

START_TEST(errno_is_put_in_words)
{
	struct error error;
	ck_assert(!error_set_errno(&error, ENOENT, "opening %s", "x"));
	ck_assert_str_eq(error.message, "opening x: No such file or directory");
}
END_TEST

START_TEST(long_messages_end_with_dots)
{
	for (int n = ERROR_MAX - 10; n < ERROR_MAX + 10; n++) {
		struct error error;
		error_set(&error, "%*s", n, "");
		ck_assert_uint_lt(strlen(error.message), ERROR_MAX);
		bool is_cut = n > ERROR_MAX - 1;
		ck_assert_int_eq(strcmp(error.message + strlen(error.message) - 3, "...") == 0, is_cut);
		ck_assert_uint_eq(strlen(error.message), is_cut ? ERROR_MAX - 1 : n);
	}
	struct error error;
	error_set(&error, "%*s", 3 * ERROR_MAX, "");
	ck_assert_uint_eq(strlen(error.message), ERROR_MAX - 1);
	for (int i = 0; i < 2000; i++)
		error_wrap(&error, "again");
	ck_assert_str_eq(error.message + ERROR_MAX - 4, "...");
}
END_TEST

START_TEST(characters_are_not_cut_in_two)
{
	for (int shift = 0; shift < 4; shift++) {
		struct error error;
		char s[ERROR_MAX * 2 + 1] = {0};
		memset(s, 'x', (size_t)shift);
		for (size_t at = (size_t)shift; at + 4 < sizeof s; at += 4)
			memcpy(s + at, "\xf0\x9f\x98\x80", 4);
		error_set(&error, "%s", s);
		size_t n = strlen(error.message) - 3;
		ck_assert_str_eq(error.message + n, "...");
		ck_assert_uint_eq((n - (size_t)shift) % 4, 0);
	}
}
END_TEST

UNIT_MAIN("error", set_gives_false_and_the_message, wrap_puts_where_before_what, errno_is_put_in_words,
          long_messages_end_with_dots, characters_are_not_cut_in_two)
