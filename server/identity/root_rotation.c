#include "server/identity/root_rotation.h"

#include "ca/private_key.h"

#include <string.h>

static void swap(struct text *a, struct text *b)
{
	struct text former = *a;
	*a = *b;
	*b = former;
}

static void forget_other(struct root_record *record)
{
	text_done(&record->other_cert);
	private_key_wipe(&record->other_key);
	record->phase = ROTATION_IDLE;
	record->since_s = 0;
	record->is_skipping_unaware = false;
}

/* ---- what is to happen ---- */

int64_t rotation_time_s(struct rotation_time *time, const struct root_record *record, const struct clock *clock)
{
	int64_t now_ns = clock_now_ns(clock);

	if (time->phase != record->phase || time->since_s != record->since_s)
		*time = (struct rotation_time){record->phase, record->since_s, clock_wall_ns(clock) / CLOCK_S, now_ns};
	return time->wall_s + (now_ns - time->seen_ns) / CLOCK_S;
}

static int64_t settled_s(const struct root_record *record, const struct rotation_view *view)
{
	return record->since_s + (view->settle_s ? view->settle_s : ROTATION_SETTLE_S);
}

static void name_waiting(const struct rotation_view *view, size_t n, struct error *why)
{
	CLEANUP(text_done) struct text names = {0};
	for (size_t i = 0; i < view->n_waiting_for; i++)
		text_printf(&names, "%s%s", i ? ", " : ": ", view->waiting_for[i]);
	error_set(why, "%s%s%s", why->message, text_get(&names),
	          view->n_waiting_for && n > view->n_waiting_for ? ", …" : "");
}

static enum rotation_step next_prepared(const struct root_record *record, const struct rotation_view *view,
                                        int64_t now_s, struct error *why)
{
	size_t passed_over = record->is_skipping_unaware ? view->unaware : 0;
	size_t done = view->acknowledged + passed_over;

	if (!view->is_known) {
		error_set(why, "it is not known yet what the proxies trust");
	} else if (done < view->proxies) {
		error_set(why, "%zu of %zu proxies have not acknowledged the new root", view->proxies - done,
		          view->proxies);
		name_waiting(view, view->proxies - done, why);
		if (view->unaware > passed_over)
			error_set(why, "%s; %zu never asked for roots (--skip-unaware goes on without them)",
			          why->message, view->unaware);
	} else if (now_s < settled_s(record, view)) {
		error_set(why, "all %zu proxies trust the new root; it signs in %lld s", view->proxies,
		          (long long)(settled_s(record, view) - now_s));
	} else {
		return ROTATION_ACTIVATE;
	}
	return ROTATION_STAY;
}

static enum rotation_step next_active(const struct root_record *record, int64_t now_s, int64_t life_s,
                                      struct error *why)
{
	int64_t end_s = record->since_s + life_s;

	if (now_s >= end_s)
		return ROTATION_FINISH;
	error_set(why, "the last certificates of the former root run out in at most %lld s",
	          (long long)(end_s - now_s));
	return ROTATION_STAY;
}

enum rotation_step root_rotation_next(const struct root_record *record, const struct rotation_view *view, int64_t now_s,
                                      int64_t life_s, struct error *why)
{
	why->message[0] = '\0';
	switch (record->phase) {
	case ROTATION_IDLE:
		break;
	case ROTATION_PREPARED:
		return next_prepared(record, view, now_s, why);
	case ROTATION_ACTIVE:
		return next_active(record, now_s, life_s, why);
	}
	return ROTATION_STAY;
}

/* ---- moves ---- */

bool root_rotation_begin(struct root_record *record, const struct authority_plan *plan, bool is_skipping_unaware,
                         const struct clock *clock, struct error *error)
{
	if (record->phase == ROTATION_PREPARED && is_skipping_unaware && !record->is_skipping_unaware) {
		record->is_skipping_unaware = true;
		return true;
	}
	if (record->phase != ROTATION_IDLE)
		return error_set(error,
		                 "a rotation of the root is under way (%s); watch it with --watch, or end it with "
		                 "--undo",
		                 rotation_phase_name(record->phase));
	if (!root_record_draw(plan, clock, &record->other_cert, &record->other_key, error))
		return false;
	record->phase = ROTATION_PREPARED;
	record->since_s = clock_wall_ns(clock) / CLOCK_S;
	record->is_skipping_unaware = is_skipping_unaware;
	return true;
}

bool root_rotation_activate(struct root_record *record, int64_t now_s, struct error *error)
{
	if (record->phase != ROTATION_PREPARED)
		return error_set(error, "no new root is prepared");
	swap(&record->cert, &record->other_cert);
	swap(&record->key, &record->other_key);
	record->phase = ROTATION_ACTIVE;
	record->since_s = now_s;
	return true;
}

bool root_rotation_finish(struct root_record *record, struct error *error)
{
	if (record->phase != ROTATION_ACTIVE)
		return error_set(error, "the new root does not sign yet");
	forget_other(record);
	return true;
}

bool root_rotation_undo(struct root_record *record, int64_t now_s, struct error *error)
{
	switch (record->phase) {
	case ROTATION_IDLE:
		return error_set(error, "no rotation of the root is under way");
	case ROTATION_PREPARED:
		forget_other(record);
		return true;
	case ROTATION_ACTIVE:
		swap(&record->cert, &record->other_cert);
		swap(&record->key, &record->other_key);
		record->since_s = now_s;
		return true;
	}
	return false;
}
