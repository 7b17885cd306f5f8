#include "server/source/kube/kube_lease.h"

#include "tests/unit/unit.h"

#include <string.h>

#define PATH "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases"

struct fixture {
	struct clock clock;
	struct kube_lease *lease;
};

static void init(struct fixture *fixture)
{
	fixture->clock = clock_fake(1000 * CLOCK_S);
	fixture->clock.wall_ns = INT64_C(1700000000) * CLOCK_S + 123456789;
	fixture->lease = kube_lease_new(&(struct kube_lease_options){
	    .namespace = "istio-system", .name = "weftd", .identity = "me", .clock = &fixture->clock, .seed = 1});
}

/* The next request, once its time has come. */
static const struct kube_request *next(struct fixture *fixture)
{
	int64_t at_ns;
	const struct kube_request *request = kube_lease_next(fixture->lease, &at_ns);
	if (request)
		return request;
	fixture->clock.now_ns = at_ns;
	request = kube_lease_next(fixture->lease, &at_ns);
	ck_assert_ptr_nonnull(request);
	return request;
}

static void expect(struct fixture *fixture, const char *method, const char *path)
{
	const struct kube_request *request = next(fixture);
	ck_assert_str_eq(request->method, method);
	ck_assert_str_eq(request->path, path);
}

static void answer(struct fixture *fixture, int status, const char *holder, const char *version)
{
	CLEANUP(text_done) struct text body = {0};
	text_printf(&body,
	            "{\"metadata\":{\"resourceVersion\":\"%s\"},\"spec\":{\"holderIdentity\":\"%s\","
	            "\"leaseDurationSeconds\":15,\"leaseTransitions\":3}}",
	            version, holder);
	kube_lease_ended(fixture->lease,
	                 &(struct kube_response){.status = status, .body = body.s, .retry_after_ms = -1});
}

static void take(struct fixture *fixture)
{
	expect(fixture, "GET", PATH "/weftd");
	answer(fixture, 404, "", "");
	expect(fixture, "POST", PATH);
	answer(fixture, 201, "me", "1");
	ck_assert(kube_lease_is_held(fixture->lease));
}

START_TEST(a_lease_that_is_not_there_is_made)
{
	struct fixture fixture;
	init(&fixture);
	expect(&fixture, "GET", PATH "/weftd");
	answer(&fixture, 404, "", "");
	const struct kube_request *request = next(&fixture);
	ck_assert_str_eq(request->method, "POST");
	ck_assert_str_eq(
	    request->body,
	    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"weftd\","
	    "\"namespace\":\"istio-system\"},\"spec\":{\"leaseDurationSeconds\":15,\"leaseTransitions\":0,"
	    "\"holderIdentity\":\"me\",\"acquireTime\":\"2023-11-14T22:13:20.123456Z\","
	    "\"renewTime\":\"2023-11-14T22:13:20.123456Z\"}}");
	answer(&fixture, 409, "", ""); /* another was faster */
	ck_assert(!kube_lease_is_held(fixture.lease));
	expect(&fixture, "GET", PATH "/weftd");
	kube_lease_free(fixture.lease);
}
END_TEST

START_TEST(the_holder_renews_and_names_the_version_it_saw)
{
	struct fixture fixture;
	init(&fixture);
	take(&fixture);
	for (unsigned i = 0; i < 5; i++) {
		const struct kube_request *request = next(&fixture);
		ck_assert(kube_lease_is_held(fixture.lease));
		ck_assert_str_eq(request->method, "PUT");
		ck_assert_ptr_nonnull(strstr(request->body, "\"resourceVersion\":\"1\""));
		answer(&fixture, 200, "me", "1");
	}
	kube_lease_free(fixture.lease);
}
END_TEST

