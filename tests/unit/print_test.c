#include "translator/print.h"

#include "base/json.h"
#include "proto/envoy.h"
#include "proto/pack.h"
#include "unit.h"

#include <string.h>

static struct resource *cluster_new(struct arena *arena, const char *name)
{
	envoy_cluster *cluster = envoy_cluster_new(arena);
	cluster->name = arena_strdup(arena, name);
	struct bytes bytes = pack(arena, &cluster->base);
	return resource_new(RESOURCE_CLUSTER, name, bytes.data, bytes.n);
}

static struct resource_set *clusters(struct arena *arena, const char *const *names, size_t n)
{
	struct resource *v[8];
	for (size_t i = 0; i < n; i++)
		v[i] = cluster_new(arena, names[i]);
	return resource_set_new(RESOURCE_CLUSTER, v, n);
}

START_TEST(empty)
{
	struct text out = {0};
	print_config(NULL, NULL, NULL, &out);
	ck_assert_str_eq(out.s, "{\n  \"report\": [],\n  \"listeners\": [],\n  \"routes\": [],\n  \"clusters\": [],\n"
	                        "  \"endpoints\": [],\n  \"secrets\": []\n}\n");
	text_done(&out);
}
END_TEST

START_TEST(view_and_workload_are_merged_by_name)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct text out = {0};
	struct error error;
	struct resource_set *view[RESOURCE_TYPE_COUNT] = {0}, *workload[RESOURCE_TYPE_COUNT] = {0};
	view[RESOURCE_CLUSTER] = clusters(arena, (const char *[]){"outbound|80", "a", "same"}, 3);
	workload[RESOURCE_CLUSTER] = clusters(arena, (const char *[]){"inbound|80", "same", "z"}, 3);
	print_config(NULL, view, workload, &out);
	const struct json *json = json_parse(arena, out.s, out.n, &error);
	ck_assert_msg(json != NULL, "%s", error.message);
	const struct json *list = json_get(json, "clusters");
	static const char *const want[] = {"a", "inbound|80", "outbound|80", "same", "z"};
	ck_assert_uint_eq(list->array.n, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(json_get_string(list->array.v[i], "name"), want[i]);
	text_done(&out);
	resource_set_unref(view[RESOURCE_CLUSTER]);
	resource_set_unref(workload[RESOURCE_CLUSTER]);
}
END_TEST

START_TEST(layout)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct report report = {.arena = arena};
	struct text out = {0}, row = {0}, want = {0};
	struct resource_set *view[RESOURCE_TYPE_COUNT] = {0};
	view[RESOURCE_CLUSTER] = clusters(arena, (const char *[]){"a\nb"}, 1);
	report_add_row(&report, &(struct report_row){.message = "bad", .file = "a.yaml", .line = 1});
	report_row_print_json(&report.rows[0], &row);
	print_config(&report, view, NULL, &out);
	text_printf(&want,
	            "{\n  \"report\": [\n    %s\n  ],\n  \"listeners\": [],\n  \"routes\": [],\n  \"clusters\": [\n"
	            "    {\n      \"name\": \"a\\nb\"\n    }\n  ],\n  \"endpoints\": [],\n  \"secrets\": []\n}\n",
	            row.s);
	ck_assert_str_eq(out.s, want.s);
	text_done(&out);
	text_done(&want);
	print_report(&report, &out);
	text_printf(&want, "[\n  %s\n]\n", row.s);
	ck_assert_str_eq(out.s, want.s);
	text_done(&out);
	text_done(&want);
	text_done(&row);
	resource_set_unref(view[RESOURCE_CLUSTER]);
}
END_TEST

UNIT_MAIN("print", empty, view_and_workload_are_merged_by_name, layout)
