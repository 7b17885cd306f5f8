#include "server/jwks/kept_keys.h"

#include "tests/unit/config_dir.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SET                                                                                                            \
	"{\"url\":\"https://a/keys\",\"discovery\":false,\"keysUrl\":\"https://b/keys\",\"at\":1800000000,\"keys\":"   \
	"\"{\\\"keys\\\":[]}\"}"
#define FILE_OF(sets) "{\"sources\":[" sets "]}\n"

START_TEST(what_is_printed_reads_back)
{
	static const char *const rows[] = {FILE_OF(""), FILE_OF(SET), FILE_OF(SET "," SET)};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		struct kept_keys kept;
		struct error error = {""};
		ck_assert_msg(kept_keys_read(arena, rows[i], strlen(rows[i]), &kept, &error), "%s", error.message);
		ck_assert_uint_eq(kept.sets.n, i);
		ck_assert_uint_eq(kept_keys_print(&kept, &out), i);
		ck_assert_str_eq(out.s, rows[i]);
	}
}
END_TEST

START_TEST(what_is_wrong_says_nothing)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {"", "expected"},
	    {"{}", "no \"sources\""},
	    {"[]", "no \"sources\""},
	    {"{\"sources\":{}}", "no \"sources\""},
	    {"{\"sources\":[],\"more\":1}", "something else"},
	    {"{\"sources\":[" SET ",{}]}", "source 1"},
	    {"{\"sources\":[" SET "]", "line 1"},
	    {"{\"sources\":[{\"url\":\"\",\"discovery\":false,\"keysUrl\":\"b\",\"at\":1,\"keys\":\"{}\"}]}",
	     "source 0"},
	    {"{\"sources\":[{\"url\":\"a\\u0000\",\"discovery\":false,\"keysUrl\":\"b\",\"at\":1,\"keys\":\"{}\"}]}",
	     "line 1"},
	    {"{\"sources\":[{\"url\":\"a\",\"discovery\":0,\"keysUrl\":\"b\",\"at\":1,\"keys\":\"{}\"}]}", "source 0"},
	    {"{\"sources\":[{\"url\":\"a\",\"discovery\":true,\"keysUrl\":\"b\",\"at\":-1,\"keys\":\"{}\"}]}",
	     "source 0"},
	    {"{\"sources\":[{\"url\":\"a\",\"discovery\":true,\"keysUrl\":\"b\",\"at\":1e9,\"keys\":\"{}\"}]}",
	     "source 0"},
	    {"{\"sources\":[{\"url\":\"a\",\"discovery\":true,\"keysUrl\":\"b\",\"at\":1,\"keys\":{}}]}", "source 0"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kept_keys kept;
		struct error error = {""};
		ck_assert_msg(!kept_keys_read(arena, rows[i].in, strlen(rows[i].in), &kept, &error), "%s", rows[i].in);
		ck_assert_msg(strstr(error.message, rows[i].want), "%s: %s", rows[i].in, error.message);
		ck_assert_uint_eq(kept.sets.n, 0);
	}
}
END_TEST

START_TEST(what_is_too_large_is_left_out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	char *large = arena_alloc(arena, KEPT_KEYS_BYTES_MAX);
	struct kept_keys kept = {0}, again;
	struct error error;
	memset(large, 'x', KEPT_KEYS_BYTES_MAX - 1);
	large[KEPT_KEYS_BYTES_MAX - 1] = '\0';
	VEC_PUSH(arena, &kept.sets, (struct kept_set){"a", false, "a", 1, "{}"});
	VEC_PUSH(arena, &kept.sets, (struct kept_set){"b", false, "b", 1, large});
	VEC_PUSH(arena, &kept.sets, (struct kept_set){"c", true, "c", 2, "{}"});
	ck_assert_uint_eq(kept_keys_print(&kept, &out), 2);
	ck_assert(kept_keys_read(arena, out.s, out.n, &again, &error));
	ck_assert_uint_eq(again.sets.n, 2);
	ck_assert_str_eq(again.sets.v[1].url, "c");
	ck_assert(again.sets.v[1].is_discovery && again.sets.v[1].at_s == 2);
}
END_TEST

START_TEST(a_folder_keeps_them)
{
	struct config_dir dir;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	struct kept_keys kept;
	struct error error = {""};
	config_dir_init(&dir);
	ck_assert(kept_keys_load(dir.path, arena, &kept, &error) && kept.sets.n == 0);
	text_add(&out, FILE_OF(SET));
	ck_assert_msg(kept_keys_store(dir.path, &out, &error), "%s", error.message);
	ck_assert_msg(kept_keys_load(dir.path, arena, &kept, &error), "%s", error.message);
	ck_assert_uint_eq(kept.sets.n, 1);
	text_add(&out, "x");
	ck_assert(kept_keys_store(dir.path, &out, &error));
	ck_assert(!kept_keys_load(dir.path, arena, &kept, &error) && kept.sets.n == 0);
	ck_assert_msg(strstr(error.message, "/jwks/keys.json"), "%s", error.message);
	config_dir_done(&dir);
}
END_TEST

UNIT_MAIN("kept_keys", what_is_printed_reads_back, what_is_wrong_says_nothing, what_is_too_large_is_left_out,
          a_folder_keeps_them)
