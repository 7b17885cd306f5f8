#pragma once
/*
 * A certificate signing request as a workload makes it: no subject, the one name that it expects to get, signed by its
 * key (RFC 2986). csr.h is the other side.
 */
#include "base/text.h"
#include "ca/spiffe_id.h"

#include <openssl/types.h>

/* PEM is added to out. */
bool csr_build(EVP_PKEY *key, const struct spiffe_id *id, struct text *out, struct error *error);
