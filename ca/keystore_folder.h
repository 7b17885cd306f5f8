#pragma once
/*
 * A folder with keys as it is at one moment: resolved once, then everything is read through that.
 *
 * Where Kubernetes mounts a Secret or ConfigMap, files are links by way of `..data`, a link to a folder with one
 * version; a change swaps `..data`. Going through paths, one file could come from before the swap and the next from
 * behind it. So what `..data` points to (or without one the folder itself) is opened, and files are looked up there.
 *
 *     struct keystore_folder folder;
 *     if (!keystore_folder_open(&folder, path, &is_absent, &error)) …
 *     keystore_folder_read(&folder, "ca-key.pem", &file, &error) … keystore_file_done(&file)
 *     keystore_folder_done(&folder)
 */
#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "ca/certificate.h"

#include <sys/types.h>

struct keystore_folder {
	const char *path; /* as given; borrowed */
	int fd;           /* of what it resolved to; -1 is none */
	struct arena *arena;
};

/* Zeroed is one that is not there. */
struct keystore_file {
	struct pem_file pem; /* the name is path and name; lives in the folder's arena */
	char *bytes;         /* what pem borrows: may be a private key, so it is wiped */
	mode_t mode;
	bool is_there;
};

/* *is_absent: there is nothing at that path (the error says so too). done is needed in success only. */
bool keystore_folder_open(struct keystore_folder *folder, const char *path, bool *is_absent, struct error *error);
void keystore_folder_done(struct keystore_folder *folder); /* zeroed is not fine, fd -1 is */
/* Whether the path still leads where it led when it was opened. */
bool keystore_folder_is_current(const struct keystore_folder *folder);

bool keystore_folder_has(const struct keystore_folder *folder, const char *name);
/* True also when there is no such file; its name is set. At most PEM_BYTES_MAX bytes. */
bool keystore_folder_read(const struct keystore_folder *folder, const char *name, struct keystore_file *file,
                          struct error *error);
void keystore_file_done(struct keystore_file *file); /* wipes; twice is fine */

/* Of all those files, or of their being missing: device, inode, size, times. */
struct digest keystore_folder_stamp(const struct keystore_folder *folder, const char *const *names, size_t n);
