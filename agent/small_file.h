#pragma once
/*
 * Files that are read and written whole: tokens, roots, labels, Envoy's bootstrap.
 */
#include "base/error.h"
#include "base/text.h"

#include <sys/types.h>

#define SMALL_FILE_MAX (1u << 20)

/* Adds the content, which has no NUL in it. Errors name the path. */
bool small_file_read(const char *path, struct text *out, struct error *error);
/*
 * By way of a rename, so whoever sees the file sees all of it; made for its owner alone (mode 0600), which is the
 * caller unless owner is a user's id. Folders that are missing on the way are made.
 */
bool small_file_write(const char *path, const char *s, size_t n, int64_t owner, struct error *error);
/* The folders on the way to the path, mode 0755. */
bool small_file_make_folders(const char *path, struct error *error);
