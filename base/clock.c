#include "base/clock.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec now;
	int failed = clock_gettime(id, &now);
	assert(!failed);
	return now.tv_sec * CLOCK_S + now.tv_nsec;
}

const struct clock *clock_system(void)
{
	static const struct clock system = {.is_fake = false};
	return &system;
}

struct clock clock_fake(int64_t now_ns)
{
	return (struct clock){.is_fake = true, .now_ns = now_ns, .wall_ns = now_ns};
}

int64_t clock_now_ns(const struct clock *clock)
{
	return clock->is_fake ? clock->now_ns : read_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(const struct clock *clock)
{
	return clock->is_fake ? clock->wall_ns : read_ns(CLOCK_REALTIME);
}

int64_t clock_watch_step_s(struct clock_watch *watch, const struct clock *clock)
{
	int64_t ahead_ns = clock_wall_ns(clock) - clock_now_ns(clock);
	int64_t step_ns = watch->has_looked ? ahead_ns - watch->ahead_ns : 0;
	int64_t step_s = (step_ns + (step_ns < 0 ? -CLOCK_S : CLOCK_S) / 2) / CLOCK_S;

	*watch = (struct clock_watch){true, ahead_ns};
	return step_s > -CLOCK_STEP_MIN_S && step_s < CLOCK_STEP_MIN_S ? 0 : step_s;
}

void clock_print(int64_t wall_ns, int digits, char out[CLOCK_TEXT])
{
	time_t seconds = (time_t)(wall_ns / CLOCK_S);
	int64_t fraction = wall_ns % CLOCK_S;
	struct tm utc;
	char date[CLOCK_TEXT];

	for (int i = digits; i < 9; i++)
		fraction /= 10;
	gmtime_r(&seconds, &utc);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
	if (digits)
		snprintf(out, CLOCK_TEXT, "%.20s.%0*lldZ", date, digits, (long long)fraction);
	else
		snprintf(out, CLOCK_TEXT, "%.20sZ", date);
}
