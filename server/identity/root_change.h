#pragma once
/*
 * The root of an authority that somebody plugs in changes: the same phases as root_rotation.h, but for who makes the
 * new root and keeps the old one, which is the administrator.
 *
 *     IDLE ── other files, another root ──▶ PREPARED   the new root is trusted too; the former signer signs
 *                                              │ every proxy has acknowledged the bundle with both
 *                                              ▼
 *                                           ACTIVE     the new one signs; the former roots are trusted
 *                                              │ the longest certificate of the former has run out, or --finish
 *                                              ▼
 *                                            IDLE
 *
 * Undo: the former files are put back. In PREPARED nothing was signed by the new one, and it is forgotten; in ACTIVE
 * that is a change as any other. Each replica decides for itself, for all of them see the same notes (replicas.h) and
 * trust the same bundle in both phases.
 *
 * The former signer's key is in this process alone. A weftd that starts in PREPARED signs with what is plugged in, and
 * trusts the former roots, which are kept (kept_roots.h).
 */
#include "server/identity/kept_roots.h"
#include "server/identity/origin.h"

struct root_change {
	struct origin_found next; /* who signs next; no authority: nobody waits */
	int64_t next_since_s;
	char skip_unaware_for[DIGEST_HEX]; /* as in kept_roots.h */
	struct bundle *former;             /* trusted besides; NULL: none */
	int64_t former_since_s;
};

void root_change_done(struct root_change *change);

/* As a record of that phase, with no root in it; for root_rotation_next. */
void root_change_phase(const struct root_change *change, struct root_record *record);

/* Whether both lead to one root: then a change between them needs no waiting. */
bool root_change_is_none(const struct authority *a, const struct authority *b);

/* Proxies that never ask for roots hold up who waits no longer. */
void root_change_skip_unaware(struct root_change *change);

/* Who waits from now on. Moves in. Whether it waits for another root than before. */
bool root_change_prepare(struct root_change *change, struct origin_found *found, int64_t now_s);
/* More roots that are trusted though nobody signs with them, from now on. False: too many. */
bool root_change_retain(struct root_change *change, const struct bundle *roots, int64_t now_s, struct error *error);
/* Ends what waits, and what was said of it; of one that was moved out, since it signs now, that stays said. */
void root_change_forget_next(struct root_change *change);
void root_change_forget_former(struct root_change *change);

/*
 * What was kept, by a weftd that begins with that authority: former roots, and the roots of who signed last, if these
 * are not among the authority's. Moves out of kept.
 */
bool root_change_recall(struct root_change *change, struct kept_roots *kept, const struct authority *authority,
                        int64_t now_s, struct error *error);
/* What another replica kept. Whether something is trusted that was not, or the reverse. Moves out of kept. */
bool root_change_adopt(struct root_change *change, struct kept_roots *kept);
/* What another replica was told of the root that waits here too, whoever signs there. */
void root_change_hear(struct root_change *change, const struct kept_roots *kept);
