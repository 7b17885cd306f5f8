#include "base/clock.h"

#include <assert.h>
#include <stddef.h>
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
