#include "base/yaml.h"

#include "tests/unit/unit.h"

#include <string.h>

/* All documents of a text in compact JSON, one a line; errors by their message. */
static const char *read_all(struct arena *arena, const char *s, size_t n)
{
	CLEANUP(text_done) struct text out = {0};
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, s, n);
	while (yaml_reader_next(&reader, arena, &document)) {
		text_printf(&out, "%s%u: ", out.n ? "\n" : "", document.line);
		if (document.value)
			json_print(document.value, 0, &out);
		else
			text_add(&out, document.error.message);
	}
	return arena_strdup(arena, text_get(&out));
}

static void check_read(const char *in, const char *want)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *got = read_all(arena, in, strlen(in));
	ck_assert_msg(strcmp(got, want) == 0, "%.500s\nwant %.500s\ngot  %.500s", in, want, got);
}

static char *repeat(struct arena *arena, const char *s, size_t n)
{
	size_t length = strlen(s);
	char *out = arena_alloc(arena, n * length + 1);
	for (size_t i = 0; i < n; i++)
		memcpy(out + i * length, s, length);
	return out;
}

/* What sigs.k8s.io/yaml makes of them, found out by running it. */
START_TEST(plain_scalars_mean_what_they_mean_to_kubernetes)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"y", "true"},
	    {"Y", "true"},
	    {"yes", "true"},
	    {"On", "true"},
	    {"TRUE", "true"},
	    {"n", "false"},
	    {"No", "false"},
	    {"OFF", "false"},
	    {"yEs", "\"yEs\""},
	    {"tRue", "\"tRue\""},
	    {"~", "null"},
	    {"Null", "null"},
	    {"", "null"},
	    {"nUll", "\"nUll\""},
	    {"1", "1"},
	    {"-1", "-1"},
	    {"+1", "1"},
	    {"010", "8"},
	    {"-010", "-8"},
	    {"0o17", "15"},
	    {"08", "8.0"},
	    {"0x1F", "31"},
	    {"-0x10", "-16"},
	    {"0b101", "5"},
	    {"1_000", "1000"},
	    {"0x", "\"0x\""},
	    {"9223372036854775807", "9223372036854775807"},
	    {"9223372036854775808", "9223372036854775808"},
	    {"-9223372036854775808", "-9223372036854775808"},
	    {"18446744073709551615", "18446744073709551615"},
	    {"18446744073709551616", "1.8446744073709552e+19"},
	    {"1.5", "1.5"},
	    {"1.", "1.0"},
	    {".5", "0.5"},
	    {"-.5", "-0.5"},
	    {"1e3", "1000.0"},
	    {"1e", "\"1e\""},
	    {"1e400", "\"1e400\""},
	    {".", "\".\""},
	    {"+", "\"+\""},
	    {"100m", "\"100m\""},
	    {"12:30:45", "\"12:30:45\""},
	    {"2001-01-01", "\"2001-01-01\""},
	    {"1.2.3", "\"1.2.3\""},
	    {"10.0.0.1", "\"10.0.0.1\""},
	    {"inf", "\"inf\""},
	    {"0x1.8p3", "\"0x1.8p3\""},
	    {"'1'", "\"1\""},
	    {"\"true\"", "\"true\""},
	    {"!!str 1", "\"1\""},
	    {"! 1", "\"1\""},
	    {"!!int \"1\"", "1"},
	    {"!!float 1", "1.0"},
	    {"!!bool yes", "true"},
	    {"!!null ~", "null"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		check_read(arena_printf(arena, "k: %s\n", cases[i].in),
		           arena_printf(arena, "1: {\"k\":%s}", cases[i].want));
		check_read(arena_printf(arena, "- %s\n", cases[i].in), arena_printf(arena, "1: [%s]", cases[i].want));
	}
}
END_TEST

