#include "server/source/kube/kube_http.h"

#include "base/text.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/http_server.h"
#include "tests/unit/unit.h"

#include <sys/eventfd.h>

#define WAIT_MS 20000
#define LARGE (3 * KUBE_HTTP_BODY_MAX)

/* ---- what the server says ---- */

#define OK(headers, body) "HTTP/1.1 200 OK\r\n" headers "\r\n" body
#define REFUSAL(status, headers, body)                                                                                 \
	"HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: application/json\r\n" headers "\r\n" body

/* 5000 times "a", then "end" */
static const char zipped[] = OK("Content-Encoding: gzip\r\nContent-Length: 45\r\n",
                                "\037\213\010\000\000\000\000\000\002\003\355\301\261\015\000\000\010\003\240\133"
                                "\233\350\332\377\107\257\160\003\022\000\000\000\000\340\333\166\016\007\367\051"
                                "\201\213\023\000\000");

/* Of the large answers, "x" as body or as a Status' message. */
static void print_large(const char *path, struct text *out)
{
	bool is_error = strcmp(path, "/large") != 0;
	text_printf(out, is_error ? "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n"
	                          : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	text_add(out, strcmp(path, "/large-status") == 0 ? "{\"message\":\"" : "x");
	for (size_t i = 1; i < LARGE; i += is_error ? 2 : 1)
		text_add(out, is_error ? "ä" : "x");
	if (strcmp(path, "/large-status") == 0)
		text_add(out, "\"}");
}

static const struct route routes[] = {
    {"/hello", OK("Content-Length: 5\r\n", "hello"), 0, KEEP, NULL},
    {"/empty", OK("Content-Length: 0\r\n", ""), 0, KEEP, NULL},
    {"/chunks", OK("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), 0, KEEP, NULL},
    {"/gzip", zipped, sizeof zipped - 1, KEEP, NULL},
    {"/silent", "", 0, HANG, NULL},
    {"/begun", OK("Content-Length: 100\r\n", "hel"), 0, HANG, NULL},
    {"/cut", OK("Content-Length: 100\r\n", "hel"), 0, CLOSE, NULL},
    {"/cut-chunks", OK("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n"), 0, CLOSE, NULL},
    {"/no-answer", "", 0, CLOSE, NULL},
    {"/nonsense", "SSH-2.0-OpenSSH\r\n", 0, CLOSE, NULL},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n", 0, KEEP, NULL},
    {"/unauthorized", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", 0, KEEP, NULL},
    {"/status", REFUSAL("404 Not Found", "", "{\"kind\":\"Status\",\"message\":\"no such thing\",\"code\":404}"), 0,
     CLOSE, NULL},
    {"/text", REFUSAL("500 Internal Server Error", "", "it is broken\r\nin two lines"), 0, CLOSE, NULL},
    {"/bytes", REFUSAL("502 Bad Gateway", "", "\xff\xfe"), 0, CLOSE, NULL},
    {"/patience", REFUSAL("429 Too Many Requests", "Retry-After: 7\r\n", "{\"message\":\"later\"}"), 0, CLOSE, NULL},
    {"/much-patience", REFUSAL("503 Service Unavailable", "Retry-After: 86400\r\n", "{}"), 0, CLOSE, NULL},
    {"/no-patience", REFUSAL("503 Service Unavailable", "Retry-After: soon\r\n", "{}"), 0, CLOSE, NULL},
    {.path = "/large", .print = print_large, .after = CLOSE},
    {.path = "/large-text", .print = print_large, .after = CLOSE},
    {.path = "/large-status", .print = print_large, .after = CLOSE},
};

/* ---- a client ---- */

struct fixture {
	struct server server;
	char url[64];
	int fd;
	struct kube_config config;
	struct kube_credentials *credentials;
	struct kube_http *http;
	struct error error;
};

static void begin(struct fixture *fixture)
{
	fixture->credentials = kube_credentials_new(&fixture->config, clock_system());
	fixture->http = kube_http_new(&fixture->config, fixture->credentials, clock_system());
}

static void init(struct fixture *fixture)
{
	static const char *const proxies[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
	for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++)
		unsetenv(proxies[i]);
	*fixture = (struct fixture){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	server_start(&fixture->server, routes, sizeof routes / sizeof routes[0]);
	snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%u", fixture->server.port);
	fixture->config = (struct kube_config){.server = fixture->url, .token = "t"};
	begin(fixture);
}

static void done(struct fixture *fixture)
{
	kube_http_free(fixture->http);
	kube_credentials_free(fixture->credentials);
	server_stop(&fixture->server);
	close(fixture->fd);
}

/* What became of one call. */
struct call {
	size_t refuse_at; /* on_body says no from this many bytes on; 0: never */
	unsigned n_starts, n_ends;
	struct text body;
	int status;
	int64_t retry_after_ms;
	struct text error, kept;
};

static void on_start(void *context)
{
	struct call *call = context;
	ck_assert_uint_eq(call->body.n, 0);
	call->n_starts++;
}

static bool on_body(void *context, const char *s, size_t n)
{
	struct call *call = context;
	ck_assert_uint_eq(call->n_starts, 1);
	text_add_n(&call->body, s, n);
	return !call->refuse_at || call->body.n < call->refuse_at;
}

static void on_end(void *context, const struct kube_response *response)
{
	struct call *call = context;
	call->n_ends++;
	call->status = response->status;
	call->retry_after_ms = response->retry_after_ms;
	text_add(&call->error, response->error ? response->error : "");
	text_add(&call->kept, response->body);
	ck_assert((response->status >= 200 && response->status < 300) == !response->error);
	ck_assert(text_is_utf8(call->error.s, call->error.n));
}

static void call_done(struct call *call)
{
	text_done(&call->body);
	text_done(&call->error);
	text_done(&call->kept);
}

static struct kube_request get(const char *path, struct call *call)
{
	return (struct kube_request){
	    .method = "GET", .path = path, .on_start = on_start, .on_body = on_body, .on_end = on_end, .context = call};
}

static struct kube_call *start(struct fixture *fixture, const struct kube_request *request)
{
	struct kube_call *call = kube_http_start(fixture->http, request, &fixture->error);
	ck_assert_msg(call != NULL, "%s", fixture->error.message);
	return call;
}

/* Until the condition holds, with a bound. */
#define POLL_UNTIL(fixture, condition)                                                                                 \
	do {                                                                                                           \
		int64_t until_ns = clock_now_ns(clock_system()) + WAIT_MS * CLOCK_MS;                                  \
		while (!(condition)) {                                                                                 \
			ck_assert_msg(clock_now_ns(clock_system()) < until_ns, "not in time: %s", #condition);         \
			kube_http_poll((fixture)->http, (fixture)->fd, 20);                                            \
		}                                                                                                      \
	} while (0)

static void fetch(struct fixture *fixture, const struct kube_request *request)
{
	struct call *call = request->context;
	start(fixture, request);
	POLL_UNTIL(fixture, call->n_ends > 0);
	ck_assert_uint_eq(call->n_ends, 1);
}

/* ---- answers ---- */

START_TEST(answers_come_as_they_are)
{
	static const struct {
		const char *path;
		int status;
		const char *body, *error; /* the error's beginning */
		int64_t retry_after_ms;
	} rows[] = {
	    {"/hello", 200, "hello", "", -1},
	    {"/empty", 200, "", "", -1},
	    {"/chunks", 200, "hello", "", -1},
	    {"/status", 404, "", "status 404: no such thing", -1},
	    {"/text", 500, "", "status 500: it is broken", -1},
	    {"/bytes", 502, "", "status 502", -1},
	    {"/patience", 429, "", "status 429: later", 7000},
	    {"/much-patience", 503, "", "status 503: {}", 60000},
	    {"/no-patience", 503, "", "status 503: {}", -1},
	    {"/redirect", 302, "", "status 302", -1},
	    {"/cut", 0, "hel", "transfer closed with 97 bytes remaining to read", -1},
	    {"/cut-chunks", 0, "he", "transfer closed with outstanding read data remaining", -1},
	    {"/no-answer", 0, "", "Empty reply from server", -1},
	    {"/nonsense", 0, "", "Received HTTP/0.9 when not allowed", -1},
	};
	struct fixture fixture;
	init(&fixture);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(call_done) struct call call = {0};
		struct kube_request request = get(rows[i].path, &call);
		fetch(&fixture, &request);
		ck_assert_int_eq(call.status, rows[i].status);
		ck_assert_str_eq(text_get(&call.body), rows[i].body);
		ck_assert_int_eq(call.retry_after_ms, rows[i].retry_after_ms);
		ck_assert_msg(text_has_prefix(text_get(&call.error), rows[i].error) &&
		                  (rows[i].status == 0 || strcmp(call.error.s, rows[i].error) == 0),
		              "%s: %s", rows[i].path, call.error.s);
		ck_assert_uint_eq(call.n_starts, rows[i].status == 200 || *rows[i].body);
		ck_assert_uint_eq(server_heard(&fixture.server), i + 1); /* nothing is asked for twice */
	}
	done(&fixture);
}
END_TEST

START_TEST(an_answer_may_be_kept_for_the_end)
{
	static const struct {
		const char *path, *kept;
	} rows[] = {
	    {"/hello", "hello"},
	    {"/empty", ""},
	    {"/status", "{\"kind\":\"Status\",\"message\":\"no such thing\",\"code\":404}"},
	    {"/cut", "hel"},
	};
	struct fixture fixture;
	init(&fixture);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(call_done) struct call call = {0};
		struct kube_request request = get(rows[i].path, &call);
		request.on_start = NULL;
		request.on_body = NULL;
		fetch(&fixture, &request);
		ck_assert_str_eq(text_get(&call.kept), rows[i].kept);
	}
	done(&fixture);
}
END_TEST

START_TEST(gzip_is_undone)
{
	CLEANUP(call_done) struct call call = {0};
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/gzip", &call);
	fetch(&fixture, &request);
	ck_assert_int_eq(call.status, 200);
	ck_assert_uint_eq(call.body.n, 5003);
	ck_assert_str_eq(call.body.s + 4998, "aaend");
	expect_heard(&fixture.server, "Accept-Encoding: gzip\r\n");
	done(&fixture);
}
END_TEST

START_TEST(a_large_body_is_kept_up_to_the_cap_and_passed_on_whole)
{
	CLEANUP(call_done) struct call passed = {0}, kept = {0};
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/large", &passed);
	fetch(&fixture, &request);
	ck_assert_int_eq(passed.status, 200);
	ck_assert_uint_eq(passed.body.n, LARGE);
	request = get("/large", &kept);
	request.on_body = NULL;
	fetch(&fixture, &request);
	ck_assert_int_eq(kept.status, 200);
	ck_assert_uint_eq(kept.kept.n, KUBE_HTTP_BODY_MAX);
	done(&fixture);
}
END_TEST

/* Both are cut between characters. */
START_TEST(of_a_large_error_the_beginning_is_quoted)
{
	static const char *const paths[] = {"/large-text", "/large-status"};
	struct fixture fixture;
	init(&fixture);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		CLEANUP(call_done) struct call call = {0};
		struct kube_request request = get(paths[i], &call);
		fetch(&fixture, &request);
		ck_assert_int_eq(call.status, 500);
		ck_assert_uint_le(call.error.n, strlen("status 500: ") + 300);
		ck_assert_uint_ge(call.error.n, strlen("status 500: ") + 299);
		ck_assert_uint_le(call.kept.n, KUBE_HTTP_BODY_MAX);
	}
	done(&fixture);
}
END_TEST

/* ---- requests ---- */

START_TEST(requests_say_what_they_should)
{
	CLEANUP(call_done) struct call call = {0};
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/hello", &call);
	request.method = "PATCH";
	request.content_type = "application/apply-patch+yaml";
	request.body = "{\"a\":1} and more";
	request.n_body = strlen("{\"a\":1}");
	fetch(&fixture, &request);
	ck_assert_int_eq(call.status, 200);
	expect_heard(&fixture.server, "PATCH /hello HTTP/1.1\r\n");
	expect_heard(&fixture.server, "Authorization: Bearer t\r\n");
	expect_heard(&fixture.server, "Content-Type: application/apply-patch+yaml\r\n");
	expect_heard(&fixture.server, "Content-Length: 7\r\n");
	expect_heard(&fixture.server, "Accept: application/json\r\n");
	expect_heard(&fixture.server, "User-Agent: weftd/" WEFT_VERSION "\r\n");
	expect_heard(&fixture.server, "\r\n\r\n{\"a\":1}");
	done(&fixture);
}
END_TEST

START_TEST(a_server_may_have_another_name)
{
	CLEANUP(call_done) struct call call = {0};
	struct fixture fixture;
	init(&fixture);
	fixture.config.tls_server_name = "kubernetes.test";
	struct kube_request request = get("/hello", &call);
	fetch(&fixture, &request);
	ck_assert_int_eq(call.status, 200);
	expect_heard(&fixture.server, "\r\nHost: kubernetes.test:");
	done(&fixture);
}
END_TEST

START_TEST(after_a_refusal_the_credentials_are_looked_at_again)
{
	CLEANUP(call_done) struct call refused = {0}, call = {0};
	struct config_dir dir;
	struct fixture fixture;
	char path[128];
	init(&fixture);
	config_dir_init(&dir);
	snprintf(path, sizeof path, "%s/token", dir.path);
	fixture.config.token_file = path;
	kube_http_free(fixture.http);
	kube_credentials_free(fixture.credentials);
	config_dir_write(&dir, "token", "one");
	begin(&fixture);
	struct kube_request request = get("/unauthorized", &refused);
	fetch(&fixture, &request);
	ck_assert_int_eq(refused.status, 401);
	expect_heard(&fixture.server, "Authorization: Bearer one\r\n");
	config_dir_write(&dir, "token", "two");
	request = get("/hello", &call);
	fetch(&fixture, &request);
	expect_heard(&fixture.server, "Authorization: Bearer two\r\n");
	done(&fixture);
	config_dir_done(&dir);
}
END_TEST

START_TEST(without_credentials_nothing_is_begun)
{
	CLEANUP(call_done) struct call call = {0};
	struct kube_http_stats stats;
	struct fixture fixture;
	init(&fixture);
	fixture.config.token = NULL;
	fixture.config.token_file = "/nonexistent/token";
	kube_http_free(fixture.http);
	kube_credentials_free(fixture.credentials);
	begin(&fixture);
	struct kube_request request = get("/hello", &call);
	ck_assert_ptr_null(kube_http_start(fixture.http, &request, &fixture.error));
	ck_assert_str_eq(fixture.error.message, "/nonexistent/token: No such file or directory");
	kube_http_poll(fixture.http, fixture.fd, 0);
	ck_assert_uint_eq(call.n_ends, 0);
	kube_http_stats(fixture.http, &stats);
	ck_assert_uint_eq(stats.requests, 0);
	done(&fixture);
}
END_TEST

START_TEST(so_many_calls_may_be_under_way)
{
	CLEANUP(call_done) struct call call = {0};
	struct fixture fixture;
	struct kube_call *last = NULL;
	init(&fixture);
	struct kube_request request = get("/silent", &call);
	for (int i = 0; i < KUBE_HTTP_CALLS_MAX; i++)
		last = start(&fixture, &request);
	ck_assert_ptr_null(kube_http_start(fixture.http, &request, &fixture.error));
	ck_assert_str_eq(fixture.error.message, "200 requests are under way already");
	kube_http_cancel(last);
	start(&fixture, &request);
	done(&fixture);
	ck_assert_uint_eq(call.n_ends, 0);
}
END_TEST

/* ---- ends ---- */

START_TEST(a_call_ends_when_its_body_is_of_no_use)
{
	CLEANUP(call_done) struct call call = {.refuse_at = 2}, next = {0};
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/begun", &call);
	fetch(&fixture, &request);
	ck_assert_int_eq(call.status, 0);
	ck_assert_str_eq(call.error.s, "what it sent is of no use");
	request = get("/hello", &next);
	fetch(&fixture, &request);
	ck_assert_int_eq(next.status, 200);
	done(&fixture);
}
END_TEST

START_TEST(a_cancelled_call_says_no_more)
{
	CLEANUP(call_done) struct call call = {0}, other = {0}, next = {0};
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/begun", &call);
	struct kube_call *cancelled = start(&fixture, &request);
	request = get("/begun", &other);
	start(&fixture, &request);
	POLL_UNTIL(&fixture, call.body.n == 3 && other.body.n == 3);
	kube_http_cancel(cancelled);
	request = get("/hello", &next);
	fetch(&fixture, &request);
	ck_assert_uint_eq(call.n_ends, 0);
	ck_assert_uint_eq(other.n_ends, 0); /* that one goes on */
	done(&fixture);
	ck_assert_uint_eq(other.n_ends, 0);
}
END_TEST

START_TEST(a_reset_ends_all_calls_and_connections)
{
	CLEANUP(call_done) struct call call = {0}, other = {0}, next = {0};
	struct kube_http_stats stats;
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/begun", &call);
	start(&fixture, &request);
	request = get("/silent", &other);
	start(&fixture, &request);
	POLL_UNTIL(&fixture, call.body.n == 3 && server_heard(&fixture.server) == 2);
	kube_http_reset(fixture.http, "the server is silent");
	ck_assert_uint_eq(call.n_ends, 1);
	ck_assert_uint_eq(other.n_ends, 1);
	ck_assert_int_eq(call.status, 0);
	ck_assert_str_eq(call.error.s, "the server is silent");
	ck_assert_str_eq(other.error.s, "the server is silent");
	kube_http_stats(fixture.http, &stats);
	ck_assert_uint_eq(stats.connections, 2);
	request = get("/hello", &next);
	fetch(&fixture, &request);
	ck_assert_int_eq(next.status, 200);
	kube_http_stats(fixture.http, &stats);
	ck_assert_uint_eq(stats.connections, 3);
	done(&fixture);
}
END_TEST

START_TEST(silence_ends_a_call)
{
	static const char *const paths[] = {"/silent", "/begun"};
	struct fixture fixture;
	init(&fixture);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		CLEANUP(call_done) struct call call = {0};
		struct kube_request request = get(paths[i], &call);
		request.silence_ms = 200;
		int64_t before_ns = clock_now_ns(clock_system());
		fetch(&fixture, &request);
		ck_assert_int_ge(clock_now_ns(clock_system()) - before_ns, 200 * CLOCK_MS);
		ck_assert_int_eq(call.status, 0);
		ck_assert_msg(text_has_prefix(call.error.s, "nothing heard for "), "%s", call.error.s);
	}
	done(&fixture);
}
END_TEST

START_TEST(a_call_has_so_much_time)
{
	CLEANUP(call_done) struct call call = {0};
	struct fixture fixture;
	init(&fixture);
	struct kube_request request = get("/begun", &call);
	request.timeout_ms = 200;
	fetch(&fixture, &request);
	ck_assert_int_eq(call.status, 0);
	ck_assert_msg(text_has_prefix(call.error.s, "Operation timed out after "), "%s", call.error.s);
	done(&fixture);
}
END_TEST

START_TEST(a_server_that_is_away_is_an_error)
{
	CLEANUP(call_done) struct call call = {0};
	struct fixture fixture;
	init(&fixture);
	server_stop(&fixture.server);
	struct kube_request request = get("/hello", &call);
	fetch(&fixture, &request);
	ck_assert_int_eq(call.status, 0);
	ck_assert_msg(text_has_prefix(call.error.s, "Failed to connect to 127.0.0.1 port "), "%s", call.error.s);
	server_start(&fixture.server, routes, sizeof routes / sizeof routes[0]);
	done(&fixture);
}
END_TEST

START_TEST(what_was_done_is_counted)
{
	CLEANUP(call_done) struct call first = {0}, second = {0}, third = {0};
	struct kube_http_stats stats;
	struct fixture fixture;
	init(&fixture);
	int64_t before_ns = clock_now_ns(clock_system());
	kube_http_stats(fixture.http, &stats);
	ck_assert_int_eq(stats.last_byte_ns, 0);
	struct kube_request request = get("/hello", &first);
	fetch(&fixture, &request);
	request = get("/hello", &second); /* on the same connection */
	fetch(&fixture, &request);
	request = get("/status", &third);
	fetch(&fixture, &request);
	kube_http_stats(fixture.http, &stats);
	ck_assert_uint_eq(stats.requests, 3);
	ck_assert_uint_eq(stats.failures, 1);
	ck_assert_uint_eq(stats.connections, 1);
	ck_assert_uint_gt(stats.bytes, 2 * strlen("hello"));
	ck_assert_int_ge(stats.last_byte_ns, before_ns);
	done(&fixture);
}
END_TEST

START_TEST(a_poll_ends_when_the_fd_is_readable)
{
	struct fixture fixture;
	init(&fixture);
	ck_assert_int_eq(eventfd_write(fixture.fd, 1), 0);
	int64_t before_ns = clock_now_ns(clock_system());
	kube_http_poll(fixture.http, fixture.fd, WAIT_MS);
	ck_assert_int_lt(clock_now_ns(clock_system()) - before_ns, WAIT_MS / 2 * CLOCK_MS);
	done(&fixture);
}
END_TEST

UNIT_MAIN("kube_http", answers_come_as_they_are, an_answer_may_be_kept_for_the_end, gzip_is_undone,
          a_large_body_is_kept_up_to_the_cap_and_passed_on_whole, of_a_large_error_the_beginning_is_quoted,
          requests_say_what_they_should, a_server_may_have_another_name,
          after_a_refusal_the_credentials_are_looked_at_again, without_credentials_nothing_is_begun,
          so_many_calls_may_be_under_way, a_call_ends_when_its_body_is_of_no_use, a_cancelled_call_says_no_more,
          a_reset_ends_all_calls_and_connections, silence_ends_a_call, a_call_has_so_much_time,
          a_server_that_is_away_is_an_error, what_was_done_is_counted, a_poll_ends_when_the_fd_is_readable)
