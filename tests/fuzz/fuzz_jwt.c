/*
 * Tokens: whatever comes, there is an answer with a reason and words, and OpenSSL's queue of errors is empty. What is
 * believed is the account of the one token that the key has signed (the seed `good`), whatever was done to its bytes.
 */
#include "token/jwt.h"

#include <assert.h>
#include <openssl/err.h>
#include <string.h>

#define SEED_S INT64_C(1795562319) /* when the seed was signed */

static const char keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"3b758f8d4230315a5a04d876bc206042\","
    "\"x\":\"I2YMNOrm5g8znRPcfZ95mFKMYpaFkyb4O8tNJ_i7Fj0\",\"y\":\"vop1WpQYqjl17MSz4QtOQ0ByQ0uWPzaci6KXG5TokkE\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct jwks *jwks;
	struct clock clock = {.is_fake = true, .wall_ns = (SEED_S + 60) * CLOCK_S};
	struct arena *arena = arena_new();
	struct token_refusal refusal = {0};
	struct service_account account = {0};
	struct error error;
	if (!jwks)
		jwks = jwks_read(keys, sizeof keys - 1, &error);
	assert(jwks);
	const struct jwt_policy policy = {jwks, "weft", "istio-ca", &clock};
	const struct jwt *jwt = jwt_parse(arena, (const char *)data, n, &refusal);
	bool is_believed = jwt && jwt_check(jwt, &policy, &account, &refusal);
	assert(is_believed == (refusal.reason == TOKEN_GOOD));
	assert(is_believed == (refusal.error.message[0] == '\0'));
	assert(!is_believed || (strcmp(account.ns, "default") == 0 && strcmp(account.name, "reviews") == 0));
	assert(!jwt || (jwt->algorithm && jwt->claims && jwt->n_signature && jwt->n_signed_part < n));
	assert(ERR_peek_error() == 0);
	arena_free(arena);
	return 0;
}
