#include "server/source/kube/kube_watch.h"

#include "tests/unit/unit.h"

#include <string.h>

#define RELIST_NS (900 * CLOCK_S)

/* One kind against a server that the test plays. */
struct fixture {
	struct clock clock;
	struct kube_feed *feed;
	struct kube_watch *watch;
};

static void init(struct fixture *fixture, enum kind kind)
{
	fixture->clock = clock_fake(1000 * CLOCK_S);
	fixture->feed = kube_feed_new(&fixture->clock);
	fixture->watch = kube_watch_new(&(struct kube_watch_options){
	    .kind = kind,
	    .root_namespace = "istio-system",
	    .feed = fixture->feed,
	    .relist_ns = RELIST_NS,
	    .seed = 1,
	});
}

static void done(struct fixture *fixture)
{
	kube_watch_free(fixture->watch);
	kube_feed_free(fixture->feed);
}

/* The next request, once its time has come; how long that took. */
static const char *next_after(struct fixture *fixture, int64_t *waited_ns)
{
	int64_t at_ns, from_ns = fixture->clock.now_ns;
	const char *path = kube_watch_next(fixture->watch, fixture->clock.now_ns, &at_ns);
	if (!path) {
		ck_assert_int_lt(at_ns, INT64_MAX);
		fixture->clock.now_ns = at_ns;
		path = kube_watch_next(fixture->watch, at_ns, &at_ns);
	}
	ck_assert_ptr_nonnull(path);
	if (waited_ns)
		*waited_ns = fixture->clock.now_ns - from_ns;
	return path;
}

static void expect(struct fixture *fixture, const char *path)
{
	ck_assert_str_eq(next_after(fixture, NULL), path);
}

static void expect_list(struct fixture *fixture)
{
	const char *path = next_after(fixture, NULL);
	ck_assert_msg(strstr(path, "limit=") != NULL && !strstr(path, "watch=1"), "%s", path);
}

static void expect_watch(struct fixture *fixture, const char *version)
{
	CLEANUP(text_done) struct text tail = {0};
	text_printf(&tail, "&resourceVersion=%s", version);
	const char *path = next_after(fixture, NULL);
	ck_assert_msg(strstr(path, "watch=1&allowWatchBookmarks=true") && text_has_suffix(path, tail.s), "%s", path);
}

static bool body(struct fixture *fixture, const char *s)
{
	return kube_watch_body(fixture->watch, s, strlen(s), fixture->clock.now_ns);
}

static void end(struct fixture *fixture, int status, const char *error, int64_t retry_after_ms)
{
	struct kube_response response = {
	    .status = status, .error = error, .retry_after_ms = retry_after_ms, .body = ""};
	kube_watch_ended(fixture->watch, &response, fixture->clock.now_ns);
}

static void answer(struct fixture *fixture, const char *s)
{
	kube_watch_started(fixture->watch, fixture->clock.now_ns);
	ck_assert(body(fixture, s));
}

static void answer_list(struct fixture *fixture, const char *s)
{
	answer(fixture, s);
	end(fixture, 200, NULL, -1);
}

/* What the feed has: "+group" or "-group", "!group" for what is refused, sorted as it came; then it is empty. */
static void expect_feed(struct fixture *fixture, const char *want)
{
	CLEANUP(text_done) struct text out = {0};
	struct kube_batch *batch = kube_feed_take(fixture->feed);
	for (size_t i = 0; batch && i < batch->changes.n; i++) {
		const struct kube_change *change = batch->changes.entries[i].value;
		char sign = !change->arena ? '-' : change->manifest.n_objects ? '+' : '!';
		const char *group = batch->changes.entries[i].key;
		if (sign == '-' && text_has_suffix(group, "/") && strchr(group, '/') == strrchr(group, '/'))
			continue; /* the kind's own row is taken back with each list */
		text_printf(&out, "%s%c%s", out.n ? " " : "", sign, group);
	}
	kube_batch_free(batch);
	ck_assert_str_eq(text_get(&out), want);
}

static struct kube_watch_status status(const struct fixture *fixture)
{
	struct kube_watch_status result;
	kube_watch_status(fixture->watch, &result);
	return result;
}

#define POD(name, version)                                                                                             \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"n\",\"resourceVersion\":\"" version "\"},"               \
	"\"status\":{\"podIP\":\"10.0.0.1\"}}"
