#include "server/source/kube/kube_condition.h"

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <string.h>

static const char world_yaml[] = "apiVersion: networking.istio.io/v1\n"
                                 "kind: VirtualService\n"
                                 "metadata: {name: there, namespace: ns}\n"
                                 "spec: {hosts: [a.b], http: [{directResponse: {status: 200}}]}\n";

#define ROW(object_name, row_severity, row_reason, row_field, row_message)                                             \
	{                                                                                                              \
		.severity = (row_severity), .reason = (row_reason), .kind = "VirtualService", .namespace = "ns",       \
		.name = (object_name), .field = (row_field), .message = (row_message)                                  \
	}

START_TEST(a_condition_says_what_the_report_says)
{
	static const struct {
		const char *name, *object;
		struct report_row rows[3];
		size_t n;
		bool is_said;
		struct kube_condition want;
	} cases[] = {
	    {"in force", "there", {{0}}, 0, true, {true, "Accepted", "in force", 0}},
	    {"not of this mesh", "gone", {{0}}, 0, false, {0}},
	    {"of another object",
	     "there",
	     {ROW("gone", REPORT_ERROR, REASON_INVALID_VALUE, "spec", "no")},
	     1,
	     true,
	     {true, "Accepted", "in force", 0}},
	    {"a warning",
	     "there",
	     {ROW("there", REPORT_WARNING, REASON_HOST_NOT_FOUND, "spec.hosts[0]", "no such host")},
	     1,
	     true,
	     {true, "HostNotFound", "spec.hosts[0]: no such host (HostNotFound)", 0}},
	    {"errors come first",
	     "there",
	     {ROW("there", REPORT_INFO, REASON_NO_EFFECT, NULL, "idle"),
	      ROW("there", REPORT_WARNING, REASON_HOST_NOT_FOUND, "spec.a", "w"),
	      ROW("there", REPORT_ERROR, REASON_INVALID_VALUE, "spec.b", "e")},
	     3,
	     true,
	     {false, "InvalidValue", "spec.b: e (InvalidValue); spec.a: w (HostNotFound); idle (NoEffect)", 0}},
	    {"information does not take the reason away",
	     "there",
	     {ROW("there", REPORT_INFO, REASON_NO_EFFECT, NULL, "idle")},
	     1,
	     true,
	     {true, "Accepted", "idle (NoEffect)", 0}},
	    {"refused, and no form of it in force",
	     "gone",
	     {ROW("gone", REPORT_ERROR, REASON_UNKNOWN_FIELD, "spec.hots", "unknown field")},
	     1,
	     true,
	     {false, "UnknownField", "spec.hots: unknown field (UnknownField)", 0}},
	    {"a kind that is not read yet",
	     "gone",
	     {ROW("gone", REPORT_WARNING, REASON_NOT_SUPPORTED, NULL, "not read yet")},
	     1,
	     true,
	     {false, "NotSupported", "not read yet (NotSupported)", 0}},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct world world = world_of(world_yaml);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct kube_rows rows = kube_rows_of(arena, cases[i].rows, cases[i].n);
		struct kube_object_name object = {KIND_VIRTUAL_SERVICE, "ns", cases[i].object};
		struct kube_condition condition;
		bool is_said = kube_condition_of(arena, world.snapshot, &rows, &object, &condition);
		ck_assert_msg(is_said == cases[i].is_said, "%s", cases[i].name);
		if (!is_said)
			continue;
		ck_assert_msg(condition.is_true == cases[i].want.is_true, "%s", cases[i].name);
		ck_assert_str_eq(condition.reason, cases[i].want.reason);
		ck_assert_str_eq(condition.message, cases[i].want.message);
	}
	world_done(&world);
}
END_TEST

START_TEST(a_message_has_a_cap)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct world world = world_of(world_yaml);
	CLEANUP(text_done) struct text huge = {0};
	struct report_row rows[9];
	struct kube_condition condition;
	struct kube_object_name object = {KIND_VIRTUAL_SERVICE, "ns", "there"};
	for (int i = 0; i < 3000; i++)
		text_add(&huge, "\xc3\xa9");
	for (size_t i = 0; i < 9; i++)
		rows[i] = (struct report_row)ROW("there", REPORT_WARNING, REASON_NO_EFFECT, NULL, i ? "short" : huge.s);
	for (size_t first = 0; first < 2; first++) {
		struct kube_rows map = kube_rows_of(arena, rows + first, 9 - first);
		ck_assert(kube_condition_of(arena, world.snapshot, &map, &object, &condition));
		ck_assert_uint_lt(strlen(condition.message), KUBE_CONDITION_MESSAGE_MAX + 100);
		ck_assert(text_is_utf8(condition.message, strlen(condition.message)));
		ck_assert(text_has_suffix(condition.message, "; and more, see weftd's report"));
	}
	world_done(&world);
}
END_TEST

/* What was written reads back as the same, so nothing is written twice. */
START_TEST(what_is_written_is_seen_again)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text body = {0};
	struct kube_condition condition = {false, "InvalidValue", "a \"quoted\"\nthing", 7};
	struct kube_object_name object = {KIND_VIRTUAL_SERVICE, "ns", "there"};
	struct error error;
	kube_condition_print(&condition, &object, "networking.istio.io/v1", "2026-01-02T03:04:05Z", &body);
	const struct json *document = json_parse(arena, body.s, body.n, &error);
	ck_assert_msg(document != NULL, "%s", error.message);
	struct kube_condition_seen seen = kube_condition_see(document);
	ck_assert(digest_equal(seen.digest, kube_condition_digest(&condition)));
	ck_assert(!seen.is_true);
	ck_assert_str_eq(seen.since, "2026-01-02T03:04:05Z");
	condition.generation = 8;
	ck_assert(!digest_equal(seen.digest, kube_condition_digest(&condition)));
}
END_TEST

START_TEST(a_status_of_any_shape_is_read)
{
	static const char *const shapes[] = {
	    "{}",
	    "{\"status\":7}",
	    "{\"status\":{\"conditions\":{}}}",
	    "{\"status\":{\"conditions\":[]}}",
	    "{\"status\":{\"conditions\":[1,null,{\"type\":\"Ready\",\"status\":\"True\"}]}}",
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		struct kube_condition_seen seen =
		    kube_condition_see(json_parse(arena, shapes[i], strlen(shapes[i]), &error));
		ck_assert(digest_is_zero(seen.digest));
	}
	static const char odd[] =
	    "{\"status\":{\"conditions\":[{\"type\":\"Accepted\",\"status\":true,\"lastTransitionTime\":"
	    "\"0123456789012345678901234567890123456789012345678901234567890123456789\"}]}}";
	struct kube_condition_seen seen = kube_condition_see(json_parse(arena, odd, strlen(odd), &error));
	ck_assert(!digest_is_zero(seen.digest) && !seen.is_true);
}
END_TEST

UNIT_MAIN("kube_condition", a_condition_says_what_the_report_says, a_message_has_a_cap, what_is_written_is_seen_again,
          a_status_of_any_shape_is_read)
