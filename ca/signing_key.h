#pragma once
/*
 * An authority's key, ready to sign and to check what it signed: what OpenSSL must look up for that is looked up once.
 * Never changes; may be used by many threads.
 *
 *     struct signing_key *key = signing_key_new(private, public);
 *     signing_key_sign(key, (struct der){out.s, out.n}, &signature, &error);
 */
#include "base/error.h"
#include "ca/signature.h"

struct signing_key;

/*
 * The public one is the certificate's, so that what was signed is checked with what everybody else will check it with.
 * Both have passed key_policy.h; both are counted.
 */
struct signing_key *signing_key_new(EVP_PKEY *private_key, EVP_PKEY *public_key);
void signing_key_free(struct signing_key *key); /* NULL is fine */

const struct signature_algorithm *signing_key_algorithm(const struct signing_key *key);
/* The signature is added to out. */
bool signing_key_sign(const struct signing_key *key, struct der message, struct text *out, struct error *error);
bool signing_key_check(const struct signing_key *key, struct der message, struct der signature);
