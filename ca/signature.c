#include "ca/signature.h"

#include "ca/crypto_error.h"
#include "ca/key_policy.h"

#include <assert.h>
#include <openssl/evp.h>

/* ecdsa-with-SHA2 (1.2.840.10045.4.3) and pkcs-1 (1.2.840.113549.1.1), each with its last number. */
#define ECDSA_ID(last) "\x2a\x86\x48\xce\x3d\x04\x03" last
#define RSA_ID(last) "\x2a\x86\x48\x86\xf7\x0d\x01\x01" last
/* AlgorithmIdentifier: SEQUENCE { OBJECT IDENTIFIER, nothing for ECDSA and NULL for RSA } */
#define ECDSA(sha, last)                                                                                               \
	{                                                                                                              \
		"EC", sha, DER_CONST(ECDSA_ID(last)), DER_CONST("\x30\x0a\x06\x08" ECDSA_ID(last))                     \
	}
#define RSA(sha, last)                                                                                                 \
	{                                                                                                              \
		"RSA", sha, DER_CONST(RSA_ID(last)), DER_CONST("\x30\x0d\x06\x09" RSA_ID(last) "\x05\x00")             \
	}

static const struct signature_algorithm algorithms[] = {
    ECDSA(EVP_sha256, "\x02"), ECDSA(EVP_sha384, "\x03"), ECDSA(EVP_sha512, "\x04"),
    RSA(EVP_sha256, "\x0b"),   RSA(EVP_sha384, "\x0c"),   RSA(EVP_sha512, "\x0d"),
};
#define ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

const struct signature_algorithm *signature_algorithm_find(struct der id)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (der_equal(id, algorithms[i].id))
			return &algorithms[i];
	return NULL;
}

const struct signature_algorithm *signature_algorithm_of(const EVP_PKEY *key)
{
	const EVP_MD *digest = key_policy_digest(key);
	size_t i = 0;
	while (i < ALGORITHMS && !(EVP_PKEY_is_a(key, algorithms[i].key_type) && algorithms[i].digest() == digest))
		i++;
	assert(i < ALGORITHMS); /* what passes the policy is EC or RSA */
	return &algorithms[i];
}

bool signature_check(const struct signature_algorithm *algorithm, EVP_PKEY *key, struct der message,
                     struct der signature)
{
	if (!EVP_PKEY_is_a(key, algorithm->key_type))
		return false;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	crypto_must(context != NULL);
	bool is_good = EVP_DigestVerifyInit(context, NULL, algorithm->digest(), NULL, key) == 1 &&
	               EVP_DigestVerify(context, signature.s, signature.n, message.s, message.n) == 1;
	EVP_MD_CTX_free(context);
	return is_good;
}
