#include "server/identity/jwks_file.h"

#include "base/digest.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct jwks_file {
	char *path;
	const struct clock *clock;
	struct jwks *keys;
	struct digest stamp;
	int64_t look_ns; /* next */
};

/* Of the file that the path leads to now. */
static struct digest stamp_of(const char *path)
{
	struct stat status;
	struct digest_state state;
	digest_init(&state);
	if (stat(path, &status) < 0) {
		digest_add_u64(&state, (uint64_t)errno);
		return digest_final(&state);
	}
	digest_add_u64(&state, status.st_dev);
	digest_add_u64(&state, status.st_ino);
	digest_add_u64(&state, (uint64_t)status.st_size);
	digest_add_u64(&state, (uint64_t)status.st_mtim.tv_sec);
	digest_add_u64(&state, (uint64_t)status.st_mtim.tv_nsec);
	return digest_final(&state);
}

static bool read_bytes(const char *path, struct text *out, struct error *error)
{
	char buffer[4096];
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(error, errno, "it cannot be opened");
	while (out->n <= JWKS_BYTES_MAX && ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			text_add_n(out, buffer, (size_t)n);
	int failure = errno;
	close(fd);
	return n >= 0 || error_set_errno(error, failure, "it cannot be read");
}

static struct jwks *read_keys(const char *path, struct error *error)
{
	CLEANUP(text_done) struct text text = {0};
	struct jwks *keys = read_bytes(path, &text, error) ? jwks_read(text_get(&text), text.n, error) : NULL;
	if (!keys)
		error_wrap(error, "%s", path);
	return keys;
}

struct jwks_file *jwks_file_new(const char *path, const struct clock *clock, struct error *error)
{
	struct digest stamp = stamp_of(path); /* before the reading: what changes meanwhile is read again */
	struct jwks *keys = read_keys(path, error);
	if (!keys)
		return NULL;
	struct jwks_file *file = HEAP_NEW(struct jwks_file);
	*file = (struct jwks_file){
	    .path = heap_strdup(path), .clock = clock, .keys = keys, .stamp = stamp, .look_ns = INT64_MIN};
	return file;
}

void jwks_file_free(struct jwks_file *file)
{
	if (!file)
		return;
	jwks_free(file->keys);
	free(file->path);
	free(file);
}

static void read_again(struct jwks_file *file)
{
	struct error error;
	struct jwks *keys = read_keys(file->path, &error);
	size_t n = 0;
	if (!keys) {
		log_warn("ca", "%s; keeping the keys that it had", error.message);
		return;
	}
	jwks_free(file->keys);
	file->keys = keys;
	jwks_keys(keys, &n);
	log_info("ca", "%s: %zu keys of the tokens' issuer", file->path, n);
}

const struct jwks *jwks_file_get(struct jwks_file *file)
{
	int64_t now_ns = clock_now_ns(file->clock);
	if (now_ns < file->look_ns)
		return file->keys;
	file->look_ns = now_ns + JWKS_FILE_LOOK_S * CLOCK_S;
	struct digest stamp = stamp_of(file->path);
	if (!digest_equal(stamp, file->stamp))
		read_again(file);
	file->stamp = stamp;
	return file->keys;
}
