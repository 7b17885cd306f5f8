#pragma once
/*
 * The one place that builds TLS contexts. Everybody else names secrets, never their bytes: keys and roots reach Envoy
 * by SDS, from where `enum tls_origin` says.
 *
 *     server of the mesh      tls_socket_inbound(emit)
 *     client in the mesh      tls_socket_mesh(arena, &(struct tls_client){.sni = …})
 *     anything else           struct tls_parts → tls_common(arena, &parts) → into a context → tls_socket(arena,
 * context)
 *
 * Names, versions and cipher suites are Istio's. `istio-peer-exchange` is offered by nobody here: who negotiates it
 * sends a preamble that only Istio's own filter takes off again, and a stock Envoy would hand it to the application.
 * Servers go on recognising clients that offer it (the match of a filter chain), they just do not agree to it.
 */
#include "translator/envoy/emit_parts.h"

/* Who hands Envoy a secret. */
enum tls_origin {
	TLS_FROM_MESH, /* the agent beside it: the workload's own certificate and the mesh's roots; Envoy waits for them
	                */
	TLS_FROM_AGENT,  /* the agent, out of files: "file-cert:CERT~KEY", "file-root:PATH", "file-root:system" */
	TLS_FROM_SERVER, /* this server, over the one stream: "kubernetes://NAME" and the like */
};

struct tls_secret {
	enum tls_origin origin;
	const char *name; /* NULL: none */
};

/* What both sides of a connection have in common. All zero: Envoy's defaults, no certificate, nothing verified. */
struct tls_parts {
	const struct tls_secret *certificates; /* of this side */
	size_t n_certificates;
	struct tls_secret root;          /* what signs the other side's; none: it is not verified */
	const struct string_match *sans; /* one of them must be the other side's; none: any name will do. MATCH_EXACT
	                                    or MATCH_PREFIX. Only with a root */
	size_t n_sans;
	struct strings spki, hashes;  /* of certificates that the other side may have (base64, hex); none: any. */
	const char *crl_file;         /* NULL: none */
	struct strings alpn;          /* in order of preference */
	struct strings cipher_suites; /* of TLS 1.2; none: Envoy's */
	Envoy__Extensions__TransportSockets__Tls__V3__TlsParameters__TlsProtocol min, max; /* TLS_AUTO: Envoy's */
};

envoy_common_tls_context *tls_common(struct arena *arena, const struct tls_parts *parts);
envoy_sds_secret_config *tls_secret_config(struct arena *arena, struct tls_secret secret);

/* Contexts as transport sockets. */
envoy_transport_socket *tls_socket(struct arena *arena, const ProtobufCMessage *context);
envoy_transport_socket *tls_socket_plaintext(struct arena *arena);

/* The certificate of the workload, the mesh's roots, TLS 1.2 to 1.3; the rest is the caller's to add. */
struct tls_parts tls_parts_of_mesh(void);
/* A server that only takes clients of the mesh: certificates of its trust domain or one of its aliases. */
envoy_transport_socket *tls_socket_inbound(const struct emit *emit);
/* A client in the mesh. Names: the servers' identities, any of them; none: whoever the roots vouch for. */
struct tls_client {
	const char *sni;
	struct strings names;
	struct strings alpn;
};
envoy_transport_socket *tls_socket_mesh(struct arena *arena, const struct tls_client *client);
