#include "base/slot.h"

#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static _Atomic int n_dropped;

static void drop(void *value)
{
	free(value);
	n_dropped++;
}

static int *number(int value)
{
	int *copy = malloc(sizeof *copy);
	*copy = value;
	return copy;
}

static bool is_readable(const struct slot *slot)
{
	struct pollfd fd = {.fd = slot_fd(slot), .events = POLLIN};
	return poll(&fd, 1, 0) == 1;
}

START_TEST(the_newest_is_taken_once)
{
	struct slot *slot = slot_new(drop);
	ck_assert_ptr_null(slot_take(slot));
	slot_put(slot, number(1));
	slot_put(slot, number(2));
	slot_put(slot, number(3));
	ck_assert_int_eq(n_dropped, 2);
	int *taken = slot_take(slot);
	ck_assert_int_eq(*taken, 3);
	ck_assert_ptr_null(slot_take(slot));
	free(taken);
	slot_free(slot);
	ck_assert_int_eq(n_dropped, 2);
}
END_TEST

START_TEST(readable_while_a_value_waits)
{
	struct slot *slot = slot_new(drop);
	ck_assert(!is_readable(slot));
	slot_put(slot, number(1));
	ck_assert(is_readable(slot));
	slot_put(slot, number(2));
	ck_assert(is_readable(slot));
	free(slot_take(slot));
	ck_assert(!is_readable(slot));
	slot_put(slot, number(3));
	ck_assert(is_readable(slot));
	slot_free(slot);
}
END_TEST

START_TEST(what_waits_is_dropped_at_the_end)
{
	struct slot *slot = slot_new(drop);
	slot_put(slot, number(1));
	slot_free(slot);
	ck_assert_int_eq(n_dropped, 1);
	slot_free(NULL);
}
END_TEST

#define WRITERS 3
#define PUTS 20000

static void *write_many(void *argument)
{
	for (int i = 1; i <= PUTS; i++)
		slot_put(argument, number(i));
	return NULL;
}

#define END (-1)

static int n_taken;

/* Gives a complaint, or NULL. */
static const char *read_all(struct slot *slot)
{
	for (int last = 0; last != END;) {
		struct pollfd fd = {.fd = slot_fd(slot), .events = POLLIN};
		if (poll(&fd, 1, 30000) != 1)
			return "a wake-up was lost";
		int *value = slot_take(slot);
		if (!value)
			return "readable, but nothing waits";
		n_taken++;
		last = *value;
		free(value);
	}
	return NULL;
}

static const char *complaint;

static void *reader_main(void *argument)
{
	complaint = read_all(argument);
	return NULL;
}

/* A reader that only ever waits on the descriptor sees the last value, and every value is dropped or taken once. */
START_TEST(threads_meet)
{
	struct slot *slot = slot_new(drop);
	pthread_t reader, writers[WRITERS];
	pthread_create(&reader, NULL, reader_main, slot);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&writers[i], NULL, write_many, slot);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	slot_put(slot, number(END));
	pthread_join(reader, NULL);
	ck_assert_msg(!complaint, "%s", complaint);
	ck_assert_int_eq(n_taken + n_dropped, WRITERS * PUTS + 1);
	ck_assert_ptr_null(slot_take(slot));
	ck_assert(!is_readable(slot));
	slot_free(slot);
}
END_TEST

UNIT_MAIN("slot", the_newest_is_taken_once, readable_while_a_value_waits, what_waits_is_dropped_at_the_end,
          threads_meet)
