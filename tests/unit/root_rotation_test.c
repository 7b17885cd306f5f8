#include "server/identity/root_rotation.h"

#include "tests/unit/authorities.h"

#include <string.h>

#define LIFE_S 100

static void init(struct root_record *record, enum rotation_phase phase)
{
	*record = (struct root_record){.phase = phase, .since_s = phase == ROTATION_IDLE ? 0 : NOW_S};
	text_add(&record->cert, "cert A");
	text_add(&record->key, "key A");
	if (phase != ROTATION_IDLE) {
		text_add(&record->other_cert, "cert B");
		text_add(&record->other_key, "key B");
	}
}

START_TEST(what_happens_next)
{
	static const struct {
		const char *name;
		enum rotation_phase phase;
		bool is_skipping;
		struct rotation_view view;
		int64_t after_s;
		enum rotation_step want;
		const char *why;
	} rows[] = {
	    {"idle", ROTATION_IDLE, false, {.is_known = true}, 1000, ROTATION_STAY, ""},
	    {"nobody has looked", ROTATION_PREPARED, false, {0}, 1000, ROTATION_STAY, "not known yet"},
	    {"no proxies", ROTATION_PREPARED, false, {.is_known = true}, 10, ROTATION_ACTIVATE, ""},
	    {"just begun", ROTATION_PREPARED, false, {.is_known = true}, 1, ROTATION_STAY, "signs in 4 s"},
	    {"one is missing",
	     ROTATION_PREPARED,
	     false,
	     {.is_known = true, .proxies = 3, .acknowledged = 2, .waiting_for = {"a.default"}, .n_waiting_for = 1},
	     1000,
	     ROTATION_STAY,
	     "1 of 3 proxies have not acknowledged the new root: a.default"},
	    {"all have it",
	     ROTATION_PREPARED,
	     false,
	     {.is_known = true, .proxies = 3, .acknowledged = 3},
	     10,
	     ROTATION_ACTIVATE,
	     ""},
	    {"one never asks",
	     ROTATION_PREPARED,
	     false,
	     {.is_known = true, .proxies = 3, .acknowledged = 2, .unaware = 1},
	     10,
	     ROTATION_STAY,
	     "--skip-unaware"},
	    {"one never asks and is passed over",
	     ROTATION_PREPARED,
	     true,
	     {.is_known = true, .proxies = 3, .acknowledged = 2, .unaware = 1},
	     10,
	     ROTATION_ACTIVATE,
	     ""},
	    {"passing over does not pass over who asks",
	     ROTATION_PREPARED,
	     true,
	     {.is_known = true, .proxies = 3, .acknowledged = 1, .unaware = 1},
	     10,
	     ROTATION_STAY,
	     "1 of 3"},
	    {"whatever the connected proxies have: who is not connected has what he had",
	     ROTATION_ACTIVE,
	     false,
	     {.is_known = true, .proxies = 2, .acknowledged = 2},
	     50,
	     ROTATION_STAY,
	     "in at most 50 s"},
	    {"a life has passed", ROTATION_ACTIVE, false, {0}, LIFE_S, ROTATION_FINISH, ""},
	    {"not yet", ROTATION_ACTIVE, false, {0}, LIFE_S - 1, ROTATION_STAY, "at most 1 s"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(root_record_done) struct root_record record;
		struct error why;
		init(&record, rows[i].phase);
		record.is_skipping_unaware = rows[i].is_skipping;
		enum rotation_step step =
		    root_rotation_next(&record, &rows[i].view, NOW_S + rows[i].after_s, LIFE_S, &why);
		ck_assert_msg(step == rows[i].want, "%s: %d, %s", rows[i].name, step, why.message);
		ck_assert_msg(strstr(why.message, rows[i].why) != NULL, "%s: %s", rows[i].name, why.message);
	}
}
END_TEST

START_TEST(there_and_on)
{
	struct clock clock = clock_at(NOW_S);
	clock.wall_ns = NOW_S * CLOCK_S;
	struct authority_plan plan = {.trust_domain = "cluster.local", .serial = {1}};
	struct error error;
	CLEANUP(root_record_done) struct root_record record;
	init(&record, ROTATION_IDLE);
	ck_assert(!root_rotation_activate(&record, NOW_S, &error));
	ck_assert(!root_rotation_finish(&record, &error));
	ck_assert(!root_rotation_undo(&record, NOW_S, &error));
	ck_assert_msg(root_rotation_begin(&record, &plan, false, &clock, &error), "%s", error.message);
	ck_assert_str_eq(record.cert.s, "cert A");
	ck_assert_int_eq(record.since_s, NOW_S);
	ck_assert(!root_rotation_begin(&record, &plan, false, &clock, &error));
	ck_assert(strstr(error.message, "under way (prepared)") != NULL);
	ck_assert(!record.is_skipping_unaware);
	ck_assert(root_rotation_begin(&record, &plan, true, &clock, &error)); /* on without some */
	ck_assert(record.is_skipping_unaware);
	ck_assert(root_rotation_activate(&record, NOW_S + 7, &error));
	ck_assert_str_eq(record.other_key.s, "key A");
	ck_assert(text_has_prefix(record.key.s, "-----BEGIN PRIVATE KEY-----"));
	ck_assert_int_eq(record.since_s, NOW_S + 7);
	ck_assert(root_rotation_finish(&record, &error));
	ck_assert_int_eq(record.phase, ROTATION_IDLE);
	ck_assert_uint_eq(record.other_cert.n + record.other_key.n, 0);
}
END_TEST

START_TEST(and_back)
{
	struct error error;
	CLEANUP(root_record_done) struct root_record prepared, active;
	init(&prepared, ROTATION_PREPARED);
	ck_assert(root_rotation_undo(&prepared, NOW_S, &error));
	ck_assert_int_eq(prepared.phase, ROTATION_IDLE);
	ck_assert_str_eq(prepared.cert.s, "cert A");
	init(&active, ROTATION_ACTIVE);
	ck_assert(root_rotation_undo(&active, NOW_S + 9, &error));
	ck_assert_int_eq(active.phase, ROTATION_ACTIVE); /* what the other signed is still about */
	ck_assert_str_eq(active.cert.s, "cert B");
	ck_assert_str_eq(active.other_key.s, "key A");
	ck_assert_int_eq(active.since_s, NOW_S + 9);
	root_record_done(&prepared);
}
END_TEST

START_TEST(a_record_survives_its_entries)
{
	for (enum rotation_phase phase = ROTATION_IDLE; phase <= ROTATION_ACTIVE; phase++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(root_record_done) struct root_record record, copy = {0};
		struct root_entry entries[ROOT_ENTRIES_MAX], there[ROOT_ENTRIES_MAX];
		struct error error;
		size_t n_there = 0;
		init(&record, phase);
		record.is_skipping_unaware = phase == ROTATION_PREPARED;
		size_t n = root_record_print(&record, arena, entries);
		for (size_t i = 0; i < n; i++)
			if (entries[i].s)
				there[n_there++] = entries[i];
		ck_assert_msg(root_record_read(&copy, there, n_there, &error), "%s", error.message);
		ck_assert(root_record_equal(&record, &copy));
	}
}
END_TEST

START_TEST(a_broken_record_is_refused)
{
	static const struct {
		const char *name, *rotation, *next_key, *want;
	} rows[] = {
	    {"no JSON", "{", "key", "rotation: "},
	    {"another phase", "{\"phase\":\"sideways\",\"since\":1}", "key", "idle, prepared, active"},
	    {"no time", "{\"phase\":\"prepared\"}", "key", "no time"},
	    {"a time before time", "{\"phase\":\"prepared\",\"since\":-1}", "key", "no time"},
	    {"half", "{\"phase\":\"prepared\",\"since\":1}", "", "next-ca-key.pem: it is missing"},
	    {"the other half", "{\"phase\":\"active\",\"since\":1}", "key", "former-ca-cert.pem: it is missing"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(root_record_done) struct root_record record = {0};
		struct error error;
		const struct root_entry entries[] = {
		    {"ca-cert.pem", "cert", 4},
		    {"ca-key.pem", "key", 3},
		    {"next-ca-cert.pem", "cert", 4},
		    {"next-ca-key.pem", rows[i].next_key, strlen(rows[i].next_key)},
		    {"rotation", rows[i].rotation, strlen(rows[i].rotation)},
		};
		ck_assert_msg(!root_record_read(&record, entries, 5, &error), "%s", rows[i].name);
		ck_assert_msg(strstr(error.message, rows[i].want) != NULL, "%s: %s", rows[i].name, error.message);
	}
}
END_TEST

UNIT_MAIN("root_rotation", what_happens_next, there_and_on, and_back, a_record_survives_its_entries,
          a_broken_record_is_refused)