START_TEST(a_holder_that_cannot_renew_stops_before_another_may_begin)
{
	struct fixture fixture;
	init(&fixture);
	take(&fixture);
	int64_t held_ns = fixture.clock.now_ns;
	while (kube_lease_is_held(fixture.lease)) {
		next(&fixture);
		kube_lease_ended(fixture.lease,
		                 &(struct kube_response){.error = "no answer", .body = "", .retry_after_ms = -1});
		ck_assert_int_lt(fixture.clock.now_ns - held_ns, KUBE_LEASE_DURATION_S * CLOCK_S);
	}
	kube_lease_free(fixture.lease);
}
END_TEST

START_TEST(a_lease_of_another_is_taken_when_it_has_not_changed_for_its_duration)
{
	struct fixture fixture;
	init(&fixture);
	expect(&fixture, "GET", PATH "/weftd");
	answer(&fixture, 200, "other", "7");
	/* the other renews once: from then on it counts */
	expect(&fixture, "GET", PATH "/weftd");
	answer(&fixture, 200, "other", "8");
	int64_t seen_ns = fixture.clock.now_ns;
	fixture.clock.wall_ns += 86400 * CLOCK_S; /* a step of the clock says nothing */
	const struct kube_request *request;
	while (strcmp((request = next(&fixture))->method, "GET") == 0)
		answer(&fixture, 200, "other", "8");
	ck_assert_int_ge(fixture.clock.now_ns - seen_ns, KUBE_LEASE_DURATION_S * CLOCK_S);
	ck_assert_str_eq(request->method, "PUT");
	ck_assert_ptr_nonnull(strstr(request->body, "\"resourceVersion\":\"8\""));
	ck_assert_ptr_nonnull(strstr(request->body, "\"leaseTransitions\":4"));
	ck_assert(!kube_lease_is_held(fixture.lease));
	answer(&fixture, 200, "me", "9");
	ck_assert(kube_lease_is_held(fixture.lease));
	kube_lease_free(fixture.lease);
}
END_TEST

START_TEST(a_lease_that_was_let_go_of_is_taken_at_once)
{
	struct fixture fixture;
	init(&fixture);
	take(&fixture);
	const struct kube_request *request = kube_lease_release(fixture.lease);
	ck_assert_str_eq(request->method, "PUT");
	ck_assert_ptr_nonnull(strstr(request->body, "\"holderIdentity\":\"\""));
	ck_assert(!kube_lease_is_held(fixture.lease));
	ck_assert_ptr_null(kube_lease_release(fixture.lease));
	kube_lease_free(fixture.lease);

	init(&fixture);
	expect(&fixture, "GET", PATH "/weftd");
	answer(&fixture, 200, "", "7");
	expect(&fixture, "PUT", PATH "/weftd");
	kube_lease_free(fixture.lease);
}
END_TEST

START_TEST(an_answer_that_says_nothing_gives_nothing)
{
	static const char *const bodies[] = {"", "{}", "[]", "{\"metadata\":{}}",
	                                     "{\"metadata\":{\"resourceVersion\":7}}"};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct fixture fixture;
		init(&fixture);
		expect(&fixture, "GET", PATH "/weftd");
		kube_lease_ended(fixture.lease,
		                 &(struct kube_response){.status = 200, .body = bodies[i], .retry_after_ms = -1});
		expect(&fixture, "GET", PATH "/weftd");
		answer(&fixture, 404, "", "");
		next(&fixture);
		kube_lease_ended(fixture.lease,
		                 &(struct kube_response){.status = 201, .body = bodies[i], .retry_after_ms = -1});
		ck_assert(!kube_lease_is_held(fixture.lease));
		kube_lease_free(fixture.lease);
	}
}
END_TEST

UNIT_MAIN("kube_lease", a_lease_that_is_not_there_is_made, the_holder_renews_and_names_the_version_it_saw,
          a_holder_that_cannot_renew_stops_before_another_may_begin,
          a_lease_of_another_is_taken_when_it_has_not_changed_for_its_duration,
          a_lease_that_was_let_go_of_is_taken_at_once, an_answer_that_says_nothing_gives_nothing)
