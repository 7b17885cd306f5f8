#pragma once
/*
 * Signatures of JSON Web Tokens (RFC 7518, section 3): which algorithms there are, which key goes with which, and
 * whether one is good.
 */
#include "base/text.h"
#include "token/jwt.h"

#define JWT_ALGORITHMS "RS256, RS384, RS512, PS256, ES256, ES384"

const struct jwt_algorithm *jwt_algorithm_find(const char *name); /* or NULL */
/* By kind and curve of the key, and by what it says that it is for. */
bool jwt_algorithm_fits(const struct jwt_algorithm *algorithm, const struct jwks_key *key);
bool jwt_signature_is_good(const struct jwt *jwt, EVP_PKEY *key);
/* A signature with ES256 by a P-256 key over s, as it stands in a token: in base64url. */
void jwt_signature_print_es256(EVP_PKEY *key, const char *s, size_t n, struct text *out);
