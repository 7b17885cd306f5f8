#pragma once
/*
 * What Envoy is given under a name (envoy.extensions.transport_sockets.tls.v3.Secret), as bytes that are ready to be
 * sent: counted, immutable, any thread. Its version is the digest of its content; of a certificate with its key the
 * digest of the certificate, so that nothing is said of the key. The bytes are overwritten when they go.
 */
#include "base/digest.h"

#include <stddef.h>
#include <stdint.h>

#define SECRET_TYPE_URL "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
#define SECRET_CERTIFICATE "default" /* the workload's own certificate and key, by Istio's names */
#define SECRET_ROOTS "ROOTCA"        /* whom the mesh trusts */

struct secret {
	struct digest digest;
	uint8_t *data; /* the message */
	size_t n;
	_Atomic unsigned refs; /* private */
};

/* PEM each: the certificate with what lies between it and its root; its key. */
struct secret *secret_certificate(const char *name, const char *chain, const char *key);
struct secret *secret_roots(const char *name, const char *roots);
struct secret *secret_ref(struct secret *secret);
void secret_unref(struct secret *secret); /* NULL is fine */
static inline void secret_unrefp(struct secret **secret)
{
	secret_unref(*secret);
}
