#pragma once
/*
 * What a certificate is meant to say, before there is one: sign.h makes it so, verify.h asks whether it is so.
 *
 * A workload's has one name, its SPIFFE ID; the control plane's own has the host names that proxies call it by. All
 * else is the same for everybody: no subject, usable by servers and clients, not for signing.
 *
 *     struct template meant = {.id = &caller};
 *     memcpy(meant.serial, random, sizeof meant.serial);
 *     if (!template_set_times(&meant, authority, asked_s, &policy, clock, &refusal)) …
 */
#include "ca/authority.h"
#include "ca/refusal.h"
#include "ca/spiffe_id.h"

#define TEMPLATE_TTL_DEFAULT_S INT64_C(86400)
#define TEMPLATE_TTL_MAX_S INT64_C(7776000) /* 90 days */
#define TEMPLATE_BACKDATE_S 120             /* for clocks that are behind */
#define TEMPLATE_SERIAL_SIZE 16             /* at least 64 random bits are asked for (CA/Browser Forum 7.1) */
#define TEMPLATE_DNS_MAX 64

struct template_lifetime {
	int64_t default_s, max_s;
};

struct template
{
	const struct spiffe_id *id; /* borrowed; NULL for none */
	const char *const *dns;     /* borrowed */
	size_t n_dns;
	int64_t not_before_s, not_after_s; /* since 1970 */
	unsigned char serial[TEMPLATE_SERIAL_SIZE];
};

/*
 * ttl_s: what is asked for; 0 or less is the default (as Istio takes it), above the maximum is refused. The certificate
 * begins a little back and ends ttl_s from now, but lies within what the authority's own way to the root is valid for.
 */
bool template_set_times(struct template *meant, const struct authority *authority, int64_t ttl_s,
                        const struct template_lifetime *policy, const struct clock *clock, struct refusal *refusal);
