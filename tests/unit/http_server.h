#pragma once
/*
 * An HTTP/1.1 server for tests of clients: one thread on loopback, an answer as it is for each path, also when it is
 * wrong, and what was asked for to look at.
 *
 *     server_start(&server, routes, n);  … http://127.0.0.1:server.port …  server_stop(&server);
 */
#include "base/text.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 300

enum after {
	KEEP,  /* the connection serves the next request */
	CLOSE, /* it is closed after the answer */
	HANG,  /* it stays silent from then on */
};

struct route {
	const char *path, *answer;
	size_t n; /* of the answer; 0: it is a string */
	enum after after;
	void (*print)(const char *path, struct text *out); /* instead of the answer; may be NULL */
};

struct connection {
	int fd;
	bool is_hanging;
	struct text in;
};

struct server {
	const struct route *routes;
	size_t n_routes;
	int fd, stop;
	unsigned port;
	pthread_t thread;
	struct connection connections[CONNECTIONS_MAX];
	size_t n;
	pthread_mutex_t lock;
	struct text heard; /* all requests, as they came */
	unsigned n_heard;
};

static enum after answer(const struct server *server, const char *path, struct text *out)
{
	for (size_t i = 0; i < server->n_routes; i++) {
		const struct route *route = &server->routes[i];
		if (strcmp(route->path, path) != 0)
			continue;
		if (route->print)
			route->print(path, out);
		else
			text_add_n(out, route->answer, route->n ? route->n : strlen(route->answer));
		return route->after;
	}
	return CLOSE;
}

/* The length of the first request in what has come; 0: it is not whole. */
static size_t whole_request(struct text *in)
{
	const char *s = text_get(in), *end = strstr(s, "\r\n\r\n");
	if (!end)
		return 0;
	const char *length = strcasestr(s, "\r\ncontent-length: ");
	size_t n_body = length && length < end ? (size_t)atoi(length + strlen("\r\ncontent-length: ")) : 0;
	size_t n = (size_t)(end + 4 - s) + n_body;
	return n <= in->n ? n : 0;
}

/* Piece by piece, so that it may come in pieces. */
static void say(int fd, const struct text *out)
{
	size_t step = out->n < 1000 ? 7 : 4096;
	for (size_t at = 0; at < out->n; at += step)
		if (send(fd, out->s + at, at + step < out->n ? step : out->n - at, MSG_NOSIGNAL) < 0)
			return;
}

/* False: the connection is to be closed. */
static bool serve(struct server *server, struct connection *connection)
{
	char bytes[4096];
	ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
	if (got <= 0)
		return false;
	text_add_n(&connection->in, bytes, (size_t)got);
	size_t n = whole_request(&connection->in);
	if (n == 0 || connection->is_hanging)
		return true;
	CLEANUP(text_done) struct text out = {0};
	char path[64] = "";
	sscanf(connection->in.s, "%*s %63s", path);
	enum after after = answer(server, path, &out);
	pthread_mutex_lock(&server->lock);
	text_add_n(&server->heard, connection->in.s, n);
	server->n_heard++;
	pthread_mutex_unlock(&server->lock);
	connection->in.n = 0;
	connection->is_hanging = after == HANG;
	say(connection->fd, &out);
	return after != CLOSE;
}

static void drop(struct server *server, size_t i)
{
	close(server->connections[i].fd);
	text_done(&server->connections[i].in);
	server->connections[i] = server->connections[--server->n];
}

static void *server_run(void *context)
{
	struct server *server = context;
	for (;;) {
		struct pollfd fds[CONNECTIONS_MAX + 2] = {{.fd = server->stop, .events = POLLIN},
		                                          {.fd = server->fd, .events = POLLIN}};
		size_t n = server->n;
		for (size_t i = 0; i < n; i++)
			fds[i + 2] = (struct pollfd){.fd = server->connections[i].fd, .events = POLLIN};
		poll(fds, n + 2, -1);
		if (fds[0].revents)
			return NULL;
		for (size_t i = n; i-- > 0;)
			if (fds[i + 2].revents && !serve(server, &server->connections[i]))
				drop(server, i);
		if (fds[1].revents && server->n < CONNECTIONS_MAX)
			server->connections[server->n++] =
			    (struct connection){.fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)};
	}
}

static void server_start(struct server *server, const struct route *routes, size_t n_routes)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof address;
	*server = (struct server){.routes = routes,
	                          .n_routes = n_routes,
	                          .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	                          .stop = eventfd(0, EFD_CLOEXEC)};
	pthread_mutex_init(&server->lock, NULL);
	ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, n), 0);
	ck_assert_int_eq(listen(server->fd, CONNECTIONS_MAX), 0);
	ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&address, &n), 0);
	server->port = ntohs(address.sin_port);
	ck_assert_int_eq(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_stop(struct server *server)
{
	ck_assert_int_eq(eventfd_write(server->stop, 1), 0);
	pthread_join(server->thread, NULL);
	while (server->n)
		drop(server, 0);
	close(server->fd);
	close(server->stop);
	text_done(&server->heard);
	pthread_mutex_destroy(&server->lock);
}

/* How many requests. */
__attribute__((unused)) static unsigned server_heard(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	unsigned n = server->n_heard;
	pthread_mutex_unlock(&server->lock);
	return n;
}

/* Some request had this in it. */
__attribute__((unused)) static void expect_heard(struct server *server, const char *want)
{
	pthread_mutex_lock(&server->lock);
	ck_assert_msg(strstr(text_get(&server->heard), want) != NULL, "%s", text_get(&server->heard));
	pthread_mutex_unlock(&server->lock);
}
