#include "agent/renewal.h"

#define MS_S 1000

void renewal_init(struct renewal *renewal, uint64_t seed)
{
	*renewal = (struct renewal){.random = seed ? seed : 1};
}

/* In [0, bound): xorshift64*. Good enough for keeping apart those who began together. */
static int64_t draw(struct renewal *renewal, int64_t bound)
{
	uint64_t x = renewal->random;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	renewal->random = x;
	return bound > 0 ? (int64_t)((x * UINT64_C(2685821657736338717) >> 1) % (uint64_t)bound) : 0;
}

enum renewal_health renewal_health(const struct renewal *renewal, const struct clock *clock)
{
	int64_t now_ns = clock_wall_ns(clock);
	if (!renewal->has_certificate)
		return RENEWAL_NONE;
	if (now_ns < renewal->begin_s * CLOCK_S)
		return RENEWAL_EARLY;
	return now_ns < renewal->end_s * CLOCK_S ? RENEWAL_VALID : RENEWAL_OVER;
}

/* As far as the wall clock goes. */
static bool is_wanted(const struct renewal *renewal, const struct clock *clock)
{
	return renewal_health(renewal, clock) != RENEWAL_VALID || clock_wall_ns(clock) >= renewal->due_wall_ns;
}

bool renewal_is_due(const struct renewal *renewal, const struct clock *clock)
{
	return is_wanted(renewal, clock) && clock_now_ns(clock) >= renewal->retry_ns;
}

int64_t renewal_wait_ms(const struct renewal *renewal, const struct clock *clock)
{
	int64_t wait_ms = RENEWAL_LOOK_MS;
	int64_t left_ns = is_wanted(renewal, clock) ? renewal->retry_ns - clock_now_ns(clock)
	                                            : renewal->due_wall_ns - clock_wall_ns(clock);
	if (left_ns <= 0)
		return 0;
	int64_t left_ms = left_ns / CLOCK_MS + 1;
	return left_ms < wait_ms ? left_ms : wait_ms;
}

void renewal_succeeded(struct renewal *renewal, const struct clock *clock, int64_t begin_s, int64_t end_s)
{
	int64_t now_ns = clock_wall_ns(clock), left_ns = end_s * CLOCK_S - now_ns;
	int64_t jitter_ns = left_ns / 100 * RENEWAL_JITTER_PERCENT;
	renewal->has_certificate = true;
	renewal->begin_s = begin_s;
	renewal->end_s = end_s;
	renewal->failures = 0;
	/* whatever was issued, it is not asked for without end */
	renewal->retry_ns = clock_now_ns(clock) + RENEWAL_RETRY_MIN_MS * CLOCK_MS;
	renewal->due_wall_ns = now_ns + left_ns / 2 - jitter_ns + draw(renewal, 2 * jitter_ns);
}

static int64_t pause_max_ms(const struct renewal *renewal, const struct clock *clock)
{
	int64_t max_ms = RENEWAL_RETRY_MIN_MS;
	for (unsigned i = 1; i < renewal->failures && max_ms < RENEWAL_RETRY_MAX_MS; i++)
		max_ms *= 2;
	if (max_ms > RENEWAL_RETRY_MAX_MS)
		max_ms = RENEWAL_RETRY_MAX_MS;
	if (renewal_health(renewal, clock) != RENEWAL_VALID)
		return max_ms < RENEWAL_RETRY_NONE_MAX_MS ? max_ms : RENEWAL_RETRY_NONE_MAX_MS;
	int64_t left_ms = renewal->end_s * MS_S - clock_wall_ns(clock) / CLOCK_MS;
	if (left_ms / 4 < max_ms)
		max_ms = left_ms / 4;
	return max_ms > RENEWAL_RETRY_MIN_MS ? max_ms : RENEWAL_RETRY_MIN_MS;
}

int64_t renewal_failed(struct renewal *renewal, const struct clock *clock)
{
	if (renewal->failures < UINT32_MAX)
		renewal->failures++;
	int64_t max_ms = pause_max_ms(renewal, clock);
	int64_t pause_ms = max_ms / 2 + draw(renewal, max_ms / 2 + 1);
	renewal->retry_ns = clock_now_ns(clock) + pause_ms * CLOCK_MS;
	return pause_ms;
}

void renewal_hasten(struct renewal *renewal)
{
	renewal->due_wall_ns = 0;
}

void renewal_print_span(int64_t s, struct text *out)
{
	static const struct {
		int64_t s;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t n = sizeof units / sizeof units[0], i = 0;
	while (i + 1 < n && s < units[i].s)
		i++;
	text_printf(out, "%lld%c", (long long)(s / units[i].s), units[i].letter);
	if (i + 1 < n && s % units[i].s >= units[i + 1].s)
		text_printf(out, "%lld%c", (long long)(s % units[i].s / units[i + 1].s), units[i + 1].letter);
}

void renewal_describe(const struct renewal *renewal, const struct clock *clock, struct text *out)
{
	int64_t now_s = clock_wall_ns(clock) / CLOCK_S;
	switch (renewal_health(renewal, clock)) {
	case RENEWAL_NONE:
		text_add(out, "there is no certificate yet");
		break;
	case RENEWAL_VALID:
		text_add(out, "the certificate is valid for another ");
		renewal_print_span(renewal->end_s - now_s, out);
		break;
	case RENEWAL_EARLY:
		text_add(out, "the certificate is not valid for another ");
		renewal_print_span(renewal->begin_s - now_s, out);
		text_add(out, ": was the clock set back?");
		break;
	case RENEWAL_OVER:
		text_add(out, "the certificate expired ");
		renewal_print_span(now_s - renewal->end_s, out);
		text_add(out, " ago");
		break;
	}
}
