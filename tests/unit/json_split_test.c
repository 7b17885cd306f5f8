#include "base/json_split.h"

#include "tests/unit/unit.h"

#include <string.h>

/* All pieces of the text, fed `step` bytes at a time: "V:value;R:rest;", and "!error" or "?" where it breaks or could
 * not end. */
static void cut(enum json_split_shape shape, size_t max, const char *in, size_t step, struct text *out)
{
	struct json_split split;
	struct json_piece piece;
	struct error error;
	enum json_split_outcome outcome = JSON_SPLIT_MORE;
	size_t n = strlen(in);

	out->n = 0;
	json_split_init(&split, shape, max);
	for (size_t at = 0; at < n && outcome != JSON_SPLIT_BROKEN; at += step) {
		json_split_feed(&split, in + at, at + step > n ? n - at : step);
		while ((outcome = json_split_next(&split, &piece, &error)) != JSON_SPLIT_MORE) {
			if (outcome == JSON_SPLIT_BROKEN)
				break;
			text_printf(out, "%c:%.*s;", outcome == JSON_SPLIT_VALUE ? 'V' : 'R', (int)piece.n, piece.s);
		}
	}
	if (outcome == JSON_SPLIT_BROKEN)
		text_printf(out, "!%s", error.message);
	else if (!json_split_is_complete(&split))
		text_add(out, "?");
	json_split_done(&split);
}

struct row {
	const char *in, *want;
};

static void try_rows(enum json_split_shape shape, const struct row *rows, size_t n)
{
	static const size_t steps[] = {1, 2, 7, 1000};
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
			cut(shape, 64, rows[i].in, steps[k], &out);
			ck_assert_str_eq(text_get(&out), rows[i].want);
		}
	}
}

START_TEST(values_come_one_by_one)
{
	static const struct row rows[] = {
	    {"", ""},
	    {" \n", ""},
	    {"{}", "V:{};"},
	    {"{\"a\":1}\n{\"b\":[{}]}\n", "V:{\"a\":1};V:{\"b\":[{}]};"},
	    {"{}{}", "V:{};V:{};"},
	    {"{\"a\":\"}\\\"}{\"}", "V:{\"a\":\"}\\\"}{\"};"},
	    {"{\"a\":\"\\\\\"} {}", "V:{\"a\":\"\\\\\"};V:{};"},
	    {"{\"a\":", "?"},
	    {"{} {\"a", "V:{};?"},
	    {"[]", "!an object was expected"},
	    {"{} x", "V:{};!an object was expected"},
	    {"{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
	     "!a value has more than 64 bytes"},
	};
	try_rows(JSON_SPLIT_VALUES, rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(items_come_one_by_one_and_then_the_rest)
{
	static const struct row rows[] = {
	    {"", "?"},
	    {"{}", "R:{};"},
	    {"{\"items\":[]}", "R:{\"items\":[]};"},
	    {"{\"items\":null}", "R:{\"items\":null};"},
	    {"{\"kind\":\"List\",\"items\":[{\"a\":1},{\"b\":[]}],\"z\":1} \n",
	     "V:{\"a\":1};V:{\"b\":[]};R:{\"kind\":\"List\",\"items\":[],\"z\":1};"},
	    {"{ \"items\" : [ { } , { } ] }", "V:{ };V:{ };R:{ \"items\" : [] };"},
	    {"{\"metadata\":{\"items\":[{}]},\"items\":[{\"x\":\"]\"}]}",
	     "V:{\"x\":\"]\"};R:{\"metadata\":{\"items\":[{}]},\"items\":[]};"},
	    {"{\"a\":\"items\",\"b\":[{}]}", "R:{\"a\":\"items\",\"b\":[{}]};"},
	    {"{\"a\":\"items\"}", "R:{\"a\":\"items\"};"},
	    {"{\"items\":[{\"a\":1},", "V:{\"a\":1};?"},
	    {"{\"items\":[{\"a\":", "?"},
	    {"{\"items\":[{}]", "V:{};?"},
	    {"{\"items\":[1]}", "!\"items\" holds something that is no object"},
	    {"[]", "!an object was expected"},
	    {"{} {}", "R:{};!something follows the object"},
	    {"{\"items\":[{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123\"}]}",
	     "!a value has more than 64 bytes"},
	    {"{\"a\":\"01234567890123456789012345678901234567890123456789012345678901234567890123\"}",
	     "!a value has more than 64 bytes"},
	};
	try_rows(JSON_SPLIT_ITEMS, rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(what_is_broken_stays_broken)
{
	struct json_split split;
	struct json_piece piece;
	struct error error;

	json_split_init(&split, JSON_SPLIT_VALUES, 100);
	json_split_feed(&split, "x", 1);
	ck_assert_int_eq(json_split_next(&split, &piece, &error), JSON_SPLIT_BROKEN);
	json_split_feed(&split, "{}", 2);
	ck_assert_int_eq(json_split_next(&split, &piece, &error), JSON_SPLIT_BROKEN);
	ck_assert(!json_split_is_complete(&split));
	json_split_done(&split);
}
END_TEST

UNIT_MAIN("json_split", values_come_one_by_one, items_come_one_by_one_and_then_the_rest, what_is_broken_stays_broken)
