#include "server/xds/nack.h"

#include "base/heap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nack *nack_new(const char *resource, const char *version, const char *message)
{
	size_t resource_size = strlen(resource) + 1, message_n = strnlen(message, NACK_MESSAGE_MAX);
	struct nack *nack = heap_alloc(sizeof *nack + resource_size + message_n + 1);

	/* not in the middle of a character */
	while (message_n && message[message_n] && (message[message_n] & 0xc0) == 0x80)
		message_n--;
	char *at = (char *)(nack + 1);
	nack->resource = memcpy(at, resource, resource_size);
	at += resource_size;
	nack->message = memcpy(at, message, message_n);
	at[message_n] = '\0';
	snprintf(nack->version, sizeof nack->version, "%s", version);
	return nack;
}

void nack_free(struct nack *nack)
{
	free(nack);
}

/* What resource names are made of. */
static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._-|*/:~", c));
}

/* A full stop or a colon after a name ends it, unless the name goes on behind. */
static bool is_end(const char *after)
{
	if (*after == '.' || *after == ':')
		after++;
	return !is_name_char(*after);
}

static bool is_start(const char *message, const char *at)
{
	return at == message || !is_name_char(at[-1]);
}

/* "80" is a route table and may be any number: it counts only where Envoy says a name. */
static bool is_number(const char *name)
{
	return name[strspn(name, "0123456789")] == '\0';
}

static bool is_introduced(const char *message, const char *at)
{
	static const char *const before[] = {"(s) ", "route ", "route configuration ", "route config ", "RDS ", "name ",
	                                     "'",    "\""};

	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
		size_t n = strlen(before[i]);
		if ((size_t)(at - message) >= n && memcmp(at - n, before[i], n) == 0)
			return true;
	}
	return false;
}

bool nack_names(const char *message, const char *resource)
{
	size_t n = strlen(resource);

	if (!n)
		return false;
	for (const char *at = message; (at = strstr(at, resource)); at++) {
		if (is_start(message, at) && is_end(at + n) && (!is_number(resource) || is_introduced(message, at)))
			return true;
	}
	return false;
}
