#include "server/jwks/jwks_fetch.h"

#include "tests/unit/http_server.h"
#include "tests/unit/unit.h"

#define WAIT_MS 20000
#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define TO(url) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " url "\r\n\r\n"

static unsigned other_port;

static void print_to_other(const char *path, struct text *out)
{
	if (strncmp(path, "/discover", 9) == 0)
		text_printf(out, OK("{\"jwks_uri\":\"http://127.0.0.1:%u/keys\"}"), other_port);
	else
		text_printf(out, TO("http://127.0.0.1:%u/keys"), other_port);
}

static void print_large(const char *path, struct text *out)
{
	text_add(out, OK(""));
	size_t n = JWKS_FETCH_BYTES_MAX + (strcmp(path, "/too-large") == 0);
	for (size_t i = 0; i < n; i++)
		text_add_char(out, 'a');
}

static const struct route routes[] = {
    {"/keys", OK("the keys"), 0, CLOSE, NULL},
    {"/here", TO("/keys"), 0, KEEP, NULL},
    {"/again", TO("/again"), 0, KEEP, NULL},
    {"/file", TO("file:///etc/hostname"), 0, KEEP, NULL},
    {"/nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", 0, KEEP, NULL},
    {"/gone", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 0, KEEP, NULL},
    {"/silent", "", 0, HANG, NULL},
    {"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 0, CLOSE, NULL},
    {"/no-document", OK("<html>"), 0, CLOSE, NULL},
    {.path = "/large", .print = print_large, .after = CLOSE},
    {.path = "/too-large", .print = print_large, .after = CLOSE},
    {.path = "/other", .print = print_to_other, .after = KEEP},
    {.path = "/discover-other", .print = print_to_other, .after = CLOSE},
};

struct got {
	bool is_there;
	struct text body, error, url;
};

static void on_end(void *context, const struct jwks_answer *answer)
{
	struct got *got = context;
	ck_assert(!got->is_there && !answer->body == (answer->error != NULL));
	got->is_there = true;
	text_add(&got->url, answer->url);
	if (answer->body)
		text_add_n(&got->body, answer->body, answer->n);
	else
		text_add(&got->error, answer->error);
}

static struct got fetch(const struct server *server, const char *path, bool is_discovery, bool is_private_allowed)
{
	CLEANUP(text_done) struct text url = {0};
	struct got got = {0};
	int wake = eventfd(0, EFD_CLOEXEC);
	struct jwks_fetcher *fetcher =
	    jwks_fetcher_new(&(struct jwks_fetcher_options){.is_private_allowed = is_private_allowed});
	text_printf(&url, "http://127.0.0.1:%u%s", server->port, path);
	const struct key_source source = {
	    .url = url.s, .is_discovery = is_discovery, .timeout_ms = strcmp(path, "/silent") == 0 ? 100 : WAIT_MS};
	ck_assert(jwks_fetcher_start(fetcher, &source, on_end, &got));
	while (!got.is_there)
		jwks_fetcher_poll(fetcher, wake, WAIT_MS);
	jwks_fetcher_free(fetcher);
	close(wake);
	return got;
}

static void got_done(struct got *got)
{
	text_done(&got->body);
	text_done(&got->error);
	text_done(&got->url);
}

START_TEST(answers)
{
	static const struct row {
		const char *path;
		bool is_discovery, is_private_allowed;
		const char *body, *error;
	} rows[] = {
	    {"/keys", false, false, "the keys", NULL},
	    {"/here", false, false, "the keys", NULL}, /* the same host and port as written */
	    {"/other", false, false, NULL, "no public address"},
	    {"/other", false, true, "the keys", NULL},
	    {"/discover-other", true, false, NULL, "no public address"},
	    {"/discover-other", true, true, "the keys", NULL},
	    {"/again", false, false, NULL, "more than 3 redirects"},
	    {"/file", false, true, NULL, "no http URL"},
	    {"/nowhere", false, false, NULL, "without a location"},
	    {"/gone", false, false, NULL, "status 404"},
	    {"/silent", false, false, NULL, "timed out"},
	    {"/cut", false, false, NULL, "transfer closed"},
	    {"/no-document", true, false, NULL, "the OpenID configuration"},
	    {"/too-large", false, false, NULL, "more than 1048576 bytes"},
	};
	struct server server, other;
	server_start(&server, routes, sizeof routes / sizeof routes[0]);
	server_start(&other, routes, sizeof routes / sizeof routes[0]);
	other_port = other.port;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct got got = fetch(&server, row->path, row->is_discovery, row->is_private_allowed);
		ck_assert_msg(row->body ? strcmp(text_get(&got.body), row->body) == 0
		                        : strstr(text_get(&got.error), row->error) != NULL,
		              "%s: %s%s", row->path, text_get(&got.body), text_get(&got.error));
		got_done(&got);
	}
	ck_assert_uint_eq(server_heard(&other), 2); /* what was refused was not even asked */
	server_stop(&server);
	server_stop(&other);
}
END_TEST

START_TEST(as_much_as_may_be)
{
	struct server server;
	server_start(&server, routes, sizeof routes / sizeof routes[0]);
	struct got got = fetch(&server, "/large", false, false);
	ck_assert_uint_eq(got.body.n, JWKS_FETCH_BYTES_MAX);
	got_done(&got);
	server_stop(&server);
}
END_TEST

START_TEST(nobody_there_and_no_url)
{
	struct server server;
	server_start(&server, NULL, 0);
	unsigned port = server.port;
	server_stop(&server);
	server.port = port;
	struct got got = fetch(&server, "/keys", false, false);
	ck_assert_msg(strstr(text_get(&got.error), "connect") != NULL, "%s", text_get(&got.error));
	got_done(&got);
	got = fetch(&server, "0/keys", false, false); /* a port that is none */
	ck_assert_msg(strstr(text_get(&got.url), "0/keys") != NULL && got.error.n > 0, "%s", text_get(&got.error));
	got_done(&got);
}
END_TEST

START_TEST(what_is_under_way_ends_without_a_word)
{
	struct server server;
	struct got got = {0};
	server_start(&server, routes, sizeof routes / sizeof routes[0]);
	CLEANUP(text_done) struct text url = {0};
	text_printf(&url, "http://127.0.0.1:%u/silent", server.port);
	const struct key_source source = {.url = url.s, .timeout_ms = WAIT_MS};
	struct jwks_fetcher *fetcher = jwks_fetcher_new(&(struct jwks_fetcher_options){.ca_file = NULL});
	for (size_t i = 0; i < JWKS_FETCHES_MAX; i++)
		ck_assert(jwks_fetcher_start(fetcher, &source, on_end, &got));
	ck_assert(!jwks_fetcher_start(fetcher, &source, on_end, &got));
	jwks_fetcher_free(fetcher);
	ck_assert(!got.is_there);
	server_stop(&server);
}
END_TEST

UNIT_MAIN("jwks_fetch", answers, as_much_as_may_be, nobody_there_and_no_url, what_is_under_way_ends_without_a_word)
