#pragma once
/*
 * OpenSSL's complaints as words. It keeps them in a queue of the thread, where the next caller (gRPC's TLS, say) would
 * trip over them: so whoever calls OpenSSL ends with one of these, in success too where a failure on the way was
 * expected.
 *
 *     if (!X509_sign(cert, key, digest))
 *         return crypto_error_set(error, "signing");      "signing: bad signature"; the queue is empty; returns false
 *     crypto_error_clear();
 */
#include "base/error.h"
#include "base/heap.h"

/* format, then ": " and the first thing OpenSSL complained about, if it did. Returns false. */
__attribute__((format(printf, 2, 3))) bool crypto_error_set(struct error *error, const char *format, ...);
void crypto_error_clear(void);
/* For what can fail only for want of memory. */
static inline void crypto_must(bool is_done)
{
	if (!is_done)
		heap_fail(0);
}
