#include "server/source/kube/kube_status.h"

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <string.h>

/* VirtualServices v0, v1, … that the server has, in a mesh where all of them are in force. */
struct fixture {
	struct clock clock;
	struct kube_feed *feed;
	struct kube_watch *watches[KIND_COUNT];
	struct kube_status *status;
	struct world world;
};

static void init(struct fixture *fixture, unsigned n)
{
	CLEANUP(text_done) struct text list = {0}, yaml = {0};
	struct kube_watch_options options = {.kind = KIND_VIRTUAL_SERVICE, .root_namespace = "r", .relist_ns = CLOCK_S};
	int64_t at_ns;

	*fixture = (struct fixture){.clock = clock_fake(1000 * CLOCK_S)};
	fixture->clock.wall_ns = INT64_C(1700000000) * CLOCK_S;
	options.feed = fixture->feed = kube_feed_new(&fixture->clock);
	fixture->watches[KIND_VIRTUAL_SERVICE] = kube_watch_new(&options);
	fixture->status = kube_status_new(fixture->watches, &fixture->clock);
	text_add(&list, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[");
	for (unsigned i = 0; i < n; i++) {
		text_printf(&list, "%s{\"metadata\":{\"name\":\"v%u\",\"namespace\":\"default\",\"generation\":1}}",
		            i ? "," : "", i);
		text_printf(&yaml,
		            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v%u}\n"
		            "spec: {hosts: [a.b], http: [{directResponse: {status: 200}}]}\n",
		            i);
	}
	text_add(&list, "]}");
	fixture->world = world_of(text_get(&yaml));
	struct kube_watch *watch = fixture->watches[KIND_VIRTUAL_SERVICE];
	ck_assert_ptr_nonnull(kube_watch_next(watch, fixture->clock.now_ns, &at_ns));
	ck_assert(kube_watch_body(watch, list.s, list.n, fixture->clock.now_ns));
	kube_watch_ended(watch, &(struct kube_response){.status = 200, .body = ""}, fixture->clock.now_ns);
}

static void done(struct fixture *fixture)
{
	kube_status_free(fixture->status);
	kube_watch_free(fixture->watches[KIND_VIRTUAL_SERVICE]);
	kube_feed_free(fixture->feed);
	world_done(&fixture->world);
}

static void report(struct fixture *fixture, uint64_t seq)
{
	static const struct report none;
	kube_status_set_report(fixture->status, kube_report_new(fixture->world.snapshot, &none, seq));
}

/* The next write that may begin now, or NULL. */
static const struct kube_request *next(struct fixture *fixture, struct kube_write **write)
{
	int64_t at_ns;
	return kube_status_next(fixture->status, write, &at_ns);
}

static const char *end(struct fixture *fixture, struct kube_write *write, int status)
{
	return kube_status_ended(
	    fixture->status, write,
	    &(struct kube_response){.status = status, .error = "no", .body = "", .retry_after_ms = -1});
}

/* Writes all that may be written now; how many. */
static unsigned write_all(struct fixture *fixture)
{
	struct kube_write *write;
	unsigned n = 0;
	while (next(fixture, &write)) {
		end(fixture, write, 200);
		n++;
	}
	return n;
}

START_TEST(a_condition_is_written_once)
{
	struct fixture fixture;
	struct kube_write *write;
	init(&fixture, 1);
	ck_assert_ptr_null(next(&fixture, &write)); /* no report yet */
	report(&fixture, 100);
	const struct kube_request *request = next(&fixture, &write);
	ck_assert_str_eq(request->method, "PATCH");
	ck_assert_str_eq(request->path, "/apis/networking.istio.io/v1/namespaces/default/virtualservices/v0/status"
	                                "?fieldManager=weftd&force=true");
	ck_assert_str_eq(request->content_type, "application/apply-patch+yaml");
	ck_assert_str_eq(
	    request->body,
	    "{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"VirtualService\",\"metadata\":{\"name\":\"v0\","
	    "\"namespace\":\"default\"},\"status\":{\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\","
	    "\"observedGeneration\":1,\"reason\":\"Accepted\",\"message\":\"in force\",\"lastTransitionTime\":"
	    "\"2023-11-14T22:13:20Z\"}]}}");
	ck_assert_ptr_null(end(&fixture, write, 200));
	report(&fixture, 101);
	fixture.clock.now_ns += CLOCK_S;
	ck_assert_uint_eq(write_all(&fixture), 0);
	done(&fixture);
}
END_TEST

START_TEST(nothing_is_said_of_a_form_that_the_report_has_not_seen)
{
	struct fixture fixture;
	struct kube_write *write;
	init(&fixture, 2); /* put as 1 and 2 */
	report(&fixture, 1);
	ck_assert_uint_eq(write_all(&fixture), 1);
	kube_status_set_seq(fixture.status, 2);
	fixture.clock.now_ns += CLOCK_S;
	ck_assert_ptr_nonnull(next(&fixture, &write));
	end(&fixture, write, 200);
	done(&fixture);
}
END_TEST

START_TEST(writes_are_limited_in_number_and_time)
{
	struct fixture fixture;
	struct kube_write *writes[KUBE_STATUS_CALLS_MAX + 1];
	init(&fixture, 100);
	report(&fixture, 1000);
	for (unsigned i = 0; i < KUBE_STATUS_CALLS_MAX; i++)
		ck_assert_ptr_nonnull(next(&fixture, &writes[i]));
	ck_assert_ptr_null(next(&fixture, &writes[KUBE_STATUS_CALLS_MAX]));
	for (unsigned i = 0; i < KUBE_STATUS_CALLS_MAX; i++)
		end(&fixture, writes[i], 200);
	ck_assert_uint_eq(write_all(&fixture), KUBE_STATUS_BURST - KUBE_STATUS_CALLS_MAX);
	unsigned n = KUBE_STATUS_BURST;
	while (n < 100) {
		fixture.clock.now_ns += CLOCK_S;
		unsigned more = write_all(&fixture);
		ck_assert_uint_ge(more, KUBE_STATUS_PER_S - 1);
		ck_assert_uint_le(more, KUBE_STATUS_PER_S + 1);
		n += more;
	}
	done(&fixture);
}
END_TEST

START_TEST(a_write_that_fails_is_tried_again_after_a_pause)
{
	static const struct {
		int status;
		int64_t pause_s; /* 0: it is not tried again */
	} rows[] = {{0, KUBE_STATUS_PAUSE_S},
	            {500, KUBE_STATUS_PAUSE_S},
	            {429, KUBE_STATUS_PAUSE_S},
	            {403, KUBE_STATUS_PAUSE_MAX_S},
	            {404, 0},
	            {409, 0},
	            {422, 0}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture fixture;
		struct kube_write *write;
		init(&fixture, 1);
		report(&fixture, 100);
		ck_assert_ptr_nonnull(next(&fixture, &write));
		const char *note = end(&fixture, write, rows[i].status);
		ck_assert_msg((note == NULL) == (rows[i].status == 404), "%d", rows[i].status);
		ck_assert_ptr_null(next(&fixture, &write));
		fixture.clock.now_ns += rows[i].pause_s * CLOCK_S - 1;
		ck_assert_ptr_null(next(&fixture, &write));
		fixture.clock.now_ns += 3600 * CLOCK_S;
		bool is_tried = next(&fixture, &write) != NULL;
		ck_assert_msg(is_tried == (rows[i].pause_s > 0), "%d", rows[i].status);
		if (is_tried)
			end(&fixture, write, 200);
		done(&fixture);
	}
}
END_TEST

START_TEST(failures_in_a_row_are_said_once_and_tried_ever_less_often)
{
	struct fixture fixture;
	struct kube_write *write;
	int64_t at_ns, pause_ns = 0;
	init(&fixture, 1);
	report(&fixture, 100);
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_ptr_nonnull(next(&fixture, &write));
		ck_assert((end(&fixture, write, 500) != NULL) == (i == 0));
		ck_assert_ptr_null(kube_status_next(fixture.status, &write, &at_ns));
		ck_assert_int_ge(at_ns - fixture.clock.now_ns, pause_ns);
		pause_ns = at_ns - fixture.clock.now_ns;
		fixture.clock.now_ns = at_ns;
	}
	ck_assert_int_eq(pause_ns, KUBE_STATUS_PAUSE_MAX_S * CLOCK_S);
	ck_assert_ptr_nonnull(next(&fixture, &write));
	end(&fixture, write, 200);
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_status", a_condition_is_written_once, nothing_is_said_of_a_form_that_the_report_has_not_seen,
          writes_are_limited_in_number_and_time, a_write_that_fails_is_tried_again_after_a_pause,
          failures_in_a_row_are_said_once_and_tried_ever_less_often)
