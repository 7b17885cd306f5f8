#pragma once
/*
 * What Envoy is given under a name (envoy.extensions.transport_sockets.tls.v3.Secret), as bytes that are ready to be
 * sent: counted, immutable, any thread. Its version is the digest of its content; of a certificate with its key the
 * digest of the certificate, so that nothing is said of the key. The bytes are overwritten when they go.
 */
#include "base/digest.h"

#include <stddef.h>
#include <stdint.h>

#define SDS_TYPE_URL "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
#define SDS_CERTIFICATE "default" /* the workload's own certificate and key, by Istio's names */
#define SDS_ROOTS "ROOTCA"        /* whom the mesh trusts */

struct sds_secret {
	struct digest digest;
	uint8_t *data; /* the message */
	size_t n;
	_Atomic unsigned refs; /* private */
};

/* PEM each: the certificate with what lies between it and its root; its key. */
struct sds_secret *sds_secret_certificate(const char *name, const char *chain, const char *key);
struct sds_secret *sds_secret_roots(const char *name, const char *roots);
struct sds_secret *sds_secret_ref(struct sds_secret *secret);
void sds_secret_unref(struct sds_secret *secret); /* NULL is fine */
static inline void sds_secret_unrefp(struct sds_secret **secret)
{
	sds_secret_unref(*secret);
}
