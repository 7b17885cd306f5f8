/*
 * What token issuers answer: an OpenID configuration gives an http URL within its cap, or words that say what is wrong;
 * a key set is sifted to one that reads back with the same keys, and sifting it again changes nothing.
 */
#include "server/jwks/openid_configuration.h"
#include "token/jwks.h"
#include "token/jwks_sift.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_configuration(const char *s, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error = {""};
	struct openid_configuration found = {0};
	bool is_read = openid_configuration_read(arena, s, n, &found, &error);
	assert(is_read == (error.message[0] == '\0'));
	assert(!is_read || (strlen(found.jwks_uri) <= OPENID_URL_MAX && strncasecmp(found.jwks_uri, "http", 4) == 0));
	assert(!found.issuer || strlen(found.issuer) <= OPENID_URL_MAX);
}

static void sift(const char *s, size_t n, unsigned demands)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error = {""};
	struct jwks_sifted once, twice;
	if (!jwks_sift(arena, s, n, demands, &once, &error)) {
		assert(error.message[0] != '\0');
		return;
	}
	assert(once.n_keys <= JWKS_KEYS_MAX && strlen(once.s) == once.n);
	assert(jwks_sift(arena, once.s, once.n, demands, &twice, &error));
	assert(twice.n_keys == once.n_keys && strcmp(once.s, twice.s) == 0 && twice.why.message[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	read_configuration((const char *)data, n);
	sift((const char *)data, n, JWKS_ANY);
	sift((const char *)data, n, JWKS_TRIED | JWKS_PUBLIC);
	assert(ERR_peek_error() == 0);
	return 0;
}
