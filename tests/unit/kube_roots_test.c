#include "server/source/kube/kube_roots.h"

#include "base/arena.h"
#include "tests/unit/unit.h"

#include <string.h>

#define MAP(namespace, pem, label)                                                                                     \
	"{\"metadata\":{\"name\":\"istio-ca-root-cert\",\"namespace\":\"" namespace "\",\"resourceVersion\":\"5\","    \
	                                                                            "\"labels\":{\"istio.io/"          \
	                                                                            "config\":\"" label                \
	                                                                            "\"}},\"data\":{\"root-cert."      \
	                                                                            "pem\":\"" pem "\"}}"
#define LIST(items) "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" items "]}"

struct fixture {
	struct clock clock;
	struct kube_feed *feed;
	struct kube_watch *namespaces;
	struct kube_roots *roots;
};

static void init(struct fixture *fixture, unsigned n)
{
	CLEANUP(text_done) struct text list = {0};
	struct kube_watch_options options = {.kind = KIND_NAMESPACE, .root_namespace = "r", .relist_ns = CLOCK_S};
	int64_t at_ns;

	*fixture = (struct fixture){.clock = clock_fake(1000 * CLOCK_S)};
	options.feed = fixture->feed = kube_feed_new(&fixture->clock);
	fixture->namespaces = kube_watch_new(&options);
	text_add(&list, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[");
	for (unsigned i = 0; i < n; i++)
		text_printf(&list, "%s{\"metadata\":{\"name\":\"n%u\",\"resourceVersion\":\"1\"}}", i ? "," : "", i);
	text_add(&list, "]}");
	ck_assert_ptr_nonnull(kube_watch_next(fixture->namespaces, fixture->clock.now_ns, &at_ns));
	ck_assert(kube_watch_body(fixture->namespaces, list.s, list.n, fixture->clock.now_ns));
	kube_watch_ended(fixture->namespaces, &(struct kube_response){.status = 200, .body = ""},
	                 fixture->clock.now_ns);
	fixture->roots = kube_roots_new(fixture->namespaces, &fixture->clock);
	kube_roots_set(fixture->roots, "pem", 3);
	kube_roots_lead(fixture->roots, true);
}

static void done(struct fixture *fixture)
{
	kube_roots_free(fixture->roots);
	kube_watch_free(fixture->namespaces);
	kube_feed_free(fixture->feed);
}

static void read_all(struct fixture *fixture, const char *want, const char *body, int status)
{
	int64_t at_ns;
	const struct kube_request *request = kube_roots_read(fixture->roots, &at_ns);
	ck_assert_ptr_nonnull(request);
	ck_assert_msg(strstr(request->path, want) != NULL, "%s", request->path);
	ck_assert(strstr(request->path, "fieldSelector=metadata.name%3Distio-ca-root-cert") != NULL);
	if (body)
		kube_roots_body(fixture->roots, body, strlen(body));
	kube_roots_read_ended(fixture->roots, &(struct kube_response){.status = status, .error = "no", .body = ""});
}

/* A write that may begin now: its namespace, or NULL. */
static char *begin(struct fixture *fixture)
{
	int64_t at_ns;
	char *namespace = NULL;
	const struct kube_request *request = kube_roots_write(fixture->roots, &namespace, &at_ns);
	if (request)
		ck_assert_str_eq(request->method, "PATCH");
	return namespace;
}

static const char *end(struct fixture *fixture, char *namespace, int status, const char *error)
{
	const char *note = kube_roots_written(fixture->roots, namespace,
	                                      &(struct kube_response){.status = status, .error = error, .body = ""});
	free(namespace);
	return note;
}

static unsigned write_all(struct fixture *fixture)
{
	unsigned n = 0;
	for (char *namespace; (namespace = begin(fixture)); n++)
		ck_assert_ptr_null(end(fixture, namespace, 200, ""));
	return n;
}

START_TEST(only_what_differs_is_written)
{
	struct fixture fixture;
	init(&fixture, 4);
	ck_assert_ptr_null(begin(&fixture)); /* nothing is known yet */
	read_all(&fixture,
	         "limit=", LIST(MAP("n0", "pem", "true") "," MAP("n1", "other", "true") "," MAP("n2", "pem", "no")),
	         200);
	ck_assert_uint_eq(write_all(&fixture), 3);
	ck_assert_uint_eq(write_all(&fixture), 0);
	kube_roots_set(fixture.roots, "both", 4);
	ck_assert_uint_eq(write_all(&fixture), 4);
	done(&fixture);
}
END_TEST

START_TEST(what_is_changed_comes_back)
{
	struct fixture fixture;
	int64_t at_ns;
	init(&fixture, 2);
	read_all(&fixture, "limit=", LIST(MAP("n0", "pem", "true") "," MAP("n1", "pem", "true")), 200);
	ck_assert_uint_eq(write_all(&fixture), 0);
	const struct kube_request *watch = kube_roots_read(fixture.roots, &at_ns);
	ck_assert(strstr(watch->path, "watch=1") && strstr(watch->path, "resourceVersion=9"));
	const char changed[] = "{\"type\":\"MODIFIED\",\"object\":" MAP("n1", "mine", "true") "}\n";
	ck_assert(kube_roots_body(fixture.roots, changed, strlen(changed)));
	ck_assert_uint_eq(write_all(&fixture), 1);
	const char deleted[] = "{\"type\":\"DELETED\",\"object\":" MAP("n0", "pem", "true") "}\n";
	ck_assert(kube_roots_body(fixture.roots, deleted, strlen(deleted)));
	ck_assert_uint_eq(write_all(&fixture), 1);
	const char expired[] = "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n";
	ck_assert(!kube_roots_body(fixture.roots, expired, strlen(expired)));
	kube_roots_read_ended(fixture.roots, &(struct kube_response){.status = 200, .body = ""});
	ck_assert_ptr_null(kube_roots_read(fixture.roots, &at_ns)); /* not at once */
	fixture.clock.now_ns = at_ns;
	read_all(&fixture, "limit=", LIST(MAP("n0", "pem", "true")), 200);
	ck_assert_uint_eq(write_all(&fixture), 1); /* the list did not have n1 */
	done(&fixture);
}
END_TEST

START_TEST(a_list_that_breaks_off_says_nothing)
{
	struct fixture fixture;
	int64_t at_ns;
	init(&fixture, 2);
	read_all(&fixture, "limit=", "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[", 200);
	ck_assert_ptr_null(begin(&fixture));
	ck_assert_ptr_null(kube_roots_read(fixture.roots, &at_ns));
	fixture.clock.now_ns = at_ns;
	read_all(&fixture, "limit=", NULL, 500);
	ck_assert_ptr_null(begin(&fixture));
	done(&fixture);
}
END_TEST

START_TEST(pages_are_put_together)
{
	struct fixture fixture;
	init(&fixture, 2);
	read_all(
	    &fixture, "limit=",
	    "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"more\"},\"items\":[" MAP("n0", "pem", "true") "]}",
	    200);
	ck_assert_ptr_null(begin(&fixture));
	read_all(&fixture, "continue=more", LIST(MAP("n1", "pem", "true")), 200);
	ck_assert_uint_eq(write_all(&fixture), 0);
	done(&fixture);
}
END_TEST

START_TEST(refusals_and_failures)
{
	struct fixture fixture;
	init(&fixture, 2);
	read_all(&fixture, "limit=", LIST(""), 200);
	ck_assert_ptr_null(end(&fixture, begin(&fixture), 403, "namespace n0 is being terminated"));
	const char *note = end(&fixture, begin(&fixture), 403, "forbidden");
	ck_assert(note && strstr(note, "n1/istio-ca-root-cert: forbidden"));
	ck_assert_ptr_null(begin(&fixture)); /* a pause */
	fixture.clock.now_ns += KUBE_ROOTS_PAUSE_S * CLOCK_S;
	ck_assert_ptr_null(end(&fixture, begin(&fixture), 403, "forbidden")); /* said once */
	fixture.clock.now_ns += KUBE_ROOTS_PAUSE_S * CLOCK_S;
	ck_assert_uint_eq(write_all(&fixture), 1); /* and not n0 */
	done(&fixture);
}
END_TEST

START_TEST(not_more_than_so_many_a_second)
{
	struct fixture fixture;
	init(&fixture, 100);
	read_all(&fixture, "limit=", LIST(""), 200);
	ck_assert_uint_eq(write_all(&fixture), KUBE_ROOTS_BURST);
	fixture.clock.now_ns += CLOCK_S;
	ck_assert_uint_eq(write_all(&fixture), KUBE_ROOTS_PER_S);
	done(&fixture);
}
END_TEST

START_TEST(others_only_watch)
{
	struct fixture fixture;
	int64_t at_ns;
	init(&fixture, 2);
	kube_roots_lead(fixture.roots, false);
	ck_assert_ptr_null(kube_roots_read(fixture.roots, &at_ns));
	ck_assert_ptr_null(begin(&fixture));
	kube_roots_lead(fixture.roots, true);
	read_all(&fixture, "limit=", LIST(""), 200);
	kube_roots_lead(fixture.roots, false);
	ck_assert_ptr_null(begin(&fixture));
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_roots", only_what_differs_is_written, what_is_changed_comes_back, a_list_that_breaks_off_says_nothing,
          pages_are_put_together, refusals_and_failures, not_more_than_so_many_a_second, others_only_watch)
