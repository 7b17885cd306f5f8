#pragma once
/*
 * What an issuer says of itself (OpenID Connect Discovery 1.0, section 3): a JSON document with many members, of which
 * we need one, where its keys are, and look at another, who it is.
 */
#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define OPENID_URL_MAX 2048

struct openid_configuration {
	const char *jwks_uri; /* an http or https URL of at most OPENID_URL_MAX bytes */
	const char *issuer;   /* as its tokens name it; NULL: the document does not say, or not in so many bytes */
};

/* In the arena. False with what is wrong. */
bool openid_configuration_read(struct arena *arena, const char *s, size_t n, struct openid_configuration *out,
                               struct error *error);
