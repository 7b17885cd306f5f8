#include "ca/keystore.h"

#include "ca/keystore_draft.h"
#include "ca/private_key.h"

#include <errno.h>
#include <unistd.h>

/*
 * Making one: both files are drafts first, whole and on disk. Then the key gets its name, by a link, which never
 * replaces anything: from here on there is an authority. Then the certificate gets its. A crash before leaves drafts,
 * which the next one throws away; a crash between leaves key and draft, from which the next one goes on.
 */
#define CERT_NAME "ca-cert.pem"
#define KEY_NAME "ca-key.pem"
#define CERT_DRAFT ".ca-cert.pem.new"
#define KEY_DRAFT ".ca-key.pem.new"

#define CERT_MODE 0644

enum state { STATE_NONE, STATE_CERT_ALONE, STATE_KEY_ALONE, STATE_WHOLE };

/* The certificate is its own root. */
static struct authority *read_pair(const struct keystore_folder *folder, const char *cert_name,
                                   const struct clock *clock, struct error *error)
{
	CLEANUP(keystore_file_done) struct keystore_file cert = {0}, key = {0};
	if (!keystore_folder_read(folder, cert_name, &cert, error) ||
	    !keystore_folder_read(folder, KEY_NAME, &key, error) || !keystore_check_mode(&key, error))
		return NULL;
	const struct authority_files files = {.cert = cert.pem, .key = key.pem, .root = cert.pem};
	struct authority *authority = authority_read(&files, clock, error);
	if (!authority)
		error_set(error,
		          "%s; restore " CERT_NAME " and " KEY_NAME
		          " from a backup, or remove both for a new root, which "
		          "no proxy trusts yet",
		          error->message);
	return authority;
}

/* The certificate is looked for first, as it gets its name last. */
static enum state look(const struct keystore_folder *folder)
{
	bool has_cert = keystore_folder_has(folder, CERT_NAME), has_key = keystore_folder_has(folder, KEY_NAME);
	if (has_cert)
		return has_key ? STATE_WHOLE : STATE_CERT_ALONE;
	return has_key ? STATE_KEY_ALONE : STATE_NONE;
}

static bool set_alone(const struct keystore_folder *folder, enum state state, struct error *error)
{
	bool is_cert = state == STATE_CERT_ALONE;
	return error_set(
	    error,
	    "%s/%s: it is missing, but %s is there; restore it from a backup, or remove %s for a new root, "
	    "which no proxy trusts yet",
	    folder->path, is_cert ? KEY_NAME : CERT_NAME, is_cert ? CERT_NAME : KEY_NAME,
	    is_cert ? CERT_NAME : KEY_NAME);
}

static bool write_drafts(const struct keystore_folder *folder, const struct authority *authority, struct error *error)
{
	CLEANUP(private_key_wipe) struct text key = {0};
	CLEANUP(text_done) struct text cert = {0};
	authority_print_key(authority, &key);
	certificate_print(authority_cert(authority), &cert);
	if (!keystore_draft_write(folder, KEY_DRAFT, KEYSTORE_KEY_MODE, &key, error) ||
	    !keystore_draft_write(folder, CERT_DRAFT, CERT_MODE, &cert, error))
		return false;
	return fsync(folder->fd) == 0 || error_set_errno(error, errno, "%s: it cannot be written", folder->path);
}

static void remove_drafts(const struct keystore_folder *folder)
{
	unlinkat(folder->fd, KEY_DRAFT, 0);
	unlinkat(folder->fd, CERT_DRAFT, 0);
}

static bool make(const struct keystore_folder *folder, const struct authority_plan *plan, const struct clock *clock,
                 struct error *error)
{
	CLEANUP(authority_freep) struct authority *authority = authority_create(plan, clock, error);
	if (!authority)
		return error_wrap(error, "%s", folder->path);
	bool is_made =
	    write_drafts(folder, authority, error) && keystore_draft_give_name(folder, KEY_DRAFT, KEY_NAME, error);
	if (!is_made) {
		remove_drafts(folder);
		return false;
	}
	if (!keystore_draft_give_name(folder, CERT_DRAFT, CERT_NAME, error))
		return false;
	remove_drafts(folder);
	return true;
}

/* After a crash between the two names. A draft of another key's helps nobody. */
static bool go_on(const struct keystore_folder *folder, const struct clock *clock, struct error *error)
{
	struct error unfit;
	CLEANUP(authority_freep) struct authority *authority = read_pair(folder, CERT_DRAFT, clock, &unfit);
	if (!authority)
		return set_alone(folder, STATE_KEY_ALONE, error);
	if (!keystore_draft_give_name(folder, CERT_DRAFT, CERT_NAME, error))
		return false;
	remove_drafts(folder);
	return true;
}

/* So that there is a whole one. Others may have done so before we got the lock. */
static bool complete(const struct keystore_folder *folder, const struct authority_plan *plan, const struct clock *clock,
                     struct error *error)
{
	CLEANUP(keystore_unlock) int fd = keystore_lock(folder, error);
	enum state state = look(folder);
	if (fd < 0 && state == STATE_KEY_ALONE)
		return set_alone(folder, state, error);
	if (fd < 0)
		return false;
	switch (state) {
	case STATE_NONE:
		return make(folder, plan, clock, error);
	case STATE_KEY_ALONE:
		return go_on(folder, clock, error);
	case STATE_CERT_ALONE:
		return set_alone(folder, state, error);
	case STATE_WHOLE:
		break;
	}
	return true;
}

struct authority *keystore_keep(const char *path, const struct authority_plan *plan, const struct clock *clock,
                                struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	if (!keystore_folder_make(path, error))
		return NULL;
	if (!keystore_folder_open(&folder, path, &is_absent, error))
		return NULL;
	enum state state = look(&folder);
	if (state == STATE_CERT_ALONE) {
		set_alone(&folder, state, error);
		return NULL;
	}
	if (state != STATE_WHOLE && !complete(&folder, plan, clock, error))
		return NULL;
	return read_pair(&folder, CERT_NAME, clock, error);
}
