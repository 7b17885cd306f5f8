#include "base/clock.h"

#include "tests/unit/unit.h"

START_TEST(fake_time_moves_when_told)
{
	struct clock clock = clock_fake(1000);
	ck_assert_int_eq(clock_now_ns(&clock), 1000);
	clock.now_ns += 5 * CLOCK_S;
	ck_assert_int_eq(clock_now_ns(&clock), 5000001000);
	clock.wall_ns = 7 * CLOCK_MS;
	ck_assert_int_eq(clock_wall_ns(&clock), 7000000);
}
END_TEST

START_TEST(system_time_goes_forward)
{
	const struct clock *clock = clock_system();
	int64_t before = clock_now_ns(clock);
	ck_assert_int_ge(clock_now_ns(clock), before);
	ck_assert_int_gt(clock_wall_ns(clock), INT64_C(1600000000) * CLOCK_S); /* after 2020 */
}
END_TEST

START_TEST(times_print_in_rfc_3339)
{
	static const struct {
		int64_t wall_ns;
		int digits;
		const char *want;
	} rows[] = {
	    {0, 0, "1970-01-01T00:00:00Z"},
	    {INT64_C(1700000000) * CLOCK_S + 123456789, 0, "2023-11-14T22:13:20Z"},
	    {INT64_C(1700000000) * CLOCK_S + 123456789, 3, "2023-11-14T22:13:20.123Z"},
	    {INT64_C(1700000000) * CLOCK_S + 123456789, 6, "2023-11-14T22:13:20.123456Z"},
	    {INT64_C(1700000000) * CLOCK_S + 123456789, 9, "2023-11-14T22:13:20.123456789Z"},
	    {INT64_C(1700000000) * CLOCK_S + 5, 3, "2023-11-14T22:13:20.000Z"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char out[CLOCK_TEXT];
		clock_print(rows[i].wall_ns, rows[i].digits, out);
		ck_assert_str_eq(out, rows[i].want);
	}
}
END_TEST

START_TEST(a_wall_clock_that_is_set_is_noticed_once)
{
	static const struct {
		int64_t now_s, wall_s, want_s;
	} rows[] = {{5, 5, 0}, {5, 86405, 86400}, {1, 1, 0}, {1, -86399, -86400}, {1, 10, 0}, {1, 10, 0}, {0, 10, 10}};
	static const int64_t between_looks_ns = 900; /* the two clocks are read one after the other */
	struct clock clock = clock_fake(1000);
	struct clock_watch watch = {0};
	ck_assert_int_eq(clock_watch_step_s(&watch, &clock), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		clock.now_ns += rows[i].now_s * CLOCK_S;
		clock.wall_ns += rows[i].wall_s * CLOCK_S;
		clock.now_ns += i % 2 ? between_looks_ns : -between_looks_ns;
		ck_assert_int_eq(clock_watch_step_s(&watch, &clock), rows[i].want_s);
	}
}
END_TEST

UNIT_MAIN("clock", fake_time_moves_when_told, system_time_goes_forward, times_print_in_rfc_3339,
          a_wall_clock_that_is_set_is_noticed_once)
