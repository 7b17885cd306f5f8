#pragma once
/*
 * The keeper's own: what keeper.c (what signs) and keeper_rotation.c (what is to sign next) share.
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
	struct replicas *replicas;                      /* NULL: this is the only one */
	struct kube_secret_cell *note;                  /* that has our note; NULL: none has */
	int64_t begun_ns;                               /* when this process looked first */
	struct rotation_time time;                      /* of the phase */
	bool was_idle;                                  /* it has seen the phase before this rotation */
	struct origin_found present;                    /* what signs now */
	struct root_record wanted;                      /* is being written to the Secret; no certificate: none is */
	struct root_change change;                      /* to another root that is plugged in */
	bool is_keeping;                                /* somebody asked for what is not kept yet */
	struct root_memory *memory;                     /* of that */
	struct digest trusted;                          /* what on_trusted heard last */
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

/* ---- keeper.c; `work` is held ---- */

int64_t keeper_now_s(const struct keeper *keeper);
void keeper_move_locked(struct keeper *keeper);
bool keeper_is_plugged(enum origin_place place);
/* The rotation that is under way: of the self-signed root, or to one that is plugged in, which goes into *change. */
const struct root_record *keeper_under_way(const struct keeper *keeper, struct root_record *change);
/* The roots of who signs. NULL: too many. */
struct bundle *keeper_present_roots(const struct keeper *keeper, struct error *error);
/* What signs and what is trusted become what the keeper has. False: too many roots, and all stays as it was. */
bool keeper_put_signer(struct keeper *keeper, struct error *error);
/* It signs from now on; found is the caller's to end, whatever is in it then. */
void keeper_accept(struct keeper *keeper, struct origin_found *found);
void keeper_keep_former(struct keeper *keeper, const char *where, const struct error *error);
void keeper_say_wrong(struct keeper *keeper, const struct error *error, const char *what_next);

/* ---- keeper_rotation.c; likewise ---- */

/* The record that is being written, anew: the Secret has another version, of a note, and would not take it. */
bool keeper_keep_again(struct keeper *keeper, struct error *error);
void keeper_rotate(struct keeper *keeper, const struct signer *signer);
/* Before the first signer, when it is plugged in. False: it is not known what was trusted before. */
bool keeper_recall(struct keeper *keeper, const struct authority *authority, struct error *error);
/* Keeps which roots are trusted with one that is plugged in. is_asked_for: by a command, which any replica may have. */
void keeper_remember(struct keeper *keeper, bool is_asked_for);
