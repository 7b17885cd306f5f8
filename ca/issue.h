#pragma once
/*
 * From a request to the certificates that answer it: the one way by which a certificate leaves.
 *
 *     request ─▶ csr (key, possession) ─▶ identity ─▶ template ─▶ sign ─▶ verify ─▶ chain
 *
 *     const struct issuer issuer = {authority, trusted, {TEMPLATE_TTL_DEFAULT_S, TEMPLATE_TTL_MAX_S}, clock};
 *     struct workload_request request = {.csr = s, .csr_n = n, .caller = &who_has_proved_to_be_it, .ttl_s = asked};
 *     issue_draw_serial(request.serial);
 *     if (!issue_workload(arena, &issuer, &request, &issued, &refusal)) …
 */
#include "ca/csr.h"
#include "ca/template.h"

struct issuer {
	const struct authority *authority;
	const struct bundle *trusted; /* what callers are told to trust: the authority's roots, or more */
	struct template_lifetime lifetime;
	const struct clock *clock;
};

struct workload_request {
	const void *csr;
	size_t csr_n;
	const struct spiffe_id *caller; /* who has proved to be it */
	int64_t ttl_s;                  /* as asked for; 0 is the default */
	unsigned char serial[TEMPLATE_SERIAL_SIZE];
};

/* For the control plane itself, with a key that it made. */
struct server_request {
	EVP_PKEY *key;
	const char *const *dns; /* host names as proxies call it */
	size_t n_dns;
	int64_t ttl_s;
	unsigned char serial[TEMPLATE_SERIAL_SIZE];
};

struct issued {
	const char *
	    *chain; /* PEM: the certificate, what lies between it and the root one by one, then all trusted roots */
	size_t n;
	int64_t not_before_s, not_after_s;
};

/* On failure *issued is left alone. */
bool issue_workload(struct arena *arena, const struct issuer *issuer, const struct workload_request *request,
                    struct issued *issued, struct refusal *refusal);
bool issue_server(struct arena *arena, const struct issuer *issuer, const struct server_request *request,
                  struct issued *issued, struct refusal *refusal);
/* From the system's randomness, without which there is no going on: aborts. */
void issue_draw_serial(unsigned char serial[TEMPLATE_SERIAL_SIZE]);
