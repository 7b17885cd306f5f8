#pragma once
/*
 * What weft reads of a Secret: certificates and keys under the names that Kubernetes and Istio give them. Everything
 * else in it is nobody's business here and is dropped when it is decoded, so that it is neither kept nor in any digest.
 *
 *     struct secret_parts parts;
 *     secret_read((const k8s_secret *)object->message, &parts);
 *
 * No function here says anything of a private key but whether it fits.
 */
#include "proto/kubernetes.h"

#include <stddef.h>

#define SECRET_PART_BYTES_MAX (256u << 10) /* of one certificate chain, key or bundle */

enum secret_part {
	SECRET_CERTIFICATE, /* tls.crt, cert */
	SECRET_KEY,         /* tls.key, key */
	SECRET_CA,          /* ca.crt, cacert: whom to believe */
	SECRET_CRL,         /* ca.crl, crl */
	SECRET_PART_COUNT,
};

struct secret_value {
	const char *name; /* under which it stands: "tls.crt"; NULL: it is not there */
	const char *s;    /* not ended by a NUL */
	size_t n;
};

struct secret_parts {
	struct secret_value v[SECRET_PART_COUNT]; /* empty ones count as not there */
};

void secret_read(const k8s_secret *secret, struct secret_parts *parts); /* borrowed from it */
/* Moves stringData into data, as an API server does, and drops what is not read. */
void secret_narrow(struct arena *arena, k8s_secret *secret);
