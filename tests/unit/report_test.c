#include "translator/report.h"

#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

START_TEST(test_print)
{
	static const struct {
		struct report_row row;
		const char *text, *json;
	} rows[] = {
	    {
	        {REPORT_ERROR, REASON_HOST_NOT_FOUND, "VirtualService", "default", "reviews", "spec.http[0]",
	         "no \"a\"", "a.yaml", 12},
	        "a.yaml:12: error: VirtualService/default/reviews: spec.http[0]: no \"a\" (HostNotFound)",
	        "{\"severity\":\"error\",\"reason\":\"HostNotFound\",\"object\":\"VirtualService/default/reviews\","
	        "\"field\":\"spec.http[0]\",\"message\":\"no \\\"a\\\"\",\"file\":\"a.yaml\",\"line\":12}",
	    },
	    {
	        {REPORT_WARNING, REASON_NO_EFFECT, "Namespace", "", "shop", NULL, "m", NULL, 0},
	        "warning: Namespace/shop: m (NoEffect)",
	        "{\"severity\":\"warning\",\"reason\":\"NoEffect\",\"object\":\"Namespace/shop\",\"message\":\"m\"}",
	    },
	    {
	        {REPORT_ERROR, REASON_UNREADABLE, NULL, NULL, NULL, NULL, "m", "a.yaml", 0},
	        "a.yaml: error: m (Unreadable)",
	        "{\"severity\":\"error\",\"reason\":\"Unreadable\",\"message\":\"m\",\"file\":\"a.yaml\"}",
	    },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text text = {0}, json = {0};
		report_row_print_text(&rows[i].row, &text);
		report_row_print_json(&rows[i].row, &json);
		ck_assert_str_eq(text_get(&text), rows[i].text);
		ck_assert_str_eq(text_get(&json), rows[i].json);
	}
}
END_TEST

START_TEST(test_every_reason_has_a_name)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		ck_assert_ptr_nonnull(report_reason_name((enum report_reason)i));
}
END_TEST

START_TEST(test_sort)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct report report = {.arena = arena};
	static const struct report_row in[] = {
	    {.kind = "B", .name = "b", .message = "2", .file = "b.yaml", .line = 1},
	    {.kind = "B", .name = "b", .message = "1", .file = "a.yaml", .line = 10},
	    {.kind = "B", .name = "b", .message = "1", .file = "a.yaml", .line = 9},
	    {.kind = "A", .name = "b", .message = "1", .file = "a.yaml", .line = 9},
	    {.kind = "B", .name = "b", .message = "2", .file = "b.yaml", .line = 1},
	    {.message = "no file"},
	    {.kind = "B", .name = "b", .message = "2", .file = "b.yaml", .line = 1, .severity = REPORT_WARNING},
	};
	for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
		report_add_row(&report, &in[i]);
	report_sort(&report);
	CLEANUP(text_done) struct text all = {0};
	for (size_t i = 0; i < report.n; i++) {
		report_row_print_text(&report.rows[i], &all);
		text_add(&all, "\n");
	}
	ck_assert_str_eq(text_get(&all), "error: no file (Unreadable)\n"
	                                 "a.yaml:9: error: A/b: 1 (Unreadable)\n"
	                                 "a.yaml:9: error: B/b: 1 (Unreadable)\n"
	                                 "a.yaml:10: error: B/b: 1 (Unreadable)\n"
	                                 "b.yaml:1: error: B/b: 2 (Unreadable)\n"
	                                 "b.yaml:1: warning: B/b: 2 (Unreadable)\n");
}
END_TEST

START_TEST(test_add_about_an_object)
{
	struct decoded decoded = decode_at("apiVersion: v1\nkind: Service\nmetadata: {name: a}", "f.yaml", 7);
	struct report report = {.arena = decoded.arena};
	ck_assert(!report_has_errors(&report));
	report_sort(&report);
	report_add(&report, decoded.object, REPORT_WARNING, REASON_CONFLICT, "spec.ports[0]", "%s %d", "port", 80);
	ck_assert(!report_has_errors(&report));
	CLEANUP(text_done) struct text text = {0};
	report_row_print_text(&report.rows[0], &text);
	ck_assert_str_eq(text_get(&text), "f.yaml:7: warning: Service/default/a: spec.ports[0]: port 80 (Conflict)");
	report_add(&report, decoded.object, REPORT_ERROR, REASON_CONFLICT, NULL, "x");
	ck_assert(report_has_errors(&report));
	decoded_done(&decoded);
}
END_TEST

UNIT_MAIN("report", test_print, test_every_reason_has_a_name, test_sort, test_add_about_an_object)
