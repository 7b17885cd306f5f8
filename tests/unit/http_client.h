#pragma once
/*
 * Raw HTTP over loopback for tests: what is sent is sent as it is, also when it is wrong. Waits end with a failed test
 * after HTTP_WAIT_MS, never in success.
 */
#include "base/text.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_WAIT_MS 20000

__attribute__((unused)) static int http_dial(unsigned port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

__attribute__((unused)) static void http_say(int fd, const char *s)
{
	ck_assert_int_eq(send(fd, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

/* Everything until the server says that it is done. */
__attribute__((unused)) static void http_hear(int fd, struct text *out)
{
	char buffer[65536];
	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ck_assert_int_eq(poll(&ready, 1, HTTP_WAIT_MS), 1);
		ssize_t n = recv(fd, buffer, sizeof buffer, 0);
		if (n <= 0)
			return;
		text_add_n(out, buffer, (size_t)n);
	}
}

__attribute__((unused)) static const char *http_body(const struct text *answer)
{
	const char *end = strstr(text_get(answer), "\r\n\r\n");
	return end ? end + 4 : "(no answer)";
}

/* The whole answer to GET target. */
__attribute__((unused)) static void http_get(unsigned port, const char *target, struct text *answer)
{
	struct text request = {0};
	int fd = http_dial(port);
	text_printf(&request, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", target);
	http_say(fd, request.s);
	http_hear(fd, answer);
	close(fd);
	text_done(&request);
}
