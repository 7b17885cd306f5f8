#pragma once
/*
 * What a TLS listener shows and whom it trusts: replaced at any time, by any thread, and taken up by the next
 * handshake; connections that stand go on.
 *
 *     struct grpc_tls *tls = grpc_tls_new();
 *     struct grpc_listener listeners[] = {{"127.0.0.1:15012", tls}};       see grpc_transport.h
 *     grpc_tls_set(tls, &(struct grpc_tls_material){chain, key, roots}, &error);
 *
 * Before the first set a certificate is shown that nobody trusts, so that handshakes fail at the client, and it comes
 * again. TLS 1.2 or newer. A client's certificate is asked for but need not be there; one that is there must lead to
 * the trusted roots.
 */
#include "base/error.h"

#include <stddef.h>

struct grpc_tls;

struct grpc_tls_material {
	const char *chain; /* PEM: the certificate, then what lies between it and its root */
	const char *key;   /* PEM */
	const char *roots; /* PEM: who signs clients' certificates */
};

struct grpc_tls *grpc_tls_new(void);
void grpc_tls_free(struct grpc_tls *tls); /* after the transports that use it; NULL is fine */
/* All is copied. On failure (it cannot be read, the key is another's) what was there stays. */
bool grpc_tls_set(struct grpc_tls *tls, const struct grpc_tls_material *material, struct error *error);
