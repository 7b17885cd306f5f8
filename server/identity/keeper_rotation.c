/* Moving a rotation of the root on, of our own and of who plugs in; the commands of who asks for one. */
#include "base/log.h"
#include "server/identity/keeper_private.h"

#include <string.h>

static bool keep_record(struct keeper *keeper, const struct root_record *record, struct error *error)
{
	struct kube_secret_write *write;

	if (!origin_keep(keeper->origin, &keeper->present, record, &write, error))
		return false;
	rotation_time_s(&keeper->time, record, keeper->options.clock); /* its phase is counted from now on */
	if (!write)
		return true;
	kube_secret_cell_want(keeper->options.own, write);
	if (record != &keeper->wanted)
		root_record_copy(&keeper->wanted, record);
	return true;
}

bool keeper_keep_again(struct keeper *keeper, struct error *error)
{
	return !keeper->wanted.cert.n || keep_record(keeper, &keeper->wanted, error);
}

/* Where the replicas' notes on a rotation are; NULL: there is one replica. */
static struct kube_secret_cell *notes_cell(const struct keeper *keeper)
{
	bool is_own = keeper->present.place == ORIGIN_OWN_IN_SECRET && !keeper->change.next.authority;
	return is_own                                                                      ? keeper->options.own
	       : keeper_is_plugged(keeper->present.place) || keeper->change.next.authority ? keeper->options.kept
	                                                                                   : NULL;
}

/* What the proxies of all replicas have taken. */
static void look_at_proxies(struct keeper *keeper, const struct signer *signer, struct kube_secret_cell *cell,
                            const struct kube_secret *secret, struct rotation_view *view)
{
	struct digest bundle = bundle_digest(signer->issuer.trusted);

	if (keeper->options.look)
		keeper->options.look(keeper->options.context, signer, view);
	if (!keeper->was_idle && clock_now_ns(keeper->options.clock) < keeper->begun_ns + KEEPER_GRACE_S * CLOCK_S)
		view->is_known = false;
	if (!cell)
		return;
	const char *note = replicas_note(keeper->replicas, view, bundle);
	if (note)
		kube_secret_cell_note(cell, keeper->options.replica, note);
	keeper->note = cell;
	view->settle_s = REPLICAS_SETTLE_S;
	view->is_known &= secret && secret->is_there;
	if (secret)
		replicas_add(keeper->replicas, secret, bundle, view);
}

static bool is_leader(const struct keeper *keeper)
{
	return !keeper->options.is_leader || keeper->options.is_leader(keeper->options.context);
}

/* What replicas that crashed have left, one with each move. */
static void remove_silent_note(struct keeper *keeper, struct kube_secret_cell *cell, const struct kube_secret *secret)
{
	const char *silent = secret ? replicas_silent(keeper->replicas, secret) : NULL;
	if (silent && is_leader(keeper))
		kube_secret_cell_note(cell, silent, NULL);
}

static void forget_note(struct keeper *keeper)
{
	if (keeper->note)
		kube_secret_cell_note(keeper->note, keeper->options.replica, NULL);
	keeper->note = NULL;
}

/* Whatever the record says is done once it is kept, and read back. */
static void step_own(struct keeper *keeper, enum rotation_step step)
{
	struct error error;
	CLEANUP(root_record_done) struct root_record record = {0};

	root_record_copy(&record, &keeper->present.record);
	bool is_kept = (step == ROTATION_ACTIVATE ? root_rotation_activate(&record, keeper_now_s(keeper), &error)
	                                          : root_rotation_finish(&record, &error)) &&
	               keep_record(keeper, &record, &error);
	if (!is_kept)
		keeper_say_wrong(keeper, &error, "the rotation waits");
	else
		log_info("ca", "%s",
		         step == ROTATION_ACTIVATE ? "every proxy trusts the new root: it signs from now on"
		                                   : "the former root is trusted no longer");
}

