#include "server/identity/keeper.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/wake.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define TIME_DIGITS 0

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
	bool was_idle;               /* it has seen the phase before this rotation */
	struct origin_found present; /* what signs now, its authority and bundle moved into the signer */
	struct bundle *retained;     /* former roots; NULL: none */
	int64_t retained_until_s;
	struct digest trusted;                          /* what on_trusted heard last */
	char trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1]; /* of the signer */
	int64_t warn_s;                                 /* when the signer's end is said again */
	bool is_none_said;
	struct error said; /* the last thing in the log that was wrong */

	pthread_mutex_t lock; /* over what follows: held to copy */
	char next_trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1];
	struct keeper_status status;
};

static int64_t now_s(const struct keeper *keeper)
{
	return clock_wall_ns(keeper->options.clock) / CLOCK_S;
}

/* ---- what others see ---- */

static void note(struct keeper *keeper, const struct error *error, bool is_stale)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->status.note = *error;
	keeper->status.is_stale = is_stale;
	pthread_mutex_unlock(&keeper->lock);
}

static int64_t first_end_s(const struct bundle *bundle)
{
	int64_t first_s = INT64_MAX;
	for (size_t i = 0; i < bundle_size(bundle); i++) {
		int64_t begin_s, end_s = INT64_MAX;
		struct error error;
		if (certificate_times(bundle_get(bundle, i), &begin_s, &end_s, &error) && end_s < first_s)
			first_s = end_s;
	}
	return first_s;
}

static void show_signer(struct keeper *keeper, const struct signer *signer)
{
	struct keeper_status *status = &keeper->status;

	pthread_mutex_lock(&keeper->lock);
	status->has_signer = true;
	status->place = keeper->present.place;
	memcpy(status->where, keeper->present.where, sizeof status->where);
	memcpy(status->trust_domain, signer->trust_domain, sizeof status->trust_domain);
	status->signer_end_s = authority_end_s(signer->issuer.authority);
	status->root_end_s = first_end_s(signer->issuer.trusted);
	status->changes++;
	status->can_rotate = status->place == ORIGIN_OWN_IN_FOLDER || status->place == ORIGIN_OWN_IN_SECRET;
	status->phase = keeper->present.record.phase;
	status->phase_since_s = keeper->present.record.since_s;
	pthread_mutex_unlock(&keeper->lock);
}

/* ---- what signs ---- */

static void say_trusted(struct keeper *keeper, const struct signer *signer)
{
	struct digest digest = bundle_digest(signer->issuer.trusted);
	CLEANUP(text_done) struct text pem = {0};

	if (digest_equal(digest, keeper->trusted))
		return;
	keeper->trusted = digest;
	bundle_print(signer->issuer.trusted, &pem);
	if (keeper->options.on_trusted)
		keeper->options.on_trusted(keeper->options.context, pem.s, pem.n);
}

static struct bundle *unite(struct bundle *mine, const struct bundle *more, struct error *error)
{
	struct bundle *both = more ? bundle_union(mine, more, error) : mine;
	if (both != mine)
		bundle_free(mine);
	return both;
}

/* All that is trusted with that authority. NULL: too many roots. */
static struct bundle *trusted_of(const struct keeper *keeper, const struct authority *authority,
                                 const struct bundle *also, struct error *error)
{
	const struct bundle *roots = authority_roots(authority);
	struct bundle *bundle = bundle_union(roots, roots, error);

	bundle = bundle ? unite(bundle, also, error) : NULL;
	return bundle ? unite(bundle, keeper->retained, error) : NULL;
}

/* authority moves in, in success. */
static bool put_signer(struct keeper *keeper, struct authority *authority, const struct bundle *also,
                       struct error *error)
{
	struct bundle *trusted = trusted_of(keeper, authority, also, error);
	if (!trusted)
		return false;
	CLEANUP(signer_unrefp)
	struct signer *signer =
	    signer_new(authority, trusted, keeper->options.lifetime, keeper->trust_domain, keeper->options.clock);
	say_trusted(keeper, signer);
	signer_cell_put(keeper->options.cell, signer_ref(signer));
	show_signer(keeper, signer); /* last: who is told that there is one finds it */
	return true;
}

/*
 * Another root than before, and not since a rotation ended: proxies have certificates of the former one until these run
 * out.
 */
