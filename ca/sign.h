#pragma once
/*
 * A template becomes a certificate (RFC 5280; X509-SVID), written as DER. Nothing goes in but the template, the key,
 * and what is the same for everybody; so a request has no way to put anything there.
 *
 *     CLEANUP(text_done) struct text der = {0};
 *     if (!sign_certificate(authority, &meant, csr_key(csr), &der, &error)) …
 *
 * Whoever signs re-checks (verify.h) before the certificate leaves.
 */
#include "ca/public_key.h"
#include "ca/template.h"

/* der is empty before, and holds nothing of use when it fails. */
bool sign_certificate(const struct authority *authority, const struct template *meant, const struct public_key *key,
                      struct text *der, struct error *error);
