#include "base/json.h"

#include "tests/unit/unit.h"

#include <string.h>

/* jansson has some of our names: its own go by others here. */
#define json_type jansson_type
#define JSON_NULL JANSSON_NULL
#define JSON_STRING JANSSON_STRING
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_OBJECT JANSSON_OBJECT
#include <jansson.h>
#undef json_type
#undef JSON_NULL
#undef JSON_STRING
#undef JSON_ARRAY
#undef JSON_OBJECT

static char *repeat(struct arena *arena, const char *head, const char *s, size_t n, const char *tail)
{
	CLEANUP(text_done) struct text text = {0};
	text_add(&text, head);
	for (size_t i = 0; i < n; i++)
		text_add(&text, s);
	text_add(&text, tail);
	return arena_strdup(arena, text_get(&text));
}

START_TEST(values_print_as_they_parse)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"null", "null"},
	    {" \t\r\n true ", "true"},
	    {"false", "false"},
	    {"0", "0"},
	    {"-7", "-7"},
	    {"9223372036854775807", "9223372036854775807"},
	    {"-9223372036854775808", "-9223372036854775808"},
	    {"18446744073709551615", "18446744073709551615"},
	    {"18446744073709551616", "1.8446744073709552e+19"},
	    {"1.5", "1.5"},
	    {"1.0", "1.0"},
	    {"1e2", "100.0"},
	    {"1E+30", "1e+30"},
	    {"0.1", "0.1"},
	    {"5e-324", "4.94065645841247e-324"},
	    {"1e-400", "0.0"},
	    {"\"\"", "\"\""},
	    {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"a\\\"\\\\/\\b\\f\\n\\r\\t\""},
	    {"\"\\u00e9\\u20AC\\ud83d\\ude00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {"[]", "[]"},
	    {"[ 1 , [ ] , {} ]", "[1,[],{}]"},
	    {"{ \"b\" : 1 , \"a\" : { \"c\" : [ null ] } }", "{\"b\":1,\"a\":{\"c\":[null]}}"},
	    {"{\"\":\"\"}", "{\"\":\"\"}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(text_done) struct text out = {0};
		struct error error;
		const struct json *value = json_parse(arena, cases[i].in, strlen(cases[i].in), &error);
		ck_assert_msg(value != NULL, "%s: %s", cases[i].in, error.message);
		json_print(value, 0, &out);
		ck_assert_str_eq(text_get(&out), cases[i].want);
	}
}
END_TEST

START_TEST(mistakes_are_named_with_their_place)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"", "line 1, column 1: expected a value, not the end"},
	    {"{\n  \"a\": tru\n}", "line 2, column 8: expected a value"},
	    {"[1,]", "line 1, column 4: expected a value"},
	    {"[1 2]", "line 1, column 4: expected , or ] in an array"},
	    {"{\"a\":1,}", "line 1, column 8: expected a key in quotes"},
	    {"{a:1}", "line 1, column 2: expected a key in quotes"},
	    {"{'a':1}", "line 1, column 2: expected a key in quotes"},
	    {"{\"a\" 1}", "line 1, column 6: expected : after the key"},
	    {"{\"a\":1", "line 1, column 7: expected , or } in an object"},
	    {"[", "line 1, column 2: expected a value, not the end"},
	    {"1 2", "line 1, column 3: something follows the value"},
	    {"01", "line 1, column 3: a number must not begin with 0"},
	    {"-", "line 1, column 2: expected a digit after -"},
	    {"1.", "line 1, column 3: expected a digit after the decimal point"},
	    {".5", "line 1, column 1: expected a value"},
	    {"+1", "line 1, column 1: expected a value"},
	    {"1e", "line 1, column 3: expected a digit in the exponent"},
	    {"1e999", "line 1, column 1: the number is out of range"},
	    {"NaN", "line 1, column 1: expected a value"},
	    {"\"abc", "line 1, column 5: the string does not end"},
	    {"\"a\nb\"", "line 1, column 3: a control character in a string must be escaped"},
	    {"\"\\x\"", "line 1, column 3: unknown escape in a string"},
	    {"\"\\u12g4\"", "line 1, column 6: expected four hexadecimal digits after \\u"},
	    {"\"\\ud800\"", "line 1, column 8: half of a surrogate pair"},
	    {"\"\\ud800\\u0041\"", "line 1, column 14: half of a surrogate pair"},
	    {"\"\\udc00\"", "line 1, column 8: half of a surrogate pair"},
	    {"\"\\u0000\"", "line 1, column 8: \\u0000 is not allowed"},
	    {"{\"a\":1,\n\"b\":2,\n\"a\":3}", "line 3, column 1: the key \"a\" is there twice"},
	    {"[\"\xc3\xa9\",x]", "line 1, column 6: expected a value"},
	    {"\"\xff\"", "the document is not UTF-8, or has a NUL in it"},
	    {"// no", "line 1, column 1: expected a value"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error;
		ck_assert_msg(!json_parse(arena, cases[i].in, strlen(cases[i].in), &error), "%s", cases[i].in);
		ck_assert_str_eq(error.message, cases[i].want);
	}
}
END_TEST

