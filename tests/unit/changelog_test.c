#include "server/changelog.h"

#include "base/log.h"
#include "tests/unit/world.h"

#include <stdio.h>
#include <unistd.h>

#define SERVICE(name, port)                                                                                            \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default}\n"                              \
	"spec: {ports: [{name: http, port: " port "}]}\n---\n"
#define NAMESPACE(name) "apiVersion: v1\nkind: Namespace\nmetadata: {name: " name "}\n---\n"

static const struct {
	const char *name, *former, *present, *want;
} rows[] = {
    {"same", SERVICE("a", "80"), SERVICE("a", "80"), "nothing"},
    {"first", NULL, SERVICE("a", "80") NAMESPACE("prod"), "Service/default/a added, Namespace/prod added"},
    {"added", SERVICE("b", "80"), SERVICE("b", "80") SERVICE("a", "80"), "Service/default/a added"},
    {"removed", SERVICE("a", "80") SERVICE("b", "80"), SERVICE("b", "80"), "Service/default/a removed"},
    {"changed", SERVICE("a", "80") SERVICE("b", "80"), SERVICE("b", "81") SERVICE("a", "80"),
     "Service/default/b changed"},
    {"all three", SERVICE("a", "80") SERVICE("b", "80"), SERVICE("b", "81") SERVICE("c", "80"),
     "Service/default/a removed, Service/default/b changed, Service/default/c added"},
    {"many", NULL,
     SERVICE("a", "1") SERVICE("b", "1") SERVICE("c", "1") SERVICE("d", "1") SERVICE("e", "1") SERVICE("f", "1")
         SERVICE("g", "1"),
     "Service/default/a added, Service/default/b added, Service/default/c added, Service/default/d added, "
     "Service/default/e added, and 2 more"},
};

START_TEST(objects)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct text out = {0};
		struct world present = world_of(rows[i].present),
		             former = world_of(rows[i].former ? rows[i].former : "");
		changelog_objects(rows[i].former ? former.snapshot : NULL, present.snapshot, &out);
		ck_assert_msg(!strcmp(text_get(&out), rows[i].want), "%s: %s", rows[i].name, text_get(&out));
		text_done(&out);
		world_done(&present);
		world_done(&former);
	}
}
END_TEST

static const struct report_row broken = {REPORT_ERROR, REASON_UNREADABLE, NULL,     NULL, NULL,
                                         NULL,         "not YAML",        "a.yaml", 1};
static const struct report_row unknown = {REPORT_WARNING, REASON_UNKNOWN_FIELD, "Service", "default", "a",
                                          "spec.x",       "no such field",      "b.yaml",  3};

static struct resolved *resolved_with(const struct report_row *refusals, size_t n)
{
	struct snapshot *snapshot = snapshot_new(
	    &(struct snapshot_input){.rows = refusals, .n_rows = n, .root_namespace = WORLD_ROOT_NAMESPACE});
	struct resolved *resolved = resolved_new(snapshot);
	snapshot_unref(snapshot);
	return resolved;
}

/* What changelog_report logs. */
static void report_logged(struct changelog *changelog, const struct report_row *refusals, size_t n, bool is_first,
                          struct text *out)
{
	char buffer[16384];
	struct resolved *resolved = resolved_with(refusals, n);
	FILE *file = tmpfile();
	int former = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	changelog_report(changelog, resolved, is_first);
	dup2(former, STDERR_FILENO);
	close(former);
	rewind(file);
	text_add_n(out, buffer, fread(buffer, 1, sizeof buffer, file));
	fclose(file);
	resolved_unref(resolved);
}

static size_t count(const struct text *log, const char *what)
{
	size_t n = 0;
	for (const char *at = text_get(log); (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

START_TEST(rows_are_logged_once)
{
	struct changelog changelog = {0};
	struct text log = {0};
	struct report_row both[] = {broken, unknown};
	report_logged(&changelog, both, 2, true, &log);
	ck_assert_uint_eq(count(&log, "\n"), 2);
	ck_assert_uint_eq(count(&log, "not YAML"), 1);
	ck_assert_uint_eq(count(&log, "; leaving it out"), 1);
	ck_assert_uint_eq(count(&log, "no such field"), 1);
	text_done(&log);
	report_logged(&changelog, both, 2, false, &log);
	ck_assert_uint_eq(log.n, 0);
	both[1].line = 30; /* moved by an edit above it */
	report_logged(&changelog, both, 2, false, &log);
	ck_assert_uint_eq(log.n, 0);
	report_logged(&changelog, both + 1, 1, false, &log);
	ck_assert_uint_eq(log.n, 0);
	report_logged(&changelog, both, 2, false, &log); /* it came back */
	ck_assert_uint_eq(count(&log, "\n"), 1);
	ck_assert_uint_eq(count(&log, "not YAML"), 1);
	ck_assert_uint_eq(count(&log, "; keeping last good"), 1);
	text_done(&log);
	changelog_done(&changelog);
}
END_TEST

START_TEST(an_object_that_never_was_is_left_out_also_later)
{
	static const struct report_row refused = {.severity = REPORT_ERROR,
	                                          .reason = REASON_INVALID_VALUE,
	                                          .kind = "VirtualService",
	                                          .namespace = "default",
	                                          .name = "never",
	                                          .message = "no"};
	struct changelog changelog = {0};
	struct text log = {0};
	report_logged(&changelog, &refused, 1, false, &log);
	ck_assert_uint_eq(count(&log, "; leaving it out"), 1);
	text_done(&log);
	changelog_done(&changelog);
}
END_TEST

START_TEST(many_rows_are_counted)
{
	enum { N = CHANGELOG_ROWS_MAX + 7 };
	struct changelog changelog = {0};
	struct text log = {0};
	struct report_row many[N];
	char messages[N][16];
	for (size_t i = 0; i < N; i++) {
		snprintf(messages[i], sizeof messages[i], "mistake %02zu", i);
		many[i] = broken;
		many[i].message = messages[i];
	}
	report_logged(&changelog, many, N, true, &log);
	ck_assert_uint_eq(count(&log, "mistake"), CHANGELOG_ROWS_MAX);
	ck_assert_uint_eq(count(&log, "and 7 more rows"), 1);
	text_done(&log);
	report_logged(&changelog, many, N, true, &log); /* all of them count as said */
	ck_assert_uint_eq(log.n, 0);
	text_done(&log);
	changelog_done(&changelog);
}
END_TEST

UNIT_MAIN("changelog", objects, rows_are_logged_once, an_object_that_never_was_is_left_out_also_later,
          many_rows_are_counted)
