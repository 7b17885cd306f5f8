#pragma once
/*
 * Files with keys in a folder of our own, made once: a file is written as a draft, whole and on disk, and then gets its
 * name by a link, which never replaces anything. Who makes files has the folder's lock; a crash leaves drafts, which
 * the next one throws away.
 *
 *     CLEANUP(keystore_unlock) int fd = keystore_lock(&folder, &error);
 *     if (fd >= 0 && !keystore_folder_has(&folder, name))
 *         keystore_draft_write(&folder, draft, mode, &content, &error) &&
 *             keystore_draft_give_name(&folder, draft, name, &error)
 */
#include "base/text.h"
#include "ca/keystore_folder.h"

#define KEYSTORE_KEY_MODE 0600

/* With mode 0700, when it is not there. Its parent must be. */
bool keystore_folder_make(const char *path, struct error *error);
/* Waits for it. Until it is closed; a process that ends lets go of it. -1 is a failure. */
int keystore_lock(const struct keystore_folder *folder, struct error *error);
void keystore_unlock(const int *fd); /* -1 is fine */
/* A former draft is thrown away. */
bool keystore_draft_write(const struct keystore_folder *folder, const char *name, mode_t mode,
                          const struct text *content, struct error *error);
/* It is on disk when this returns. The draft keeps its own name too. */
bool keystore_draft_give_name(const struct keystore_folder *folder, const char *draft, const char *name,
                              struct error *error);
/* One file of a folder that nobody else writes: whole, or as before. */
bool keystore_replace(const struct keystore_folder *folder, const char *name, mode_t mode, const char *s, size_t n,
                      struct error *error);
/* Not for everybody on the machine to use. */
bool keystore_check_mode(const struct keystore_file *key, struct error *error);
