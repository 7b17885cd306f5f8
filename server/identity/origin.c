#include "server/identity/origin.h"

#include "base/heap.h"
#include "ca/issue.h"
#include "ca/keystore.h"
#include "ca/private_key.h"
#include "server/identity/root_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct origin {
	struct origin_options options;
	enum origin_place place; /* of the authority that was found last; it stays there */
	struct digest stamp;     /* of what was read last */
	bool is_bad;             /* whatever was read last */
	int64_t retry_ns;
	struct text draft_cert, draft_key; /* a root that was offered to the API server, until one is there */
};

static const char *const place_names[] = {
    [ORIGIN_NOWHERE] = "nowhere",
    [ORIGIN_FOLDER] = "ca-dir",
    [ORIGIN_SECRET] = "secret",
    [ORIGIN_OWN_IN_SECRET] = "self-signed-secret",
    [ORIGIN_OWN_IN_FOLDER] = "self-signed-folder",
};

const char *origin_place_name(enum origin_place place)
{
	return place_names[place];
}

struct origin *origin_new(const struct origin_options *options)
{
	struct origin *origin = HEAP_NEW(struct origin);
	origin->options = *options;
	return origin;
}

void origin_free(struct origin *origin)
{
	if (!origin)
		return;
	text_done(&origin->draft_cert);
	private_key_wipe(&origin->draft_key);
	free(origin);
}

void origin_found_done(struct origin_found *found)
{
	authority_free(found->authority);
	bundle_free(found->also);
	root_record_done(&found->record);
	kube_secret_write_free(found->write);
	*found = (struct origin_found){0};
}

/* ---- what is the same ---- */

static int64_t now(const struct origin *origin)
{
	return clock_now_ns(origin->options.clock);
}

/* Whether that place has what it had when it was looked at last. */
static bool is_same(const struct origin *origin, enum origin_place place, struct digest stamp)
{
	return origin->place == place && digest_equal(stamp, origin->stamp) &&
	       (!origin->is_bad || now(origin) < origin->retry_ns);
}

static enum origin_outcome same(const struct origin *origin)
{
	return origin->is_bad ? ORIGIN_STILL : ORIGIN_SAME;
}

static enum origin_outcome conclude(struct origin *origin, enum origin_place place, struct digest stamp, bool is_good,
                                    struct origin_found *found)
{
	origin->place = place;
	origin->stamp = stamp;
	origin->is_bad = !is_good;
	origin->retry_ns = now(origin) + ORIGIN_RETRY_S * CLOCK_S;
	if (!is_good) {
		origin_found_done(found);
		return ORIGIN_BAD;
	}
	found->place = place;
	return ORIGIN_NEW;
}

/* ---- plugged in ---- */

/* WAITING: there is nothing, and need not be. */
static enum origin_outcome look_at_folder(struct origin *origin, struct origin_found *found, struct error *error)
{
	const char *path = origin->options.ca_dir;
	struct digest stamp;

	if (!path)
		return ORIGIN_WAITING;
	if (is_same(origin, ORIGIN_FOLDER, keystore_stamp(path)))
		return same(origin);
	switch (keystore_read(path, origin->options.clock, &found->authority, &stamp, error)) {
	case KEYSTORE_ABSENT:
		if (!origin->options.is_ca_dir_asked_for && origin->place != ORIGIN_FOLDER)
			return ORIGIN_WAITING;
		break;
	case KEYSTORE_GOOD:
		snprintf(found->where, sizeof found->where, "%s", path);
		return conclude(origin, ORIGIN_FOLDER, stamp, true, found);
	case KEYSTORE_BAD:
		break;
	}
	return conclude(origin, ORIGIN_FOLDER, stamp, false, found);
}

static struct pem_file entry_of(const struct kube_secret *secret, const char *name)
{
	for (size_t i = 0; name && i < secret->n; i++)
		if (!strcmp(secret->v[i].name, name))
			return (struct pem_file){name, secret->v[i].s, secret->v[i].n};
	return (struct pem_file){name ? name : "", "", 0};
}

static bool has_entry(const struct kube_secret *secret, const char *name)
{
	bool has = false;
	for (size_t i = 0; i < secret->n; i++)
		has |= !strcmp(secret->v[i].name, name);
	return has;
}

