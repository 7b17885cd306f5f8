#pragma once
/*
 * Replacing the self-signed root with no moment in which a proxy meets a certificate that it does not trust. Pure: a
 * record, what is known of the proxies, and a time in; what is to happen out.
 *
 *     IDLE ── begin ──▶ PREPARED   a new root is made; both are trusted; the old one signs
 *                          │ every proxy has acknowledged the bundle with both
 *                          ▼
 *                       ACTIVE     the new root signs; both are trusted
 *                          │ the longest certificate that the old root may have signed has run out
 *                          ▼
 *                        IDLE      the new root alone
 *
 * Undo: in PREPARED the new root is forgotten, since nothing was signed by it. In ACTIVE the two change places, and the
 * way back is gone the same way: the old root signs, both are trusted until no certificate of the new one is valid.
 *
 * ACTIVE ends by time alone (--max-workload-cert-ttl), or when an admin says so (--finish). That every connected proxy
 * has shown or been given a certificate of the new root proves nothing of those that are not connected, and a workload
 * that takes a certificate need not be connected at all; to trust the former root for longer harms nobody who does not
 * have its key.
 *
 * Proxies that never say which roots they trust count as not knowing, are named, and hold a rotation up until somebody
 * says that they are to be passed over (--skip-unaware); they learn of roots with their certificates only.
 */
#include "server/identity/root_record.h"

#define ROTATION_NAMES_MAX 8  /* proxies that are named; more are counted */
#define ROTATION_NAME_MAX 256 /* of one, with its NUL */
#define ROTATION_SETTLE_S 5   /* all is well for so long before a step: who has just come is seen too */

/* What is known of all proxies, of all replicas. */
struct rotation_view {
	int64_t settle_s;    /* a phase lasts at least so long; 0: ROTATION_SETTLE_S */
	bool is_known;       /* somebody has looked, at the bundle that is trusted now */
	size_t proxies;      /* connected */
	size_t acknowledged; /* of them: have taken the bundle */
	size_t unaware;      /* of them: never asked for it */
	char waiting_for[ROTATION_NAMES_MAX][ROTATION_NAME_MAX];
	size_t n_waiting_for;
};

enum rotation_step { ROTATION_STAY, ROTATION_ACTIVATE, ROTATION_FINISH };

/*
 * The time by which a phase is judged: the wall clock's when this process first saw the phase, and from there on the
 * monotonic one's, so that setting the clock neither ends a phase nor holds it up. It begins zeroed.
 */
struct rotation_time {
	enum rotation_phase phase;
	int64_t since_s;         /* of the record that was seen */
	int64_t wall_s, seen_ns; /* when */
};

/* Also to be called when a phase begins. */
int64_t rotation_time_s(struct rotation_time *time, const struct root_record *record, const struct clock *clock);

/* life_s: how long a certificate lives at most. why: what it waits for, when it stays; "" when idle. */
enum rotation_step root_rotation_next(const struct root_record *record, const struct rotation_view *view, int64_t now_s,
                                      int64_t life_s, struct error *why);

/* The moves. Each false with the reason when the phase does not allow it; then nothing changed. */
bool root_rotation_begin(struct root_record *record, const struct authority_plan *plan, bool is_skipping_unaware,
                         const struct clock *clock, struct error *error);
bool root_rotation_activate(struct root_record *record, int64_t now_s, struct error *error);
bool root_rotation_finish(struct root_record *record, struct error *error);
bool root_rotation_undo(struct root_record *record, int64_t now_s, struct error *error);
