#include "server/jwks/jwks_schedule.h"

#include "base/clock.h"

#define DOUBLINGS_MAX 16

void jwks_schedule_init(struct jwks_schedule *schedule, int64_t refresh_ns, uint64_t seed)
{
	*schedule = (struct jwks_schedule){.refresh_ns = refresh_ns, .random = seed ? seed : 1};
}

/* From nine to eleven tenths. */
static int64_t jittered(struct jwks_schedule *schedule, int64_t ns)
{
	uint64_t x = schedule->random;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	schedule->random = x;
	int64_t tenth = ns / 10;
	return ns - tenth + (int64_t)(x % (uint64_t)(2 * tenth + 1));
}

static int64_t retry_ns(const struct jwks_schedule *schedule)
{
	int64_t most = (schedule->has_succeeded ? JWKS_RETRY_MAX_MS : JWKS_RETRY_NEW_MAX_MS) * CLOCK_MS;
	unsigned doublings = schedule->n_failures - 1 < DOUBLINGS_MAX ? schedule->n_failures - 1 : DOUBLINGS_MAX;
	int64_t ns = JWKS_RETRY_MS * CLOCK_MS << doublings;
	ns = ns < most ? ns : most;
	return ns < schedule->refresh_ns ? ns : schedule->refresh_ns;
}

void jwks_schedule_done(struct jwks_schedule *schedule, bool is_good, int64_t now_ns)
{
	schedule->n_failures = is_good ? 0 : schedule->n_failures + 1;
	schedule->has_succeeded |= is_good;
	schedule->next_ns = now_ns + jittered(schedule, is_good ? schedule->refresh_ns : retry_ns(schedule));
}