#define LIST(version, more, items)                                                                                     \
	"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" version "\"" more           \
	"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define BOOKMARK(version) EVENT("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" version "\"}}")

/* Listed with a and b at version 10, and being watched. */
static void init_watching(struct fixture *fixture)
{
	init(fixture, KIND_POD);
	expect_list(fixture);
	answer_list(fixture, LIST("10", "", POD("a", "1") "," POD("b", "2")));
	expect_feed(fixture, "+~Pod/n/a +~Pod/n/b");
	expect_watch(fixture, "10");
}

START_TEST(a_kind_is_listed_page_by_page_and_then_watched)
{
	struct fixture fixture;
	init(&fixture, KIND_POD);
	expect(&fixture, "/api/v1/pods?limit=500");
	ck_assert(!status(&fixture).is_synced);
	answer_list(&fixture, LIST("10", ",\"continue\":\"a/b+=\"", POD("a", "1")));
	ck_assert(!status(&fixture).is_synced);
	expect(&fixture, "/api/v1/pods?limit=500&continue=a%2Fb%2B%3D");
	answer_list(&fixture, LIST("10", ",\"continue\":\"\"", POD("b", "2")));
	ck_assert(status(&fixture).is_synced);
	expect_feed(&fixture, "+~Pod/n/a +~Pod/n/b");
	expect_watch(&fixture, "10");
	ck_assert(!status(&fixture).is_live);
	answer(&fixture,
	       EVENT("MODIFIED", POD("a", "11")) EVENT("ADDED", POD("c", "12")) EVENT("DELETED", POD("b", "13")));
	ck_assert(status(&fixture).is_live);
	expect_feed(&fixture, "+~Pod/n/a +~Pod/n/c -~Pod/n/b");
	ck_assert_uint_eq(status(&fixture).n_objects, 2);
	done(&fixture);
}
END_TEST

START_TEST(kinds_are_asked_for_where_they_are)
{
	static const struct {
		enum kind kind;
		const char *want;
	} rows[] = {
	    {KIND_SERVICE, "/api/v1/services?limit=500"},
	    {KIND_ENDPOINT_SLICE, "/apis/discovery.k8s.io/v1/endpointslices?limit=500"},
	    {KIND_VIRTUAL_SERVICE, "/apis/networking.istio.io/v1/virtualservices?limit=500"},
	    {KIND_SECRET, "/api/v1/secrets?fieldSelector=type%21%3Dkubernetes.io%2Fservice-account-token%2Ctype%21%3D"
	                  "helm.sh%2Frelease.v1&limit=500"},
	    {KIND_CONFIG_MAP,
	     "/api/v1/namespaces/istio-system/configmaps?fieldSelector=metadata.name%3Distio&limit=500"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture fixture;
		init(&fixture, rows[i].kind);
		expect(&fixture, rows[i].want);
		done(&fixture);
	}
}
END_TEST

/* Where that is nobody's mistake, a kind that may not be read counts as read, and is asked for again. */
START_TEST(a_kind_that_may_be_forbidden_holds_up_nothing)
{
	struct fixture fixture;
	int64_t waited_ns;
	init(&fixture, KIND_SECRET);
	expect_list(&fixture);
	end(&fixture, 403, "status 403", -1);
	ck_assert(status(&fixture).is_synced && status(&fixture).is_forbidden);
	ck_assert_int_eq(status(&fixture).heard_ns, fixture.clock.now_ns);
	next_after(&fixture, &waited_ns); /* soon: an API server that starts refuses everything for a moment */
	ck_assert_int_le(waited_ns, 2 * KUBE_BACKOFF_MS * CLOCK_MS);
	for (int i = 0; i < 9; i++) {
		end(&fixture, 403, "status 403", -1);
		next_after(&fixture, &waited_ns);
	}
	ck_assert_int_ge(waited_ns, KUBE_FORBIDDEN_MS * CLOCK_MS);
	answer_list(&fixture, LIST("10", "", ""));
	ck_assert(status(&fixture).is_synced && !status(&fixture).is_forbidden);
	done(&fixture);
	init(&fixture, KIND_POD);
	expect_list(&fixture);
	end(&fixture, 403, "status 403", -1);
	ck_assert(!status(&fixture).is_synced);
	done(&fixture);
}
END_TEST

START_TEST(a_watch_that_ends_goes_on_from_the_last_version)
{
	struct fixture fixture;
	init_watching(&fixture);
	answer(&fixture, EVENT("MODIFIED", POD("a", "11")));
	fixture.clock.now_ns += 400 * CLOCK_S;
	end(&fixture, 200, NULL, -1);
	expect_watch(&fixture, "11");
	answer(&fixture, BOOKMARK("50"));
	end(&fixture, 0, "connection reset", -1);
	expect_watch(&fixture, "50");
	ck_assert_uint_eq(status(&fixture).lists, 1);
	done(&fixture);
}
END_TEST

START_TEST(an_expired_watch_lists_again_and_compares)
{
	static const char gone[] = EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}");
	struct fixture fixture;
	init_watching(&fixture);
	kube_watch_started(fixture.watch, fixture.clock.now_ns);
	ck_assert(!body(&fixture, gone));
	end(&fixture, 0, "what it sent is of no use", -1);
	expect_feed(&fixture, "");
	expect_list(&fixture);
	/* a is as it was, b is gone, c is new */
	answer_list(&fixture, LIST("60", "", POD("a", "1") "," POD("c", "55")));
	expect_feed(&fixture, "+~Pod/n/c -~Pod/n/b");
	ck_assert_uint_eq(status(&fixture).gone, 1);
	ck_assert_uint_eq(status(&fixture).repairs, 2);
	expect_watch(&fixture, "60");
	end(&fixture, 410, "status 410", -1);
	expect_list(&fixture);
	done(&fixture);
}
END_TEST

