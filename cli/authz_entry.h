#pragma once
/*
 * Where a request comes into a proxy: the listener and the filter chain that take it, and what is then seen of it.
 *
 * A sidecar ends the mesh's TLS, if the caller has an identity. At a gateway it is the server that decides: whether
 * there is TLS, for which server name, and whether clients show a certificate; nobody else has a name there. What it
 * passes on as it is, is a connection, whatever is in it.
 */
#include "cli/authz_proxy.h"
#include "cli/authz_request.h"

struct authz_entry {
	const envoy_listener *listener;   /* NULL: none */
	const envoy_filter_chain *chain;  /* NULL: none takes it, and */
	const char *refusal;              /* why: "port 80 takes no plaintext with HTTP" */
	const struct authz_request *seen; /* the request as the chain sees it */
	const char *note;                 /* what is not seen of the request as it was given; NULL */
};

struct authz_entry authz_enter(struct arena *arena, const struct authz_proxy *proxy,
                               const struct authz_request *request);

/* authz_entry_gateway.c */
struct authz_entry authz_enter_gateway(struct arena *arena, const struct authz_proxy *proxy,
                                       const struct authz_request *request);
/* The chain's filter of that name; NULL: it has none. */
const envoy_filter *authz_chain_filter(const envoy_filter_chain *chain, const char *name);
