#pragma once
/*
 * The last look at a certificate before it leaves: the bytes that would leave are read anew and held against what was
 * meant, field by field, and nothing may be there that was not meant. It shares no code with sign.h but the template: a
 * mistake there must not excuse itself here.
 *
 *     if (!verify_certificate(der, n, &expected, &refusal)) …     "…: names: …"; REFUSAL_RECHECK; keep the bytes to
 * yourself
 */
#include "ca/template.h"

struct verify_expected {
	const struct template *meant;
	EVP_PKEY *key; /* the public key of the request */
	const struct authority *authority;
};

bool verify_certificate(const unsigned char *der, size_t n, const struct verify_expected *expected,
                        struct refusal *refusal);
