/* The keeper's part in replacing the root: what is known of the proxies, the next step, and what people ask for. */
#include "base/log.h"
#include "server/identity/keeper_private.h"

static bool keep_record(struct keeper *keeper, const struct root_record *record, struct error *error)
{
	struct kube_secret_write *write;

	if (!origin_keep(keeper->origin, &keeper->present, record, &write, error))
		return false;
	if (write)
		kube_secret_cell_want(keeper->options.own, write);
	rotation_time_s(&keeper->time, record, keeper->options.clock); /* its phase is counted from now on */
	return true;
}

/* What the proxies of all replicas have taken. */
static void look_at_proxies(struct keeper *keeper, const struct signer *signer, struct rotation_view *view)
{
	struct digest bundle = bundle_digest(signer->issuer.trusted);

	if (keeper->options.look)
		keeper->options.look(keeper->options.context, signer, view);
	if (!keeper->was_idle && clock_now_ns(keeper->options.clock) < keeper->begun_ns + KEEPER_GRACE_S * CLOCK_S)
		view->is_known = false;
	if (keeper->present.place != ORIGIN_OWN_IN_SECRET)
		return;
	CLEANUP(kube_secret_unrefp) struct kube_secret *secret = kube_secret_cell_get(keeper->options.own, NULL);
	const char *note = replicas_note(keeper->replicas, view, bundle);
	if (note)
		kube_secret_cell_note(keeper->options.own, keeper->options.replica, note);
	keeper->has_note = true;
	view->settle_s = REPLICAS_SETTLE_S;
	if (secret)
		replicas_add(keeper->replicas, secret, bundle, view);
}

static void forget_note(struct keeper *keeper)
{
	if (keeper->has_note)
		kube_secret_cell_note(keeper->options.own, keeper->options.replica, NULL);
	keeper->has_note = false;
}

static bool is_leader(const struct keeper *keeper)
{
	return !keeper->options.is_leader || keeper->options.is_leader(keeper->options.context);
}

/* Whatever the record says is done once it is kept, and read back. */
void keeper_rotate(struct keeper *keeper, const struct signer *signer)
{
	struct rotation_view view = {0};
	struct error why, error;
	CLEANUP(root_record_done) struct root_record record = {0};

	keeper->was_idle |= keeper->present.record.phase == ROTATION_IDLE;
	if (keeper->present.record.phase == ROTATION_IDLE)
		forget_note(keeper);
	else
		look_at_proxies(keeper, signer, &view);
	int64_t phase_s = rotation_time_s(&keeper->time, &keeper->present.record, keeper->options.clock);
	enum rotation_step step =
	    root_rotation_next(&keeper->present.record, &view, phase_s, keeper->options.lifetime.max_s, &why);
	pthread_mutex_lock(&keeper->lock);
	keeper->status.view = view;
	keeper->status.waiting = why;
	pthread_mutex_unlock(&keeper->lock);
	if (step == ROTATION_STAY || !is_leader(keeper))
		return;
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

/* What the record becomes, and what the log says of it. */
static bool apply(struct keeper *keeper, enum keeper_command command, struct root_record *record, const char **said,
                  struct error *error)
{
	struct authority_plan plan = {.trust_domain = keeper->trust_domain};

	if (keeper->present.place == ORIGIN_NOWHERE)
		return error_set(error, "there is no authority yet");
	if (!record->cert.n)
		return error_set(error, "the root of %s is rotated by replacing its files", keeper->present.where);
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

bool keeper_command(struct keeper *keeper, enum keeper_command command, struct error *error)
{
	CLEANUP(root_record_done) struct root_record record = {0};
	const char *said = "";

	pthread_mutex_lock(&keeper->work);
	root_record_copy(&record, &keeper->present.record);
	bool is_done = apply(keeper, command, &record, &said, error) && keep_record(keeper, &record, error);
	if (is_done) {
		log_info("ca", "%s, as asked for", said);
		keeper_move_locked(keeper); /* so that whoever asked sees it */
	}
	pthread_mutex_unlock(&keeper->work);
	return is_done;
}
