#pragma once
/*
 * Signatures as they stand under requests and certificates: ECDSA and RSA (PKCS #1, version 1.5) with SHA-256, SHA-384
 * or SHA-512 (RFC 5758, RFC 4055). No others are made or believed.
 */
#include "ca/der.h"

#include <openssl/types.h>

struct signature_algorithm {
	const char *key_type; /* "EC", "RSA" */
	const EVP_MD *(*digest)(void);
	struct der id;         /* an OBJECT IDENTIFIER's value */
	struct der identifier; /* a whole AlgorithmIdentifier */
};

/* By an OBJECT IDENTIFIER's value; NULL: none that is taken. */
const struct signature_algorithm *signature_algorithm_find(struct der id);
/* The one that a key signs with, which has passed key_policy.h. */
const struct signature_algorithm *signature_algorithm_of(const EVP_PKEY *key);

/* Whether that key made it over the message. */
bool signature_check(const struct signature_algorithm *algorithm, EVP_PKEY *key, struct der message,
                     struct der signature);