static void retain_former(struct keeper *keeper, const struct origin_found *found)
{
	CLEANUP(signer_unrefp) struct signer *former = signer_cell_get(keeper->options.cell);
	struct error error;

	if (!former || bundle_includes(authority_roots(found->authority), authority_roots(former->issuer.authority)) ||
	    keeper->present.record.phase != ROTATION_IDLE || found->record.phase != ROTATION_IDLE)
		return;
	struct bundle *retained = bundle_union(former->issuer.trusted, former->issuer.trusted, &error);
	if (!retained)
		return;
	bundle_free(keeper->retained);
	keeper->retained = retained;
	keeper->retained_until_s = now_s(keeper) + keeper->options.lifetime.default_s;
	log_warn("ca", "another root signs from now on; the former ones stay trusted for %lld s",
	         (long long)keeper->options.lifetime.default_s);
}

/* A self-signed root bears its trust domain as organisation. */
static void check_organisation(const struct keeper *keeper, const struct authority *authority)
{
	char organisation[SPIFFE_TRUST_DOMAIN_MAX + 1] = "";
	X509_NAME *name = X509_get_subject_name(authority_cert(authority));

	X509_NAME_get_text_by_NID(name, NID_organizationName, organisation, sizeof organisation);
	if (strncmp(organisation, keeper->trust_domain, strlen(organisation)) != 0 || !*organisation)
		log_warn("ca",
		         "the root in %s was made for \"%s\", and the mesh's trust domain is \"%s\"; going on with it",
		         keeper->present.where, organisation, keeper->trust_domain);
}

static void log_signer(const struct keeper *keeper, const struct authority *authority)
{
	const struct origin_found *present = &keeper->present;
	char end[CLOCK_TEXT];

	clock_print(authority_end_s(authority) * CLOCK_S, TIME_DIGITS, end);
	log_info("ca", "signing for %s with the authority in %s (%s), valid until %s%s%s", keeper->trust_domain,
	         present->where, origin_place_name(present->place), end,
	         present->record.phase == ROTATION_IDLE ? "" : "; a rotation of the root is ",
	         present->record.phase == ROTATION_IDLE ? "" : rotation_phase_name(present->record.phase));
}

static void accept(struct keeper *keeper, struct origin_found *found)
{
	struct error error;
	struct bundle *also = found->also;
	struct authority *authority = found->authority;

	retain_former(keeper, found);
	found->authority = NULL;
	found->also = NULL;
	origin_found_done(&keeper->present);
	keeper->present = *found;
	*found = (struct origin_found){0};
	log_signer(keeper, authority);
	if (keeper->present.place == ORIGIN_OWN_IN_FOLDER || keeper->present.place == ORIGIN_OWN_IN_SECRET)
		check_organisation(keeper, authority);
	if (put_signer(keeper, authority, also, &error)) {
		keeper->said.message[0] = '\0';
		note(keeper, &keeper->said, false);
	} else {
		log_error("ca", "%s: %s; keeping the former signer", keeper->present.where, error.message);
		note(keeper, &error, true);
		authority_free(authority);
	}
	bundle_free(also);
}

/* ---- what is wrong ---- */

static void say_wrong(struct keeper *keeper, const struct error *error, const char *what_next)
{
	if (strcmp(keeper->said.message, error->message) != 0)
		log_warn("ca", "%s; %s", error->message, what_next);
	keeper->said = *error;
}

static void refuse(struct keeper *keeper, const struct error *error)
{
	bool has_signer = keeper->status.has_signer;

	say_wrong(keeper, error,
	          has_signer ? "keeping the former signer" : "no certificate is signed until it is mended");
	pthread_mutex_lock(&keeper->lock);
	keeper->status.reload_failures++;
	pthread_mutex_unlock(&keeper->lock);
	note(keeper, error, has_signer);
}

static void say_none(struct keeper *keeper, const struct error *error)
{
	if (!keeper->is_none_said)
		log_info("ca", "no certificate authority: %s", error->message);
	keeper->is_none_said = true;
	pthread_mutex_lock(&keeper->lock);
	keeper->status.is_used = false;
	pthread_mutex_unlock(&keeper->lock);
}

static void warn_of_end(struct keeper *keeper, const struct signer *signer)
{
	int64_t left_s = authority_end_s(signer->issuer.authority) - now_s(keeper);

	if (left_s > KEEPER_WARN_S || now_s(keeper) < keeper->warn_s || authority_end_s(signer->issuer.authority) == 0)
		return;
	keeper->warn_s = now_s(keeper) + DAY_S;
	log_warn("ca", "the authority in %s ends in %lld s (%lld days): %s", keeper->present.where, (long long)left_s,
	         (long long)(left_s / DAY_S),
	         keeper->status.can_rotate ? "run weft ca rotate-root" : "plug in another one");
}

/* ---- rotation ---- */

