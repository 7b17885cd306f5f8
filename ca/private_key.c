#include "ca/private_key.h"

#include "ca/crypto_error.h"
#include "ca/key_policy.h"
#include "ca/pem.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#define SIGNATURE_MAX 1024 /* of RSA with 8192 bits */

void private_key_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static bool decode(const struct pem_block *block, EVP_PKEY **key, struct error *error)
{
	if (*key)
		return error_set(error, "there is more than one private key in it");
	if (block->is_encrypted || strcmp(block->label, "ENCRYPTED PRIVATE KEY") == 0)
		return error_set(error, "the private key is encrypted; store it without a password");
	const unsigned char *at = block->der;
	*key = d2i_AutoPrivateKey(NULL, &at, (long)block->n);
	if (!*key)
		return crypto_error_set(error, "the private key cannot be read");
	crypto_error_clear();
	return true;
}

static bool read_one(const struct pem_file *file, EVP_PKEY **key, struct error *error)
{
	CLEANUP(pem_reader_freep) struct pem_reader *reader = pem_reader_new(file->s, file->n);
	struct pem_block block;
	while (pem_next(reader, &block, error)) {
		bool is_good = true;
		if (text_has_suffix(block.label, "PRIVATE KEY"))
			is_good = decode(&block, key, error);
		else if (strcmp(block.label, "EC PARAMETERS") !=
		         0) /* what `openssl ecparam -genkey` puts before a key */
			is_good = error_set(error, "a %s stands where the private key should", block.label);
		pem_block_done(&block);
		if (!is_good)
			return false;
	}
	if (pem_is_broken(reader))
		return false;
	return *key || error_set(error, "there is no private key in it");
}

EVP_PKEY *private_key_read(const struct pem_file *file, struct error *error)
{
	EVP_PKEY *key = NULL;
	if (read_one(file, &key, error))
		return key;
	EVP_PKEY_free(key);
	error_wrap(error, "%s", file->name);
	return NULL;
}

EVP_PKEY *private_key_generate(enum private_key_type type, struct error *error)
{
	EVP_PKEY *key = type == PRIVATE_KEY_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	if (!key)
		crypto_error_set(error, "a private key cannot be made");
	crypto_error_clear();
	return key;
}

/* One copy in out, made at its full size at once, so that no growing leaves another behind. */
void private_key_print(EVP_PKEY *key, struct text *out)
{
	char *s = NULL;
	BIO *bio = BIO_new(BIO_s_secmem());
	crypto_must(bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	long n = BIO_get_mem_data(bio, &s);
	text_add_n(out, s, (size_t)n);
	BIO_free(bio); /* wipes */
}

void private_key_wipe(struct text *key)
{
	OPENSSL_cleanse(key->s, key->n);
	text_done(key);
}

static void context_freep(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

bool private_key_belongs(EVP_PKEY *key, X509 *certificate)
{
	static const unsigned char message[] = "is this the key?";
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof signature;
	CLEANUP(context_freep) EVP_MD_CTX *signer = EVP_MD_CTX_new();
	CLEANUP(context_freep) EVP_MD_CTX *verifier = EVP_MD_CTX_new();
	crypto_must(signer && verifier);
	EVP_PKEY *claimed = X509_get0_pubkey(certificate);
	bool belongs = EVP_PKEY_get_size(key) <= SIGNATURE_MAX && EVP_PKEY_eq(key, claimed) == 1 &&
	               EVP_DigestSignInit(signer, NULL, key_policy_digest(key), NULL, key) == 1 &&
	               EVP_DigestSign(signer, signature, &n, message, sizeof message) == 1 &&
	               EVP_DigestVerifyInit(verifier, NULL, key_policy_digest(key), NULL, claimed) == 1 &&
	               EVP_DigestVerify(verifier, signature, n, message, sizeof message) == 1;
	crypto_error_clear();
	return belongs;
}