static struct authority *read_plugged(const struct kube_secret *secret, const struct clock *clock, struct error *error)
{
	bool is_tls = entry_of(secret, keystore_namings[0][KEYSTORE_CERT]).n > 0;
	const char *const *names = keystore_namings[is_tls ? 0 : 1];
	const struct authority_files files = {.cert = entry_of(secret, names[KEYSTORE_CERT]),
	                                      .key = entry_of(secret, names[KEYSTORE_KEY]),
	                                      .chain = entry_of(secret, names[KEYSTORE_CHAIN]),
	                                      .root = entry_of(secret, names[KEYSTORE_ROOT])};
	const char *const needed[] = {files.cert.name, files.key.name, files.root.name};
	const char *missing = NULL;

	for (size_t i = 0; i < sizeof needed / sizeof needed[0] && !missing; i++)
		missing = has_entry(secret, needed[i]) ? NULL : needed[i];
	struct authority *authority = missing ? NULL : authority_read(&files, clock, error);
	if (missing)
		error_set(error, "%s: it is missing", missing);
	if (!authority)
		error_set(error, "%s; put a whole and valid set there: %s, %s and %s, all at once", error->message,
		          names[KEYSTORE_CERT], names[KEYSTORE_KEY], names[KEYSTORE_ROOT]);
	return authority;
}

static enum origin_outcome look_at_secret(struct origin *origin, const struct origin_input *input,
                                          struct origin_found *found, struct error *error)
{
	const struct origin_options *options = &origin->options;
	const struct kube_secret *secret = input->plugged;

	if (is_same(origin, ORIGIN_SECRET, secret->digest))
		return same(origin);
	snprintf(found->where, sizeof found->where, "Secret %s/%s", options->root_namespace, ORIGIN_PLUGGED_SECRET);
	if (!secret->is_there) {
		if (origin->place != ORIGIN_SECRET)
			return ORIGIN_WAITING;
		error_set(error, "%s is gone; create it again, or restart weftd to have another authority",
		          found->where);
		return conclude(origin, ORIGIN_SECRET, secret->digest, false, found);
	}
	found->authority = read_plugged(secret, options->clock, error);
	if (!found->authority)
		error_wrap(error, "%s", found->where);
	return conclude(origin, ORIGIN_SECRET, secret->digest, found->authority != NULL, found);
}

/* ---- self-signed ---- */

static void plan_init(struct authority_plan *plan, const char *trust_domain)
{
	*plan = (struct authority_plan){.trust_domain = trust_domain};
	issue_draw_serial(plan->serial);
}

/* The authority that the record has, and what is trusted besides. */
static bool open_record(const struct origin *origin, struct origin_found *found, struct error *error)
{
	const struct clock *clock = origin->options.clock;

	found->authority = root_record_signer(&found->record, found->where, clock, error);
	if (!found->authority || found->record.phase == ROTATION_IDLE)
		return found->authority != NULL;
	const struct pem_file other = {found->where, text_get(&found->record.other_cert), found->record.other_cert.n};
	found->also = bundle_read(&other, error);
	return found->also != NULL;
}

static enum origin_outcome look_at_own_folder(struct origin *origin, const struct origin_input *input,
                                              struct origin_found *found, struct error *error)
{
	const char *path = origin->options.state_dir;
	struct digest before = root_folder_stamp(path);
	struct authority_plan plan;

	if (is_same(origin, ORIGIN_OWN_IN_FOLDER, before))
		return same(origin);
	plan_init(&plan, input->trust_domain);
	snprintf(found->where, sizeof found->where, "%s", path);
	bool is_good = root_folder_read(path, &plan, origin->options.clock, &found->record, error) &&
	               open_record(origin, found, error);
	return conclude(origin, ORIGIN_OWN_IN_FOLDER, is_good ? root_folder_stamp(path) : before, is_good, found);
}

static void add_entries(struct kube_secret_write *write, const struct root_record *record)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct root_entry entries[ROOT_ENTRIES_MAX];
	size_t n = root_record_print(record, arena, entries);
	bool is_new = !write->version;

	for (size_t i = 0; i < n; i++)
		if (entries[i].s || !is_new)
			kube_secret_write_add(write, entries[i].name, entries[i].s, entries[i].n);
}

/* A root is drawn once, and offered until one is there: ours, or another replica's. */
static enum origin_outcome offer(struct origin *origin, const struct origin_input *input, struct origin_found *found,
                                 struct error *error)
{
	struct authority_plan plan;

	plan_init(&plan, input->trust_domain);
	if (!origin->draft_key.n &&
	    !root_record_draw(&plan, origin->options.clock, &origin->draft_cert, &origin->draft_key, error))
		return ORIGIN_BAD;
	CLEANUP(root_record_done) struct root_record record = {0};
	text_add_n(&record.cert, origin->draft_cert.s, origin->draft_cert.n);
	text_add_n(&record.key, origin->draft_key.s, origin->draft_key.n);
	found->write = HEAP_NEW(struct kube_secret_write);
	add_entries(found->write, &record);
	error_set(error, "%s is being made%s%s", found->where, *input->own_note ? ": " : "", input->own_note);
	return ORIGIN_WAITING;
}

