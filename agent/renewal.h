#pragma once
/*
 * When a certificate is asked for: pure, and without a thread. It keeps what is needed of the certificate at hand and
 * of the attempts to get another.
 *
 *     if (renewal_is_due(&renewal, clock)) …ask…; renewal_succeeded(&renewal, clock, begin_s, end_s) or
 *                                                 renewal_failed(&renewal, clock)
 *     sleep(renewal_wait_ms(&renewal, clock));        short, so that a step of the clock is seen soon
 *
 * A certificate is due at half of what it had left when it came, give or take RENEWAL_JITTER_PERCENT of that, so that
 * those that began together do not ask together. Whether it is due, valid or over is read off the wall clock each time;
 * the pause after a failure off the monotonic one, which nobody sets. Pauses double from RENEWAL_RETRY_MIN_MS to
 * RENEWAL_RETRY_MAX_MS, each a random part of itself shorter, and near the end of the certificate they get shorter: at
 * most a quarter of what is left.
 */
#include "base/clock.h"
#include "base/text.h"

#define RENEWAL_JITTER_PERCENT 5
#define RENEWAL_RETRY_MIN_MS 1000
#define RENEWAL_RETRY_MAX_MS 30000
#define RENEWAL_RETRY_NONE_MAX_MS 10000 /* without a valid certificate, where somebody waits for it */
#define RENEWAL_LOOK_MS 5000

enum renewal_health {
	RENEWAL_NONE,  /* there never was a certificate */
	RENEWAL_VALID, /* in its time */
	RENEWAL_EARLY, /* not yet valid: the clock was set back */
	RENEWAL_OVER,  /* expired */
};

struct renewal {
	bool has_certificate;
	int64_t begin_s, end_s; /* first and last second, since 1970 */
	int64_t due_wall_ns;    /* since 1970 */
	int64_t retry_ns;       /* monotonic: not before */
	unsigned failures;      /* in a row */
	uint64_t random;        /* state; never 0 */
};

void renewal_init(struct renewal *renewal, uint64_t seed);
bool renewal_is_due(const struct renewal *renewal, const struct clock *clock);
/* At most RENEWAL_LOOK_MS; 0 when it is due. */
int64_t renewal_wait_ms(const struct renewal *renewal, const struct clock *clock);
void renewal_succeeded(struct renewal *renewal, const struct clock *clock, int64_t begin_s, int64_t end_s);
/* Returns the pause, in milliseconds. */
int64_t renewal_failed(struct renewal *renewal, const struct clock *clock);
/* The certificate does no longer do: it is due now, whatever its time. Pauses stand. */
void renewal_hasten(struct renewal *renewal);

enum renewal_health renewal_health(const struct renewal *renewal, const struct clock *clock);
/* "the certificate is valid for another 11h58m", "the certificate expired 3m ago", … */
void renewal_describe(const struct renewal *renewal, const struct clock *clock, struct text *out);
/* "2d3h", "11h58m", "4m5s", "12s": the two largest units. */
void renewal_print_span(int64_t s, struct text *out);
