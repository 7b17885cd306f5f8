#pragma once
/*
 * What went wrong with an operation, in words, in the caller's frame.
 *
 * Functions that can fail return bool (true = done) or a pointer (NULL = failed) and take a `struct error *` last.
 * A caller adds where it was on the way up:
 *
 *     struct error error;
 *     if (!file_read(path, &text, &error))
 *         return error_wrap(&error, "reading %s", path);        "reading a.yaml: no such file"; returns false
 *
 * Not for bugs (assert) nor for users' mistakes in objects (report rows).
 */
#include <stdbool.h>

#define ERROR_MAX 1024

struct error {
	char message[ERROR_MAX]; /* truncated with "..." when longer */
};

__attribute__((format(printf, 2, 3))) bool error_set(struct error *error, const char *format, ...);  /* false */
__attribute__((format(printf, 2, 3))) bool error_wrap(struct error *error, const char *format, ...); /* false */
/* format, then ": " and strerror(errno_value). */
__attribute__((format(printf, 3, 4))) bool error_set_errno(struct error *error, int errno_value, const char *format,
                                                           ...); /* false */
