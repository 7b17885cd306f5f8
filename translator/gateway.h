#pragma once
/*
 * Gateways and the secrets that they name: a part of the model (model.h), with its rules for digests and sorting.
 */
#include "base/digest.h"
#include "translator/model_terms.h"

/* ---- secrets ---- */

/* Bytes of a file, mostly PEM; none: n is 0. */
struct blob {
	const char *s;
	size_t n;
};

/*
 * Certificates and keys that proxies are handed, where something names them. The parts fit together
 * (crds/check_secret.c); those that are missing are none. The key goes into a resource and nowhere else: no row, log or
 * page shows it.
 */
struct secret {
	const char *name, *namespace;
	struct blob certificate, key; /* a chain, leaf first, and the leaf's private key */
	struct blob ca, crl;          /* whom to believe */
	struct digest digest;
};

/* ---- gateways ---- */

struct gateway_host {
	const char *namespace; /* whose routes may attach: "*" any */
	const char *host;      /* "*.example.com", "*" */
};

enum gateway_tls_mode {
	GATEWAY_TLS_NONE,            /* plaintext */
	GATEWAY_TLS_PASSTHROUGH,     /* to where the name in the handshake leads, as it is */
	GATEWAY_TLS_SIMPLE,          /* terminated; clients need no certificate, */
	GATEWAY_TLS_OPTIONAL_MUTUAL, /* may have one, which then must be good, */
	GATEWAY_TLS_MUTUAL,          /* must have one, */
	GATEWAY_TLS_MESH,            /* must have one of the mesh, and are shown one of the mesh */
	GATEWAY_TLS_AUTO_PASSTHROUGH,
};

enum tls_version { TLS_VERSION_DEFAULT, TLS_VERSION_1_0, TLS_VERSION_1_1, TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* Where a certificate with its key is, or whom to believe: in a secret of the proxy's namespace, or in files beside it.
 */
struct credential {
	const char *secret;          /* its name; NULL: files */
	const char *namespace;       /* as it was written, for it may be no other than the proxy's; NULL: not */
	const char *file, *key_file; /* NULL: none */
};

#define GATEWAY_CERTIFICATES_MAX 2 /* one of each kind of key */

struct gateway_tls {
	enum gateway_tls_mode mode;
	struct credential certificates[GATEWAY_CERTIFICATES_MAX];
	size_t n_certificates;
	struct credential ca;  /* of the clients; none: see mode */
	const char *crl_file;  /* NULL */
	struct strings names;  /* one of them must be the client's; none: any */
	struct strings hashes; /* of clients' certificates, SHA-256 in hexadecimal; none: any */
	struct strings spki;   /* of their keys, SHA-256 in base64; none: any */
	enum tls_version min_version, max_version;
	struct strings cipher_suites; /* none: the proxy's */
};

struct gateway_server {
	uint32_t place; /* among the Gateway's, as it was written */
	uint32_t port;
	const char *port_name;
	enum protocol protocol;
	const char *bind; /* NULL: the wildcard address */
	const struct gateway_host *hosts;
	size_t n_hosts;
	bool is_https_redirect;
	struct gateway_tls tls;
};

/* TLS ends at the gateway. */
bool gateway_tls_is_terminated(enum gateway_tls_mode mode);

struct gateway {
	const char *name, *namespace;
	struct labels selector; /* of the gateway proxies; empty: all of them */
	const struct gateway_server *servers;
	size_t n_servers;
	int64_t created_s;
	struct source_ref source;
	struct digest digest;
};