START_TEST(structure_becomes_json)
{
	check_read("a: [1, {b: c}]\nd:\n- e\n-   - f\n", "1: {\"a\":[1,{\"b\":\"c\"}],\"d\":[\"e\",[\"f\"]]}");
	check_read("a: |\n  x\n   y\nb: >-\n  x\n  y\n", "1: {\"a\":\"x\\n y\\n\",\"b\":\"x y\"}");
	check_read("{\"json\": [true, null, 1.5e3, \"\\u00e9\"]}", "1: {\"json\":[true,null,1500.0,\"\xc3\xa9\"]}");
	check_read("a: {}\nb: []\nc:\n", "1: {\"a\":{},\"b\":[],\"c\":null}");
	check_read("\xef\xbb\xbf"
	           "a: 1\r\nb: 2\r\n",
	           "1: {\"a\":1,\"b\":2}");
	check_read("a: 1\rb: 2\r---\rc\r", "1: {\"a\":1,\"b\":2}\n4: \"c\"");
}
END_TEST

START_TEST(keys_become_strings)
{
	check_read("1: a\n0x10: b\non: c\n1.5: d\n08: e\n",
	           "1: {\"1\":\"a\",\"16\":\"b\",\"true\":\"c\",\"1.5\":\"d\",\"8\":\"e\"}");
	check_read("? a\n: b\n", "1: {\"a\":\"b\"}");
	check_read("~: b\n", "1: line 1, column 1: a key must be a string, it is null");
	check_read("[a]: b\n", "1: line 1, column 1: a key must be a string, it is an array");
	check_read("? {a: b}\n", "1: line 1, column 3: a key must be a string, it is an object");
	check_read("a: 1\nb: 2\na: 3\n", "1: line 3, column 1: the key \"a\" is there twice");
	check_read("1: x\n\"1\": y\n", "1: line 2, column 1: the key \"1\" is there twice");
}
END_TEST

START_TEST(documents_stand_alone)
{
	check_read("", "");
	check_read("# nothing\n---\n---\n# still nothing\n---\n~\n...\n", "");
	check_read("a\n---\nb\n--- c\n--- # d\ne\n", "1: \"a\"\n3: \"b\"\n4: \"c\"\n6: \"e\"");
	check_read("---\n\n# first\na: [\n---\nb: 1\n",
	           "4: line 5, column 1: did not find expected node content (while "
	           "parsing a flow node that began in line 5)\n6: {\"b\":1}");
	check_read("a: 'x\n---\nb: 1\n---\nc: \"\n",
	           "1: line 2, column 1: found unexpected end of stream (while scanning a "
	           "quoted scalar that began in line 1)\n3: {\"b\":1}\n5: line 6, column 1: "
	           "found unexpected end of stream (while scanning a quoted scalar that "
	           "began in line 5)");
	check_read("a: |\n  x\n  ---\n  y\n ---z\n---w\n",
	           "1: line 5, column 2: did not find expected key (while parsing a "
	           "block mapping that began in line 1)");
	check_read("a\n...\nb\n...\n...\n", "1: \"a\"\n3: \"b\"");
	check_read("%YAML 1.1\n---\na\n...\n%YAML 1.1\n---\nb\n", "3: \"a\"\n7: \"b\"");
	check_read("%TAG ! b\n---\na\n---\nc\n", "3: line 1, column 1: %TAG is not supported\n5: \"c\"");
	check_read("%YAML 1.1\n", "1: line 2, column 1: did not find expected <document start>");
	check_read("... a\n---\nb\n", "1: line 1, column 1: did not find expected node content (while parsing a block "
	                              "node that began in line 1)\n3: \"b\"");
	check_read("- a\n- b\nc: d\n---\ne\n",
	           "1: line 3, column 1: did not find expected '-' indicator (while parsing a block "
	           "collection that began in line 1)\n5: \"e\"");
}
END_TEST

START_TEST(aliases_are_expanded)
{
	check_read("a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n",
	           "1: {\"a\":{\"b\":[1]},\"c\":{\"b\":[1]},\"d\":[{\"b\":[1]},{\"b\":[1]}]}");
	check_read("- &a one\n- *a\n- &a two\n- *a\n", "1: [\"one\",\"one\",\"two\",\"two\"]");
	check_read("a: &x [&x 1]\nb: *x\n", "1: {\"a\":[1],\"b\":1}"); /* the one that began last */
	check_read("? &k key\n: *k\n", "1: {\"key\":\"key\"}");
	check_read("a: *x\n", "1: line 1, column 4: nothing before this is named &x");
	check_read("a: &x [*x]\n", "1: line 1, column 8: *x stands inside what it names");
	check_read("&x a\n---\n*x\n", "1: \"a\"\n3: line 3, column 1: nothing before this is named &x");
	check_read("&x a: *x\n", "1: {\"a\":\"a\"}");
}
END_TEST

