#include "server/source/kube/kube_secret.h"

#include "base/arena.h"
#include "tests/unit/unit.h"

#include <string.h>

#define PATH "/api/v1/namespaces/istio-system/secrets"

struct fixture {
	struct clock clock;
	struct kube_secret_cell *cell;
	struct kube_secret_poll *poll;
	unsigned n_changes;
};

static void on_change(void *context)
{
	((struct fixture *)context)->n_changes++;
}

static void init(struct fixture *fixture)
{
	*fixture = (struct fixture){.clock = clock_fake(1000 * CLOCK_S), .cell = kube_secret_cell_new(NULL)};
	fixture->poll = kube_secret_poll_new(&(struct kube_secret_poll_options){.namespace = "istio-system",
	                                                                        .name = "root",
	                                                                        .cell = fixture->cell,
	                                                                        .clock = &fixture->clock,
	                                                                        .on_change = on_change,
	                                                                        .context = fixture});
}

static void done(struct fixture *fixture)
{
	kube_secret_poll_free(fixture->poll);
	kube_secret_cell_free(fixture->cell);
}

static void expect(struct fixture *fixture, const char *method, const char *path, const char *body)
{
	int64_t at_ns;
	const struct kube_request *request = kube_secret_poll_next(fixture->poll, &at_ns);
	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(request->method, method);
	ck_assert_str_eq(request->path, path);
	ck_assert_str_eq(request->body, body);
	ck_assert_ptr_null(kube_secret_poll_next(fixture->poll, &at_ns)); /* one at a time */
}

static int64_t quiet_s(struct fixture *fixture)
{
	int64_t at_ns;
	ck_assert_ptr_null(kube_secret_poll_next(fixture->poll, &at_ns));
	return (at_ns - fixture->clock.now_ns) / CLOCK_S;
}

static void answer(struct fixture *fixture, int status, const char *body)
{
	bool is_good = status >= 200 && status < 300;
	if (is_good)
		ck_assert(kube_secret_poll_body(fixture->poll, body, strlen(body)));
	kube_secret_poll_ended(fixture->poll,
	                       &(struct kube_response){
	                           .status = status, .retry_after_ms = -1, .error = is_good ? NULL : body, .body = ""});
}

#define SECRET(version, data) "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"data\":{" data "}}"

START_TEST(it_is_read_again_and_again)
{
	struct fixture fixture;
	struct error note;
	init(&fixture);
	ck_assert_ptr_null(kube_secret_cell_get(fixture.cell, &note));
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 200, SECRET("7", "\"a\":\"aGVsbG8=\",\"b\":\"\",\"c\":\"YWI=\""));
	ck_assert_uint_eq(fixture.n_changes, 1);
	struct kube_secret *secret = kube_secret_cell_get(fixture.cell, &note);
	ck_assert(secret->is_there);
	ck_assert_str_eq(secret->version, "7");
	ck_assert_uint_eq(secret->n, 3);
	ck_assert_str_eq(secret->v[0].s, "hello");
	ck_assert_uint_eq(secret->v[1].n, 0);
	ck_assert_str_eq(secret->v[2].s, "ab");
	kube_secret_unref(secret);
	ck_assert_int_eq(quiet_s(&fixture), KUBE_SECRET_POLL_S);
	fixture.clock.now_ns += KUBE_SECRET_POLL_S * CLOCK_S;
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 200, SECRET("7", "\"a\":\"aGVsbG8=\",\"b\":\"\",\"c\":\"YWI=\""));
	ck_assert_uint_eq(fixture.n_changes, 1); /* the same */
	done(&fixture);
}
END_TEST

START_TEST(unknown_is_not_absent)
{
	struct fixture fixture;
	struct error note;
	init(&fixture);
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 403, "forbidden");
	ck_assert_ptr_null(kube_secret_cell_get(fixture.cell, &note));
	ck_assert_str_eq(note.message, "forbidden");
	fixture.clock.now_ns += KUBE_SECRET_RETRY_S * CLOCK_S;
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 404, "not found");
	struct kube_secret *secret = kube_secret_cell_get(fixture.cell, &note);
	ck_assert(!secret->is_there);
	ck_assert_str_eq(note.message, "");
	kube_secret_unref(secret);
	fixture.clock.now_ns += KUBE_SECRET_POLL_S * CLOCK_S;
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 0, "no answer"); /* the last value stays */
	secret = kube_secret_cell_get(fixture.cell, &note);
	ck_assert(!secret->is_there);
	ck_assert_str_eq(note.message, "no answer");
	kube_secret_unref(secret);
	done(&fixture);
}
END_TEST

