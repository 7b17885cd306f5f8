#include "ca/csr_build.h"

#include "ca/crypto_error.h"
#include "ca/extension.h"
#include "ca/key_policy.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void request_freep(X509_REQ **request)
{
	X509_REQ_free(*request);
}

bool csr_build(EVP_PKEY *key, const struct spiffe_id *id, struct text *out, struct error *error)
{
	CLEANUP(request_freep) X509_REQ *request = X509_REQ_new();
	crypto_must(request && X509_REQ_set_version(request, X509_REQ_VERSION_1));
	if (!X509_REQ_set_pubkey(request, key))
		return crypto_error_set(error, "making a certificate request");
	extension_ask_name(request, id);
	if (!X509_REQ_sign(request, key, key_policy_digest(key)))
		return crypto_error_set(error, "signing a certificate request");
	char *s = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	crypto_must(bio && PEM_write_bio_X509_REQ(bio, request));
	long n = BIO_get_mem_data(bio, &s);
	text_add_n(out, s, (size_t)n);
	BIO_free(bio);
	crypto_error_clear();
	return true;
}
