#include "http/http.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/option.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct connection {
	struct http_server *server;
	struct connection *next, **link; /* in server->connections */
	struct bufferevent *stream;
	struct event *life; /* fires when the connection has lived long enough */
	bool is_answered;
	bool is_peer_done; /* it will send no more, but may still read */
};

struct http_server {
	struct http_options options;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *stop, *accept_retry;
	int stop_fd;
	pthread_t thread;
	unsigned port;
	struct connection *connections;
	unsigned n_connections;
};

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *status_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "";
}

static struct timeval timeval_ms(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static void *event_need(void *made)
{
	if (!made)
		abort(); /* libevent makes things but when out of memory */
	return made;
}

/* ---- answers ---- */

static void body_free(const void *data, size_t n, void *body)
{
	(void)data, (void)n;
	free(body);
}

/* The body moves out of the response. */
static void connection_answer(struct connection *connection, struct http_response *response)
{
	struct evbuffer *out = bufferevent_get_output(connection->stream);
	unsigned status = response->status ? response->status : 200;
	const char *type = response->content_type ? response->content_type : "text/plain; charset=utf-8";

	struct timeval idle = timeval_ms(connection->server->options.idle_ms);

	connection->is_answered = true;
	bufferevent_set_timeouts(connection->stream, NULL, &idle); /* who is being sent to need not send */
	evbuffer_add_printf(out,
	                    "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n"
	                    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n",
	                    status, status_reason(status), type, response->body.n,
	                    status == 405 ? "Allow: GET\r\n" : "");
	if (response->body.n &&
	    !evbuffer_add_reference(out, response->body.s, response->body.n, body_free, response->body.s))
		response->body = (struct text){0};
}

static void connection_refuse(struct connection *connection, unsigned status, const char *why)
{
	struct http_response response = {.status = status};

	text_printf(&response.body, "%s\n", why);
	connection_answer(connection, &response);
	text_done(&response.body);
}

/* ---- requests ---- */

/* The line at *at without its end, cut off in place; *at moves behind it. */
static char *take_line(char **at)
{
	char *line = strsep(at, "\n");
	size_t n = line ? strlen(line) : 0;

	if (n && line[n - 1] == '\r')
		line[n - 1] = '\0';
	return line;
}

static bool has_host(char *headers)
{
	for (char *line; (line = take_line(&headers)) && *line;) {
		if (!strncasecmp(line, "Host:", 5))
			return true;
	}
	return false;
}

/* "/path?query", or "http://host/path?query" as proxies send it, to the path that is meant. */
static char *target_path(char *target)
{
	if (!strncasecmp(target, "http://", 7))
		target = strchr(target + 7, '/');
	return target && *target == '/' ? target : NULL;
}

static void connection_handle(struct connection *connection, char *target, bool is_post)
{
	const struct http_options *options = &connection->server->options;
	char *query = target, *path = strsep(&query, "?");
	struct http_response response = {0};
	size_t n;
	char *decoded = event_need(evhttp_uridecode(path, 0, &n));

	if (strlen(decoded) == n) {
		struct http_request request = {.is_post = is_post, .path = decoded, .query = query ? query : ""};
		options->handle(options->context, &request, &response);
		connection_answer(connection, &response);
		text_done(&response.body);
	} else {
		connection_refuse(connection, 400, "the path holds a NUL");
	}
	free(decoded);
}

static void connection_request(struct connection *connection, char *headers)
{
	char *line = take_line(&headers);
	char *method = strsep(&line, " "), *target = strsep(&line, " ");
	const char *version = line;
	bool may_post = connection->server->options.has_post;

	if (!target || !version || strncmp(version, "HTTP/", 5) != 0) {
		connection_refuse(connection, 400, "not an HTTP request");
	} else if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) {
		connection_refuse(connection, 505, "HTTP/1.1 or HTTP/1.0, please");
	} else if (strcmp(method, "GET") != 0 && (!may_post || strcmp(method, "POST") != 0)) {
		connection_refuse(connection, 405,
		                  may_post ? "GET and POST are the methods here" : "GET is the only method here");
	} else if (!strcmp(version, "HTTP/1.1") && !has_host(headers)) {
		connection_refuse(connection, 400, "a Host header is needed");
	} else {
		char *path = target_path(target);
		if (path)
			connection_handle(connection, path, !strcmp(method, "POST"));
		else
			connection_refuse(connection, 400, "the target must begin with /");
	}
}

