#include "ca/signing_key.h"

#include "base/heap.h"
#include "ca/crypto_error.h"

#include <openssl/evp.h>

#define SIGNATURE_MAX 1024 /* of RSA with 8192 bits */

struct signing_key {
	const struct signature_algorithm *algorithm;
	EVP_MD_CTX *signer, *checker; /* as they begin; only ever copied */
};

struct signing_key *signing_key_new(EVP_PKEY *private_key, EVP_PKEY *public_key)
{
	struct signing_key *key = HEAP_NEW(struct signing_key);
	key->algorithm = signature_algorithm_of(public_key);
	key->signer = EVP_MD_CTX_new();
	key->checker = EVP_MD_CTX_new();
	const EVP_MD *digest = key->algorithm->digest();
	crypto_must(key->signer && key->checker &&
	            EVP_DigestSignInit(key->signer, NULL, digest, NULL, private_key) == 1 &&
	            EVP_DigestVerifyInit(key->checker, NULL, digest, NULL, public_key) == 1);
	return key;
}

void signing_key_free(struct signing_key *key)
{
	if (!key)
		return;
	EVP_MD_CTX_free(key->signer);
	EVP_MD_CTX_free(key->checker);
	free(key);
}

const struct signature_algorithm *signing_key_algorithm(const struct signing_key *key)
{
	return key->algorithm;
}

static EVP_MD_CTX *begin(const EVP_MD_CTX *from)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	crypto_must(context && EVP_MD_CTX_copy_ex(context, from) == 1);
	return context;
}

bool signing_key_sign(const struct signing_key *key, struct der message, struct text *out, struct error *error)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof signature;
	EVP_MD_CTX *context = begin(key->signer);
	bool is_signed = EVP_DigestSign(context, signature, &n, message.s, message.n) == 1;
	EVP_MD_CTX_free(context);
	if (!is_signed)
		return crypto_error_set(error, "signing");
	text_add_n(out, signature, n);
	return true;
}

bool signing_key_check(const struct signing_key *key, struct der message, struct der signature)
{
	EVP_MD_CTX *context = begin(key->checker);
	bool is_good = EVP_DigestVerify(context, signature.s, signature.n, message.s, message.n) == 1;
	EVP_MD_CTX_free(context);
	crypto_error_clear();
	return is_good;
}
