#pragma once
/*
 * Folders with authorities in them for tests of ca/keystore.h, and what every error of it must be like.
 */
#include "ca/keystore.h"
#include "tests/unit/authorities.h"
#include "tests/unit/config_dir.h"

#include <sys/stat.h>
#include <sys/wait.h>

#define PATH_SIZE 192

/* Good for as many further calls as there are paths: for one statement or a short helper. */
static inline const char *path_in(const char *dir, const char *name)
{
	static char paths[16][PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % 16];
	snprintf(path, PATH_SIZE, "%s/%s", dir, name);
	return path;
}

static inline void copy_path(char copy[PATH_SIZE], const char *path)
{
	snprintf(copy, PATH_SIZE, "%s", path);
}

static inline void write_file(const char *dir, const char *name, const char *s, size_t n)
{
	FILE *file = fopen(path_in(dir, name), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(s, 1, n, file), n);
	ck_assert_int_eq(fclose(file), 0);
}

/* Nothing of a key may be in a message: no twelve characters of its base64. */
static inline void check_no_key(const char *message, const struct text *key)
{
	for (size_t at = 0; at + 12 <= key->n; at++) {
		char part[13] = "";
		memcpy(part, key->s + at, 12);
		if (!strpbrk(part, "- \n"))
			ck_assert_msg(!strstr(message, part), "a part of the key in: %s", message);
	}
}

/* The message begins with the file's path, and then says so. */
static inline void check_says(const struct error *error, const char *dir, const char *name, const char *want)
{
	const char *file = path_in(dir, name);
	ck_assert_msg(text_has_prefix(error->message, file), "want %s first: %s", file, error->message);
	ck_assert_msg(strstr(error->message, want) != NULL, "want: %s\ngot: %s", want, error->message);
}

static inline int wait_for(pid_t pid)
{
	int status = 0;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
