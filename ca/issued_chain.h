#pragma once
/*
 * What a certificate service answered, as the workload that asked sees it: its certificate, what lies between that and
 * a root, and the roots to trust. One that exists is good: the certificate is in its time, holds the key that was asked
 * for and the one name that was expected, and leads to one of the roots, both as a server's and as a client's.
 *
 *     const struct issued_chain_expected expected = {key, &id, clock};
 *     struct issued_chain *chain = issued_chain_read(parts, n, &expected, &error);
 *
 * parts are as Istio's certificate service sends them (istio.v1.auth, cert_chain): the certificate first, what lies
 * between behind it, and all roots in the last.
 */
#include "base/clock.h"
#include "ca/bundle.h"
#include "ca/spiffe_id.h"

#define ISSUED_CHAIN_PARTS_MAX 16
#define ISSUED_CHAIN_BYTES_MAX (1u << 20)

struct issued_chain;

struct issued_chain_expected {
	EVP_PKEY *key;
	const struct spiffe_id *id;
	const struct clock *clock;
};

struct issued_chain *issued_chain_read(const char *const *parts, size_t n, const struct issued_chain_expected *expected,
                                       struct error *error);
void issued_chain_free(struct issued_chain *chain); /* NULL is fine */
static inline void issued_chain_freep(struct issued_chain **chain)
{
	issued_chain_free(*chain);
}

const struct bundle *issued_chain_roots(const struct issued_chain *chain);
/* PEM: the certificate, then what lies between. */
void issued_chain_print(const struct issued_chain *chain, struct text *out);
/* Of the certificate: first and last second. */
void issued_chain_times(const struct issued_chain *chain, int64_t *begin_s, int64_t *end_s);
