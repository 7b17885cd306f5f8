#include "agent/renewal.h"

#include "tests/unit/unit.h"

#define NOW_S INT64_C(1800000000)
#define DAY_S INT64_C(86400)

struct scene {
	struct clock clock;
	struct renewal renewal;
};

static void scene_init(struct scene *scene, uint64_t seed)
{
	scene->clock = clock_fake(100 * CLOCK_S);
	scene->clock.wall_ns = NOW_S * CLOCK_S;
	renewal_init(&scene->renewal, seed);
}

static void pass(struct scene *scene, int64_t ns)
{
	scene->clock.now_ns += ns;
	scene->clock.wall_ns += ns;
}

static void get_certificate(struct scene *scene, int64_t ttl_s)
{
	int64_t now_s = scene->clock.wall_ns / CLOCK_S;
	renewal_succeeded(&scene->renewal, &scene->clock, now_s - 120, now_s + ttl_s);
}

START_TEST(the_first_certificate_is_due_at_once)
{
	struct scene scene;
	scene_init(&scene, 7);
	ck_assert_int_eq(renewal_health(&scene.renewal, &scene.clock), RENEWAL_NONE);
	ck_assert(renewal_is_due(&scene.renewal, &scene.clock));
	ck_assert_int_eq(renewal_wait_ms(&scene.renewal, &scene.clock), 0);
}
END_TEST

START_TEST(a_certificate_is_due_around_half_of_its_life)
{
	static const int64_t ttls_s[] = {20, 60, 3600, DAY_S, 90 * DAY_S};
	for (size_t i = 0; i < sizeof ttls_s / sizeof ttls_s[0]; i++) {
		int64_t least = INT64_MAX, most = 0;
		for (uint64_t seed = 1; seed < 200; seed++) {
			struct scene scene;
			scene_init(&scene, seed * 0x9e3779b97f4a7c15);
			get_certificate(&scene, ttls_s[i]);
			int64_t due_ns = scene.renewal.due_wall_ns - scene.clock.wall_ns;
			least = due_ns < least ? due_ns : least;
			most = due_ns > most ? due_ns : most;
		}
		ck_assert_int_ge(least, ttls_s[i] * CLOCK_S / 100 * 45);
		ck_assert_int_lt(least, ttls_s[i] * CLOCK_S / 100 * 46);
		ck_assert_int_le(most, ttls_s[i] * CLOCK_S / 100 * 55);
		ck_assert_int_gt(most, ttls_s[i] * CLOCK_S / 100 * 54);
	}
}
END_TEST

START_TEST(it_is_looked_at_every_few_seconds)
{
	struct scene scene;
	scene_init(&scene, 7);
	get_certificate(&scene, DAY_S);
	ck_assert_int_eq(renewal_wait_ms(&scene.renewal, &scene.clock), RENEWAL_LOOK_MS);
	pass(&scene, scene.renewal.due_wall_ns - scene.clock.wall_ns - 10 * CLOCK_MS);
	ck_assert_int_le(renewal_wait_ms(&scene.renewal, &scene.clock), 11);
	ck_assert(!renewal_is_due(&scene.renewal, &scene.clock));
	pass(&scene, 11 * CLOCK_MS);
	ck_assert(renewal_is_due(&scene.renewal, &scene.clock));
}
END_TEST

START_TEST(pauses_double_up_to_a_bound)
{
	static const int64_t most_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
	static const int64_t none_ms[] = {1000, 2000, 4000, 8000, 10000, 10000, 10000, 10000};
	for (uint64_t seed = 1; seed < 50; seed++) {
		struct scene scene;
		scene_init(&scene, seed * 0x9e3779b97f4a7c15);
		for (size_t i = 0; i < sizeof none_ms / sizeof none_ms[0]; i++)
			ck_assert_int_le(renewal_failed(&scene.renewal, &scene.clock), none_ms[i]);
		get_certificate(&scene, DAY_S);
		pass(&scene, DAY_S * 6 / 10 * CLOCK_S);
		for (size_t i = 0; i < sizeof most_ms / sizeof most_ms[0]; i++) {
			int64_t pause_ms = renewal_failed(&scene.renewal, &scene.clock);
			ck_assert_int_ge(pause_ms, most_ms[i] / 2);
			ck_assert_int_le(pause_ms, most_ms[i]);
			ck_assert(!renewal_is_due(&scene.renewal, &scene.clock));
			pass(&scene, pause_ms * CLOCK_MS);
			ck_assert(renewal_is_due(&scene.renewal, &scene.clock));
		}
		get_certificate(&scene, 3600);
		ck_assert_int_le(renewal_failed(&scene.renewal, &scene.clock), 1000);
	}
}
END_TEST

