#include "proto/build.h"

#include "proto/codec.h"
#include "proto/pack.h"
#include "tests/unit/unit.h"

static void check_json(const ProtobufCMessage *message, const char *want)
{
	CLEANUP(text_done) struct text out = {0};
	codec_print(message, 0, &out);
	ck_assert_str_eq(text_get(&out), want);
}

START_TEST(test_durations)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
	    {0, "\"0s\""},         {10000, "\"10s\""},     {1500, "\"1.500s\""},
	    {-250, "\"-0.250s\""}, {-1500, "\"-1.500s\""}, {86400000, "\"86400s\""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const google_duration *duration = build_duration_ms(arena, rows[i].ms);
		check_json(&duration->base, rows[i].want);
		ck_assert_int_eq(build_duration_get_ms(duration), rows[i].ms);
	}
}
END_TEST

START_TEST(test_duration_get)
{
	static const struct {
		int64_t seconds;
		int32_t nanos;
		int64_t want;
	} rows[] = {
	    {0, 999999, 0},          {0, 1000000, 1},           {1, 1999999, 1001},        {0, -1, -1},
	    {-1, -500000000, -1500}, {INT64_MAX, 0, INT64_MAX}, {INT64_MIN, 0, INT64_MIN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		google_duration *duration = google_duration_new(arena);
		duration->seconds = rows[i].seconds;
		duration->nanos = rows[i].nanos;
		ck_assert_int_eq(build_duration_get_ms(duration), rows[i].want);
	}
	ck_assert_int_eq(build_duration_get_ms(NULL), 0);
}
END_TEST

START_TEST(test_wrappers)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	check_json(&build_uint32(arena, UINT32_MAX)->base, "4294967295");
	check_json(&build_bool(arena, false)->base, "false");
	check_json(&build_string(arena, "a\"b")->base, "\"a\\\"b\"");
	check_json(&build_double(arena, 12.5)->base, "12.5");
}
END_TEST

START_TEST(test_structs)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	google_struct *inner = build_struct(arena);
	build_struct_bool(arena, inner, "on", true);
	google_struct *object = build_struct(arena);
	build_struct_string(arena, object, "a", "x");
	build_struct_value(arena, object, "b", build_value_struct(arena, inner));
	google_value *values[] = {build_value_string(arena, "y"), build_value_string(arena, "z"),
	                          build_value_struct(arena, build_struct(arena))};
	build_struct_value(arena, object, "c", build_value_list(arena, values, 3));
	build_struct_value(arena, object, "d", build_value_list(arena, NULL, 0));
	check_json(&object->base, "{\"a\":\"x\",\"b\":{\"on\":true},\"c\":[\"y\",\"z\",{}],\"d\":[]}");

	ck_assert_str_eq(build_struct_get_string(object, "a"), "x");
	ck_assert_ptr_null(build_struct_get_string(object, "b"));
	ck_assert_ptr_null(build_struct_get_string(object, "none"));
	ck_assert_ptr_eq(build_struct_get(object, "b")->struct_value, inner);
	ck_assert_ptr_null(build_struct_get(NULL, "a"));
	ck_assert_ptr_null(build_struct_get_string(NULL, "a"));
}
END_TEST

/* Strings are copied: the caller's may go. */
START_TEST(test_strings_are_copied)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char key[] = "k", value[] = "v";
	google_struct *object = build_struct(arena);
	build_struct_string(arena, object, key, value);
	key[0] = value[0] = 'x';
	ck_assert_str_eq(build_struct_get_string(object, "k"), "v");
}
END_TEST

START_TEST(test_build_add_grows)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	google_list_value *list = google_list_value_new(arena);
	for (int i = 0; i < 1000; i++)
		BUILD_ADD(arena, list, values, build_value_string(arena, arena_printf(arena, "%d", i)));
	ck_assert_uint_eq(list->n_values, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(atoi(list->values[i]->string_value), i);
}
END_TEST

UNIT_MAIN("build", test_durations, test_duration_get, test_wrappers, test_structs, test_strings_are_copied,
          test_build_add_grows)
