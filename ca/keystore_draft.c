#include "ca/keystore_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME ".lock"
#define REPLACEMENT ".rotation.new"
#define FOLDER_MODE 0700
#define EVERYBODY 0007

bool keystore_folder_make(const char *path, struct error *error)
{
	return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST ||
	       error_set_errno(error, errno, "%s: this folder cannot be made; make it and let uid %u write there", path,
	                       geteuid());
}

bool keystore_check_mode(const struct keystore_file *key, struct error *error)
{
	return !(key->mode & EVERYBODY) ||
	       error_set(error,
	                 "%s: everybody on this machine may use it (mode %04o); run chmod 600 on it, and if somebody "
	                 "may have read it, have another one made",
	                 key->pem.name, (unsigned)key->mode);
}

void keystore_unlock(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Until it is closed; a process that ends lets go of it. -1 is a failure. */
int keystore_lock(const struct keystore_folder *folder, struct error *error)
{
	int fd = openat(folder->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, KEYSTORE_KEY_MODE);
	int is_locked = -1;
	while (fd >= 0 && (is_locked = flock(fd, LOCK_EX)) < 0 && errno == EINTR) {
	}
	if (is_locked == 0)
		return fd;
	error_set_errno(error, errno,
	                "%s/%s: to have keys made let the user of this process (uid %u) write there, or put them there",
	                folder->path, LOCK_NAME, geteuid());
	keystore_unlock(&fd);
	return -1;
}

static bool write_all(int fd, const char *s, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t more = write(fd, s + done, n - done);
		if (more < 0 && errno != EINTR)
			return false;
		done += more > 0 ? (size_t)more : 0;
	}
	return fsync(fd) == 0;
}

bool keystore_draft_write(const struct keystore_folder *folder, const char *name, mode_t mode,
                          const struct text *content, struct error *error)
{
	unlinkat(folder->fd, name, 0); /* whose maker has died: we have the lock */
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	bool is_written = fd >= 0 && write_all(fd, content->s, content->n);
	int failure = errno;
	if (fd >= 0 && close(fd) < 0 && is_written) {
		is_written = false;
		failure = errno;
	}
	return is_written ||
	       error_set_errno(error, failure, "%s/%s: it cannot be written; make room and let it be written",
	                       folder->path, name);
}

bool keystore_draft_give_name(const struct keystore_folder *folder, const char *draft, const char *name,
                              struct error *error)
{
	return (linkat(folder->fd, draft, folder->fd, name, 0) == 0 && fsync(folder->fd) == 0) ||
	       error_set_errno(error, errno, "%s/%s: it cannot be given its name; use a disk with hard links",
	                       folder->path, name);
}

bool keystore_replace(const struct keystore_folder *folder, const char *name, mode_t mode, const char *s, size_t n,
                      struct error *error)
{
	unlinkat(folder->fd, REPLACEMENT, 0);
	int fd = openat(folder->fd, REPLACEMENT, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	bool is_written = fd >= 0 && write_all(fd, s, n);
	int failure = errno;
	if (fd >= 0)
		close(fd);
	if (is_written && renameat(folder->fd, REPLACEMENT, folder->fd, name) == 0 && fsync(folder->fd) == 0)
		return true;
	failure = is_written ? errno : failure;
	unlinkat(folder->fd, REPLACEMENT, 0);
	return error_set_errno(error, failure, "%s/%s: it cannot be written; make room and let uid %u write there",
	                       folder->path, name, geteuid());
}