START_TEST(mappings_are_merged)
{
	check_read("- &a {x: 1, w: 2}\n- <<: *a\n  w: 3\n", "1: [{\"x\":1,\"w\":2},{\"w\":3,\"x\":1}]");
	check_read("- &a {x: 1}\n- {w: 3, x: 0, <<: *a}\n", "1: [{\"x\":1},{\"w\":3,\"x\":0}]");
	check_read("- &a {x: 1}\n- &b {x: 2, z: 3}\n- <<: [*a, *b]\n",
	           "1: [{\"x\":1},{\"x\":2,\"z\":3},{\"x\":1,\"z\":3}]");
	check_read("<<: {a: 1}\n<<: {a: 2, b: 3}\n", "1: {\"a\":1,\"b\":3}");
	check_read("'<<': 1\n", "1: {\"<<\":1}");
	check_read("- <<\n", "1: [\"<<\"]");
	check_read("<<: 1\n", "1: line 1, column 5: << takes a mapping or a list of them, not an integer");
	check_read("<<: [{}, 1]\n", "1: line 1, column 5: << takes a mapping or a list of them, not an array");
	check_read("- &a {x: 1}\n- {w: 1, <<: *a, w: 2}\n", "1: line 2, column 18: the key \"w\" is there twice");
}
END_TEST

START_TEST(what_json_cannot_hold_is_refused)
{
	check_read("a: .inf\n", "1: line 1, column 4: .inf is no number that JSON can hold");
	check_read("a: .NaN\n", "1: line 1, column 4: .NaN is no number that JSON can hold");
	check_read("a: \"\\0\"\n", "1: line 1, column 4: a string must not hold a NUL");
	check_read("a: !foo b\n", "1: line 1, column 4: the tag !foo is not supported");
	check_read("a: !foo [b]\n", "1: line 1, column 4: the tag !foo is not supported");
	check_read("a: !!binary YQ==\n", "1: line 1, column 4: the tag tag:yaml.org,2002:binary is not supported");
	check_read("a: !!int x\n", "1: line 1, column 4: \"x\" is not an integer, as its tag says");
	check_read("a: !!bool 1\n", "1: line 1, column 4: \"1\" is not a boolean, as its tag says");
	check_read("a: !!map {b: c}\nd: !!seq []\n", "1: {\"a\":{\"b\":\"c\"},\"d\":[]}");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	check_read("a: 1\nb: \xff\n---\nc\n",
	           "1: line 2, column 1: the line is not UTF-8, or has a NUL in it\n4: \"c\"");
	static const char nul[] = "a: 1\n\nb: \0\n---\nc\n";
	ck_assert_str_eq(read_all(arena, nul, sizeof nul - 1),
	                 "1: line 3, column 1: the line is not UTF-8, or has a NUL in it\n5: \"c\"");
	static const char utf16[] = "\xff\xfe"
	                            "a\0:\0 \0b\0";
	ck_assert_str_eq(read_all(arena, utf16, sizeof utf16 - 1),
	                 "1: line 1, column 1: the line is not UTF-8, or has a NUL in it");
	check_read("a: 1\nb: \x01\n", "1: line 2, column 4: control characters are not allowed");
	check_read("a:\t1\n\tb: 2\n", "1: line 2, column 1: found a tab character that violates indentation (while "
	                              "scanning a plain scalar that began in line 1)");
}
END_TEST

