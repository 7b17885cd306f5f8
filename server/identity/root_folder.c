#include "server/identity/root_folder.h"

#include "base/json.h"
#include "ca/keystore.h"
#include "ca/keystore_draft.h"
#include "ca/keystore_folder.h"
#include "ca/private_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MODE 0600
#define CERT_MODE 0644
#define EVERYBODY 0007

struct digest root_folder_stamp(const char *path)
{
	static const char *const names[] = {"ca-cert.pem", "ca-key.pem", ROOT_FOLDER_ROTATION};
	struct error error;
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	if (!keystore_folder_open(&folder, path, &is_absent, &error))
		return digest_of(is_absent ? "absent" : "closed", sizeof "absent");
	return keystore_folder_stamp(&folder, names, sizeof names / sizeof names[0]);
}

/* ---- writing ---- */

static bool write_rotation(const struct keystore_folder *folder, const struct root_record *record, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(private_key_wipe) struct text out = {0};
	struct root_entry entries[ROOT_ENTRIES_MAX];
	size_t n = root_record_print(record, arena, entries);

	text_add(&out, "{");
	for (size_t i = 0; i < n; i++) {
		if (!entries[i].s)
			continue;
		text_printf(&out, "%s\"%s\":", i ? "," : "", entries[i].name);
		text_add_json_string(&out, entries[i].s, entries[i].n);
	}
	text_add(&out, "}\n");
	return keystore_replace(folder, ROOT_FOLDER_ROTATION, KEY_MODE, out.s, out.n, error);
}

/* The record is idle: the two files become what it says. */
static bool settle(const struct keystore_folder *folder, const struct root_record *record, struct error *error)
{
	if (!keystore_replace(folder, "ca-key.pem", KEY_MODE, record->key.s, record->key.n, error) ||
	    !keystore_replace(folder, "ca-cert.pem", CERT_MODE, record->cert.s, record->cert.n, error))
		return false;
	return (unlinkat(folder->fd, ROOT_FOLDER_ROTATION, 0) == 0 && fsync(folder->fd) == 0) || errno == ENOENT ||
	       error_set_errno(error, errno, "%s/" ROOT_FOLDER_ROTATION ": it cannot be removed", folder->path);
}

bool root_folder_write(const char *path, const struct root_record *record, struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	return keystore_folder_open(&folder, path, &is_absent, error) && write_rotation(&folder, record, error) &&
	       (record->phase != ROTATION_IDLE || settle(&folder, record, error));
}

/* ---- reading ---- */

static bool read_entries(const struct keystore_file *file, struct root_record *record, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct root_entry entries[ROOT_ENTRIES_MAX];
	size_t n = 0;

	if (file->pem.n > ROOT_FOLDER_BYTES_MAX)
		return error_set(error, "more than %u bytes", ROOT_FOLDER_BYTES_MAX);
	const struct json *object = json_parse(arena, file->pem.s, file->pem.n, error);
	if (!object)
		return false;
	if (object->type != JSON_OBJECT)
		return error_set(error, "it is no JSON object");
	for (size_t i = 0; i < object->object.n; i++) {
		const struct json_member *member = &object->object.v[i];
		if (member->value->type != JSON_STRING || n == ROOT_ENTRIES_MAX)
			return error_set(error, "\"%s\" is none of ours", member->key);
		entries[n++] = (struct root_entry){member->key, member->value->string.s, member->value->string.n};
	}
	return root_record_read(record, entries, n, error);
}

static bool read_rotation(const struct keystore_folder *folder, const struct keystore_file *file,
                          struct root_record *record, struct error *error)
{
	if (file->mode & EVERYBODY)
		return error_set(error,
		                 "%s: everybody on this machine may use it (mode %04o); run chmod 600 on it, and if "
		                 "somebody may have read it, rotate the root",
		                 file->pem.name, (unsigned)file->mode);
	if (!read_entries(file, record, error)) {
		error_wrap(error, "%s", file->pem.name);
		return error_set(error,
		                 "%s; restore it from a backup, or remove it: then ca-cert.pem and ca-key.pem hold",
		                 error->message);
	}
	return record->phase != ROTATION_IDLE || settle(folder, record, error);
}

/* keystore_keep has seen to their being whole. */
static bool read_pair(const struct keystore_folder *folder, struct root_record *record, struct error *error)
{
	CLEANUP(keystore_file_done) struct keystore_file cert = {0}, key = {0};
	if (!keystore_folder_read(folder, "ca-cert.pem", &cert, error) ||
	    !keystore_folder_read(folder, "ca-key.pem", &key, error))
		return false;
	const struct root_entry entries[] = {{"ca-cert.pem", cert.pem.s, cert.pem.n},
	                                     {"ca-key.pem", key.pem.s, key.pem.n}};
	return root_record_read(record, entries, 2, error) || error_wrap(error, "%s", folder->path);
}

static bool has_rotation(const char *path)
{
	CLEANUP(text_done) struct text file = {0};
	text_printf(&file, "%s/" ROOT_FOLDER_ROTATION, path);
	return access(file.s, F_OK) == 0;
}

bool root_folder_read(const char *path, const struct authority_plan *plan, const struct clock *clock,
                      struct root_record *record, struct error *error)
{
	bool is_absent = false, is_rotating = has_rotation(path);
	CLEANUP(authority_freep) struct authority *kept = is_rotating ? NULL : keystore_keep(path, plan, clock, error);
	if (!kept && !is_rotating)
		return false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	CLEANUP(keystore_file_done) struct keystore_file file = {0};
	if (!keystore_folder_open(&folder, path, &is_absent, error) ||
	    !keystore_folder_read(&folder, ROOT_FOLDER_ROTATION, &file, error))
		return false;
	return file.is_there ? read_rotation(&folder, &file, record, error) : read_pair(&folder, record, error);
}
