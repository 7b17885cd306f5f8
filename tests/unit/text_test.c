#include "base/text.h"

#include "tests/unit/unit.h"

#include <string.h>

START_TEST(text_grows)
{
	CLEANUP(text_done) struct text text = {0};
	ck_assert_str_eq(text_get(&text), "");
	for (int i = 0; i < 1000; i++) {
		text_add(&text, "ab");
		text_add_char(&text, 'c');
		text_printf(&text, "%03d", i);
	}
	ck_assert_uint_eq(text.n, 6000);
	ck_assert_uint_eq(strlen(text.s), 6000);
	ck_assert(memcmp(text.s + 5994, "abc999", 7) == 0);
}
END_TEST

START_TEST(text_printf_takes_any_length)
{
	for (int width = 0; width < 300; width++) {
		CLEANUP(text_done) struct text text = {0};
		text_printf(&text, "%*s", width, "");
		ck_assert_uint_eq(text.n, (size_t)width);
		ck_assert_int_eq(text.s[text.n], 0);
	}
}
END_TEST

START_TEST(text_holds_nul)
{
	CLEANUP(text_done) struct text text = {0};
	text_add_n(&text, "a\0b", 3);
	text_add_n(&text, NULL, 0);
	ck_assert_uint_eq(text.n, 3);
	ck_assert(memcmp(text.s, "a\0b", 4) == 0);
}
END_TEST

START_TEST(json_strings_are_escaped)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} cases[] = {
	    {"", 0, "\"\""},
	    {"plain", 5, "\"plain\""},
	    {"q\"b\\s/", 6, "\"q\\\"b\\\\s/\""},
	    {"\b\f\n\r\t\x01\x1f", 7, "\"\\b\\f\\n\\r\\t\\u0001\\u001f\""},
	    {"a\0b", 3, "\"a\\u0000b\""},
	    {"\x7f", 1, "\"\\u007f\""},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {"\xff", 1, "\"\xef\xbf\xbd\""},
	    {"a\xc3", 2, "\"a\xef\xbf\xbd\""},
	    {"\xe2\x82z", 3, "\"\xef\xbf\xbdz\""},                           /* cut short: one for both bytes */
	    {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
	    {"\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		text_add_json_string(&out, cases[i].in, cases[i].n);
		ck_assert_str_eq(text_get(&out), cases[i].want);
	}
}
END_TEST

START_TEST(utf8_is_rfc_3629)
{
	static const struct {
		const char *in;
		bool want;
	} cases[] = {
	    {"", true},
	    {"ascii, longer than eight bytes", true},
	    {"\xc3\xa9", true},
	    {"\xe0\xa0\x80", true},
	    {"\xed\x9f\xbf", true},
	    {"\xee\x80\x80", true},
	    {"\xf0\x90\x80\x80", true},
	    {"\xf4\x8f\xbf\xbf", true},
	    {"12345678\xc3\xa9"
	     "12345678",
	     true},
	    {"\x80", false},
	    {"\xc0\x80", false},
	    {"\xc1\xbf", false},
	    {"\xe0\x9f\xbf", false},
	    {"\xed\xa0\x80", false},
	    {"\xf0\x8f\xbf\xbf", false},
	    {"\xf4\x90\x80\x80", false},
	    {"\xf5\x80\x80\x80", false},
	    {"\xfe", false},
	    {"\xc3", false},
	    {"\xe2\x82", false},
	    {"12345678\xff"
	     "12345678",
	     false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(text_is_utf8(cases[i].in, strlen(cases[i].in)) == cases[i].want, "case %zu", i);
	/* NUL is refused wherever it stands */
	for (size_t i = 0; i < 24; i++) {
		char s[24];
		memset(s, 'x', sizeof s);
		s[i] = '\0';
		ck_assert(!text_is_utf8(s, sizeof s));
	}
}
END_TEST

START_TEST(numbers_are_whole_and_in_range)
{
	static const struct {
		const char *in;
		uint64_t max;
		bool want;
		uint64_t value;
	} cases[] = {
	    {"0", 0, true, 0},
	    {"65535", 65535, true, 65535},
	    {"65536", 65535, false, 0},
	    {"007", 10, true, 7},
	    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	    {"18446744073709551616", UINT64_MAX, false, 0},
	    {"99999999999999999999", UINT64_MAX, false, 0},
	    {"", 10, false, 0},
	    {NULL, 10, false, 0},
	    {" 1", 10, false, 0},
	    {"1 ", 10, false, 0},
	    {"-1", 10, false, 0},
	    {"+1", 10, false, 0},
	    {"0x1", 10, false, 0},
	    {"1.0", 10, false, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t value = 0;
		ck_assert_msg(text_parse_uint(cases[i].in, cases[i].max, &value) == cases[i].want, "case %zu", i);
		ck_assert_uint_eq(value, cases[i].value);
	}
}
END_TEST

START_TEST(strings_compare)
{
	ck_assert(text_equal("a", "a"));
	ck_assert(!text_equal("a", "b"));
	ck_assert(text_equal(NULL, NULL));
	ck_assert(!text_equal(NULL, ""));
	ck_assert(!text_equal("", NULL));
	ck_assert(text_has_prefix("abc", "ab") && text_has_prefix("abc", "") && text_has_prefix("abc", "abc"));
	ck_assert(!text_has_prefix("abc", "abcd") && !text_has_prefix("abc", "b"));
	ck_assert(text_has_suffix("abc", "bc") && text_has_suffix("abc", "") && text_has_suffix("abc", "abc"));
	ck_assert(!text_has_suffix("abc", "zabc") && !text_has_suffix("abc", "b"));
	ck_assert(text_is_empty(NULL) && text_is_empty("") && !text_is_empty(" "));
	const char *words[] = {"b", "c", "a"};
	qsort(words, 3, sizeof words[0], text_compare);
	ck_assert_str_eq(words[0], "a");
	ck_assert_str_eq(words[2], "c");
}
END_TEST

START_TEST(paragraphs_are_broken_between_words)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"", "\n"},
	    {"one two", "  one two\n"},
	    {"one  two six", "  one two\n  six\n"},
	    {"\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4",
	     "  \xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4\n"},
	    {"longer-than-a-line x", "  longer-than-a-line\n  x\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(text_done) struct text text = {0};
		text_add_paragraph(&text, 2, 9, cases[i].in);
		ck_assert_str_eq(text_get(&text), cases[i].want);
	}
}
END_TEST

START_TEST(json_members_have_commas_between_them)
{
	CLEANUP(text_done) struct text out = {0};
	text_add_char(&out, '{');
	text_add_json_member(&out, "a", "x\"y");
	text_add_json_member(&out, "b", "");
	text_add(&out, ",\"c\":{");
	text_add_json_member(&out, "d", "1");
	text_add(&out, "},");
	text_add_json_member(&out, "e", "2");
	text_add_char(&out, '}');
	ck_assert_str_eq(out.s, "{\"a\":\"x\\\"y\",\"b\":\"\",\"c\":{\"d\":\"1\"},\"e\":\"2\"}");
}
END_TEST

UNIT_MAIN("text", text_grows, text_printf_takes_any_length, text_holds_nul, json_strings_are_escaped, utf8_is_rfc_3629,
          numbers_are_whole_and_in_range, strings_compare, paragraphs_are_broken_between_words,
          json_members_have_commas_between_them)