static bool keep_record(struct keeper *keeper, const struct root_record *record, struct error *error)
{
	struct kube_secret_write *write;

	if (!origin_keep(keeper->origin, &keeper->present, record, &write, error))
		return false;
	if (write)
		kube_secret_cell_want(keeper->options.own, write);
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

static bool is_leader(const struct keeper *keeper)
{
	return !keeper->options.is_leader || keeper->options.is_leader(keeper->options.context);
}

/* What replicas that crashed have left, one with each move. */
static void remove_silent_note(struct keeper *keeper)
{
	if (keeper->present.place != ORIGIN_OWN_IN_SECRET)
		return;
	CLEANUP(kube_secret_unrefp) struct kube_secret *secret = kube_secret_cell_get(keeper->options.own, NULL);
	const char *silent = secret ? replicas_silent(keeper->replicas, secret) : NULL;
	if (silent && is_leader(keeper))
		kube_secret_cell_note(keeper->options.own, silent, NULL);
}

static void forget_note(struct keeper *keeper)
{
	if (keeper->has_note)
		kube_secret_cell_note(keeper->options.own, keeper->options.replica, NULL);
	keeper->has_note = false;
}

/* Whatever the record says is done once it is kept, and read back. */
static void rotate(struct keeper *keeper, const struct signer *signer)
{
	struct rotation_view view = {0};
	struct error why, error;
	CLEANUP(root_record_done) struct root_record record = {0};

	keeper->was_idle |= keeper->present.record.phase == ROTATION_IDLE;
	if (keeper->present.record.phase == ROTATION_IDLE)
		forget_note(keeper);
	else
		look_at_proxies(keeper, signer, &view);
	remove_silent_note(keeper);
	enum rotation_step step =
	    root_rotation_next(&keeper->present.record, &view, now_s(keeper), keeper->options.lifetime.max_s, &why);
	pthread_mutex_lock(&keeper->lock);
	keeper->status.view = view;
	keeper->status.waiting = why;
	pthread_mutex_unlock(&keeper->lock);
	if (step == ROTATION_STAY || !is_leader(keeper))
		return;
	root_record_copy(&record, &keeper->present.record);
	bool is_kept = (step == ROTATION_ACTIVATE ? root_rotation_activate(&record, now_s(keeper), &error)
	                                          : root_rotation_finish(&record, &error)) &&
	               keep_record(keeper, &record, &error);
	if (!is_kept)
		say_wrong(keeper, &error, "the rotation waits");
	else
		log_info("ca", "%s",
		         step == ROTATION_ACTIVATE ? "every proxy trusts the new root: it signs from now on"
		                                   : "the former root is trusted no longer");
}

/* The lock is held. */
static void move(struct keeper *keeper);

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
		return root_rotation_undo(record, now_s(keeper), error);
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
		move(keeper); /* so that whoever asked sees it */
	}
	pthread_mutex_unlock(&keeper->work);
	return is_done;
}

/* ---- one move ---- */

/* False before the first trust domain is known. */
static bool take_trust_domain(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	bool is_same = !strcmp(keeper->trust_domain, keeper->next_trust_domain);
	bool was_known = *keeper->trust_domain;
	memcpy(keeper->trust_domain, keeper->next_trust_domain, sizeof keeper->trust_domain);
	pthread_mutex_unlock(&keeper->lock);
	if (!is_same && was_known)
		origin_look_again(keeper->origin);
	return *keeper->trust_domain;
}

static void forget_retained(struct keeper *keeper)
{
	if (!keeper->retained || now_s(keeper) < keeper->retained_until_s)
		return;
	bundle_free(keeper->retained);
	keeper->retained = NULL;
	log_info("ca", "the former roots are trusted no longer");
	origin_look_again(keeper->origin);
}

static void look(struct keeper *keeper)
{
	struct error plugged_note = {""}, own_note = {""}, error;
	CLEANUP(kube_secret_unrefp) struct kube_secret *plugged = NULL;
	CLEANUP(kube_secret_unrefp) struct kube_secret *own = NULL;
	CLEANUP(origin_found_done) struct origin_found found = {0};

	if (keeper->options.plugged) {
		plugged = kube_secret_cell_get(keeper->options.plugged, &plugged_note);
		own = kube_secret_cell_get(keeper->options.own, &own_note);
	}
	const struct origin_input input = {keeper->trust_domain, plugged, own, plugged_note.message, own_note.message};
	switch (origin_look(keeper->origin, &input, &found, &error)) {
	case ORIGIN_SAME: /* but for annotations */
		memcpy(keeper->present.version, found.version, sizeof found.version);
		break;
	case ORIGIN_NEW:
		accept(keeper, &found);
		break;
	case ORIGIN_BAD:
		refuse(keeper, &error);
		break;
	case ORIGIN_WAITING:
		note(keeper, &error, false);
		if (found.write)
			kube_secret_cell_want(keeper->options.own, found.write);
		found.write = NULL;
		break;
	case ORIGIN_NONE:
		say_none(keeper, &error);
		break;
	}
}

