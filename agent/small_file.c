#include "agent/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fd_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

bool small_file_read(const char *path, struct text *out, struct error *error)
{
	char part[4096];
	size_t from = out->n;
	ssize_t n;
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", path);
	while ((n = read(fd, part, sizeof part)) > 0) {
		if (out->n - from + (size_t)n > SMALL_FILE_MAX)
			return error_set(error, "%s: it has more than %u bytes", path, SMALL_FILE_MAX);
		text_add_n(out, part, (size_t)n);
	}
	if (n < 0)
		return error_set_errno(error, errno, "%s", path);
	if (out->n > from && memchr(out->s + from, '\0', out->n - from))
		return error_set(error, "%s: there is a NUL in it", path);
	return true;
}

bool small_file_make_folders(const char *path, struct error *error)
{
	CLEANUP(text_done) struct text folder = {0};
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		folder.n = 0;
		text_add_n(&folder, path, (size_t)(slash - path));
		if (mkdir(folder.s, 0755) && errno != EEXIST)
			return error_set_errno(error, errno, "%s", folder.s);
	}
	return true;
}

static bool fill(int fd, const char *s, size_t n, int64_t owner, const char *path, struct error *error)
{
	for (ssize_t written; n > 0; s += written, n -= (size_t)written) {
		written = write(fd, s, n);
		if (written < 0)
			return error_set_errno(error, errno, "%s", path);
	}
	if (owner >= 0 && fchown(fd, (uid_t)owner, (gid_t)-1))
		return error_set_errno(error, errno, "%s: giving it to user %lld", path, (long long)owner);
	return true;
}

bool small_file_write(const char *path, const char *s, size_t n, int64_t owner, struct error *error)
{
	CLEANUP(text_done) struct text draft = {0};
	if (!small_file_make_folders(path, error))
		return false;
	text_printf(&draft, "%s.%ld", path, (long)getpid());
	unlink(draft.s); /* of a process that ended on the way */
	CLEANUP(fd_closep) int fd = open(draft.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", draft.s);
	bool is_good = fill(fd, s, n, owner, draft.s, error) &&
	               (!rename(draft.s, path) || error_set_errno(error, errno, "%s", path));
	if (!is_good)
		unlink(draft.s);
	return is_good;
}
