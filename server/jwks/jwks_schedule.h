#pragma once
/*
 * When a key set is asked for next. Pure: it gets the time.
 *
 *     jwks_schedule_init(&schedule, refresh_ns, seed);       at once
 *     if (now_ns >= schedule.next_ns) … ask …
 *     jwks_schedule_done(&schedule, is_good, now_ns);
 *
 * After a success in a refresh time, a tenth of it more or less, so that replicas do not ask together. After failures
 * sooner, each time later: JWKS_RETRY_MS at first, and at most JWKS_RETRY_NEW_MAX_MS while there never was a good
 * answer, JWKS_RETRY_MAX_MS otherwise, but never later than the refresh.
 */
#include <stdbool.h>
#include <stdint.h>

#define JWKS_RETRY_MS 1000
#define JWKS_RETRY_NEW_MAX_MS 15000
#define JWKS_RETRY_MAX_MS 120000

struct jwks_schedule {
	int64_t next_ns; /* monotonic; 0: at once */
	int64_t refresh_ns;
	unsigned n_failures; /* in a row */
	bool has_succeeded;  /* ever */
	uint64_t random;     /* state; never 0 */
};

void jwks_schedule_init(struct jwks_schedule *schedule, int64_t refresh_ns, uint64_t seed);
void jwks_schedule_done(struct jwks_schedule *schedule, bool is_good, int64_t now_ns);
