#include "server/port_file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool file_write(const char *path, const char *s, size_t n, struct error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", path);
	ssize_t written = write(fd, s, n);
	int failure = written == (ssize_t)n ? 0 : written < 0 ? errno : ENOSPC;
	if (close(fd) && !failure)
		failure = errno;
	return !failure || error_set_errno(error, failure, "%s", path);
}

bool port_file_write(const char *path, const struct port_file *ports, struct error *error)
{
	CLEANUP(text_done) struct text content = {0};
	CLEANUP(text_done) struct text draft = {0};

	text_printf(&content, "{\"xds\":%u,", ports->xds);
	if (ports->tls)
		text_printf(&content, "\"tls\":%u,", ports->tls);
	text_printf(&content, "\"admin\":%u,\"pid\":%ld}\n", ports->admin, (long)getpid());
	text_printf(&draft, "%s.%ld", path, (long)getpid());
	bool is_written = file_write(draft.s, content.s, content.n, error) &&
	                  (!rename(draft.s, path) || error_set_errno(error, errno, "%s", path));
	if (!is_written)
		unlink(draft.s);
	return is_written;
}
