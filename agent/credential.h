#pragma once
/*
 * A certificate with its key, and how it is asked for (istio.v1.auth.IstioCertificateService): a key is made, a request
 * for the expected name, the service answers, and what it answers is looked at (ca/issued_chain.h) before anybody else
 * sees it. The key is wiped when the credential goes.
 */
#include "base/clock.h"
#include "ca/issued_chain.h"
#include "ca/private_key.h"

#define CREDENTIAL_DEADLINE_MS 15000 /* the service may have a queue */

struct credential {
	struct issued_chain *chain;
	struct text chain_pem, key_pem;
};

/* Where and how to ask. All borrowed. */
struct credential_request {
	const char *target;               /* HOST:PORT */
	const char *server_name;          /* that the service's certificate must have */
	const char *roots;                /* PEM: who vouches for it */
	const char *token;                /* NULL: none */
	const char *cluster;              /* whose token that is; NULL: it does not say */
	const struct credential *present; /* by which one is known already; NULL: none */
	const struct spiffe_id *id;       /* the name that is expected */
	int64_t ttl_s;                    /* 0: as long as the service has it */
	enum private_key_type key_type;
	const struct clock *clock;
};

/* Blocks, for CREDENTIAL_DEADLINE_MS at most and what making a key takes. */
struct credential *credential_get(const struct credential_request *request, struct error *error);
void credential_free(struct credential *credential); /* NULL is fine */