START_TEST(places_are_of_the_file)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char in[] = "a: 1\n---\n# x\nspec:\n  \xc3\xa9: {h: [1,\n    two]}\n";
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, in, sizeof in - 1);
	ck_assert(yaml_reader_next(&reader, arena, &document));
	ck_assert(yaml_reader_next(&reader, arena, &document));
	ck_assert_uint_eq(document.line, 4);
	ck_assert_uint_eq(document.value->line, 4);
	const struct json_member *spec = &document.value->object.v[0];
	ck_assert_uint_eq(spec->line, 4);
	ck_assert_uint_eq(spec->column, 1);
	const struct json_member *e = &spec->value->object.v[0];
	ck_assert_uint_eq(e->line, 5);
	ck_assert_uint_eq(e->column, 3);
	const struct json *h = json_get(e->value, "h");
	ck_assert_uint_eq(h->column, 10);
	ck_assert_uint_eq(h->array.v[1]->line, 6);
	ck_assert_uint_eq(h->array.v[1]->column, 5);
	ck_assert(!yaml_reader_next(&reader, arena, &document));
}
END_TEST

START_TEST(depth_is_capped)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	check_read(repeat(arena, "[", 10000), "1: line 1, column 65: more than 64 levels deep");
	check_read(repeat(arena, "- ", 10000), "1: line 1, column 129: more than 64 levels deep");
	CLEANUP(text_done) struct text nested = {0};
	for (int i = 0; i < 2000; i++)
		text_printf(&nested, "%*sa:\n", i, "");
	check_read(text_get(&nested), "1: line 65, column 65: more than 64 levels deep");
	const char *good = arena_printf(arena, "%s%s", repeat(arena, "[", 64), repeat(arena, "]", 64));
	check_read(good, arena_printf(arena, "1: %s", good));
	/* by way of aliases */
	CLEANUP(text_done) struct text chain = {0};
	text_add(&chain, "- &a0 []\n");
	for (int i = 1; i < 100; i++)
		text_printf(&chain, "- &a%d [*a%d]\n", i, i - 1);
	check_read(text_get(&chain), "1: line 64, column 9: more than 64 levels deep, aliases expanded");
}
END_TEST

START_TEST(a_billion_laughs_are_refused)
{
	CLEANUP(text_done) struct text laughs = {0};
	text_add(&laughs, "a: &a [x,x,x,x,x,x,x,x,x,x]\n");
	for (int c = 'b'; c < 'z'; c++) {
		text_printf(&laughs, "%c: &%c [", c, c);
		for (int i = 0; i < 10; i++)
			text_printf(&laughs, "*%c,", c - 1);
		text_add(&laughs, "]\n");
	}
	check_read(text_get(&laughs), "1: line 7, column 8: more than 2097152 values in one document");

	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text copies = {0};
	text_printf(&copies, "- &a %s\n", repeat(arena, "x", 1 << 20));
	for (int i = 0; i < 100; i++)
		text_add(&copies, "- *a\n");
	check_read(text_get(&copies), "1: line 9, column 3: more than 8388608 bytes in one document, aliases expanded");
}
END_TEST

START_TEST(sizes_are_capped)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *line = arena_printf(arena, "# %997s\n", ""); /* 1000 bytes */
	const char *large = repeat(arena, line, 50000);
	ck_assert_str_eq(read_all(arena, large, strlen(large)),
	                 "1: line 1, column 1: the file has 50000000 bytes, at most 33554432 are allowed");
	const char *document = arena_printf(arena, "---\n%s---\nb\n", repeat(arena, line, 10000));
	ck_assert_str_eq(read_all(arena, document, strlen(document)), "10003: \"b\""); /* no content: no matter */
	document = arena_printf(arena, "---\n'%s'\n---\nb\n", repeat(arena, line, 10000));
	ck_assert_str_eq(read_all(arena, document, strlen(document)),
	                 "2: line 2, column 1: the document has 10000007 bytes, at most 8388608 are allowed\n"
	                 "10004: \"b\"");
	const char *values = repeat(arena, "- a\n", 2097152);
	ck_assert_str_eq(read_all(arena, values, strlen(values)),
	                 "1: line 2097152, column 3: more than 2097152 values in one document");
}
END_TEST

UNIT_MAIN("yaml", plain_scalars_mean_what_they_mean_to_kubernetes, structure_becomes_json, keys_become_strings,
          documents_stand_alone, aliases_are_expanded, mappings_are_merged, what_json_cannot_hold_is_refused,
          bytes_that_are_no_text_are_refused, places_are_of_the_file, depth_is_capped, a_billion_laughs_are_refused,
          sizes_are_capped)
