#pragma once
/*
 * Time as a value that tests can set. Pass a `const struct clock *`; production code gets clock_system().
 *
 *     struct clock fake = clock_fake(1000);  fake.now_ns += 5 * CLOCK_S;
 */
#include <stdbool.h>
#include <stdint.h>

#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S INT64_C(1000000000)
#define CLOCK_MAX_S INT64_C(253402300799) /* the last second of the year 9999, since 1970 */

struct clock {
	bool is_fake;
	int64_t now_ns;  /* fake monotonic time */
	int64_t wall_ns; /* fake time since 1970 */
};

const struct clock *clock_system(void);
struct clock clock_fake(int64_t now_ns);
int64_t clock_now_ns(const struct clock *clock);  /* monotonic */
int64_t clock_wall_ns(const struct clock *clock); /* since 1970-01-01T00:00:00Z */

/*
 * Whether the wall clock was set, seen from the monotonic one: by an administrator or NTP, or since the machine slept.
 * It begins zeroed.
 *
 *     int64_t step_s = clock_watch_step_s(&watch, clock);      now and then
 */
struct clock_watch {
	bool has_looked;
	int64_t ahead_ns; /* of the monotonic one, when looked at last */
};

#define CLOCK_STEP_MIN_S 10
/* Since the last look, ahead or (below 0) back, to the nearest second; 0 at the first one, and for what is less than
 * CLOCK_STEP_MIN_S. */
int64_t clock_watch_step_s(struct clock_watch *watch, const struct clock *clock);

#define CLOCK_TEXT 40
/* RFC 3339 in UTC, "2026-01-02T15:04:05.123Z", with so many digits behind the second (0 to 9). */
void clock_print(int64_t wall_ns, int digits, char out[CLOCK_TEXT]);
