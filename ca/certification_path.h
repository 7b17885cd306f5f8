#pragma once
/*
 * Whether a certificate leads to a trusted root (RFC 5280, section 6), and by which way. A root need not be
 * self-signed: what an administrator trusts, proxies trust.
 */
#include "ca/bundle.h"

/* The roots, for OpenSSL; X509_STORE_free frees. */
X509_STORE *certification_path_store(const struct bundle *roots);
/*
 * given: certificates to choose the way from; may be NULL. purpose: X509_PURPOSE_…, or 0 for any. *path (when wanted)
 * is the way with both of its ends, the caller's to free.
 */
bool certification_path_find(X509_STORE *store, STACK_OF(X509) * given, X509 *certificate, int64_t at_s, int purpose,
                             STACK_OF(X509) * *path, struct error *error);
/* Whether all of a way that was found, from its certificate to its root, may be used for that purpose as well. */
bool certification_path_fits(STACK_OF(X509) * path, int purpose, struct error *error);
/*
 * Whether no certificate of a way that was found, from a signer to its root, limits what the signer signs that is no
 * authority itself. What is not known is a limit.
 */
bool certification_path_is_unlimited(const STACK_OF(X509) * path);
