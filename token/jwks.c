#include "token/jwks.h"

#include "base/heap.h"
#include "base/json.h"
#include "base/vec.h"
#include "ca/crypto_error.h"
#include "token/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

struct jwks {
	struct arena *arena;
	VEC(struct jwks_key) keys;
};

/* By their names there. */
static const struct curve {
	const char *crv, *group;
	size_t coordinate_n;
} curves[] = {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};

#define COORDINATE_MAX 66
#define EXPONENT_BYTES_MAX 8

void jwks_free(struct jwks *jwks)
{
	if (!jwks)
		return;
	for (size_t i = 0; i < jwks->keys.n; i++)
		EVP_PKEY_free(jwks->keys.v[i].key);
	arena_free(jwks->arena);
	free(jwks);
}

const struct jwks_key *jwks_keys(const struct jwks *jwks, size_t *n)
{
	*n = jwks->keys.n;
	return jwks->keys.v;
}

static struct jwks *jwks_new(void)
{
	struct jwks *jwks = HEAP_NEW(struct jwks);
	jwks->arena = arena_new();
	return jwks;
}

struct jwks *jwks_of(EVP_PKEY *key, const char *kid)
{
	struct jwks *jwks = jwks_new();
	crypto_must(EVP_PKEY_up_ref(key) == 1);
	VEC_PUSH(jwks->arena, &jwks->keys, (struct jwks_key){.kid = arena_strdup(jwks->arena, kid), .key = key});
	return jwks;
}

/* NULL when the numbers are no key. */
static EVP_PKEY *key_of(const char *type, const OSSL_PARAM *params)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	crypto_must(context != NULL);
	if (EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

static const unsigned char *number(struct arena *arena, const struct json *json, const char *name, size_t *n)
{
	const char *s = json_get_string(json, name);
	const unsigned char *bytes = s ? base64url_decode(arena, s, strlen(s), n) : NULL;
	return bytes && *n ? bytes : NULL;
}

/* *key stays NULL for one that is passed over. */
static bool read_rsa(struct arena *arena, const struct json *json, EVP_PKEY **key, struct error *error)
{
	size_t n_modulus = 0, n_exponent = 0;
	const unsigned char *modulus = number(arena, json, "n", &n_modulus);
	const unsigned char *exponent = number(arena, json, "e", &n_exponent);
	if (!modulus || !exponent)
		return error_set(error, "an RSA key needs \"n\" and \"e\" in base64url");
	if (n_modulus > JWKS_RSA_BITS_MAX / 8 + 1 || n_exponent > EXPONENT_BYTES_MAX)
		return true;
	BIGNUM *n = BN_bin2bn(modulus, (int)n_modulus, NULL), *e = BN_bin2bn(exponent, (int)n_exponent, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	crypto_must(n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	            OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
	bool is_sized = BN_num_bits(n) >= JWKS_RSA_BITS_MIN && BN_num_bits(n) <= JWKS_RSA_BITS_MAX;
	bool is_sound = BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	crypto_must(params != NULL);
	if (is_sized && is_sound)
		*key = key_of("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return !is_sized || *key || error_set(error, "\"n\" and \"e\" are no RSA key");
}

static const struct curve *find_curve(const char *crv)
{
	for (size_t i = 0; crv && i < sizeof curves / sizeof curves[0]; i++)
		if (strcmp(curves[i].crv, crv) == 0)
			return &curves[i];
	return NULL;
}

static bool read_ec(struct arena *arena, const struct json *json, EVP_PKEY **key, struct error *error)
{
	unsigned char point[1 + 2 * COORDINATE_MAX] = {4}; /* uncompressed */
	const struct curve *curve = find_curve(json_get_string(json, "crv"));
	if (!curve)
		return true;
	size_t n_x = 0, n_y = 0, n = curve->coordinate_n;
	const unsigned char *x = number(arena, json, "x", &n_x), *y = number(arena, json, "y", &n_y);
	if (!x || !y || n_x != n || n_y != n)
		return error_set(error, "a key on %s needs \"x\" and \"y\" with %zu bytes each in base64url",
		                 curve->crv, n);
	memcpy(point + 1, x, n);
	memcpy(point + 1 + n, y, n);
	char *group = arena_strdup(arena, curve->group);
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n),
	    OSSL_PARAM_construct_end(),
	};
	*key = key_of("EC", params);
	return *key || error_set(error, "\"x\" and \"y\" are no point on %s", curve->crv);
}

bool jwks_key_is_for_others(const struct json *json)
{
	const char *use = json_get_string(json, "use");
	const struct json *operations = json_get(json, "key_ops");
	if (use && strcmp(use, "sig") != 0)
		return true;
	if (!operations || operations->type != JSON_ARRAY)
		return false;
	for (size_t i = 0; i < operations->array.n; i++)
		if (operations->array.v[i]->type == JSON_STRING &&
		    strcmp(operations->array.v[i]->string.s, "verify") == 0)
			return false;
	return true;
}

static bool read_key(struct jwks *jwks, const struct json *json, struct error *error)
{
	const char *type = json_get_string(json, "kty");
	struct jwks_key key = {.kid = json_get_string(json, "kid"), .alg = json_get_string(json, "alg")};
	if (!type)
		return error_set(error, "it has no \"kty\"");
	if (jwks_key_is_for_others(json))
		return true;
	bool is_good = true;
	if (strcmp(type, "RSA") == 0)
		is_good = read_rsa(jwks->arena, json, &key.key, error);
	else if (strcmp(type, "EC") == 0)
		is_good = read_ec(jwks->arena, json, &key.key, error);
	if (key.key)
		VEC_PUSH(jwks->arena, &jwks->keys, key);
	return is_good;
}

static bool read_keys(struct jwks *jwks, const char *s, size_t n, struct error *error)
{
	if (n > JWKS_BYTES_MAX)
		return error_set(error, "the key set has %zu bytes; at most %u are read", n, JWKS_BYTES_MAX);
	const struct json *json = json_parse(jwks->arena, s, n, error);
	if (!json)
		return error_wrap(error, "the key set");
	const struct json *keys = json_get(json, "keys");
	if (!keys || keys->type != JSON_ARRAY)
		return error_set(error, "the key set must be an object with a list \"keys\" (RFC 7517)");
	if (keys->array.n > JWKS_KEYS_MAX)
		return error_set(error, "the key set has %zu keys; at most %d are read", keys->array.n, JWKS_KEYS_MAX);
	for (size_t i = 0; i < keys->array.n; i++)
		if (!read_key(jwks, keys->array.v[i], error))
			return error_wrap(error, "key %zu of the key set", i + 1);
	return true;
}

struct jwks *jwks_read(const char *s, size_t n, struct error *error)
{
	struct jwks *jwks = jwks_new();
	bool is_good = read_keys(jwks, s, n, error);
	crypto_error_clear();
	if (is_good)
		return jwks;
	jwks_free(jwks);
	return NULL;
}
