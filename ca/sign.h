#pragma once
/*
 * A template becomes a certificate (RFC 5280; X509-SVID). Nothing goes in but the template, the key, and what is the
 * same for everybody; so a request has no way to put anything there.
 *
 *     X509 *certificate = sign_certificate(authority, &meant, csr_key(csr), &error);
 *
 * Whoever signs re-checks (verify.h) before the certificate leaves.
 */
#include "ca/template.h"

/* X509_free frees. key: the public one to certify. */
X509 *sign_certificate(const struct authority *authority, const struct template *meant, EVP_PKEY *key,
                       struct error *error);
