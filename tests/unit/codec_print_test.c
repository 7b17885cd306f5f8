#include "proto/codec.h"

#include "proto/build.h"
#include "proto/istio.h"
#include "proto/pack.h"
#include "tests/unit/unit.h"

START_TEST(test_print_indented)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	struct codec_issues issues = {0};
	static const char in[] = "{\"a\":[1,2],\"b\":{},\"c\":[],\"d\":{\"e\":\"f\"}}";
	struct error error;
	const struct json *value = json_parse(arena, in, strlen(in), &error);
	codec_print(codec_decode(arena, google_struct_type(), value, NULL, &issues), 2, &out);
	ck_assert_str_eq(text_get(&out),
	                 "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": {\n    "
	                 "\"e\": \"f\"\n  }\n}");
}
END_TEST

/* What cannot be opened is shown as it is. */
START_TEST(test_print_closed_any)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text unknown = {0}, bad = {0}, deep = {0};
	google_any *any = google_any_new(arena);
	any->type_url = arena_strdup(arena, "x/no.Such");
	any->value.data = (uint8_t *)arena_strdup(arena, "\xff\x01");
	any->value.len = 2;
	codec_print(&any->base, 0, &unknown);
	ck_assert_str_eq(text_get(&unknown), "{\"@type\":\"x/no.Such\",\"value\":\"/wE=\"}");
	any->type_url = arena_strdup(arena, "x/google.protobuf.StringValue");
	codec_print(&any->base, 0, &bad);
	ck_assert_str_eq(text_get(&bad), "{\"@type\":\"x/google.protobuf.StringValue\",\"value\":\"/wE=\"}");

	google_any *nested = google_any_new(arena);
	for (int i = 0; i < 200; i++)
		nested = pack_any(arena, &nested->base);
	codec_print(&nested->base, 0, &deep);
	size_t opened = 0;
	for (const char *s = text_get(&deep); (s = strstr(s, "@type")); s++)
		opened++;
	ck_assert_uint_eq(opened, 9);
}
END_TEST

START_TEST(test_print_odd_values)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	istio_load_balancer_settings *settings = istio_load_balancer_settings_new(arena);
	settings->lb_policy_case = ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__LB_POLICY_SIMPLE;
	memcpy(&settings->simple, &(int){99}, sizeof(int));
	settings->warmup_duration_secs = google_duration_new(arena);
	settings->warmup_duration_secs->seconds = INT64_MIN;
	settings->warmup_duration_secs->nanos = INT32_MIN;
	codec_print(&settings->base, 0, &out);
	ck_assert_str_eq(text_get(&out), "{\"simple\":99,\"warmupDurationSecs\":\"-9223372036854775810.147483648s\"}");
	out.n = 0;
	google_timestamp *timestamp = google_timestamp_new(arena);
	timestamp->seconds = INT64_MAX;
	codec_print(&timestamp->base, 0, &out);
	ck_assert_str_eq(text_get(&out), "\"292277026596-12-04T15:30:07Z\"");
}
END_TEST

/* A peer may send a key twice: the last counts. */
START_TEST(test_print_double_key)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0};
	google_struct *object = build_struct(arena);
	build_struct_string(arena, object, "b", "1");
	build_struct_string(arena, object, "a", "2");
	build_struct_string(arena, object, "b", "3");
	codec_print(&object->base, 0, &out);
	ck_assert_str_eq(text_get(&out), "{\"a\":\"2\",\"b\":\"3\"}");
}
END_TEST

UNIT_MAIN("codec_print", test_print_double_key, test_print_indented, test_print_closed_any, test_print_odd_values)
