#pragma once
/*
 * A token's claims as the proxy's filter for tokens leaves them for access control: those that list words ("scope", and
 * what RequestAuthentications name) are lists of them.
 */
#include "base/json.h"
#include "proto/envoy.h"

/* claims: an object. By the settings for its issuer, or by all if it says none. */
const struct json *authz_claims(struct arena *arena, const struct json *claims, const envoy_jwt_authentication *filter);
