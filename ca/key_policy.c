#include "ca/key_policy.h"

#include "base/arena.h"
#include "ca/crypto_error.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

/* 65537 and above, odd (FIPS 186-5, 5.1), and no more bits than BoringSSL takes. */
#define RSA_EXPONENT_MIN 65537
#define RSA_EXPONENT_BITS_MAX 33

static const struct {
	int nid;
	const char *name;
	int bits;
	bool is_for_authorities_only;
} curves[] = {
    {NID_X9_62_prime256v1, "P-256", 256, false},
    {NID_secp384r1, "P-384", 384, false},
    {NID_secp521r1, "P-521", 521, true},
};

static void bn_freep(BIGNUM **bn)
{
	BN_free(*bn);
}

static bool check_curve(const X509_ALGOR *algorithm, enum key_use use, struct refusal *refusal)
{
	int type = V_ASN1_UNDEF;
	const void *value = NULL;
	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_OBJECT)
		return refusal_set(refusal, REFUSAL_KEY_CURVE, "the EC key must give its curve by name");
	int nid = OBJ_obj2nid(value);
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
		if (curves[i].nid == nid && (use == KEY_USE_AUTHORITY || !curves[i].is_for_authorities_only))
			return true;
	return refusal_set(refusal, REFUSAL_KEY_CURVE, "EC keys must be on P-256 or P-384%s, not on %s",
	                   use == KEY_USE_AUTHORITY ? " or P-521" : "", nid ? OBJ_nid2sn(nid) : "an unknown curve");
}

static bool check_ec(const X509_ALGOR *algorithm, const unsigned char *point, int n, enum key_use use,
                     struct refusal *refusal)
{
	if (!check_curve(algorithm, use, refusal))
		return false;
	if (n < 1 || point[0] != 0x04)
		return refusal_set(refusal, REFUSAL_KEY_CURVE, "the EC key's point must not be compressed");
	return true;
}

static bool check_rsa(const EVP_PKEY *key, enum key_use use, struct refusal *refusal)
{
	CLEANUP(bn_freep) BIGNUM *e = NULL;
	int bits = EVP_PKEY_get_bits(key),
	    max = use == KEY_USE_AUTHORITY ? KEY_RSA_BITS_MAX_AUTHORITY : KEY_RSA_BITS_MAX;
	if (bits < KEY_RSA_BITS_MIN || bits > max)
		return refusal_set(refusal, REFUSAL_KEY_SIZE, "RSA keys must have %d to %d bits, not %d",
		                   KEY_RSA_BITS_MIN, max, bits);
	crypto_must(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e));
	if (!BN_is_odd(e) || BN_num_bits(e) > RSA_EXPONENT_BITS_MAX || BN_get_word(e) < RSA_EXPONENT_MIN)
		return refusal_set(refusal, REFUSAL_KEY_EXPONENT,
		                   "the RSA key's exponent must be odd, %d or more, and of at most %d bits",
		                   RSA_EXPONENT_MIN, RSA_EXPONENT_BITS_MAX);
	return true;
}

bool key_policy_check(X509_PUBKEY *key, enum key_use use, struct refusal *refusal)
{
	ASN1_OBJECT *type = NULL;
	const unsigned char *bits = NULL;
	int n = 0;
	X509_ALGOR *algorithm = NULL;
	if (!X509_PUBKEY_get0_param(&type, &bits, &n, &algorithm, key))
		return refusal_set(refusal, REFUSAL_MALFORMED, "the public key cannot be read");
	int nid = OBJ_obj2nid(type);
	if (nid != NID_X9_62_id_ecPublicKey && nid != NID_rsaEncryption)
		return refusal_set(refusal, REFUSAL_KEY_TYPE, "keys must be EC (P-256, P-384) or RSA, not %s",
		                   nid ? OBJ_nid2sn(nid) : "of an unknown type");
	if (nid == NID_X9_62_id_ecPublicKey && !check_ec(algorithm, bits, n, use, refusal))
		return false;
	const EVP_PKEY *decoded = X509_PUBKEY_get0(key); /* for EC: the point is on the curve */
	if (!decoded) {
		refusal->reason = REFUSAL_MALFORMED;
		return crypto_error_set(&refusal->error, "the public key cannot be read");
	}
	return nid != NID_rsaEncryption || check_rsa(decoded, use, refusal);
}

const EVP_MD *key_policy_digest(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_is_a(key, "EC") ? EVP_PKEY_get_bits(key) : 0;
	return bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : EVP_sha256();
}
