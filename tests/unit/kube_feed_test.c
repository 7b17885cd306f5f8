#include "server/source/kube/kube_feed.h"

#include "base/text.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 20000

struct fixture {
	struct clock clock;
	struct kube_feed *feed;
};

static void init(struct fixture *fixture)
{
	fixture->clock = clock_fake(1000);
	fixture->feed = kube_feed_new(&fixture->clock);
}

static void done(struct fixture *fixture)
{
	kube_feed_free(fixture->feed);
}

/* An object whose namespace is `value`; "!…" is one that is refused with that text. */
static uint64_t put(struct fixture *fixture, const char *group, const char *value, int64_t event_ns)
{
	struct manifest manifest = {.arena = arena_new()};
	CLEANUP(text_done) struct text yaml = {0};
	if (*value == '!') {
		manifest_refuse(&manifest, NULL, "%s", value);
		return kube_feed_put(fixture->feed, group, &manifest, event_ns);
	}
	text_printf(&yaml, "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: %s}\n", value);
	manifest_read(&manifest, &(struct manifest_file){.path = "a.yaml", .s = yaml.s, .n = yaml.n});
	ck_assert_uint_eq(manifest.n_objects, 1);
	return kube_feed_put(fixture->feed, group, &manifest, event_ns);
}

static uint64_t put_gone(struct fixture *fixture, const char *group, int64_t event_ns)
{
	return kube_feed_put(fixture->feed, group, NULL, event_ns);
}

static const char *value_of(const struct kube_change *change)
{
	if (!change->arena)
		return "-";
	return change->manifest.n_objects ? change->manifest.objects[0]->namespace
	                                  : change->manifest.report.rows[0].message;
}

/* "group=value …" in the order of the batch. */
static void expect_batch(struct fixture *fixture, const char *want, uint64_t seq)
{
	CLEANUP(text_done) struct text out = {0};
	struct kube_batch *batch = kube_feed_take(fixture->feed);
	ck_assert_ptr_nonnull(batch);
	for (size_t i = 0; i < batch->changes.n; i++)
		text_printf(&out, "%s%s=%s", i ? " " : "", batch->changes.entries[i].key,
		            value_of(batch->changes.entries[i].value));
	ck_assert_str_eq(text_get(&out), want);
	ck_assert_uint_eq(batch->seq, seq);
	kube_batch_free(batch);
}

static bool is_readable(const struct fixture *fixture, int wait_ms)
{
	struct pollfd ready = {.fd = kube_feed_fd(fixture->feed), .events = POLLIN};
	return poll(&ready, 1, wait_ms) == 1;
}

START_TEST(of_each_object_the_newest_is_taken)
{
	struct fixture fixture;
	init(&fixture);
	ck_assert_ptr_null(kube_feed_take(fixture.feed));
	ck_assert_uint_eq(put(&fixture, "a", "one", 0), 1);
	ck_assert_uint_eq(put(&fixture, "b", "one", 0), 2);
	ck_assert_uint_eq(put(&fixture, "a", "two", 0), 3);
	ck_assert_uint_eq(put_gone(&fixture, "b", 0), 4);
	ck_assert_uint_eq(put(&fixture, "c", "!wrong", 0), 5);
	expect_batch(&fixture, "a=two b=- c=!wrong", 5);
	ck_assert_ptr_null(kube_feed_take(fixture.feed));
	done(&fixture);
}
END_TEST

START_TEST(an_object_may_go_and_come_back)
{
	static const char *const rows[][3] = {
	    {"one", "-", "two"}, {"-", "one", "-"},    {"!x", "one", "!y"}, {"-", "-", "one"},
	    {"one", "-", "-"},   {"one", "one", "!x"}, {"-", "!x", "one"},
	};
	struct fixture fixture;
	init(&fixture);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text want = {0};
		for (size_t k = 0; k < 3; k++) {
			if (*rows[i][k] == '-')
				put_gone(&fixture, "a", 0);
			else
				put(&fixture, "a", rows[i][k], 0);
		}
		text_printf(&want, "a=%s", rows[i][2]);
		expect_batch(&fixture, want.s, 3 * (i + 1));
	}
	done(&fixture);
}
END_TEST

START_TEST(numbers_go_on_from_batch_to_batch)
{
	struct fixture fixture;
	init(&fixture);
	put(&fixture, "a", "one", 0);
	expect_batch(&fixture, "a=one", 1);
	ck_assert_uint_eq(put_gone(&fixture, "a", 0), 2);
	ck_assert_uint_eq(put_gone(&fixture, "b", 0), 3);
	expect_batch(&fixture, "a=- b=-", 3);
	done(&fixture);
}
END_TEST

START_TEST(a_batch_outlives_what_is_put_later_and_the_feed)
{
	struct fixture fixture;
	init(&fixture);
	put(&fixture, "a", "one", 0);
	struct kube_batch *batch = kube_feed_take(fixture.feed);
	put(&fixture, "a", "two", 0);
	put(&fixture, "b", "!left behind", 0); /* whatever nobody took goes with the feed */
	done(&fixture);
	ck_assert_uint_eq(batch->changes.n, 1);
	ck_assert_str_eq(value_of(batch->changes.entries[0].value), "one");
	kube_batch_free(batch);
}
END_TEST

