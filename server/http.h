#pragma once
/*
 * A small HTTP/1.1 server: GET, and POST where it is asked for, one request a connection, on one thread (libevent), on
 * a TCP port or on a Unix socket that is its owner's alone.
 *
 * Not evhttp: that of libevent 2.1 has no cap on connections. Here everything that a client controls has one:
 * connections (further ones wait in the kernel until one closes), the size of a request (431), time without a byte, and
 * the whole life of a connection, so that nobody who drips bytes keeps a place. Other methods are 405; a request's body
 * is never read.
 *
 *     struct http_options options = {.address = "127.0.0.1:0", .handle = pages};
 *     struct http_server *server = http_server_new(&options, &error);
 *
 * The handler runs on the server's thread, one request at a time.
 */
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_CONNECTIONS_MAX 32
#define HTTP_REQUEST_BYTES_MAX (8u << 10) /* request line and headers */
#define HTTP_IDLE_MS 10000
#define HTTP_LIFE_MS 60000
#define HTTP_ACCEPT_RETRY_MS 1000 /* after accept(2) failed, such as for want of descriptors */

struct http_request {
	bool is_post;      /* else GET */
	const char *path;  /* decoded: "/debug/report" */
	const char *query; /* as sent, without "?"; "" */
};

/* Zero is "200, text/plain, empty". */
struct http_response {
	unsigned status;
	const char *content_type; /* a constant */
	struct text body;
};

struct http_options {
	const char *address; /* as options_parse_address takes it */
	const char
	    *socket_path; /* instead: a Unix socket, mode 0600; one that nobody listens on any more is replaced */
	bool has_post;
	void (*handle)(void *context, const struct http_request *request, struct http_response *response);
	void *context;
	/* 0: the constants above; tests set them. */
	unsigned connections_max;
	int64_t idle_ms, life_ms;
};

struct http_server;

/* Binds and starts its thread; fails when the address is taken. */
struct http_server *http_server_new(const struct http_options *options, struct error *error);
void http_server_free(struct http_server *server);           /* closes all, joins; NULL is fine */
unsigned http_server_port(const struct http_server *server); /* 0 of a socket */

/* The decoded value of a query's parameter, in the arena, or NULL. */
const char *http_query_get(struct arena *arena, const char *query, const char *name);
