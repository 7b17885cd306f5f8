#pragma once
/*
 * The key with which weftd vouches for workloads that no cluster vouches for: a P-256 key in its state directory, made
 * once, and the tokens signed with it (ES256; Kubernetes' subject; issuer TOKEN_KEY_ISSUER). Whoever can read the file
 * can be any workload.
 *
 *     struct token_key *key = token_key_keep(state_dir, &error);        weftd: made when there is none
 *     struct token_key *key = token_key_read(state_dir, &error);        others: an error then
 *     token_key_sign(key, &request, clock, &out, &error)
 *     jwt_check(jwt, &(struct jwt_policy){token_key_public(key), TOKEN_KEY_ISSUER, audience, clock}, …)
 */
#include "base/text.h"
#include "token/jwt.h"

#define TOKEN_KEY_FILE "token-key.pem"
#define TOKEN_KEY_ISSUER "weft"
#define TOKEN_AUDIENCE_DEFAULT "istio-ca"
#define TOKEN_AUDIENCE_MAX 256
#define TOKEN_TTL_MAX_S INT64_C(31536000) /* a year: nobody can take one back */

struct token_key;

struct token_request {
	const struct service_account *account;
	const char *audience;
	int64_t ttl_s; /* 1 to TOKEN_TTL_MAX_S */
};

/* Errors begin with the file that is wrong. The folder is made too (0700); its parent exists. */
struct token_key *token_key_keep(const char *path, struct error *error);
struct token_key *token_key_read(const char *path, struct error *error);
void token_key_free(struct token_key *key); /* NULL is fine */
static inline void token_key_freep(struct token_key **key)
{
	token_key_free(*key);
}

const struct jwks *token_key_public(const struct token_key *key); /* borrowed */
/* The token is added to out: a secret. */
bool token_key_sign(const struct token_key *key, const struct token_request *request, const struct clock *clock,
                    struct text *out, struct error *error);
