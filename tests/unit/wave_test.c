#include "server/xds/wave.h"

#include "base/clock.h"
#include "unit.h"

struct fixture {
	struct waves waves;
	struct xds_stats stats;
};

static void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){0};
	waves_init(&fixture->waves);
}

START_TEST(ends_with_the_last_stream)
{
	struct fixture f;
	fixture_init(&f);
	waves_begin(&f.waves, 0, &f.stats);
	uint64_t a = waves_join(&f.waves, 0), b = waves_join(&f.waves, 0);
	waves_close(&f.waves, 0, &f.stats);
	waves_leave(&f.waves, a, 1 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(f.stats.convergence_n, 0);
	waves_leave(&f.waves, b, 30 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(f.stats.convergence_n, 1);
	ck_assert_uint_eq(f.stats.convergence[5], 1); /* up to 50 ms */
	ck_assert(f.stats.convergence_sum_s > 0.0299 && f.stats.convergence_sum_s < 0.0301);
}
END_TEST

START_TEST(counts_nothing_that_was_sent_to_nobody)
{
	struct fixture f;
	fixture_init(&f);
	waves_begin(&f.waves, 0, &f.stats);
	waves_close(&f.waves, 5 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(f.stats.convergence_n, 0);
}
END_TEST

/* What a stream acknowledges covers all waves it belongs to; none ends before the ones before it. */
START_TEST(ends_in_order)
{
	struct fixture f;
	fixture_init(&f);
	waves_begin(&f.waves, 0, &f.stats);
	uint64_t slow = waves_join(&f.waves, 0);
	waves_close(&f.waves, 0, &f.stats);
	waves_begin(&f.waves, 10 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(waves_join(&f.waves, slow), slow);
	uint64_t fast = waves_join(&f.waves, 0);
	waves_close(&f.waves, 10 * CLOCK_MS, &f.stats);
	waves_leave(&f.waves, fast, 11 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(f.stats.convergence_n, 0);
	waves_leave(&f.waves, slow, 20 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(f.stats.convergence[4], 1); /* 20 ms */
	ck_assert_uint_eq(f.stats.convergence[3], 1); /* 10 ms */
}
END_TEST

START_TEST(gives_up_on_streams_that_never_acknowledge)
{
	struct fixture f;
	fixture_init(&f);
	uint64_t never = 0;
	for (unsigned i = 0; i < 3 * WAVES_MAX; i++) {
		waves_begin(&f.waves, 0, &f.stats);
		never = waves_join(&f.waves, never);
		waves_close(&f.waves, 0, &f.stats);
	}
	ck_assert_uint_ge(f.stats.convergence[XDS_BUCKETS], 2);
	waves_leave(&f.waves, never, 1 * CLOCK_MS, &f.stats);
	ck_assert_uint_eq(f.stats.convergence_n, 3 * WAVES_MAX);
	ck_assert_uint_eq(f.waves.first, f.waves.end);
}
END_TEST

UNIT_MAIN("wave", ends_with_the_last_stream, counts_nothing_that_was_sent_to_nobody, ends_in_order,
          gives_up_on_streams_that_never_acknowledge)