START_TEST(pauses_get_shorter_towards_the_end)
{
	struct scene scene;
	scene_init(&scene, 7);
	get_certificate(&scene, 60);
	scene.renewal.failures = 20;
	pass(&scene, 40 * CLOCK_S);
	ck_assert_int_le(renewal_failed(&scene.renewal, &scene.clock), 5000);
	pass(&scene, 19 * CLOCK_S);
	ck_assert_int_le(renewal_failed(&scene.renewal, &scene.clock), 1000);
	pass(&scene, 2 * CLOCK_S);
	ck_assert_int_ge(renewal_failed(&scene.renewal, &scene.clock), 5000);
}
END_TEST

START_TEST(the_wall_clock_decides_and_may_be_set)
{
	struct scene scene;
	scene_init(&scene, 7);
	get_certificate(&scene, DAY_S);
	pass(&scene, 2 * CLOCK_S);
	const struct {
		const char *name;
		int64_t step_s;
		enum renewal_health health;
		bool is_due;
	} rows[] = {
	    {"none", 0, RENEWAL_VALID, false},
	    {"a little back", -60, RENEWAL_VALID, false},
	    {"before it begins", -DAY_S, RENEWAL_EARLY, true},
	    {"past its middle", DAY_S * 6 / 10, RENEWAL_VALID, true},
	    {"to its last second", DAY_S - 3, RENEWAL_VALID, true},
	    {"to its end", DAY_S - 2, RENEWAL_OVER, true},
	    {"past its end", 30 * DAY_S, RENEWAL_OVER, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scene then = scene;
		then.clock.wall_ns += rows[i].step_s * CLOCK_S;
		ck_assert_msg(renewal_health(&then.renewal, &then.clock) == rows[i].health, "%s", rows[i].name);
		ck_assert_msg(renewal_is_due(&then.renewal, &then.clock) == rows[i].is_due, "%s", rows[i].name);
		/* a step does not make a pause longer */
		renewal_failed(&then.renewal, &then.clock);
		then.clock.wall_ns -= 365 * DAY_S * CLOCK_S;
		ck_assert_msg(renewal_wait_ms(&then.renewal, &then.clock) <= 1001, "%s", rows[i].name);
	}
}
END_TEST

START_TEST(a_certificate_that_is_over_when_it_comes_is_not_asked_for_without_end)
{
	struct scene scene;
	scene_init(&scene, 7);
	get_certificate(&scene, -5);
	ck_assert(!renewal_is_due(&scene.renewal, &scene.clock));
	pass(&scene, CLOCK_S);
	ck_assert(renewal_is_due(&scene.renewal, &scene.clock));
}
END_TEST

START_TEST(one_that_does_no_longer_do_is_due_now)
{
	struct scene scene;
	scene_init(&scene, 7);
	get_certificate(&scene, DAY_S);
	pass(&scene, 2 * CLOCK_S);
	renewal_hasten(&scene.renewal);
	ck_assert(renewal_is_due(&scene.renewal, &scene.clock));
}
END_TEST

START_TEST(words)
{
	static const struct {
		int64_t s;
		const char *want;
	} spans[] = {
	    {0, "0s"},         {59, "59s"},   {60, "1m"},      {125, "2m5s"}, {3600, "1h"},
	    {43080, "11h58m"}, {86400, "1d"}, {97200, "1d3h"}, {3659, "1h"},
	};
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		renewal_print_span(spans[i].s, &out);
		ck_assert_str_eq(out.s, spans[i].want);
	}
	static const struct {
		int64_t step_s;
		const char *want;
	} rows[] = {
	    {0, "the certificate is valid for another 1d"},
	    {43320, "the certificate is valid for another 11h58m"},
	    {90000, "the certificate expired 1h ago"},
	    {-720, "the certificate is not valid for another 10m: was the clock set back?"},
	};
	struct scene scene;
	scene_init(&scene, 7);
	CLEANUP(text_done) struct text none = {0};
	renewal_describe(&scene.renewal, &scene.clock, &none);
	ck_assert_str_eq(none.s, "there is no certificate yet");
	get_certificate(&scene, DAY_S);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		struct clock clock = scene.clock;
		clock.wall_ns += rows[i].step_s * CLOCK_S;
		renewal_describe(&scene.renewal, &clock, &out);
		ck_assert_str_eq(out.s, rows[i].want);
	}
}
END_TEST

UNIT_MAIN("renewal", the_first_certificate_is_due_at_once, a_certificate_is_due_around_half_of_its_life,
          it_is_looked_at_every_few_seconds, pauses_double_up_to_a_bound, pauses_get_shorter_towards_the_end,
          the_wall_clock_decides_and_may_be_set, a_certificate_that_is_over_when_it_comes_is_not_asked_for_without_end,
          one_that_does_no_longer_do_is_due_now, words)