static void forget_former(struct keeper *keeper)
{
	struct error error;
	root_change_forget_former(&keeper->change);
	log_info("ca", "the former roots are trusted no longer");
	if (!keeper_put_signer(keeper, &error)) /* it cannot be: these are fewer */
		keeper_keep_former(keeper, keeper->present.where, &error);
}

static void step_change(struct keeper *keeper, enum rotation_step step)
{
	CLEANUP(origin_found_done) struct origin_found next = {0};

	if (step == ROTATION_FINISH) {
		forget_former(keeper);
		return;
	}
	if (keeper->is_origin_stale)
		return; /* what is plugged in now is not what waits */
	log_info("ca", "every proxy trusts the root that was plugged in");
	next = keeper->change.next;
	keeper->change.next = (struct origin_found){0};
	keeper_accept(keeper, &next);
}

void keeper_rotate(struct keeper *keeper, const struct signer *signer)
{
	struct rotation_view view = {0};
	struct error why;
	struct root_record change;
	const struct root_record *rotation = keeper_under_way(keeper, &change);
	struct kube_secret_cell *cell = notes_cell(keeper);
	CLEANUP(kube_secret_unrefp) struct kube_secret *secret = cell ? kube_secret_cell_get(cell, NULL) : NULL;
	bool is_asked = secret && replicas_ask(keeper->replicas, secret, bundle_digest(signer->issuer.trusted));

	keeper->was_idle |= rotation->phase == ROTATION_IDLE;
	if (keeper->note != cell || (rotation->phase == ROTATION_IDLE && !is_asked))
		forget_note(keeper);
	if (rotation->phase != ROTATION_IDLE || is_asked)
		look_at_proxies(keeper, signer, cell, secret, &view);
	remove_silent_note(keeper, cell, secret);
	int64_t phase_s = rotation_time_s(&keeper->time, rotation, keeper->options.clock);
	enum rotation_step step = root_rotation_next(rotation, &view, phase_s, keeper->options.lifetime.max_s, &why);
	pthread_mutex_lock(&keeper->lock);
	keeper->status.view = view;
	keeper->status.waiting = why;
	pthread_mutex_unlock(&keeper->lock);
	if (step == ROTATION_STAY)
		return;
	if (rotation == &change)
		step_change(keeper, step);
	else if (is_leader(keeper))
		step_own(keeper, step);
}

/* ---- what is kept of a change ---- */

bool keeper_recall(struct keeper *keeper, const struct authority *authority, struct error *error)
{
	CLEANUP(kept_roots_done) struct kept_roots kept = {0};

	switch (root_memory_read(keeper->memory, &kept, error)) {
	case ROOT_MEMORY_NEW:
		return root_change_recall(&keeper->change, &kept, authority, keeper_now_s(keeper), error);
	case ROOT_MEMORY_UNKNOWN:
		return false;
	case ROOT_MEMORY_NONE:
	case ROOT_MEMORY_SAME:
		break;
	}
	return true;
}

/* What another replica has kept: what it was told, and of those that sign here too the former ones. */
static void adopt(struct keeper *keeper, const struct bundle *roots)
{
	CLEANUP(kept_roots_done) struct kept_roots kept = {0};
	struct error error;

	if (root_memory_read(keeper->memory, &kept, &error) != ROOT_MEMORY_NEW)
		return;
	root_change_hear(&keeper->change, &kept);
	if (digest_equal(bundle_digest(kept.roots), bundle_digest(roots)) &&
	    root_change_adopt(&keeper->change, &kept) && !keeper_put_signer(keeper, &error))
		keeper_keep_former(keeper, keeper->present.where, &error);
}

