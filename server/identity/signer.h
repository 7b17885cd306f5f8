#pragma once
/*
 * What certificates are signed with, and who is trusted, at one moment: a counted value that is replaced and never
 * changed. Whoever keeps the authority (its folder, its Secret, a rotation of the root) puts a new one in; whoever
 * issues or verifies takes the present one and lets go of it when done, on whatever thread.
 *
 *     struct signer *signer = signer_cell_get(cell);      NULL: there is no authority yet
 *     if (signer) …  signer->issuer.authority, signer->issuer.trusted …
 *     signer_unref(signer);
 */
#include "ca/issue.h"

struct signer {
	struct issuer issuer; /* its authority, bundle and clock: the signer's own, as long as it lives */
	char trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1];
	_Atomic unsigned refs; /* private */
};

/* authority and trusted move in; the signer has one reference. */
struct signer *signer_new(struct authority *authority, struct bundle *trusted, struct template_lifetime lifetime,
                          const char *trust_domain, const struct clock *clock);
struct signer *signer_ref(struct signer *signer);
void signer_unref(struct signer *signer); /* NULL is fine */
static inline void signer_unrefp(struct signer **signer)
{
	signer_unref(*signer);
}

/* Where the present one is. Any thread. */
struct signer_cell;

struct signer_cell *signer_cell_new(void);
void signer_cell_free(struct signer_cell *cell);                       /* NULL is fine */
struct signer *signer_cell_get(struct signer_cell *cell);              /* a reference, or NULL before the first put */
void signer_cell_put(struct signer_cell *cell, struct signer *signer); /* the reference moves in */