/* Refuses what jansson refuses, and reads the same from the rest. */
START_TEST(jansson_agrees)
{
	static const char *const cases[] = {
	    "[]",
	    "[1",
	    "[1,2",
	    "{}",
	    "{\"a\":}",
	    "{\"a\"}",
	    "\"\\ud83d\\ude00\"",
	    "\"\\ude00\"",
	    "[1.5e3]",
	    "[1.e3]",
	    "[--1]",
	    "[0x1]",
	    "[1e+]",
	    "[0e1]",
	    "[-0]",
	    "[-0.0]",
	    "\"\x7f\"",
	    "[\"a\"\"b\"]",
	    "[,1]",
	    "{,}",
	    "[[]",
	    "[nul]",
	    "[true,false]",
	    "[ \t\n\r]",
	    "[\v]",
	    "{\"a\":1,\"a\":1}",
	    "[\"\xc3\"]",
	    "[\"\xed\xa0\x80\"]",
	    "[\"\\u0000\"]",
	    "\xef\xbb\xbf[]",
	    "[1]]",
	    "[\"\\uD800\\u\"]",
	    "[\"\\\"]",
	    "[\"\t\"]",
	    "[1e1000]",
	    "[123123123123123123123123.5]",
	    "[\"\\/\\u002f\"]",
	    "{\"a\":{\"b\":[{}]}}",
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(text_done) struct text out = {0};
		struct error error;
		json_error_t ignored;
		const struct json *value = json_parse(arena, cases[i], strlen(cases[i]), &error);
		json_t *theirs = json_loads(cases[i], JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &ignored);
		ck_assert_msg(!value == !theirs, "%s: %s, jansson: %s", cases[i], value ? "good" : error.message,
		              theirs ? "good" : ignored.text);
		if (!theirs)
			continue;
		json_print(value, 2, &out);
		json_t *ours = json_loads(text_get(&out), JSON_DECODE_ANY, &ignored);
		ck_assert_msg(json_equal(ours, theirs), "%s", text_get(&out));
		json_decref(ours);
		json_decref(theirs);
	}
}
END_TEST

START_TEST(every_value_knows_its_place)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	static const char in[] = "{\n  \"\xc3\xa9\": [1,\n    true],\n  \"b\": {\"c\": \"d\"}\n}";
	const struct json *value = json_parse(arena, in, sizeof in - 1, &error);
	const struct json *list = json_get(value, "\xc3\xa9"), *object = json_get(value, "b");
	ck_assert_uint_eq(value->line, 1);
	ck_assert_uint_eq(value->column, 1);
	ck_assert_uint_eq(list->line, 2);
	ck_assert_uint_eq(list->column, 8); /* characters, not bytes */
	ck_assert_uint_eq(list->array.v[1]->line, 3);
	ck_assert_uint_eq(list->array.v[1]->column, 5);
	ck_assert_uint_eq(value->object.v[1].line, 4);
	ck_assert_uint_eq(value->object.v[1].column, 3);
	ck_assert_uint_eq(json_get(object, "c")->column, 14);
}
END_TEST

START_TEST(sizes_are_capped)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	char *s = repeat(arena, repeat(arena, "", "[", 64, ""), "]", 64, "");
	ck_assert_msg(json_parse(arena, s, strlen(s), &error) != NULL, "%s", error.message);
	s = repeat(arena, repeat(arena, "", "[", 65, ""), "]", 65, "");
	ck_assert(!json_parse(arena, s, strlen(s), &error));
	ck_assert_str_eq(error.message, "line 1, column 65: more than 64 levels deep");
	s = repeat(arena, "", "{\"a\":", 1000000, "");
	ck_assert(!json_parse(arena, s, strlen(s), &error));
	s = repeat(arena, "[", "0,", JSON_VALUES_MAX, "0]");
	ck_assert(!json_parse(arena, s, strlen(s), &error));
	ck_assert_ptr_nonnull(strstr(error.message, "more than 2097152 values"));
	s = repeat(arena, "\"", "x", JSON_BYTES_MAX - 1, "\"");
	ck_assert(!json_parse(arena, s, strlen(s), &error));
	ck_assert_ptr_nonnull(strstr(error.message, "at most 8388608"));
	ck_assert(!json_parse(arena, "\"a\0b\"", 5, &error));
}
END_TEST

START_TEST(duplicates_among_many_keys_are_found)
{
	for (int n = 1; n < 60; n++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(text_done) struct text in = {0};
		struct error error;
		text_add_char(&in, '{');
		for (int i = 0; i < n; i++)
			text_printf(&in, "\"k%d\":%d,", i, i);
		size_t length = in.n;
		text_add(&in, "\"last\":0}");
		ck_assert(json_parse(arena, in.s, in.n, &error));
		in.n = length;
		text_printf(&in, "\"k%d\":0}", n / 2);
		ck_assert(!json_parse(arena, in.s, in.n, &error));
	}
}
END_TEST

START_TEST(members_are_found)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	static const char in[] = "{\"a\": \"x\", \"b\": 1, \"c\": null}";
	const struct json *value = json_parse(arena, in, sizeof in - 1, &error);
	ck_assert_str_eq(json_get_string(value, "a"), "x");
	ck_assert_ptr_null(json_get_string(value, "b"));
	ck_assert_int_eq(json_get(value, "b")->integer, 1);
	ck_assert_int_eq(json_get(value, "c")->type, JSON_NULL);
	ck_assert_ptr_null(json_get(value, "d"));
	ck_assert_ptr_null(json_get(json_get(value, "a"), "x"));
	ck_assert_ptr_null(json_get(NULL, "a"));
	ck_assert_str_eq(json_type_name(JSON_OBJECT), "an object");
}
END_TEST

START_TEST(printing_is_indented)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	struct error error;
	static const char in[] = "{\"a\":[1,{\"b\":[]}],\"c\":{}}";
	json_print(json_parse(arena, in, sizeof in - 1, &error), 2, &out);
	ck_assert_str_eq(text_get(&out), "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
}
END_TEST

UNIT_MAIN("json", values_print_as_they_parse, mistakes_are_named_with_their_place, jansson_agrees,
          every_value_knows_its_place, sizes_are_capped, duplicates_among_many_keys_are_found, members_are_found,
          printing_is_indented)