static void serve(struct keeper *keeper, const struct signer *signer)
{
	struct serving_files files;
	struct error error;

	switch (serving_move(keeper->serving, signer, &files, &error)) {
	case SERVING_SAME:
		return;
	case SERVING_NEW:
		if (keeper->options.on_serving)
			keeper->options.on_serving(keeper->options.context, &files);
		pthread_mutex_lock(&keeper->lock);
		keeper->status.serving_end_s = serving_end_s(keeper->serving);
		pthread_mutex_unlock(&keeper->lock);
		return;
	case SERVING_FAILED:
		error_wrap(&error, "weftd's own certificate");
		say_wrong(keeper, &error, "the former one goes on while it lasts");
		note(keeper, &error, true);
		return;
	}
}

static void move(struct keeper *keeper)
{
	if (!take_trust_domain(keeper))
		return;
	forget_retained(keeper);
	look(keeper);
	CLEANUP(signer_unrefp) struct signer *signer = signer_cell_get(keeper->options.cell);
	if (!signer)
		return;
	warn_of_end(keeper, signer);
	serve(keeper, signer);
	rotate(keeper, signer);
}

void keeper_move(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->work);
	move(keeper);
	pthread_mutex_unlock(&keeper->work);
}

/* ---- life ---- */

static void *run(void *context)
{
	struct keeper *keeper = context;

	while (!keeper->is_stopping) {
		keeper_move(keeper);
		struct pollfd fd = {.fd = wake_fd(&keeper->wake), .events = POLLIN};
		poll(&fd, 1, KEEPER_POLL_MS);
		wake_quieten(&keeper->wake);
	}
	return NULL;
}

struct keeper *keeper_new(const struct keeper_options *options)
{
	struct keeper *keeper = HEAP_NEW(struct keeper);

	keeper->options = *options;
	keeper->options.origin.clock = options->clock;
	keeper->options.origin.is_kube = options->plugged != NULL;
	keeper->origin = origin_new(&keeper->options.origin);
	keeper->serving = serving_new(
	    &(struct serving_options){.dns = options->dns, .n_dns = options->n_dns, .clock = options->clock});
	if (options->replica)
		keeper->replicas = replicas_new(options->replica, options->clock);
	keeper->begun_ns = clock_now_ns(options->clock);
	keeper->status.is_used = true;
	error_set(&keeper->status.note, "the configuration has not been read yet");
	wake_init(&keeper->wake);
	pthread_mutex_init(&keeper->work, NULL);
	pthread_mutex_init(&keeper->lock, NULL);
	return keeper;
}

void keeper_start(struct keeper *keeper)
{
	int failure = pthread_create(&keeper->thread, NULL, run, keeper);
	assert(!failure);
	keeper->is_started = true;
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper || !keeper->is_started)
		return;
	keeper->is_stopping = true;
	wake_up(&keeper->wake);
	pthread_join(keeper->thread, NULL);
	keeper->is_started = false;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	keeper_stop(keeper);
	origin_free(keeper->origin);
	replicas_free(keeper->replicas);
	serving_free(keeper->serving);
	origin_found_done(&keeper->present);
	bundle_free(keeper->retained);
	wake_done(&keeper->wake);
	pthread_mutex_destroy(&keeper->work);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

/* ---- any thread ---- */

void keeper_set_trust_domain(struct keeper *keeper, const char *trust_domain)
{
	size_t n = strlen(trust_domain);

	pthread_mutex_lock(&keeper->lock);
	bool is_same = !strcmp(keeper->next_trust_domain, trust_domain);
	if (n <= SPIFFE_TRUST_DOMAIN_MAX)
		memcpy(keeper->next_trust_domain, trust_domain, n + 1);
	pthread_mutex_unlock(&keeper->lock);
	if (!is_same)
		keeper_wake(keeper);
}

void keeper_wake(struct keeper *keeper)
{
	wake_up(&keeper->wake);
}

void keeper_status(struct keeper *keeper, struct keeper_status *status)
{
	pthread_mutex_lock(&keeper->lock);
	*status = keeper->status;
	pthread_mutex_unlock(&keeper->lock);
}

struct signer *keeper_signer(struct keeper *keeper)
{
	return signer_cell_get(keeper->options.cell);
}
