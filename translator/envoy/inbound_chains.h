#pragma once
/*
 * Which filter chains an inbound port gets, by what it speaks and by what its workload takes of mutual TLS. Envoy takes
 * the chain whose match is the narrowest: the inspectors (inspectors.h) say whether the first bytes are TLS, which ALPN
 * the client offers, and whether plaintext is HTTP.
 */
#include "translator/model.h"

struct chain_kind {
	bool is_http;
	bool is_tls;         /* takes TLS, else plaintext */
	bool is_mtls;        /* and ends it here, else it is the application's */
	struct strings alpn; /* of the match; none: any */
};

#define CHAIN_KINDS_MAX 5

struct chain_kinds {
	const struct chain_kind *v[CHAIN_KINDS_MAX];
	size_t n;
};

/* All that clients of the mesh offer, whatever they speak. */
extern const struct strings alpn_of_mesh;

/* The mode is not MTLS_UNSET. */
const struct chain_kinds *inbound_chain_kinds(enum mtls_mode mode, enum transport transport);
/* Whether the HTTP inspector must look for the match. */
bool chain_kind_is_sniffed(const struct chain_kind *kind);