START_TEST(a_list_that_breaks_off_removes_nothing)
{
	static const struct {
		const char *name, *body;
		int status;
	} rows[] = {
	    {"cut", "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"60\"},\"items\":[", 0},
	    {"a clean end in the midst",
	     "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"60\"},\"items\":[{\"a\"", 200},
	    {"empty", "", 200},
	    {"no list", "{\"kind\":\"Status\",\"items\":[]}", 200},
	    {"first of two pages", LIST("60", ",\"continue\":\"x\"", POD("a", "1")), 200},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture fixture;
		init_watching(&fixture);
		end(&fixture, 410, "status 410", -1);
		expect_list(&fixture);
		body(&fixture, rows[i].body);
		end(&fixture, rows[i].status, rows[i].status ? NULL : "cut", -1);
		expect_list(&fixture);
		end(&fixture, 500, "status 500", -1);
		expect_feed(&fixture, "");
		ck_assert_uint_eq(status(&fixture).n_objects, 2);
		done(&fixture);
	}
}
END_TEST

START_TEST(an_object_that_cannot_be_read_takes_no_other_with_it)
{
	struct fixture fixture;
	init_watching(&fixture);
	end(&fixture, 410, "status 410", -1);
	expect_list(&fixture);
	answer_list(&fixture, LIST("60", "", "{\"metadata\":{\"name\":\"b\\u0000\"}}," POD("c", "3")));
	/* b may be the one that cannot be read: it stays, as does a */
	expect_feed(&fixture, "!~Pod/ +~Pod/n/c");
	ck_assert_uint_eq(status(&fixture).n_objects, 3);
	ck_assert_uint_eq(status(&fixture).unreadable, 1);
	expect_watch(&fixture, "60");
	answer(&fixture, EVENT("MODIFIED", "{\"metadata\":{\"name\":\"b\\u0000\"}}") EVENT("MODIFIED", POD("a", "61")));
	expect_feed(&fixture, "!~Pod/ +~Pod/n/a");
	done(&fixture);
}
END_TEST

START_TEST(a_wrong_object_is_refused_by_name)
{
	struct fixture fixture;
	init(&fixture, KIND_VIRTUAL_SERVICE);
	expect_list(&fixture);
	answer_list(
	    &fixture,
	    "{\"kind\":\"VirtualServiceList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"apiVersion\":"
	    "\"networking.istio.io/v1\",\"kind\":\"VirtualService\",\"metadata\":{\"name\":\"v\",\"namespace\":\"n\","
	    "\"resourceVersion\":\"1\",\"generation\":7},\"spec\":{\"hots\":[\"a\"]}}]}");
	expect_feed(&fixture, "!~VirtualService/n/v");
	ck_assert_int_eq(kube_items_get(kube_watch_items(fixture.watch), "n/v")->generation, 7);
	done(&fixture);
}
END_TEST

