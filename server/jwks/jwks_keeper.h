#pragma once
/*
 * The thread that has the keys of token issuers fetched, and keeps them. It is told which are wanted, and tells what it
 * knows whenever that is something else:
 *
 *     struct jwks_keeper *keeper = jwks_keeper_new(&options);
 *     jwks_keeper_start(keeper);
 *     jwks_keeper_want(keeper, model->key_sources, model->n_key_sources);
 *     jwks_keeper_stop(keeper);  jwks_keeper_free(keeper);
 *
 * Each set is asked for again and again (jwks_schedule.h). A bad answer keeps the last good set. What nobody wants any
 * more is kept for JWKS_UNWANTED_S without being asked for, and then forgotten. With a state_dir the keys of the time
 * before the start hold until their issuers have answered, and are told first.
 */
#include "base/text.h"
#include "translator/key_sets.h"

#define JWKS_SOURCES_MAX 500 /* further ones have no keys, so no token of theirs is believed */
#define JWKS_UNWANTED_S (7 * 24 * 3600)

struct jwks_keeper;

struct jwks_keeper_options {
	int64_t refresh_s;
	bool is_private_allowed; /* see jwks_fetch.h; and the next, which is borrowed */
	const char *ca_file;
	const char *state_dir; /* where keys are kept over restarts (kept_keys.h); NULL: nowhere. Borrowed */
	/* On the keeper's thread; the reference moves in. */
	void (*on_keys)(void *context, struct key_sets *sets);
	void *context;
};

struct jwks_keeper *jwks_keeper_new(const struct jwks_keeper_options *options);
void jwks_keeper_start(struct jwks_keeper *keeper);
void jwks_keeper_stop(struct jwks_keeper *keeper); /* joins the thread; NULL is fine */
void jwks_keeper_free(struct jwks_keeper *keeper); /* stops; NULL is fine */

/* Sorted, each once; copied. Any one thread. The newest wins. */
void jwks_keeper_want(struct jwks_keeper *keeper, const struct key_source *v, size_t n);

struct jwks_stats {
	uint64_t wanted;       /* sources */
	uint64_t without_keys; /* of them: no token of theirs is believed */
	uint64_t failing;      /* of them: the last answer was bad */
	uint64_t fetches, failures;
};

/* One that is wanted. */
struct jwks_source_stats {
	const char *url;
	bool is_discovery, is_failing;
	uint64_t n_keys;
	int64_t good_wall_ns; /* the last good answer; 0: none yet */
	double next_s;        /* until it is asked again */
};

/* Any thread, as the next. */
void jwks_keeper_stats(struct jwks_keeper *keeper, struct jwks_stats *stats);
/* Of each that is wanted; in the arena. */
const struct jwks_source_stats *jwks_keeper_sources(struct jwks_keeper *keeper, struct arena *arena, size_t *n);
/* A JSON array, one object a source. */
void jwks_keeper_print(struct jwks_keeper *keeper, struct text *out);
