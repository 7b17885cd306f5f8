#pragma once
/*
 * What keeper.c and keeper_rotation.c share.
 */
#include "base/wake.h"
#include "server/identity/keeper.h"

#include <pthread.h>
#include <stdatomic.h>

struct keeper {
	struct keeper_options options;
	struct wake wake;
	_Atomic bool is_stopping;
	pthread_t thread;
	bool is_started;

	pthread_mutex_t work; /* over what follows: held while moving on, and by commands */
	struct origin *origin;
	struct serving *serving;
	struct replicas *replicas;   /* NULL: this is the only one */
	bool has_note;               /* ours, at the API server */
	int64_t begun_ns;            /* when this process looked first */
	struct rotation_time time;   /* of the phase */
	bool was_idle;               /* it has seen the phase before this rotation */
	struct origin_found present; /* what signs now, its authority and bundle moved into the signer */
	struct bundle *retained;     /* former roots; NULL: none */
	int64_t retained_until_ns;   /* monotonic */
	struct digest trusted;       /* what on_trusted heard last */
	char trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1]; /* of the signer */
	int64_t warn_ns;                                /* when the signer's end is said again, monotonic */
	struct clock_watch watch;
	bool is_none_said;
	struct error said; /* the last thing in the log that was wrong */
	/* what people should know: of where the authority comes from, and of what is done with it */
	struct error origin_note, serving_note;
	bool is_origin_stale;

	pthread_mutex_t lock; /* over what follows: held to copy */
	char next_trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1];
	struct keeper_status status;
};

int64_t keeper_now_s(const struct keeper *keeper); /* by the wall clock */
/* To the log, once as long as it is the same. */
void keeper_say_wrong(struct keeper *keeper, const struct error *error, const char *what_next);

/* `work` is held. */
void keeper_move_locked(struct keeper *keeper);
void keeper_rotate(struct keeper *keeper, const struct signer *signer);