START_TEST(failures_are_retried_after_a_growing_time_or_what_the_server_asks)
{
	struct fixture fixture;
	int64_t waited_ns, most_ns = 0;
	init(&fixture, KIND_POD);
	expect_list(&fixture);
	for (unsigned i = 0; i < 12; i++) {
		end(&fixture, 0, "connection refused", -1);
		ck_assert_str_eq(status(&fixture).error, "connection refused");
		next_after(&fixture, &waited_ns);
		int64_t least_ns = (KUBE_BACKOFF_MS << i) * CLOCK_MS;
		if (least_ns > KUBE_BACKOFF_MAX_MS * CLOCK_MS)
			least_ns = KUBE_BACKOFF_MAX_MS * CLOCK_MS;
		ck_assert_int_ge(waited_ns, least_ns);
		ck_assert_int_le(waited_ns, least_ns + least_ns / 2);
		most_ns = waited_ns > most_ns ? waited_ns : most_ns;
	}
	end(&fixture, 429, "status 429", 20000);
	next_after(&fixture, &waited_ns);
	ck_assert_int_ge(waited_ns, 20 * CLOCK_S);
	answer_list(&fixture, LIST("10", "", ""));
	ck_assert_str_eq(status(&fixture).error, "");
	expect_watch(&fixture, "10");
	end(&fixture, 0, "connection refused", -1);
	next_after(&fixture, &waited_ns);
	ck_assert_int_lt(waited_ns, CLOCK_S); /* the success has reset the time */
	done(&fixture);
}
END_TEST

START_TEST(a_kind_that_is_not_served_is_empty_and_waited_for)
{
	struct fixture fixture;
	int64_t waited_ns;
	init(&fixture, KIND_VIRTUAL_SERVICE);
	expect(&fixture, "/apis/networking.istio.io/v1/virtualservices?limit=500");
	end(&fixture, 404, "status 404", -1);
	ck_assert(!status(&fixture).is_synced);
	expect(&fixture, "/apis/networking.istio.io/v1beta1/virtualservices?limit=500");
	end(&fixture, 404, "status 404", -1);
	expect(&fixture, "/apis/networking.istio.io/v1alpha3/virtualservices?limit=500");
	end(&fixture, 404, "status 404", -1);
	ck_assert(status(&fixture).is_synced && status(&fixture).state == KUBE_WATCH_ABSENT);
	ck_assert_str_eq(next_after(&fixture, &waited_ns), "/apis/networking.istio.io/v1/virtualservices?limit=500");
	ck_assert_int_ge(waited_ns, KUBE_ABSENT_MS * CLOCK_MS);
	end(&fixture, 404, "status 404", -1);
	expect(&fixture, "/apis/networking.istio.io/v1beta1/virtualservices?limit=500");
	answer_list(&fixture, LIST("10", "", ""));
	ck_assert_ptr_nonnull(strstr(next_after(&fixture, NULL), "/v1beta1/virtualservices?watch=1"));
	done(&fixture);
}
END_TEST

START_TEST(one_404_does_not_remove_what_is_known)
{
	struct fixture fixture;
	init_watching(&fixture);
	end(&fixture, 404, "status 404", -1);
	for (unsigned i = 1; i < KUBE_ABSENT_CONFIRMS; i++) {
		expect_list(&fixture);
		expect_feed(&fixture, "");
		end(&fixture, 404, "status 404", -1);
	}
	expect_feed(&fixture, "-~Pod/n/a -~Pod/n/b");
	ck_assert_int_eq(status(&fixture).state, KUBE_WATCH_ABSENT);
	done(&fixture);
}
END_TEST

START_TEST(pages_that_expire_are_asked_for_in_one_piece)
{
	struct fixture fixture;
	init(&fixture, KIND_POD);
	for (unsigned i = 0; i < 2; i++) {
		expect(&fixture, "/api/v1/pods?limit=500");
		answer_list(&fixture, LIST("10", ",\"continue\":\"x\"", POD("a", "1")));
		expect(&fixture, "/api/v1/pods?limit=500&continue=x");
		end(&fixture, 410, "status 410", -1);
	}
	expect(&fixture, "/api/v1/pods?limit=0");
	answer_list(&fixture, LIST("20", "", POD("a", "1")));
	ck_assert(status(&fixture).is_synced);
	done(&fixture);
}
END_TEST

