#pragma once
/*
 * The key that a certificate is for: as the bytes that stand in it (SubjectPublicKeyInfo, RFC 5280, 4.1), and ready to
 * check signatures with. One that exists has passed key_policy.h, and its point is on its curve. Never changes.
 *
 * OpenSSL's own decoder takes longer for a key than a signature takes to make and to check (it tries what it knows one
 * by one, and sets up a curve each time). So the keys that nearly everybody has, P-256 and P-384, are known by how they
 * begin, and are put into a copy of a key that has its curve already. All others are decoded.
 */
#include "ca/der.h"
#include "ca/key_policy.h"

struct public_key;

/* info: a SubjectPublicKeyInfo and nothing behind it. */
struct public_key *public_key_read(struct der info, enum key_use use, struct refusal *refusal);
struct public_key *public_key_of(EVP_PKEY *evp, enum key_use use, struct refusal *refusal);
void public_key_free(struct public_key *key); /* NULL is fine */
static inline void public_key_freep(struct public_key **key)
{
	public_key_free(*key);
}

/* All borrowed. The info is in the one encoding that DER has, whatever was read. */
EVP_PKEY *public_key_evp(const struct public_key *key);
struct der public_key_info(const struct public_key *key);
struct der public_key_bits(const struct public_key *key); /* of it: what is in the BIT STRING */
