#pragma once
/*
 * The present: the newest generation with its roster, figures about it, and a note on how the source is doing. Written
 * by the pipeline thread, read by any (a lock is held only to copy or to take references).
 */
#include "base/error.h"
#include "server/emission.h"

#include <pthread.h>

#define PRESENT_SEVERITIES 3

struct present_stats {
	bool is_synced;            /* a generation exists */
	bool is_stale;             /* the last re-read failed: an older state is being kept */
	int64_t last_sync_wall_ns; /* of the last reading that succeeded; 0: none */
	uint64_t generations;      /* made of changed objects */
	uint64_t rosters;          /* generations made because only the roster (or a report row) changed */
	uint64_t unchanged;        /* changes that made no difference */
	double resolve_s, emit_s;  /* sums */
	uint64_t nodes, views, workloads;
	uint64_t objects[KIND_COUNT];
	uint64_t rows[PRESENT_SEVERITIES]; /* by enum report_severity */
	uint64_t sets[RESOURCE_TYPE_COUNT], resources[RESOURCE_TYPE_COUNT], bytes[RESOURCE_TYPE_COUNT];
	uint64_t model_bytes;
};

struct present {
	pthread_mutex_t lock;
	struct generation *generation; /* NULL before the first sync */
	struct roster *roster;         /* of that generation */
	struct present_stats stats;
	struct error note; /* "" when all is well */
};

/* How much work one generation was. */
struct present_cost {
	bool is_new; /* of changed objects */
	double resolve_s, emit_s;
};

void present_init(struct present *present);
void present_done(struct present *present);

/* Takes its own references. */
void present_set(struct present *present, struct generation *generation, struct roster *roster,
                 const struct emission *emission, const struct present_cost *cost);
void present_count_unchanged(struct present *present);
void present_note_synced(struct present *present);
void present_note_failure(struct present *present, const char *note);

bool present_is_synced(struct present *present, struct error *note);
void present_get_stats(struct present *present, struct present_stats *stats);
void present_print_report(struct present *present, struct text *out);
bool present_print_config(struct present *present, const char *proxy, struct text *out, struct error *error);