START_TEST(everything_is_listed_again_from_time_to_time)
{
	struct fixture fixture;
	init_watching(&fixture);
	kube_watch_started(fixture.watch, fixture.clock.now_ns);
	int64_t deadline_ns = kube_watch_deadline_ns(fixture.watch);
	ck_assert_int_gt(deadline_ns, fixture.clock.now_ns);
	ck_assert_int_le(deadline_ns, fixture.clock.now_ns + RELIST_NS * 3 / 2);
	kube_watch_list_now(fixture.watch);
	ck_assert_int_le(kube_watch_deadline_ns(fixture.watch), fixture.clock.now_ns);
	kube_watch_give_up(fixture.watch, fixture.clock.now_ns);
	expect_list(&fixture);
	/* an event that got lost: b was deleted, and nobody told */
	answer_list(&fixture, LIST("30", "", POD("a", "1")));
	expect_feed(&fixture, "-~Pod/n/b");
	ck_assert_uint_eq(status(&fixture).repairs, 1);
	expect_watch(&fixture, "30");
	done(&fixture);
}
END_TEST

START_TEST(a_watch_that_is_not_answered_is_given_up)
{
	struct fixture fixture;
	init_watching(&fixture);
	int64_t asked_ns = fixture.clock.now_ns;
	ck_assert_int_eq(kube_watch_deadline_ns(fixture.watch), asked_ns + KUBE_ANSWER_S * CLOCK_S);
	kube_watch_started(fixture.watch, asked_ns);
	ck_assert_int_ge(kube_watch_deadline_ns(fixture.watch), asked_ns + KUBE_WATCH_S * CLOCK_S);
	kube_watch_give_up(fixture.watch, asked_ns);
	expect_watch(&fixture, "10");
	done(&fixture);
}
END_TEST

START_TEST(a_version_that_the_server_refuses_leads_to_a_list)
{
	static const struct {
		int status;
		bool is_list;
	} rows[] = {{400, true}, {403, true}, {504, true}, {401, false}, {429, false}, {500, false}, {503, false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture fixture;
		init_watching(&fixture);
		end(&fixture, rows[i].status, "refused", -1);
		if (rows[i].is_list)
			expect_list(&fixture);
		else
			expect_watch(&fixture, "10");
		done(&fixture);
	}
}
END_TEST

START_TEST(a_watch_that_ends_at_once_is_a_failure)
{
	struct fixture fixture;
	int64_t waited_ns = 0;
	init_watching(&fixture);
	for (unsigned i = 0; i < 3; i++) {
		kube_watch_started(fixture.watch, fixture.clock.now_ns);
		end(&fixture, 200, NULL, -1);
		next_after(&fixture, &waited_ns);
	}
	ck_assert_int_ge(waited_ns, 4 * KUBE_BACKOFF_MS * CLOCK_MS);
	ck_assert_uint_eq(status(&fixture).failures, 3);
	done(&fixture);
}
END_TEST

START_TEST(changes_that_follow_one_another_are_one)
{
	struct fixture fixture;
	init_watching(&fixture);
	answer(&fixture,
	       EVENT("ADDED", POD("c", "11")) EVENT("MODIFIED", POD("c", "12")) EVENT("DELETED", POD("c", "13")));
	expect_feed(&fixture, "-~Pod/n/c");
	answer(&fixture, EVENT("DELETED", POD("a", "14")) EVENT("ADDED", POD("a", "15")));
	expect_feed(&fixture, "+~Pod/n/a");
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_watch", a_kind_is_listed_page_by_page_and_then_watched, kinds_are_asked_for_where_they_are,
          a_kind_that_may_be_forbidden_holds_up_nothing, a_watch_that_ends_goes_on_from_the_last_version,
          an_expired_watch_lists_again_and_compares, a_list_that_breaks_off_removes_nothing,
          an_object_that_cannot_be_read_takes_no_other_with_it, a_wrong_object_is_refused_by_name,
          failures_are_retried_after_a_growing_time_or_what_the_server_asks,
          a_kind_that_is_not_served_is_empty_and_waited_for, one_404_does_not_remove_what_is_known,
          pages_that_expire_are_asked_for_in_one_piece, everything_is_listed_again_from_time_to_time,
          a_watch_that_is_not_answered_is_given_up, a_version_that_the_server_refuses_leads_to_a_list,
          a_watch_that_ends_at_once_is_a_failure, changes_that_follow_one_another_are_one)
