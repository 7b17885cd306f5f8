#include "base/wake.h"

#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

static bool is_readable(const struct wake *wake, int timeout_ms)
{
	struct pollfd fd = {.fd = wake_fd(wake), .events = POLLIN};
	return poll(&fd, 1, timeout_ms) == 1;
}

START_TEST(it_is_readable_from_being_woken_until_it_is_quietened)
{
	struct wake wake;
	wake_init(&wake);
	ck_assert(!is_readable(&wake, 0));
	for (int i = 0; i < 3; i++)
		wake_up(&wake);
	ck_assert(is_readable(&wake, 0) && is_readable(&wake, 0));
	wake_quieten(&wake);
	ck_assert(!is_readable(&wake, 0));
	wake_quieten(&wake); /* quiet already */
	wake_up(&wake);
	ck_assert(is_readable(&wake, 0));
	wake_done(&wake);
}
END_TEST

static void *wake_from_afar(void *wake)
{
	wake_up(wake);
	return NULL;
}

START_TEST(another_thread_ends_a_sleep)
{
	struct wake wake;
	pthread_t thread;
	wake_init(&wake);
	ck_assert_int_eq(pthread_create(&thread, NULL, wake_from_afar, &wake), 0);
	ck_assert(is_readable(&wake, 30000));
	pthread_join(thread, NULL);
	wake_done(&wake);
}
END_TEST

UNIT_MAIN("wake", it_is_readable_from_being_woken_until_it_is_quietened, another_thread_ends_a_sleep)