static void want(struct fixture *fixture, const char *version)
{
	struct kube_secret_write *write = calloc(1, sizeof *write);
	write->version = version ? strdup(version) : NULL;
	kube_secret_write_add(write, "a", "hello", 5);
	kube_secret_write_add(write, "b", version ? NULL : "", 0);
	kube_secret_cell_want(fixture->cell, write);
}

START_TEST(writes_follow_a_version_and_are_read_back)
{
	struct fixture fixture;
	init(&fixture);
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 404, "not found");
	want(&fixture, NULL);
	expect(
	    &fixture, "POST", PATH,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"istio.io/ca-root\",\"metadata\":{\"name\":\"root\"},"
	    "\"data\":{\"a\":\"aGVsbG8=\",\"b\":\"\"}}");
	answer(&fixture, 409, "it is there"); /* another was faster */
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 200, SECRET("8", "\"a\":\"YWI=\""));
	want(&fixture, "8");
	expect(&fixture, "PATCH", PATH "/root",
	       "{\"metadata\":{\"name\":\"root\",\"resourceVersion\":\"8\"},\"data\":{\"a\":\"aGVsbG8=\",\"b\":null}}");
	answer(&fixture, 500, "no");
	want(&fixture, "8");
	ck_assert_int_eq(quiet_s(&fixture), KUBE_SECRET_RETRY_S); /* whoever asks again and again */
	done(&fixture);
}
END_TEST

START_TEST(replicas_leave_notes)
{
	struct fixture fixture;
	init(&fixture);
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 200,
	       "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"x\":\"y\",\"rotation.weft/"
	       "b\":\"3\"}},\"data\":null}");
	struct kube_secret *secret = kube_secret_cell_get(fixture.cell, NULL);
	ck_assert_uint_eq(secret->n_notes, 1);
	ck_assert_str_eq(secret->notes[0].name, "b");
	ck_assert_str_eq(secret->notes[0].s, "3");
	kube_secret_unref(secret);
	kube_secret_cell_note(fixture.cell, "a", "{\"n\":1}");
	expect(&fixture, "PATCH", PATH "/root",
	       "{\"metadata\":{\"annotations\":{\"rotation.weft/a\":\"{\\\"n\\\":1}\"}}}");
	answer(&fixture, 200, "{}");
	expect(&fixture, "GET", PATH "/root", "");
	answer(&fixture, 200, SECRET("9", ""));
	kube_secret_cell_note(fixture.cell, "b", "2"); /* the latest of each */
	kube_secret_cell_note(fixture.cell, "b", NULL);
	kube_secret_cell_note(fixture.cell, "a", "1");
	expect(&fixture, "PATCH", PATH "/root",
	       "{\"metadata\":{\"annotations\":{\"rotation.weft/b\":null,\"rotation.weft/a\":\"1\"}}}");
	done(&fixture);
}
END_TEST

START_TEST(nonsense_is_no_secret)
{
	static const char *const bodies[] = {
	    "",
	    "{",
	    "[]",
	    "{\"metadata\":{}}",
	    SECRET("1", "\"a\":\"%%%%\""),
	    SECRET("1", "\"a\":\"abc\""),
	    SECRET("1", "\"a\":1"),
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct error error = {""};
		ck_assert_ptr_null(kube_secret_decode(bodies[i], strlen(bodies[i]), &error));
		ck_assert_str_ne(error.message, "");
	}
}
END_TEST

UNIT_MAIN("kube_secret", it_is_read_again_and_again, unknown_is_not_absent, writes_follow_a_version_and_are_read_back,
          replicas_leave_notes, nonsense_is_no_secret)
