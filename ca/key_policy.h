#pragma once
/*
 * Which public keys are taken. One table for everybody: what workloads ask certificates for, and what an authority
 * signs with (which may be larger: its keys are few, live long, and come from elsewhere).
 *
 * EC keys are named curves with uncompressed points, because Envoy's BoringSSL and Go's crypto/x509 read no others;
 * Ed25519 is not taken, because Envoy does not present such certificates.
 */
#include "ca/refusal.h"

#include <openssl/types.h>
#include <stdbool.h>

#define KEY_RSA_BITS_MIN 2048
#define KEY_RSA_BITS_MAX 4096           /* of a workload: it signs with each handshake */
#define KEY_RSA_BITS_MAX_AUTHORITY 8192 /* what verifying costs grows with it */

enum key_use { KEY_USE_WORKLOAD, KEY_USE_AUTHORITY };

/* As it stands in a request or certificate. */
bool key_policy_check(X509_PUBKEY *key, enum key_use use, struct refusal *refusal);
/* The digest to sign with, as strong as the key; the key has passed. */
const EVP_MD *key_policy_digest(const EVP_PKEY *key);
