#pragma once
/*
 * What proxies refused. Envoy says in words what it does not like; the words are kept, and the resources they name are
 * found in them, so that only those are held back and the others keep flowing.
 */
#include "base/text.h"
#include "translator/resource.h"

#define NACK_MESSAGE_MAX 4096 /* bytes of Envoy's words that are kept */

/* One refused response. */
struct nack {
	const char *resource; /* the first one that is named, "" when none is */
	const char *message;
	char version[DIGEST_HEX]; /* of that resource; of the response when none is named */
};

/* A copy; the message is cut at NACK_MESSAGE_MAX. */
struct nack *nack_new(const char *resource, const char *version, const char *message);
void nack_free(struct nack *nack);

/* Whether the message names this resource, as a word of its own and not as a part of a longer name or number. */
bool nack_names(const char *message, const char *resource);