START_TEST(times_are_of_what_waits)
{
	struct fixture fixture;
	int64_t first_ns, last_ns;
	init(&fixture);
	ck_assert(!kube_feed_times(fixture.feed, &first_ns, &last_ns));
	ck_assert_int_eq(first_ns, 0);
	ck_assert_int_eq(last_ns, 0);
	put(&fixture, "a", "one", 0);
	ck_assert(kube_feed_times(fixture.feed, &first_ns, &last_ns));
	ck_assert_int_eq(first_ns, 1000);
	ck_assert_int_eq(last_ns, 1000);
	fixture.clock.now_ns = 2000;
	put_gone(&fixture, "a", 1900);
	fixture.clock.now_ns = 3000;
	put(&fixture, "b", "one", 2900);
	put(&fixture, "c", "one", 0);
	ck_assert(kube_feed_times(fixture.feed, &first_ns, &last_ns));
	ck_assert_int_eq(first_ns, 1000);
	ck_assert_int_eq(last_ns, 3000);
	struct kube_batch *batch = kube_feed_take(fixture.feed);
	ck_assert_int_eq(batch->first_ns, 1000);
	ck_assert_int_eq(batch->last_ns, 3000);
	ck_assert_int_eq(batch->event_ns, 1900); /* the first that has one */
	kube_batch_free(batch);
	ck_assert(!kube_feed_times(fixture.feed, &first_ns, &last_ns));
	fixture.clock.now_ns = 4000;
	put(&fixture, "a", "one", 0);
	batch = kube_feed_take(fixture.feed);
	ck_assert_int_eq(batch->first_ns, 4000);
	ck_assert_int_eq(batch->event_ns, 0);
	kube_batch_free(batch);
	done(&fixture);
}
END_TEST

START_TEST(the_fd_is_readable_when_something_is_new)
{
	struct fixture fixture;
	int64_t first_ns, last_ns;
	init(&fixture);
	ck_assert(!is_readable(&fixture, 0));
	put(&fixture, "a", "one", 0);
	put(&fixture, "a", "two", 0);
	ck_assert(is_readable(&fixture, 0));
	ck_assert(kube_feed_times(fixture.feed, &first_ns, &last_ns));
	ck_assert(!is_readable(&fixture, 0)); /* looked at, though it still waits */
	put(&fixture, "a", "three", 0);
	ck_assert(is_readable(&fixture, 0));
	expect_batch(&fixture, "a=three", 3);
	ck_assert(!is_readable(&fixture, 0));
	kube_feed_wake(fixture.feed);
	ck_assert(is_readable(&fixture, 0));
	ck_assert_ptr_null(kube_feed_take(fixture.feed));
	ck_assert(!is_readable(&fixture, 0));
	done(&fixture);
}
END_TEST

/* ---- two threads ---- */

#define PUTS 4000
#define GROUPS 7

/* Each put's value is its number, "-" where it is a multiple of 5. */
static void *put_all(void *context)
{
	struct fixture *fixture = context;
	for (unsigned i = 1; i <= PUTS; i++) {
		char group[16], value[16];
		snprintf(group, sizeof group, "%u", i % GROUPS);
		snprintf(value, sizeof value, "!%u", i);
		if (i % 5 == 0)
			put_gone(fixture, group, 0);
		else
			put(fixture, group, value, 0);
	}
	return NULL;
}

static void take_batch(const struct kube_batch *batch, unsigned latest[GROUPS])
{
	for (size_t i = 0; i < batch->changes.n; i++) {
		const char *value = value_of(batch->changes.entries[i].value);
		unsigned group = (unsigned)atoi(batch->changes.entries[i].key);
		if (*value == '-') {
			latest[group] = 0;
			continue;
		}
		unsigned number = (unsigned)atoi(value + 1);
		ck_assert_uint_gt(number, latest[group]);
		ck_assert_uint_le(number, batch->seq);
		ck_assert_uint_eq(number % GROUPS, group);
		latest[group] = number;
	}
}

START_TEST(one_thread_puts_while_another_takes)
{
	struct fixture fixture;
	unsigned latest[GROUPS] = {0};
	uint64_t seq = 0;
	pthread_t thread;
	init(&fixture);
	ck_assert_int_eq(pthread_create(&thread, NULL, put_all, &fixture), 0);
	while (seq < PUTS) {
		ck_assert(is_readable(&fixture, WAIT_MS)); /* what was put is always told */
		struct kube_batch *batch = kube_feed_take(fixture.feed);
		if (!batch)
			continue;
		ck_assert_uint_gt(batch->seq, seq);
		seq = batch->seq;
		take_batch(batch, latest);
		kube_batch_free(batch);
	}
	pthread_join(thread, NULL);
	for (unsigned i = PUTS - GROUPS + 1; i <= PUTS; i++)
		ck_assert_uint_eq(latest[i % GROUPS], i % 5 == 0 ? 0 : i);
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_feed", of_each_object_the_newest_is_taken, an_object_may_go_and_come_back,
          numbers_go_on_from_batch_to_batch, a_batch_outlives_what_is_put_later_and_the_feed, times_are_of_what_waits,
          the_fd_is_readable_when_something_is_new, one_thread_puts_while_another_takes)
