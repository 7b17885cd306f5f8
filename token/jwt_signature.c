#include "token/jwt_signature.h"

#include "ca/crypto_error.h"
#include "token/base64url.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#define ES256_HALF 32

struct jwt_algorithm {
	const char *name, *digest;
	const char *group; /* the curve; NULL: RSA */
	int half_n;        /* bytes of each half of an ECDSA signature */
	bool is_pss;
};

static const struct jwt_algorithm algorithms[] = {
    {"RS256", "SHA256", NULL, 0, false},
    {"RS384", "SHA384", NULL, 0, false},
    {"RS512", "SHA512", NULL, 0, false},
    {"PS256", "SHA256", NULL, 0, true},
    {"ES256", "SHA256", "prime256v1", ES256_HALF, false},
    {"ES384", "SHA384", "secp384r1", 48, false},
};

const struct jwt_algorithm *jwt_algorithm_find(const char *name)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

bool jwt_algorithm_fits(const struct jwt_algorithm *algorithm, const struct jwks_key *key)
{
	char group[32] = "";
	size_t n = 0;
	if (key->alg && strcmp(key->alg, algorithm->name) != 0)
		return false;
	if (!algorithm->group)
		return EVP_PKEY_is_a(key->key, "RSA");
	bool is_ec = EVP_PKEY_is_a(key->key, "EC") && EVP_PKEY_get_group_name(key->key, group, sizeof group, &n) == 1;
	return is_ec && strcmp(group, algorithm->group) == 0;
}

/* Two numbers side by side become what OpenSSL reads. NULL when they are no signature; OPENSSL_free frees. */
static unsigned char *ecdsa_der(const struct jwt *jwt, size_t *n)
{
	unsigned char *der = NULL;
	int half_n = jwt->algorithm->half_n;
	if (jwt->n_signature != 2 * (size_t)half_n)
		return NULL;
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(jwt->signature, half_n, NULL), *s = BN_bin2bn(jwt->signature + half_n, half_n, NULL);
	crypto_must(signature && r && s && ECDSA_SIG_set0(signature, r, s));
	int length = i2d_ECDSA_SIG(signature, &der);
	crypto_must(length > 0);
	ECDSA_SIG_free(signature);
	*n = (size_t)length;
	return der;
}

static bool verify(const struct jwt *jwt, EVP_PKEY *key, const unsigned char *signature, size_t n)
{
	EVP_PKEY_CTX *parameters = NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	crypto_must(context != NULL);
	bool is_good =
	    EVP_DigestVerifyInit_ex(context, &parameters, jwt->algorithm->digest, NULL, NULL, key, NULL) == 1;
	if (is_good && jwt->algorithm->is_pss)
		is_good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
		          EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
	is_good = is_good && EVP_DigestVerify(context, signature, n, (const unsigned char *)jwt->signed_part,
	                                      jwt->n_signed_part) == 1;
	EVP_MD_CTX_free(context);
	crypto_error_clear();
	return is_good;
}

bool jwt_signature_is_good(const struct jwt *jwt, EVP_PKEY *key)
{
	size_t n = 0;
	if (!jwt->algorithm->group)
		return verify(jwt, key, jwt->signature, jwt->n_signature);
	unsigned char *der = ecdsa_der(jwt, &n);
	bool is_good = der && verify(jwt, key, der, n);
	OPENSSL_free(der);
	return is_good;
}

void jwt_signature_print_es256(EVP_PKEY *key, const char *s, size_t n, struct text *out)
{
	unsigned char der[128], halves[2 * ES256_HALF];
	const unsigned char *at = der;
	size_t n_der = sizeof der;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	crypto_must(context && EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
	            EVP_DigestSign(context, der, &n_der, (const unsigned char *)s, n) == 1);
	EVP_MD_CTX_free(context);
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)n_der);
	crypto_must(signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), halves, ES256_HALF) == ES256_HALF &&
	            BN_bn2binpad(ECDSA_SIG_get0_s(signature), halves + ES256_HALF, ES256_HALF) == ES256_HALF);
	ECDSA_SIG_free(signature);
	base64url_print(halves, sizeof halves, out);
}
