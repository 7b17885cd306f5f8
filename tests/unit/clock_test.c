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

UNIT_MAIN("clock", fake_time_moves_when_told, system_time_goes_forward)
