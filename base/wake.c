#include "base/wake.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void wake_init(struct wake *wake)
{
	wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake->fd >= 0)
		return;
	perror("weft: cannot make an eventfd");
	abort();
}

void wake_done(struct wake *wake)
{
	close(wake->fd);
}

void wake_up(const struct wake *wake)
{
	uint64_t one = 1;
	ssize_t n = write(wake->fd, &one, sizeof one);
	assert(n == sizeof one || errno == EAGAIN); /* full: it is readable already */
}

void wake_quieten(const struct wake *wake)
{
	uint64_t count;
	ssize_t n = read(wake->fd, &count, sizeof count);
	(void)n; /* EAGAIN: quiet already */
}