static bool read_own(struct origin *origin, const struct kube_secret *secret, struct origin_found *found,
                     struct error *error)
{
	struct root_entry entries[KUBE_SECRET_ENTRIES_MAX];
	for (size_t i = 0; i < secret->n; i++)
		entries[i] = (struct root_entry){secret->v[i].name, secret->v[i].s, secret->v[i].n};
	return root_record_read(&found->record, entries, secret->n, error) ? open_record(origin, found, error)
	                                                                   : error_wrap(error, "%s", found->where);
}

static enum origin_outcome look_at_own_secret(struct origin *origin, const struct origin_input *input,
                                              struct origin_found *found, struct error *error)
{
	const struct kube_secret *secret = input->own;

	snprintf(found->where, sizeof found->where, "Secret %s/%s", origin->options.root_namespace, ORIGIN_OWN_SECRET);
	snprintf(found->version, sizeof found->version, "%s", secret->version ? secret->version : "");
	if (is_same(origin, ORIGIN_OWN_IN_SECRET, secret->digest))
		return same(origin);
	if (!secret->is_there && origin->place != ORIGIN_OWN_IN_SECRET)
		return offer(origin, input, found, error);
	bool is_good = secret->is_there && read_own(origin, secret, found, error);
	if (!secret->is_there)
		error_set(error,
		          "%s is gone; restore it from a backup, or restart weftd to have a new root, which no "
		          "proxy trusts yet",
		          found->where);
	if (is_good) {
		text_done(&origin->draft_cert);
		private_key_wipe(&origin->draft_key);
	}
	return conclude(origin, ORIGIN_OWN_IN_SECRET, secret->digest, is_good, found);
}

/* ---- all of them, in order ---- */

static enum origin_outcome wait_for_secret(const struct origin *origin, const char *name, const char *note,
                                           struct error *error)
{
	error_set(error, "Secret %s/%s has not been read yet%s%s", origin->options.root_namespace, name,
	          *note ? ": " : "", note);
	return ORIGIN_WAITING;
}

/* Whoever has had an authority from a place stays there: another one would cut off every proxy. */
static bool may_be(const struct origin *origin, enum origin_place place)
{
	return origin->place == ORIGIN_NOWHERE || origin->place == place || place < origin->place;
}

static enum origin_outcome look_at_own(struct origin *origin, const struct origin_input *input,
                                       struct origin_found *found, struct error *error)
{
	if (origin->options.is_kube && may_be(origin, ORIGIN_OWN_IN_SECRET))
		return input->own ? look_at_own_secret(origin, input, found, error)
		                  : wait_for_secret(origin, ORIGIN_OWN_SECRET, input->own_note, error);
	if (origin->options.state_dir)
		return look_at_own_folder(origin, input, found, error);
	error_set(error, "there is neither a folder (--ca-dir) nor a place for a self-signed root (--state-dir)");
	return ORIGIN_NONE;
}

enum origin_outcome origin_look(struct origin *origin, const struct origin_input *input, struct origin_found *found,
                                struct error *error)
{
	error->message[0] = '\0';
	enum origin_outcome outcome = look_at_folder(origin, found, error);
	if (outcome != ORIGIN_WAITING)
		return outcome;
	if (origin->options.is_kube && may_be(origin, ORIGIN_SECRET)) {
		if (!input->plugged)
			return wait_for_secret(origin, ORIGIN_PLUGGED_SECRET, input->plugged_note, error);
		outcome = look_at_secret(origin, input, found, error);
		if (outcome != ORIGIN_WAITING)
			return outcome;
	}
	return look_at_own(origin, input, found, error);
}

void origin_look_again(struct origin *origin)
{
	origin->stamp = (struct digest){{0}};
}

bool origin_keep(struct origin *origin, const struct origin_found *found, const struct root_record *record,
                 struct kube_secret_write **write, struct error *error)
{
	*write = NULL;
	if (found->place == ORIGIN_OWN_IN_FOLDER)
		return root_folder_write(origin->options.state_dir, record, error);
	if (found->place != ORIGIN_OWN_IN_SECRET)
		return error_set(error, "the root of %s is rotated by replacing its files", found->where);
	*write = HEAP_NEW(struct kube_secret_write);
	(*write)->version = heap_strdup(found->version);
	add_entries(*write, record);
	return true;
}
