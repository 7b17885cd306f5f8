#pragma once
/*
 * Who a client certificate proves a caller to be: looked at anew for each call, against the roots trusted now. The
 * handshake looked once, when the connection began; since then the certificate may have ended, or its root may have
 * been taken away.
 *
 *     caller_certificate_check(&looker, signer, &visitor, &caller, &error)
 */
#include "rpc/transport.h"
#include "server/identity/signer.h"

/* What is kept between looks, by one thread: the roots in OpenSSL's form. Zeroed is empty. */
struct caller_roots {
	struct digest digest;
	X509_STORE *store;
};

void caller_roots_done(struct caller_roots *roots);

struct caller_policy {
	const struct signer *signer;
	const char *const *aliases; /* of the trust domain */
	size_t n_aliases;
};

/*
 * One URI, a SPIFFE ID of the mesh, in a certificate that is no authority's. A name of an alias's becomes one of the
 * trust domain's: it is the same workload.
 */
bool caller_certificate_check(struct caller_roots *roots, const struct caller_policy *policy,
                              const struct transport_visitor *visitor, struct spiffe_id *caller, struct error *error);
