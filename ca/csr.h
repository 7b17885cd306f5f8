#pragma once
/*
 * A certificate signing request (PKCS #10, RFC 2986) as a caller sent it. Two questions are asked of it: is there a key
 * we take, and proof that the caller has it; and does it ask for anything that the caller will not get.
 *
 *     struct csr *csr = csr_parse(s, n, &refusal);
 *     if (csr && csr_check_identity(csr, &caller, &refusal)) … csr_key(csr) …
 *
 * Nothing but the key ever goes into a certificate: not the names, not the subject (Istio's agents leave it empty or
 * put an organisation there), not the extensions. So what is asked beyond the caller's own name is refused and not left
 * out in silence: the certificate would not do what the caller counts on.
 */
#include "ca/public_key.h"
#include "ca/spiffe_id.h"

#include <stdbool.h>
#include <stddef.h>

#define CSR_BYTES_MAX (64u << 10)

struct csr;

/* PEM of exactly one request, or DER. Checks the key (key_policy.h), then the signature, which must be by SHA-2. */
struct csr *csr_parse(const void *s, size_t n, struct refusal *refusal);
void csr_free(struct csr *csr); /* NULL is fine */
static inline void csr_freep(struct csr **csr)
{
	csr_free(*csr);
}

/* It asks for the caller's name or for none, for no other, and not to be an authority. */
bool csr_check_identity(const struct csr *csr, const struct spiffe_id *caller, struct refusal *refusal);
const struct public_key *csr_key(const struct csr *csr); /* borrowed */
