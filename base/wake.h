#pragma once
/*
 * A way to wake a thread that sleeps in poll(2). It says only that something happened; what, the sleeper looks up.
 *
 *     wake_init(&wake);
 *     wake_up(&wake);                          any thread, as often as it likes
 *     poll(wake_fd(&wake), POLLIN)             readable from then on
 *     wake_quieten(&wake); look();             in this order, so that nothing is missed
 */
struct wake {
	int fd; /* an eventfd; private */
};

void wake_init(struct wake *wake); /* aborts without a file descriptor: that is no start */
void wake_done(struct wake *wake);
void wake_up(const struct wake *wake);
void wake_quieten(const struct wake *wake);
static inline int wake_fd(const struct wake *wake)
{
	return wake->fd;
}
