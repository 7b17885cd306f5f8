/*
 * Key sets: either keys within the caps, each of a kind that is taken, or words that say what is wrong; and OpenSSL's
 * queue of errors is empty.
 */
#include "token/jwks.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct error error = {""};
	size_t n_keys = 0;
	struct jwks *jwks = jwks_read((const char *)data, n, &error);
	assert((jwks != NULL) == (error.message[0] == '\0'));
	const struct jwks_key *keys = jwks ? jwks_keys(jwks, &n_keys) : NULL;
	assert(n_keys <= JWKS_KEYS_MAX);
	for (size_t i = 0; i < n_keys; i++)
		assert(EVP_PKEY_is_a(keys[i].key, "RSA") || EVP_PKEY_is_a(keys[i].key, "EC"));
	assert(ERR_peek_error() == 0);
	jwks_free(jwks);
	return 0;
}
