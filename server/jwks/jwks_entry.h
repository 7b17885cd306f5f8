#pragma once
/*
 * What is known of one source of keys. No thread, no network: it gets the answers and the time.
 *
 *     entry = jwks_entry_new(&source, refresh_ns, seed);
 *     if (jwks_entry_is_due(entry, now_ns)) { entry->is_asking = true; … ask … }
 *     if (jwks_entry_take(entry, &answer, clock)) … there is something new to tell
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "server/jwks/jwks_fetch.h"
#include "server/jwks/jwks_schedule.h"
#include "server/jwks/kept_keys.h"

struct jwks_entry {
	struct key_source source; /* the URL is its own */
	struct jwks_schedule schedule;
	bool is_wanted;
	int64_t unwanted_ns; /* since when not */
	bool is_asking, was_asked;
	char *keys; /* the last good set, as proxies can use it; NULL: none yet */
	size_t keys_n, n_keys;
	char *keys_url;       /* where it was */
	char *issuer;         /* whose it is, as the discovery said; NULL: it did not */
	struct error error;   /* of the last answer; "" it was good */
	int64_t good_ns;      /* of the last good answer since the start; 0: none yet */
	int64_t good_wall_ns; /* of the last good answer ever; 0: none yet */
	int64_t kept_wall_ns; /* of the answer that is kept over restarts; 0: none is */
	uint64_t fetches, failures;
	struct jwks_keeper *keeper; /* whose it is: answers come with the entry alone */
};

struct jwks_entry *jwks_entry_new(const struct key_source *source, int64_t refresh_ns, uint64_t seed);
void jwks_entry_free(struct jwks_entry *entry); /* NULL is fine */
/* Of one without keys: has those that were kept. False: they are too old, or no keys that proxies can use. */
bool jwks_entry_recall(struct jwks_entry *entry, const struct kept_set *set, const struct clock *clock);
/* Whether what is kept is something else, or by so much older than what is known that it would be too old too soon. */
bool jwks_entry_is_to_be_kept(const struct jwks_entry *entry);
/* Once wanted again it is asked at once. */
void jwks_entry_want(struct jwks_entry *entry, bool is_wanted, int64_t now_ns);
bool jwks_entry_is_due(const struct jwks_entry *entry, int64_t now_ns);
/* Ends asking. Whether the keys are others, or it is known for the first time that there are none; logs episodes. */
bool jwks_entry_take(struct jwks_entry *entry, const struct jwks_answer *answer, const struct clock *clock);
void jwks_entry_print(const struct jwks_entry *entry, const struct clock *clock, struct text *out);
