#include "ca/keystore.h"

#include "ca/keystore_folder.h"

#include <stddef.h>

const char *const keystore_namings[KEYSTORE_NAMINGS][KEYSTORE_PARTS] = {
    {"tls.crt", "tls.key", NULL, "ca.crt"},
    {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"},
};

static const char *const all_names[] = {"tls.crt",    "tls.key",        "ca.crt",       "ca-cert.pem",
                                        "ca-key.pem", "cert-chain.pem", "root-cert.pem"};
#define ALL_NAMES (sizeof all_names / sizeof all_names[0])

static struct digest stamp_of(const struct keystore_folder *folder)
{
	return keystore_folder_stamp(folder, all_names, ALL_NAMES);
}

/* Of a folder that cannot be opened. */
static struct digest stamp_of_none(bool is_absent)
{
	return digest_of(is_absent ? "absent" : "closed", sizeof "absent");
}

struct digest keystore_stamp(const char *path)
{
	struct error error;
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder;
	return keystore_folder_open(&folder, path, &is_absent, &error) ? stamp_of(&folder) : stamp_of_none(is_absent);
}

/* Files that were read together. */
struct set {
	const char *const *names;
	struct keystore_file files[KEYSTORE_PARTS];
};

static void set_done(struct set *set)
{
	for (size_t i = 0; i < KEYSTORE_PARTS; i++)
		keystore_file_done(&set->files[i]);
}

static bool has_any(const struct keystore_folder *folder, const char *const *names)
{
	bool has = false;
	for (size_t i = 0; i < KEYSTORE_PARTS; i++)
		has |= names[i] && keystore_folder_has(folder, names[i]);
	return has;
}

/* False when there is no file of any; names are Istio's then. */
static bool choose_names(struct set *set, const struct keystore_folder *folder)
{
	set->names = keystore_namings[0];
	if (keystore_folder_has(folder, keystore_namings[0][KEYSTORE_CERT]))
		return true;
	for (size_t i = KEYSTORE_NAMINGS; i-- > 0;) {
		if (has_any(folder, keystore_namings[i])) {
			set->names = keystore_namings[i];
			return true;
		}
	}
	set->names = keystore_namings[KEYSTORE_NAMINGS - 1];
	return false;
}

static bool read_files(struct set *set, const struct keystore_folder *folder, struct error *error)
{
	for (size_t i = 0; i < KEYSTORE_PARTS; i++) {
		struct keystore_file *file = &set->files[i];
		if (set->names[i] && !keystore_folder_read(folder, set->names[i], file, error))
			return false;
		if (!file->is_there && i != KEYSTORE_CHAIN)
			return error_set(error, "%s: it is missing; put %s, %s and %s there together, or none of them",
			                 file->pem.name, set->names[KEYSTORE_CERT], set->names[KEYSTORE_KEY],
			                 set->names[KEYSTORE_ROOT]);
	}
	return true;
}

static enum keystore_outcome read_set(struct set *set, const struct keystore_folder *folder, struct error *error)
{
	if (choose_names(set, folder))
		return read_files(set, folder, error) ? KEYSTORE_GOOD : KEYSTORE_BAD;
	error_set(error, "%s: there is neither %s nor %s in it", folder->path, keystore_namings[1][KEYSTORE_CERT],
	          keystore_namings[0][KEYSTORE_CERT]);
	return KEYSTORE_ABSENT;
}

/*
 * Whether what was read is one version: no file changed meanwhile; and where one was not found it is not because this
 * version is being taken away.
 */
static bool is_settled(const struct set *set, const struct keystore_folder *folder, struct digest before)
{
	bool has_all = true;
	for (size_t i = 0; has_all && i < KEYSTORE_PARTS; i++)
		has_all = !set->names[i] || set->files[i].is_there;
	return digest_equal(before, stamp_of(folder)) && (has_all || keystore_folder_is_current(folder));
}

static struct authority *authority_of(const struct set *set, const struct clock *clock, struct error *error)
{
	const struct authority_files files = {
	    .cert = set->files[KEYSTORE_CERT].pem,
	    .key = set->files[KEYSTORE_KEY].pem,
	    .chain = set->files[KEYSTORE_CHAIN].pem,
	    .root = set->files[KEYSTORE_ROOT].pem,
	};
	struct authority *authority = authority_read(&files, clock, error);
	if (!authority)
		error_set(error, "%s; put a whole and valid set there: %s, %s and %s, all at once", error->message,
		          set->names[KEYSTORE_CERT], set->names[KEYSTORE_KEY], set->names[KEYSTORE_ROOT]);
	return authority;
}

/* False when a change came between. */
static bool try_read(const char *path, const struct clock *clock, struct authority **authority, struct digest *stamp,
                     enum keystore_outcome *outcome, struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder;
	if (!keystore_folder_open(&folder, path, &is_absent, error)) {
		*outcome = is_absent ? KEYSTORE_ABSENT : KEYSTORE_BAD;
		*stamp = stamp_of_none(is_absent);
		return true;
	}
	CLEANUP(set_done) struct set set = {.names = keystore_namings[0]};
	*stamp = stamp_of(&folder);
	*outcome = read_set(&set, &folder, error);
	if (!is_settled(&set, &folder, *stamp))
		return false;
	if (*outcome == KEYSTORE_GOOD)
		*authority = authority_of(&set, clock, error);
	if (*outcome == KEYSTORE_GOOD && !*authority)
		*outcome = KEYSTORE_BAD;
	return true;
}

enum keystore_outcome keystore_read(const char *path, const struct clock *clock, struct authority **authority,
                                    struct digest *stamp, struct error *error)
{
	enum keystore_outcome outcome = KEYSTORE_BAD;
	*authority = NULL;
	for (int i = 0; i < KEYSTORE_TRIES; i++)
		if (try_read(path, clock, authority, stamp, &outcome, error))
			return outcome;
	error_set(error, "%s: its files change while they are read; replace all of them at once (by a link)", path);
	return KEYSTORE_BAD;
}
