#include "server/xds/wave.h"

#include "base/clock.h"

#include <assert.h>

const int64_t xds_bucket_ms[XDS_BUCKETS] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000};

void waves_init(struct waves *waves)
{
	*waves = (struct waves){.first = 1, .end = 1};
}

static struct wave *waves_at(struct waves *waves, uint64_t number)
{
	return &waves->ring[number % WAVES_MAX];
}

static void stats_add(struct xds_stats *stats, int64_t took_ns)
{
	size_t bucket = 0;

	while (bucket < XDS_BUCKETS && took_ns > xds_bucket_ms[bucket] * CLOCK_MS)
		bucket++;
	stats->convergence[bucket]++;
	stats->convergence_n++;
	stats->convergence_sum_s += (double)took_ns / (double)CLOCK_S;
}

static void waves_settle(struct waves *waves, int64_t now_ns, struct xds_stats *stats)
{
	uint64_t end = waves->end - waves->is_open;

	for (; waves->first < end; waves->first++) {
		struct wave *wave = waves_at(waves, waves->first);
		if (wave->n_streams)
			return;
		if (wave->has_streams)
			stats_add(stats, now_ns - wave->event_ns);
	}
}

uint64_t waves_begin(struct waves *waves, int64_t event_ns, struct xds_stats *stats)
{
	assert(!waves->is_open);
	if (waves->end - waves->first == WAVES_MAX) {
		waves->first++; /* given up: the last bucket, and no sum to spoil */
		stats->convergence[XDS_BUCKETS]++;
		stats->convergence_n++;
	}
	*waves_at(waves, waves->end) = (struct wave){.event_ns = event_ns};
	waves->is_open = true;
	return waves->end++;
}

uint64_t waves_join(struct waves *waves, uint64_t number)
{
	uint64_t last = waves->end - 1;

	waves_at(waves, last)->has_streams = true;
	if (number >= waves->first)
		return number;
	waves_at(waves, last)->n_streams++;
	return last;
}

void waves_close(struct waves *waves, int64_t now_ns, struct xds_stats *stats)
{
	waves->is_open = false;
	waves_settle(waves, now_ns, stats);
}

void waves_leave(struct waves *waves, uint64_t number, int64_t now_ns, struct xds_stats *stats)
{
	if (number < waves->first) /* none, or given up */
		return;
	struct wave *wave = waves_at(waves, number);
	assert(wave->n_streams > 0);
	wave->n_streams--;
	waves_settle(waves, now_ns, stats);
}
