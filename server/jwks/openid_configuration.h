#pragma once
/*
 * What an issuer says of itself (OpenID Connect Discovery 1.0, section 3): a JSON document with many members, of which
 * we need one, where its keys are.
 */
#include "base/arena.h"
#include "base/error.h"

#define OPENID_URL_MAX 2048

/* An http or https URL of at most OPENID_URL_MAX bytes, in the arena. NULL with what is wrong. */
const char *openid_configuration_jwks_uri(struct arena *arena, const char *s, size_t n, struct error *error);
