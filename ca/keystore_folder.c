#include "ca/keystore_folder.h"

#include "base/heap.h"
#include "ca/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_LINK "..data" /* the kubelet's, in every volume that it writes files to */
#define OPEN_TRIES 8          /* a version may be removed between reading the link and opening what it says */

static bool is_dangling(int fd)
{
	struct stat status;
	return fstatat(fd, VERSION_LINK, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What path leads to now, as a descriptor; -1 with errno. */
static int resolve(const char *path)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		int outer = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (outer < 0)
			return -1;
		int inner = openat(outer, VERSION_LINK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int failure = inner < 0 ? errno : 0;
		if (failure == ENOENT && !is_dangling(outer))
			return outer;
		close(outer);
		errno = failure;
		if (failure != ENOENT)
			return inner;
	}
	errno = ESTALE; /* as there is something */
	return -1;
}

bool keystore_folder_open(struct keystore_folder *folder, const char *path, bool *is_absent, struct error *error)
{
	*folder = (struct keystore_folder){.path = path, .fd = resolve(path)};
	*is_absent = folder->fd < 0 && errno == ENOENT;
	if (*is_absent)
		return error_set(error, "%s: there is no such folder", path);
	if (folder->fd < 0 && errno == ESTALE)
		return error_set(error, "%s/%s: it leads to nothing; mount the volume anew", path, VERSION_LINK);
	if (folder->fd < 0)
		return error_set_errno(error, errno, "%s: this must be a folder that can be read", path);
	folder->arena = arena_new();
	return true;
}

void keystore_folder_done(struct keystore_folder *folder)
{
	if (folder->fd < 0)
		return;
	close(folder->fd);
	arena_free(folder->arena);
	folder->fd = -1;
}

bool keystore_folder_is_current(const struct keystore_folder *folder)
{
	struct stat then, now;
	int fd = resolve(folder->path);
	if (fd < 0)
		return false;
	bool is_current = fstat(folder->fd, &then) == 0 && fstat(fd, &now) == 0 && then.st_dev == now.st_dev &&
	                  then.st_ino == now.st_ino;
	close(fd);
	return is_current;
}

bool keystore_folder_has(const struct keystore_folder *folder, const char *name)
{
	struct stat status;
	return fstatat(folder->fd, name, &status, 0) == 0 || errno != ENOENT;
}

/* The file has its size when this begins; what grows or shrinks meanwhile is found by its stamp. */
static bool read_bytes(int fd, struct keystore_file *file, struct error *error)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return error_set_errno(error, errno, "it cannot be read");
	if (!S_ISREG(status.st_mode))
		return error_set(error, "it is not a file; put the PEM file itself there");
	if (status.st_size > (off_t)PEM_BYTES_MAX)
		return error_set(error, "it has %lld bytes, at most %u are allowed; leave only the PEM blocks in it",
		                 (long long)status.st_size, PEM_BYTES_MAX);
	size_t size = (size_t)status.st_size, n = 0;
	file->mode = status.st_mode & 07777;
	file->bytes = heap_alloc(size + 1);
	while (n < size) {
		ssize_t more = read(fd, file->bytes + n, size - n);
		if (more == 0)
			break;
		if (more > 0)
			n += (size_t)more;
		else if (errno != EINTR)
			break;
	}
	file->pem.s = file->bytes;
	file->pem.n = n;
	return n == size ||
	       error_set(error, "it ended after %zu of %zu bytes; look whether the disk is sound", n, size);
}

bool keystore_folder_read(const struct keystore_folder *folder, const char *name, struct keystore_file *file,
                          struct error *error)
{
	*file = (struct keystore_file){.pem.name = arena_printf(folder->arena, "%s/%s", folder->path, name)};
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return true;
	file->is_there = true;
	if (fd < 0)
		return error_set_errno(error, errno, "%s: let the user of this process (uid %u) read it",
		                       file->pem.name, geteuid());
	bool is_read = read_bytes(fd, file, error) || error_wrap(error, "%s", file->pem.name);
	close(fd);
	return is_read;
}

void keystore_file_done(struct keystore_file *file)
{
	if (file->bytes)
		OPENSSL_cleanse(file->bytes, file->pem.n);
	free(file->bytes);
	file->bytes = NULL;
	file->pem.s = NULL;
	file->pem.n = 0;
}

static void add_time(struct digest_state *state, struct timespec time)
{
	digest_add_u64(state, (uint64_t)time.tv_sec);
	digest_add_u64(state, (uint64_t)time.tv_nsec);
}

struct digest keystore_folder_stamp(const struct keystore_folder *folder, const char *const *names, size_t n)
{
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < n; i++) {
		struct stat status;
		bool is_there = fstatat(folder->fd, names[i], &status, 0) == 0;
		digest_add_u64(&state, is_there ? 0 : (uint64_t)errno);
		if (!is_there)
			continue;
		digest_add_u64(&state, status.st_dev);
		digest_add_u64(&state, status.st_ino);
		digest_add_u64(&state, (uint64_t)status.st_size);
		add_time(&state, status.st_mtim);
		add_time(&state, status.st_ctim); /* also moves when a mode does, or an old file takes a name */
	}
	return digest_final(&state);
}
