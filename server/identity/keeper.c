#include "server/identity/keeper_private.h"

#include "base/heap.h"
#include "base/log.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define TIME_DIGITS 0

int64_t keeper_now_s(const struct keeper *keeper)
{
	return clock_wall_ns(keeper->options.clock) / CLOCK_S;
}

/* ---- what others see ---- */

static void show_notes(struct keeper *keeper)
{
	const struct error *origin = &keeper->origin_note, *serving = &keeper->serving_note;
	bool has_both = origin->message[0] && serving->message[0];

	pthread_mutex_lock(&keeper->lock);
	error_set(&keeper->status.note, "%s%s%s", origin->message, has_both ? "; " : "", serving->message);
	keeper->status.is_stale = keeper->is_origin_stale || serving->message[0];
	pthread_mutex_unlock(&keeper->lock);
}

static void note(struct keeper *keeper, const struct error *error, bool is_stale)
{
	keeper->origin_note = *error;
	keeper->is_origin_stale = is_stale;
	show_notes(keeper);
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

const struct root_record *keeper_under_way(const struct keeper *keeper, struct root_record *change)
{
	root_change_phase(&keeper->change, change);
	bool is_ours = keeper->present.record.phase != ROTATION_IDLE && change->phase != ROTATION_PREPARED;
	return is_ours ? &keeper->present.record : change;
}

static void show_signer(struct keeper *keeper, const struct signer *signer)
{
	struct root_record change;
	const struct root_record *rotation = keeper_under_way(keeper, &change);
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
	status->phase = rotation->phase;
	status->phase_since_s = rotation->since_s;
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

struct bundle *keeper_present_roots(const struct keeper *keeper, struct error *error)
{
	const struct bundle *roots = authority_roots(keeper->present.authority);
	struct bundle *bundle = bundle_union(roots, roots, error);

	return bundle ? unite(bundle, keeper->present.also, error) : NULL;
}

/* All that is trusted. NULL: too many roots. */
static struct bundle *all_trusted(const struct keeper *keeper, struct error *error)
{
	const struct authority *next = keeper->change.next.authority;
	struct bundle *bundle = keeper_present_roots(keeper, error);

	bundle = bundle ? unite(bundle, keeper->change.former, error) : NULL;
	return bundle ? unite(bundle, next ? authority_roots(next) : NULL, error) : NULL;
}

bool keeper_put_signer(struct keeper *keeper, struct error *error)
{
	struct bundle *trusted = all_trusted(keeper, error);
	if (!trusted)
		return false;
	CLEANUP(signer_unrefp)
	struct signer *signer = signer_new(authority_ref(keeper->present.authority), trusted, keeper->options.lifetime,
	                                   keeper->trust_domain, keeper->options.clock);
	say_trusted(keeper, signer);
	signer_cell_put(keeper->options.cell, signer_ref(signer));
	show_signer(keeper, signer); /* last: who is told that there is one finds it */
	return true;
}

bool keeper_is_plugged(enum origin_place place)
{
	return place == ORIGIN_FOLDER || place == ORIGIN_SECRET;
}

/*
 * Not all the roots of before, and not by a rotation of our own: proxies have certificates of the former until these
 * run out.
 */
static bool retain_former(struct keeper *keeper, const struct origin_found *found, struct error *error)
{
	const struct origin_found *present = &keeper->present;
	bool is_own_rotation = present->place == found->place &&
	                       (present->record.phase != ROTATION_IDLE || found->record.phase != ROTATION_IDLE);

	if (!present->authority || is_own_rotation)
		return true;
	CLEANUP(bundle_freep) struct bundle *former = keeper_present_roots(keeper, error);
	if (!former)
		return false;
	if (bundle_includes(authority_roots(found->authority), former))
		return true;
	if (!root_change_retain(&keeper->change, former, keeper_now_s(keeper), error))
		return false;
	log_warn("ca",
	         "the former roots stay trusted for %lld s, as long as a certificate may live (weft ca rotate-root "
	         "--finish ends that)",
	         (long long)keeper->options.lifetime.max_s);
	return true;
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

static void all_is_well(struct keeper *keeper)
{
	keeper->said.message[0] = '\0';
	note(keeper, &keeper->said, false);
}

void keeper_keep_former(struct keeper *keeper, const char *where, const struct error *error)
{
	log_error("ca", "%s: %s; keeping the former signer", where, error->message);
	note(keeper, error, true);
}

void keeper_accept(struct keeper *keeper, struct origin_found *found)
{
	struct error error;
	struct origin_found former = keeper->present;

	if (!retain_former(keeper, found, &error)) {
		keeper_keep_former(keeper, found->where, &error);
		return;
	}
	keeper->present = *found;
	*found = former; /* whoever brought it ends it */
	root_record_done(&keeper->wanted);
	root_change_forget_next(&keeper->change);
	log_signer(keeper, keeper->present.authority);
	if (!keeper_is_plugged(keeper->present.place))
		check_organisation(keeper, keeper->present.authority);
	if (keeper_put_signer(keeper, &error)) {
		all_is_well(keeper);
	} else {
		*found = keeper->present;
		keeper->present = former;
		keeper_keep_former(keeper, found->where, &error);
	}
}

/* Another root than that of who signs: it is trusted from now on, and signs when all proxies trust it. */
static void prepare(struct keeper *keeper, struct origin_found *found)
{
	struct error error;
	bool is_new = root_change_prepare(&keeper->change, found, keeper_now_s(keeper));
	const char *where = keeper->change.next.where;

	if (is_new)
		log_info("ca", "another root in %s: trusted from now on, and signing once every proxy trusts it",
		         where);
	if (is_new && !root_memory_has_place(keeper->memory))
		log_warn("ca", "former roots are kept nowhere, since there is neither an API server nor --state-dir: a "
		               "restart of weftd forgets them");
	if (keeper_put_signer(keeper, &error)) {
		all_is_well(keeper);
		return;
	}
	keeper_keep_former(keeper, where, &error);
	root_change_forget_next(&keeper->change);
}

/* ---- what is wrong ---- */

void keeper_say_wrong(struct keeper *keeper, const struct error *error, const char *what_next)
{
	if (strcmp(keeper->said.message, error->message) != 0)
		log_warn("ca", "%s; %s", error->message, what_next);
	keeper->said = *error;
}

static void refuse(struct keeper *keeper, const struct error *error)
{
	bool has_signer = keeper->status.has_signer;

	keeper_say_wrong(keeper, error,
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
	int64_t left_s = authority_end_s(signer->issuer.authority) - keeper_now_s(keeper);
	int64_t now_ns = clock_now_ns(keeper->options.clock);

	if (left_s > KEEPER_WARN_S || left_s <= 0 || now_ns < keeper->warn_ns)
		return;
	keeper->warn_ns = now_ns + DAY_S * CLOCK_S;
	log_warn("ca", "the authority in %s ends in %lld s (%lld days): %s", keeper->present.where, (long long)left_s,
	         (long long)(left_s / DAY_S),
	         keeper->status.can_rotate ? "run weft ca rotate-root" : "plug in another one");
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

static void take(struct keeper *keeper, struct origin_found *found)
{
	struct error error;
	const struct authority *present = keeper->present.authority;

	if (!present && keeper_is_plugged(found->place) && !keeper_recall(keeper, found->authority, &error)) {
		origin_look_again(keeper->origin);
		keeper_say_wrong(keeper, &error, "no certificate is signed until it is known which roots were trusted");
		note(keeper, &error, false);
	} else if (present && keeper_is_plugged(found->place) && !root_change_is_none(present, found->authority) &&
	           authority_check_time(present, keeper_now_s(keeper), &error)) { /* else nobody signs meanwhile */
		prepare(keeper, found);
	} else {
		keeper_accept(keeper, found);
	}
}

static void look(struct keeper *keeper)
{
	struct error plugged_note = {""}, own_note = {""}, error;
	CLEANUP(kube_secret_unrefp) struct kube_secret *plugged = NULL;
	CLEANUP(kube_secret_unrefp) struct kube_secret *own = NULL;
	CLEANUP(origin_found_done) struct origin_found found = {0};
	bool is_same_version;

	if (keeper->options.plugged) {
		plugged = kube_secret_cell_get(keeper->options.plugged, &plugged_note);
		own = kube_secret_cell_get(keeper->options.own, &own_note);
	}
	const struct origin_input input = {keeper->trust_domain, plugged, own, plugged_note.message, own_note.message};
	switch (origin_look(keeper->origin, &input, &found, &error)) {
	case ORIGIN_SAME: /* but for annotations */
		is_same_version = !*found.version || !strcmp(keeper->present.version, found.version);
		if (is_same_version)
			break;
		memcpy(keeper->present.version, found.version, sizeof found.version);
		if (!keeper_keep_again(keeper, &error))
			keeper_say_wrong(keeper, &error, "the rotation waits");
		break;
	case ORIGIN_NEW:
		take(keeper, &found);
		break;
	case ORIGIN_BAD:
		refuse(keeper, &error);
		break;
	case ORIGIN_STILL: /* it has been said */
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

/* error.message "": all is well. Each thing is said once. */
static void note_serving(struct keeper *keeper, const struct error *error)
{
	if (!strcmp(keeper->serving_note.message, error->message))
		return;
	if (error->message[0])
		log_error("ca", "%s", error->message);
	else
		log_info("ca", "certificates are signed again");
	keeper->serving_note = *error;
	show_notes(keeper);
}

static bool check_time(struct keeper *keeper, const struct signer *signer, struct error *error)
{
	const struct authority *authority = signer->issuer.authority;
	int64_t at_s = keeper_now_s(keeper);
	bool is_good = authority_check_time(authority, at_s, error);
	const char *what_to_do = "plug in another one";

	if (at_s < authority_begin_s(authority))
		what_to_do = "look whether this machine's clock is right";
	else if (keeper->status.can_rotate)
		what_to_do = "remove it and restart weftd for a new root, of which proxies must be told";
	if (is_good)
		return true;
	error_wrap(error, "the authority in %s", keeper->present.where);
	return error_set(error, "%s: no certificate is signed; %s", error->message, what_to_do);
}

static void show_time(struct keeper *keeper, bool is_out_of_time)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->status.is_out_of_time = is_out_of_time;
	pthread_mutex_unlock(&keeper->lock);
}

/* Whoever reads that it is in time again finds weftd's own certificate renewed, and nothing to complain of. */
static void serve(struct keeper *keeper, const struct signer *signer)
{
	struct serving_files files;
	struct error error = {""};

	if (!check_time(keeper, signer, &error)) {
		show_time(keeper, true);
		note_serving(keeper, &error);
		return;
	}
	switch (serving_move(keeper->serving, signer, &files, &error)) {
	case SERVING_SAME:
		break;
	case SERVING_NEW:
		if (keeper->options.on_serving)
			keeper->options.on_serving(keeper->options.context, &files);
		pthread_mutex_lock(&keeper->lock);
		keeper->status.serving_end_s = serving_end_s(keeper->serving);
		keeper->status.serving_certificates++;
		pthread_mutex_unlock(&keeper->lock);
		break;
	case SERVING_FAILED:
		error_wrap(&error, "weftd's own certificate");
		error_set(&error, "%s; the former one goes on while it lasts", error.message);
		break;
	}
	note_serving(keeper, &error);
	show_time(keeper, false);
}

static void look_at_clock(struct keeper *keeper)
{
	int64_t step_s = clock_watch_step_s(&keeper->watch, keeper->options.clock);

	if (step_s)
		log_warn("ca", "this machine's clock was set %s by %lld s", step_s < 0 ? "back" : "ahead",
		         (long long)(step_s < 0 ? -step_s : step_s));
}

void keeper_move_locked(struct keeper *keeper)
{
	look_at_clock(keeper);
	if (!take_trust_domain(keeper))
		return;
	look(keeper);
	CLEANUP(signer_unrefp) struct signer *signer = signer_cell_get(keeper->options.cell);
	if (!signer)
		return;
	warn_of_end(keeper, signer);
	serve(keeper, signer);
	keeper_rotate(keeper, signer);
	keeper_remember(keeper, false);
}

void keeper_move(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->work);
	keeper_move_locked(keeper);
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
	keeper->memory = root_memory_new(options->kept, options->origin.state_dir, options->clock);
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
	root_record_done(&keeper->wanted);
	root_change_done(&keeper->change);
	root_memory_free(keeper->memory);
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