/* ---- connections ---- */

static void server_admit(struct http_server *server);

static void connection_free(struct connection *connection)
{
	struct http_server *server = connection->server;

	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	bufferevent_free(connection->stream);
	event_free(connection->life);
	free(connection);
	server->n_connections--;
	server_admit(server);
}

/* The header's end, or -1. */
static ssize_t header_size(struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos >= 0)
		return end.pos + 4;
	end = evbuffer_search(in, "\n\n", 2, NULL);
	return end.pos < 0 ? -1 : end.pos + 2;
}

static void on_read(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t n = evbuffer_get_length(in);

	if (connection->is_answered) { /* what comes after the request is not for us */
		evbuffer_drain(in, n);
		return;
	}
	ssize_t size = header_size(in);
	if (size > HTTP_REQUEST_BYTES_MAX || (size < 0 && n >= HTTP_REQUEST_BYTES_MAX)) {
		connection_refuse(connection, 431, "the request is too large");
	} else if (size >= 0) {
		char *headers = heap_alloc((size_t)size + 1);
		evbuffer_remove(in, headers, (size_t)size);
		headers[size] = '\0';
		if (memchr(headers, '\0', (size_t)size))
			connection_refuse(connection, 400, "the request holds a NUL");
		else
			connection_request(connection, headers);
		free(headers);
	}
	if (connection->is_answered)
		evbuffer_drain(in, evbuffer_get_length(in));
}

/*
 * All is sent. Closing at once could reset the connection over bytes that we did not read, and take the answer with it:
 * so we say that we are done, and close when the peer does.
 */
static void on_written(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct timeval idle = timeval_ms(connection->server->options.idle_ms);

	if (!connection->is_answered)
		return;
	if (connection->is_peer_done) {
		connection_free(connection);
		return;
	}
	shutdown(bufferevent_getfd(stream), SHUT_WR);
	bufferevent_set_timeouts(stream, &idle, NULL);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
	struct connection *connection = context;
	bool is_writing = connection->is_answered && evbuffer_get_length(bufferevent_get_output(stream));

	if (what & BEV_EVENT_EOF && is_writing) {
		connection->is_peer_done = true;
		bufferevent_disable(stream, EV_READ);
		return;
	}
	connection_free(connection);
}

