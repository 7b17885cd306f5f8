#pragma once
/*
 * Request authentication: which tokens (JWT) a workload takes. A part of the model (model.h), with its rules for
 * digests and sorting.
 *
 * A request with a token that no rule takes is refused; one without any passes, and nobody is known to have sent it.
 */
#include "base/digest.h"
#include "translator/key_sets.h"
#include "translator/model_terms.h"

/* A header that a token is looked for in, behind a prefix. */
struct token_header {
	const char *name, *prefix;
};

/* A claim that is handed on as a header. */
struct claim_header {
	const char *claim, *header;
};

/* Tokens of one issuer. */
struct jwt_rule {
	const char *issuer;       /* "": any */
	struct strings audiences; /* of which the token must have one; none: any */
	/* where tokens are looked for; nothing: header Authorization behind "Bearer ", and parameter access_token */
	const struct token_header *headers;
	size_t n_headers;
	struct strings params, cookies;
	bool is_token_forwarded;    /* to the workload */
	const char *payload_header; /* gets the claims, as JSON in base64url; "": none */
	const struct claim_header *claim_headers;
	size_t n_claim_headers;
	struct strings word_claims; /* whose text is a list of words, besides "scope" and "permission" */
	const char *keys;           /* a JWKS; NULL: not known, so no token is believed */
	bool is_required;           /* a request without one that is believed is refused, whatever else takes it */
	struct digest digest;
};

/* Some place is one where both look for tokens. */
bool jwt_rules_meet(const struct jwt_rule *a, const struct jwt_rule *b);

struct request_authentication {
	const char *name, *namespace;
	struct workload_selectors selectors;
	const struct jwt_rule *rules; /* in the object's order */
	size_t n_rules;
	struct source_ref source;
};

/* Those of one workload, of all that select it: by issuer; of one issuer the root namespace's first, then by name. */
struct jwt_rules {
	const struct jwt_rule *const *v;
	size_t n;
};

void digest_add_jwt_rules(struct digest_state *state, const struct jwt_rules *rules);
