#include "http/http.h"

#include "http_client.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BIG_BYTES (6u << 20)

/* The page: what was asked, or many bytes. */
static void echo(void *context, const struct http_request *request, struct http_response *response)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *x = http_query_get(arena, request->query, "x");
	(void)context;
	if (!strcmp(request->path, "/big")) {
		for (unsigned i = 0; i < BIG_BYTES / 16; i++)
			text_add(&response->body, "0123456789abcdef");
		return;
	}
	if (!strcmp(request->path, "/missing"))
		response->status = 404;
	text_printf(&response->body, "%s x=%s", request->path, x ? x : "(none)");
}

static struct http_server *server_make(struct http_options options)
{
	struct error error;
	options.address = "127.0.0.1:0";
	options.handle = echo;
	struct http_server *server = http_server_new(&options, &error);
	ck_assert_msg(server != NULL, "%s", error.message);
	return server;
}

static int dial(const struct http_server *server)
{
	return http_dial(http_server_port(server));
}

#define HOST "Host: x\r\n"

static const struct {
	const char *name, *request, *status, *body;
} exchanges[] = {
    {"get", "GET /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK", "/a x=(none)"},
    {"query", "GET /a?y=1&x=2%20z HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK", "/a x=2 z"},
    {"tilde id", "GET /a?x=sidecar~10.0.0.1~a.b~b.svc HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK",
     "/a x=sidecar~10.0.0.1~a.b~b.svc"},
    {"encoded path", "GET /%61 HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK", "/a x=(none)"},
    {"1.0 without host", "GET /a HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "/a x=(none)"},
    {"bare newlines", "GET /a HTTP/1.0\n\n", "HTTP/1.1 200 OK", "/a x=(none)"},
    {"absolute", "GET http://h/a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK", "/a x=(none)"},
    {"host in another case", "GET /a HTTP/1.1\r\nA: b\r\nhOST: x\r\n\r\n", "HTTP/1.1 200 OK", "/a x=(none)"},
    {"status", "GET /missing HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found", "/missing x=(none)"},
    {"no host", "GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request", "a Host header is needed\n"},
    {"host in the body", "GET /a HTTP/1.1\r\n\r\nHost: x", "HTTP/1.1 400 Bad Request", "a Host header is needed\n"},
    {"post", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 405 Method Not Allowed",
     "GET is the only method here\n"},
    {"head", "HEAD /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 405 Method Not Allowed", "GET is the only method here\n"},
    {"made up", "BREW /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 405 Method Not Allowed", "GET is the only method here\n"},
    {"http/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported",
     "HTTP/1.1 or HTTP/1.0, please\n"},
    {"no version", "GET /a\r\n\r\n", "HTTP/1.1 400 Bad Request", "not an HTTP request\n"},
    {"garbage", "\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 Bad Request", "not an HTTP request\n"},
    {"blank", "\r\n\r\n", "HTTP/1.1 400 Bad Request", "not an HTTP request\n"},
    {"relative", "GET a HTTP/1.0\r\n\r\n", "HTTP/1.1 400 Bad Request", "the target must begin with /\n"},
    {"no path", "GET http://h HTTP/1.0\r\n\r\n", "HTTP/1.1 400 Bad Request", "the target must begin with /\n"},
    {"encoded NUL", "GET /a%00b HTTP/1.0\r\n\r\n", "HTTP/1.1 400 Bad Request", "the path holds a NUL\n"},
    {"bad query", "GET /a?=%&x HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "/a x=(none)"},
};

START_TEST(exchange)
{
	struct http_server *server = server_make((struct http_options){0});
	for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
		struct text answer = {0};
		int fd = dial(server);
		http_say(fd, exchanges[i].request);
		http_hear(fd, &answer);
		ck_assert_msg(text_has_prefix(text_get(&answer), exchanges[i].status), "%s: %s", exchanges[i].name,
		              text_get(&answer));
		ck_assert_msg(!strcmp(http_body(&answer), exchanges[i].body), "%s: %s", exchanges[i].name,
		              text_get(&answer));
		close(fd);
		text_done(&answer);
	}
	http_server_free(server);
}
END_TEST

START_TEST(answer_has_headers)
{
	struct http_server *server = server_make((struct http_options){0});
	struct text answer = {0};
	int fd = dial(server);
	http_say(fd, "PUT /a HTTP/1.0\r\n\r\n");
	http_hear(fd, &answer);
	ck_assert_str_eq(answer.s,
	                 "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n"
	                 "Content-Length: 28\r\nAllow: GET\r\nConnection: close\r\nCache-Control: no-store\r\n"
	                 "X-Content-Type-Options: nosniff\r\n\r\nGET is the only method here\n");
	close(fd);
	text_done(&answer);
	http_server_free(server);
}
END_TEST

START_TEST(bytes_may_drip)
{
	struct http_server *server = server_make((struct http_options){0});
	const char *request = "GET /drip HTTP/1.1\r\nHost: x\r\n\r\n";
	struct text answer = {0};
	int fd = dial(server);
	for (const char *c = request; *c; c++)
		http_say(fd, (char[]){*c, '\0'});
	http_hear(fd, &answer);
	ck_assert_str_eq(http_body(&answer), "/drip x=(none)");
	close(fd);
	text_done(&answer);
	http_server_free(server);
}
END_TEST

START_TEST(big_answer_arrives_whole)
{
	struct http_server *server = server_make((struct http_options){0});
	struct text answer = {0};
	int fd = dial(server);
	http_say(fd, "GET /big HTTP/1.0\r\n\r\n");
	shutdown(fd, SHUT_WR); /* a peer that is done with sending still gets its answer */
	http_hear(fd, &answer);
	ck_assert_uint_eq(strlen(http_body(&answer)), BIG_BYTES);
	close(fd);
	text_done(&answer);
	http_server_free(server);
}
END_TEST

START_TEST(request_size_is_capped)
{
	struct http_server *server = server_make((struct http_options){0});
	struct text request = {0}, answer = {0};
	int fd = dial(server);
	text_add(&request, "GET /a HTTP/1.1\r\nHost: x\r\nLong: ");
	while (request.n < HTTP_REQUEST_BYTES_MAX * 4)
		text_add(&request, "0123456789abcdef");
	http_say(fd, request.s);
	http_hear(fd, &answer);
	ck_assert_msg(text_has_prefix(text_get(&answer), "HTTP/1.1 431 "), "%s", text_get(&answer));
	close(fd);
	text_done(&request);
	text_done(&answer);
	http_server_free(server);
}
END_TEST

static bool has_answer(int fd, int wait_ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	return poll(&ready, 1, wait_ms) == 1;
}

START_TEST(connections_are_capped)
{
	struct http_server *server = server_make((struct http_options){.connections_max = 2});
	struct text answer = {0};
	int idle[2] = {dial(server), dial(server)}, third = dial(server);
	/* The first one is answered, so all three have reached the server's thread or its queue. */
	http_say(third, "GET /third HTTP/1.0\r\n\r\n");
	ck_assert(!has_answer(third, 100)); /* waits for a place */
	close(idle[0]);
	http_hear(third, &answer);
	ck_assert_str_eq(http_body(&answer), "/third x=(none)");
	close(third);
	close(idle[1]);
	text_done(&answer);
	http_server_free(server);
}
END_TEST

START_TEST(silent_peer_is_closed)
{
	struct http_server *server = server_make((struct http_options){.idle_ms = 50});
	struct text answer = {0};
	int fd = dial(server);
	http_say(fd, "GET / HT");
	http_hear(fd, &answer);
	ck_assert_uint_eq(answer.n, 0);
	close(fd);
	http_server_free(server);
}
END_TEST

START_TEST(connection_life_is_bounded)
{
	struct http_server *server = server_make((struct http_options){.life_ms = 50});
	struct text answer = {0};
	int fd = dial(server);
	http_hear(fd, &answer); /* idle is still allowed for long; the end comes from the life */
	ck_assert_uint_eq(answer.n, 0);
	close(fd);
	http_server_free(server);
}
END_TEST

START_TEST(address_in_use)
{
	struct http_server *server = server_make((struct http_options){0});
	char address[32];
	struct error error;
	snprintf(address, sizeof address, "127.0.0.1:%u", http_server_port(server));
	ck_assert_ptr_null(http_server_new(&(struct http_options){.address = address, .handle = echo}, &error));
	ck_assert_msg(strstr(error.message, "Address already in use") != NULL, "%s", error.message);
	http_server_free(server);
}
END_TEST

START_TEST(stops_with_open_connections)
{
	struct http_server *server = server_make((struct http_options){0});
	int fd = dial(server);
	struct text answer = {0};
	http_say(fd, "GET /big HTTP/1.0\r\n\r\n"); /* never read */
	http_server_free(server);
	close(fd);
	text_done(&answer);
}
END_TEST

/* Over a Unix socket, for its owner alone; one of a dead server is replaced, one of a live one is not. */
START_TEST(a_socket_takes_posts)
{
	char path[] = "/tmp/weft-http-XXXXXX";
	struct http_options options = {.socket_path = path, .has_post = true, .handle = echo};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	struct error error;
	CLEANUP(text_done) struct text out = {0};

	close(mkstemp(path));
	unlink(path);
	struct http_server *server = http_server_new(&options, &error);
	ck_assert_msg(server != NULL, "%s", error.message);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_ptr_null(http_server_new(&options, &error));
	ck_assert(strstr(error.message, "somebody listens there already") != NULL);
	memcpy(address.sun_path, path, sizeof path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	http_say(fd, "POST /a?x=1 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	http_hear(fd, &out);
	ck_assert(strstr(text_get(&out), "/a x=1") != NULL);
	close(fd);
	http_server_free(server);
	server = http_server_new(&options, &error); /* its file is still there */
	ck_assert_msg(server != NULL, "%s", error.message);
	http_server_free(server);
	unlink(path);
}
END_TEST

UNIT_MAIN("http", exchange, answer_has_headers, bytes_may_drip, big_answer_arrives_whole, request_size_is_capped,
          connections_are_capped, silent_peer_is_closed, connection_life_is_bounded, address_in_use,
          stops_with_open_connections, a_socket_takes_posts)
