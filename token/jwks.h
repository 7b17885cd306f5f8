#pragma once
/*
 * A set of public keys that sign tokens (RFC 7517): RSA and EC (P-256, P-384, P-521). Keys of other kinds, for other
 * uses, or too small are passed over, as the standard asks; a key that says it is one of ours and is broken makes the
 * set bad. Never changes; many threads may use it.
 *
 *     struct jwks *jwks = jwks_read(s, n, &error);
 */
#include "base/arena.h"
#include "base/error.h"

#include <openssl/types.h>
#include <stddef.h>

#define JWKS_BYTES_MAX (256u << 10)
#define JWKS_KEYS_MAX 64 /* a token without a key id is tried with all */
#define JWKS_RSA_BITS_MIN 2048
#define JWKS_RSA_BITS_MAX 8192 /* what verifying costs grows with it */

struct json;
struct jwks;

struct jwks_key {
	const char *kid; /* NULL: it has none */
	const char *alg; /* the one algorithm that it is for; NULL: whatever fits */
	EVP_PKEY *key;
};

struct jwks *jwks_read(const char *s, size_t n, struct error *error);
/* One key: takes a reference; kid is copied. */
struct jwks *jwks_of(EVP_PKEY *key, const char *kid);
void jwks_free(struct jwks *jwks); /* NULL is fine */
static inline void jwks_freep(struct jwks **jwks)
{
	jwks_free(*jwks);
}
/* A key that says it is not for verifying. */
bool jwks_key_is_for_others(const struct json *key);
const struct jwks_key *jwks_keys(const struct jwks *jwks, size_t *n);