void keeper_remember(struct keeper *keeper, bool is_asked_for)
{
	const struct root_change *change = &keeper->change;
	struct error error;
	CLEANUP(kept_roots_done) struct kept_roots kept = {0};

	if (!keeper_is_plugged(keeper->present.place) && !change->next.authority)
		return;
	kept.roots = keeper_present_roots(keeper, &error);
	if (!kept.roots)
		return;
	keeper->is_keeping |= is_asked_for;
	if (!keeper->is_keeping)
		adopt(keeper, kept.roots);
	if (!keeper->is_keeping && !is_leader(keeper))
		return;
	kept.former = change->former ? bundle_union(change->former, change->former, &error) : NULL;
	kept.since_s = change->former_since_s;
	memcpy(kept.skip_unaware_for, change->skip_unaware_for, sizeof kept.skip_unaware_for);
	if (!root_memory_write(keeper->memory, &kept, &error))
		keeper_say_wrong(keeper, &error, "a restart would forget former roots");
	keeper->is_keeping &= !root_memory_has(keeper->memory, &kept);
}

/* Of a change that its administrator makes. */
static bool apply_to_change(struct keeper *keeper, enum keeper_command command, const char **said, struct error *error)
{
	struct root_change *change = &keeper->change;
	bool is_waiting = change->next.authority != NULL;
	const char *where = is_waiting ? change->next.where : keeper->present.where;

	if (command == KEEPER_ROTATE_SKIPPING_UNAWARE && is_waiting) {
		*said = "not waiting for proxies that never ask for roots";
		root_change_skip_unaware(change);
		return true;
	}
	if (command == KEEPER_FINISH && change->former && !is_waiting) {
		*said = "trusting the former roots no longer";
		forget_former(keeper);
		return true;
	}
	if (command == KEEPER_FINISH)
		return error_set(error, is_waiting ? "the new root does not sign yet" : "no former root is trusted");
	if (command == KEEPER_UNDO)
		return error_set(error, "put the former files back in %s: the root that they lead to signs again",
		                 where);
	if (is_waiting)
		return error_set(error, "the root in %s waits until every proxy trusts it; watch it with --watch",
		                 where);
	return error_set(error, "the root of %s is rotated by replacing its files", where);
}

/* What the record becomes, and what the log says of it. */
static bool apply(struct keeper *keeper, enum keeper_command command, struct root_record *record, const char **said,
                  struct error *error)
{
	struct authority_plan plan = {.trust_domain = keeper->trust_domain};

	if (keeper->present.place == ORIGIN_NOWHERE)
		return error_set(error, "there is no authority yet");
	switch (command) {
	case KEEPER_ROTATE:
	case KEEPER_ROTATE_SKIPPING_UNAWARE:
		issue_draw_serial(plan.serial);
		*said = "rotating the root";
		return root_rotation_begin(record, &plan, command == KEEPER_ROTATE_SKIPPING_UNAWARE,
		                           keeper->options.clock, error);
	case KEEPER_UNDO:
		*said = "going back to the former root";
		return root_rotation_undo(record, keeper_now_s(keeper), error);
	case KEEPER_FINISH:
		*said = "trusting the former root no longer";
		return root_rotation_finish(record, error);
	}
	return false;
}

static bool is_about_change(const struct keeper *keeper, enum keeper_command command)
{
	const struct root_change *change = &keeper->change;
	bool is_former_ours = keeper->present.record.phase == ROTATION_IDLE && change->former;

	return keeper_is_plugged(keeper->present.place) || change->next.authority ||
	       (command == KEEPER_FINISH && is_former_ours);
}

bool keeper_command(struct keeper *keeper, enum keeper_command command, struct error *error)
{
	CLEANUP(root_record_done) struct root_record record = {0};
	const char *said = "";

	pthread_mutex_lock(&keeper->work);
	root_record_copy(&record, &keeper->present.record);
	bool is_done = is_about_change(keeper, command)
	                   ? apply_to_change(keeper, command, &said, error)
	                   : apply(keeper, command, &record, &said, error) && keep_record(keeper, &record, error);
	if (is_done && is_about_change(keeper, command))
		keeper_remember(keeper, true);
	if (is_done) {
		log_info("ca", "%s, as asked for", said);
		keeper_move_locked(keeper); /* so that whoever asked sees it */
	}
	pthread_mutex_unlock(&keeper->work);
	return is_done;
}
