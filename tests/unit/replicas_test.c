#include "server/identity/replicas.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const struct digest bundle = {{0x0123456789abcdef, 0x0123456789abcdef}}, other = {{1, 2}};

/* As the Secret has them. */
struct notes {
	struct kube_secret secret;
	struct kube_secret_entry v[8];
};

static void add(struct notes *notes, const char *name, const char *value)
{
	union {
		const char *constant;
		char *plain;
	} n = {.constant = name}, v = {.constant = value};
	notes->secret.notes = notes->v;
	notes->v[notes->secret.n_notes++] = (struct kube_secret_entry){n.plain, v.plain, strlen(value)};
}

START_TEST(what_one_says_another_adds)
{
	struct clock clock = clock_fake(1000 * CLOCK_S);
	struct replicas *a = replicas_new("a", &clock), *b = replicas_new("b", &clock);
	const struct rotation_view of_a = {
	    .is_known = true, .proxies = 3, .acknowledged = 2, .waiting_for = {"x\"y"}, .n_waiting_for = 1};
	struct rotation_view view = {.is_known = true, .proxies = 4, .acknowledged = 4, .unaware = 1};
	struct notes notes = {0};
	add(&notes, "a", replicas_note(a, &of_a, bundle));
	add(&notes, "b", "{\"proxies\":100}"); /* our own is not heard */
	replicas_add(b, &notes.secret, bundle, &view);
	ck_assert(view.is_known);
	ck_assert_uint_eq(view.proxies, 7);
	ck_assert_uint_eq(view.acknowledged, 6);
	ck_assert_uint_eq(view.unaware, 1);
	ck_assert_str_eq(view.waiting_for[0], "x\"y");
	ck_assert_ptr_null(replicas_note(a, &of_a, bundle)); /* nothing new */
	clock.now_ns += REPLICAS_BEAT_S * CLOCK_S;
	ck_assert_ptr_nonnull(replicas_note(a, &of_a, bundle)); /* but that it lives */
	replicas_free(a);
	replicas_free(b);
}
END_TEST

START_TEST(who_is_behind_holds_it_up_while_it_lives)
{
	struct clock clock = clock_fake(1000 * CLOCK_S);
	struct replicas *a = replicas_new("a", &clock), *b = replicas_new("b", &clock);
	const struct rotation_view of_a = {.is_known = true, .proxies = 1, .acknowledged = 1};
	struct notes notes = {0};
	add(&notes, "a", replicas_note(a, &of_a, other));
	for (int s = 0; s < REPLICAS_SILENT_S; s += 5, clock.now_ns += 5 * CLOCK_S) {
		struct rotation_view view = {.is_known = true};
		replicas_add(b, &notes.secret, bundle, &view);
		ck_assert(!view.is_known);
	}
	struct rotation_view view = {.is_known = true};
	replicas_add(b, &notes.secret, bundle, &view);
	ck_assert(view.is_known);
	ck_assert_uint_eq(view.proxies, 0);
	replicas_free(a);
	replicas_free(b);
}
END_TEST

START_TEST(who_is_gone_is_named_so_that_his_note_goes)
{
	static const struct {
		const char *name;
		bool is_beating, is_own;
		int64_t after_s;
		const char *want;
	} rows[] = {
	    {"just seen, whatever its age", false, false, 0, NULL},
	    {"almost too long", false, false, REPLICAS_SILENT_S - 1, NULL},
	    {"too long", false, false, REPLICAS_SILENT_S, "a"},
	    {"it beats", true, false, REPLICAS_SILENT_S, NULL},
	    {"our own", false, true, REPLICAS_SILENT_S, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clock clock = clock_fake(1000 * CLOCK_S);
		struct replicas *reader = replicas_new(rows[i].is_own ? "a" : "b", &clock);
		struct notes notes = {0}, later = {0};
		add(&notes, "a", "{\"beat\":1}");
		add(&later, "a", rows[i].is_beating ? "{\"beat\":2}" : "{\"beat\":1}");
		ck_assert_ptr_null(replicas_silent(reader, &notes.secret));
		clock.now_ns += rows[i].after_s * CLOCK_S;
		const char *silent = replicas_silent(reader, &later.secret);
		ck_assert_msg(text_equal(silent, rows[i].want), "%s: %s", rows[i].name, silent ? silent : "none");
		replicas_free(reader);
	}
}
END_TEST

START_TEST(who_asks_for_notes)
{
	static const struct {
		const char *name, *note, *value;
		int64_t after_s;
		bool want;
	} rows[] = {
	    {"nobody", "b", "{}", 0, false}, /* our own */
	    {"one who trusts the same", "a", "{\"bundle\":\"SAME\"}", 0, false},
	    {"one who trusts something else", "a", "{\"bundle\":\"0\"}", 0, true},
	    {"nonsense may be one", "a", "{", 0, true},
	    {"one who is gone", "a", "{\"bundle\":\"0\"}", REPLICAS_SILENT_S, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clock clock = clock_fake(1000 * CLOCK_S);
		struct replicas *reader = replicas_new("b", &clock), *a = replicas_new("a", &clock);
		const struct rotation_view of_a = {.is_known = true};
		bool is_same = strstr(rows[i].value, "SAME") != NULL;
		struct notes notes = {0};
		add(&notes, rows[i].note, is_same ? replicas_note(a, &of_a, bundle) : rows[i].value);
		replicas_ask(reader, &notes.secret, bundle);
		clock.now_ns += rows[i].after_s * CLOCK_S;
		ck_assert_msg(replicas_ask(reader, &notes.secret, bundle) == rows[i].want, "%s", rows[i].name);
		replicas_free(reader);
		replicas_free(a);
	}
}
END_TEST

START_TEST(many_crashes_take_no_place_for_ever)
{
	struct clock clock = clock_fake(1000 * CLOCK_S);
	struct replicas *reader = replicas_new("reader", &clock);
	for (int i = 0; i < 3 * REPLICAS_MAX; i++) {
		char name[16];
		struct notes notes = {0};
		snprintf(name, sizeof name, "gone-%d", i);
		add(&notes, name, "{}");
		ck_assert_ptr_null(replicas_silent(reader, &notes.secret));
		clock.now_ns += REPLICAS_SILENT_S * CLOCK_S;
		ck_assert_str_eq(replicas_silent(reader, &notes.secret), name);
	}
	replicas_free(reader);
}
END_TEST

START_TEST(nonsense_holds_it_up)
{
	static const char *const values[] = {"", "{", "[]", "{\"bundle\":1}", "{\"bundle\":\"0\",\"proxies\":-1}"};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct clock clock = clock_fake(1000 * CLOCK_S);
		struct replicas *b = replicas_new("b", &clock);
		struct rotation_view view = {.is_known = true};
		struct notes notes = {0};
		add(&notes, "a-name-that-is-longer-than-what-is-kept-of-it-0123456789-0123456789-0123456789",
		    values[i]);
		replicas_add(b, &notes.secret, bundle, &view);
		ck_assert_msg(!view.is_known, "%s", values[i]);
		ck_assert_uint_eq(view.proxies, 0);
		replicas_free(b);
	}
}
END_TEST

UNIT_MAIN("replicas", what_one_says_another_adds, who_is_behind_holds_it_up_while_it_lives,
          who_is_gone_is_named_so_that_his_note_goes, many_crashes_take_no_place_for_ever, who_asks_for_notes,
          nonsense_holds_it_up)
