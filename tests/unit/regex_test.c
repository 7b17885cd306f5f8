#include "base/regex.h"

#include "tests/unit/unit.h"

#include <string.h>

START_TEST(re2_syntax_is_accepted)
{
	static const char *const patterns[] = {"",       "a.*b",        "^/api/v[0-9]+(/.*)?$", "(?i)hello",
	                                       "\\d{3}", "[[:alpha:]]", "\\p{Greek}",           "(?P<name>x)"};
	struct error error;
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		ck_assert_msg(regex_check(patterns[i], &error), "%s: %s", patterns[i], error.message);
}
END_TEST

START_TEST(what_envoy_refuses_is_refused)
{
	static const struct {
		const char *pattern, *want;
	} cases[] = {
	    {"[", "missing ]"},        {"(", "missing )"},           {"*", "no argument for repetition"},
	    {"a(?=b)", "invalid"},     {"(a)\\1", "invalid escape"}, {"a{1001}", "invalid repetition size"},
	    {"\xff", "invalid UTF-8"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error error;
		ck_assert_msg(!regex_check(cases[i].pattern, &error), "%s", cases[i].pattern);
		ck_assert_msg(strstr(error.message, cases[i].want) != NULL, "%s: %s", cases[i].pattern, error.message);
	}
}
END_TEST

START_TEST(size_is_capped)
{
	struct error error;
	char pattern[REGEX_BYTES_MAX + 2];
	memset(pattern, 'a', sizeof pattern);
	pattern[REGEX_BYTES_MAX + 1] = '\0';
	ck_assert(!regex_check(pattern, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "4096"));
	pattern[REGEX_BYTES_MAX] = '\0';
	ck_assert(regex_check(pattern, &error));
	ck_assert(!regex_check("((a{100}){100}){20}", &error));
	ck_assert(!regex_check("(\\pL{500}){2}", &error));
}
END_TEST

UNIT_MAIN("regex", re2_syntax_is_accepted, what_envoy_refuses_is_refused, size_is_capped)
