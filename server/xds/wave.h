#pragma once
/*
 * Convergence: how long it takes from an event until every proxy that something was sent to because of it has
 * acknowledged. A generation with an event begins a wave; streams that are not settled then belong to it, and a stream
 * belongs to the oldest of its waves until it is settled, since what it acknowledges then covers the later ones too. A
 * wave ends when it and all before it have nobody left. A stream that never acknowledges holds up at most WAVES_MAX
 * waves: then the oldest counts as not converged.
 */
#include "server/xds/server.h"

#define WAVES_MAX 64

struct wave {
	int64_t event_ns;
	unsigned n_streams;
	bool has_streams; /* any that were sent something: else there is nothing to measure */
};

struct waves {
	struct wave ring[WAVES_MAX];
	uint64_t first, end; /* numbers of the waves that go on: first … end - 1 */
	bool is_open;        /* the last one is still taking in streams */
};

void waves_init(struct waves *waves);
/* Its number, above 0. Streams may join until waves_close. */
uint64_t waves_begin(struct waves *waves, int64_t event_ns, struct xds_stats *stats);
/* A stream that is not settled; `number` is the wave it belongs to already, or 0. Returns the one it belongs to now. */
uint64_t waves_join(struct waves *waves, uint64_t number);
void waves_close(struct waves *waves, int64_t now_ns, struct xds_stats *stats);
/* A stream is settled, or gone. */
void waves_leave(struct waves *waves, uint64_t number, int64_t now_ns, struct xds_stats *stats);