static void on_life_over(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	connection_free(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int n, void *context)
{
	struct http_server *server = context;
	struct connection *connection = HEAP_NEW(struct connection);
	struct timeval idle = timeval_ms(server->options.idle_ms), life = timeval_ms(server->options.life_ms);

	(void)listener, (void)peer, (void)n;
	connection->server = server;
	connection->stream = event_need(bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE));
	connection->life = event_need(event_new(server->base, -1, 0, on_life_over, connection));
	connection->next = server->connections;
	connection->link = &server->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	server->connections = connection;
	server->n_connections++;
	server_admit(server);
	event_add(connection->life, &life);
	bufferevent_setcb(connection->stream, on_read, on_written, on_end, connection);
	bufferevent_setwatermark(connection->stream, EV_READ, 0, HTTP_REQUEST_BYTES_MAX);
	bufferevent_set_timeouts(connection->stream, &idle, &idle);
	bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

/* ---- the server ---- */

/* Listens while there is room and accept(2) works. */
static void server_admit(struct http_server *server)
{
	bool is_full = server->n_connections >= server->options.connections_max;
	if (is_full || event_pending(server->accept_retry, EV_TIMEOUT, NULL))
		evconnlistener_disable(server->listener);
	else
		evconnlistener_enable(server->listener);
}

static void on_accept_failed(struct evconnlistener *listener, void *context)
{
	struct http_server *server = context;
	struct timeval retry = timeval_ms(HTTP_ACCEPT_RETRY_MS);

	(void)listener;
	log_warn("admin", "accepting a connection: %s; retrying in %d ms", strerror(errno), HTTP_ACCEPT_RETRY_MS);
	event_add(server->accept_retry, &retry);
	server_admit(server);
}

static void on_accept_retry(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	server_admit(context);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
	struct http_server *server = context;
	(void)fd, (void)what;
	event_base_loopbreak(server->base);
}

static void *server_run(void *context)
{
	struct http_server *server = context;
	event_base_dispatch(server->base);
	return NULL;
}

/* A listening socket, or -1. */
static int address_listen(const char *address, struct error *error)
{
	char host[OPTION_HOST_MAX], service[8];
	uint16_t port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
	int one = 1;

	if (!option_parse_address(address, host, &port, error))
		return -1;
	snprintf(service, sizeof service, "%u", port);
	int failure = getaddrinfo(host, service, &hints, &found);
	if (failure) {
		error_set(error, "%s: %s", address, gai_strerror(failure));
		return -1;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* TCP_NODELAY is handed down to accepted sockets. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) || bind(fd, found->ai_addr, found->ai_addrlen) ||
	    listen(fd, SOMAXCONN)) {
		error_set_errno(error, errno, "listening on %s", address);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static bool is_listened_on(const struct sockaddr_un *address)
{
	union {
		const struct sockaddr_un *un;
		const struct sockaddr *any;
	} to = {.un = address};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_live = fd >= 0 && connect(fd, to.any, sizeof *address) == 0;
	if (fd >= 0)
		close(fd);
	return is_live;
}

/* As address_listen. The mode is the socket's before it has a name. */
static int path_listen(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	union {
		const struct sockaddr_un *un;
		const struct sockaddr *any;
	} to = {.un = &address};

	if (strlen(path) >= sizeof address.sun_path) {
		error_set(error, "%s: the path of a socket has at most %zu bytes", path, sizeof address.sun_path - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (is_listened_on(&address)) {
		error_set(error, "%s: somebody listens there already", path);
		return -1;
	}
	struct stat status;
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(path); /* of one that is dead */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || fchmod(fd, 0600) || bind(fd, to.any, sizeof address) || listen(fd, SOMAXCONN)) {
		error_set_errno(error, errno, "listening on %s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static unsigned socket_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} address = {.ipv6 = {0}};
	socklen_t n = sizeof address;

	if (getsockname(fd, &address.any, &n))
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port : address.ipv4.sin_port);
}

struct http_server *http_server_new(const struct http_options *options, struct error *error)
{
	int fd =
	    options->socket_path ? path_listen(options->socket_path, error) : address_listen(options->address, error);
	if (fd < 0)
		return NULL;
	struct http_server *server = HEAP_NEW(struct http_server);
	server->options = *options;
	if (!options->connections_max)
		server->options.connections_max = HTTP_CONNECTIONS_MAX;
	if (!options->idle_ms)
		server->options.idle_ms = HTTP_IDLE_MS;
	if (!options->life_ms)
		server->options.life_ms = HTTP_LIFE_MS;
	server->port = options->socket_path ? 0 : socket_port(fd);
	server->base = event_need(event_base_new());
	server->listener = event_need(
	    evconnlistener_new(server->base, on_accept, server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd));
	evconnlistener_set_error_cb(server->listener, on_accept_failed);
	server->accept_retry = event_need(event_new(server->base, -1, 0, on_accept_retry, server));
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->stop = event_need(event_new(server->base, server->stop_fd, EV_READ, on_stop, server));
	event_add(server->stop, NULL);
	if (server->stop_fd < 0 || pthread_create(&server->thread, NULL, server_run, server))
		abort();
	return server;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	if (eventfd_write(server->stop_fd, 1))
		abort();
	pthread_join(server->thread, NULL);
	while (server->connections)
		connection_free(server->connections);
	event_free(server->stop);
	event_free(server->accept_retry);
	evconnlistener_free(server->listener);
	event_base_free(server->base);
	close(server->stop_fd);
	free(server);
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

const char *http_query_get(struct arena *arena, const char *query, const char *name)
{
	struct evkeyvalq pairs;
	const char *value = NULL;

	if (evhttp_parse_query_str(query, &pairs))
		return NULL;
	const char *found = evhttp_find_header(&pairs, name);
	if (found)
		value = arena_strdup(arena, found);
	evhttp_clear_headers(&pairs);
	return value;
}
