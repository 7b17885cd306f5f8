#pragma once
/*
 * The last look at a certificate before it leaves: the bytes that would leave are read anew and held against what was
 * meant, field by field, and nothing may be there that was not meant; then whether it leads to a root, for servers and
 * for clients. It shares no code with sign.h but the template: a mistake there must not excuse itself here.
 *
 *     if (!verify_certificate(der, n, &expected, &refusal)) …     "…: names: …"; REFUSAL_RECHECK; keep the bytes to
 * yourself
 *
 * Most authorities limit nobody (authority_is_unlimited): what they signed leads where they themselves lead, as long as
 * they have signed it, are named in it and are valid as long as it is. With others OpenSSL builds the chain each time.
 */
#include "ca/public_key.h"
#include "ca/template.h"

struct verify_expected {
	const struct template *meant;
	const struct public_key *key; /* of the request */
	const struct authority *authority;
};

bool verify_certificate(const unsigned char *der, size_t n, const struct verify_expected *expected,
                        struct refusal *refusal);
