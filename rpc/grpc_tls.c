#include "rpc/grpc_tls.h"

#include "base/heap.h"
#include "ca/certificate.h"
#include "ca/crypto_error.h"
#include "ca/private_key.h"
#include "rpc/grpc_private.h"

#include <grpc/grpc_security.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define THROWAWAY_TTL_S 86400

struct grpc_tls {
	pthread_mutex_t mutex;
	uint64_t version;          /* of what follows */
	char *chain, *key, *roots; /* never NULL */
};

static void secret_free(char *s)
{
	if (s)
		OPENSSL_cleanse(s, strlen(s));
	free(s);
}

static void tls_store(struct grpc_tls *tls, const struct grpc_tls_material *material)
{
	char *chain = heap_strdup(material->chain), *key = heap_strdup(material->key),
	     *roots = heap_strdup(material->roots);

	pthread_mutex_lock(&tls->mutex);
	char *former_chain = tls->chain, *former_key = tls->key, *former_roots = tls->roots;
	tls->chain = chain;
	tls->key = key;
	tls->roots = roots;
	tls->version++;
	pthread_mutex_unlock(&tls->mutex);
	free(former_chain);
	free(former_roots);
	secret_free(former_key);
}

static STACK_OF(X509) * material_read(const char *name, const char *pem, struct error *error)
{
	return certificates_read(&(struct pem_file){name, pem, strlen(pem)}, error);
}

static bool chain_check(const struct grpc_tls_material *material, struct error *error)
{
	CLEANUP(certificates_freep)
	STACK_OF(X509) *chain = material_read("the certificate chain", material->chain, error);
	if (!chain)
		return false;
	CLEANUP(private_key_freep)
	EVP_PKEY *key = private_key_read(&(struct pem_file){"the key", material->key, strlen(material->key)}, error);
	if (!key)
		return false;
	return private_key_belongs(key, sk_X509_value(chain, 0)) ||
	       error_set(error, "the key is not the certificate's");
}

bool grpc_material_check(const struct grpc_tls_material *material, struct error *error)
{
	CLEANUP(certificates_freep)
	STACK_OF(X509) *roots = material_read("the trusted roots", material->roots, error);
	return roots && (!material->chain || chain_check(material, error));
}

bool grpc_tls_set(struct grpc_tls *tls, const struct grpc_tls_material *material, struct error *error)
{
	if (!grpc_material_check(material, error))
		return false;
	tls_store(tls, material);
	return true;
}

/* ---- before the first set ---- */

static X509 *throwaway_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;

	crypto_must(
	    name && X509_set_version(certificate, X509_VERSION_3) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"not ready", -1, -1, 0) &&
	    X509_set_issuer_name(certificate, name) && X509_gmtime_adj(X509_getm_notBefore(certificate), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(certificate), THROWAWAY_TTL_S) && X509_set_pubkey(certificate, key) &&
	    X509_sign(certificate, key, EVP_sha256()));
	return certificate;
}

/* What was written to the BIO, with a NUL behind; the BIO is freed. */
static char *bio_take(BIO *bio)
{
	char *s = NULL;
	long n = BIO_get_mem_data(bio, &s);
	char *copy = heap_strndup(s, (size_t)n);

	OPENSSL_cleanse(s, (size_t)n);
	BIO_free(bio);
	return copy;
}

static void tls_set_throwaway(struct grpc_tls *tls)
{
	CLEANUP(private_key_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
	crypto_must(key != NULL);
	CLEANUP(certificate_freep) X509 *certificate = throwaway_certificate(key);
	BIO *chain_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

	crypto_must(chain_bio && key_bio && PEM_write_bio_X509(chain_bio, certificate) &&
	            PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL));
	tls->chain = bio_take(chain_bio);
	tls->key = bio_take(key_bio);
	tls->roots = heap_strdup(tls->chain); /* who can sign as it: nobody, once the key is gone from here */
	tls->version = 1;
}

struct grpc_tls *grpc_tls_new(void)
{
	struct grpc_tls *tls = HEAP_NEW(struct grpc_tls);

	pthread_mutex_init(&tls->mutex, NULL);
	tls_set_throwaway(tls);
	return tls;
}

void grpc_tls_free(struct grpc_tls *tls)
{
	if (!tls)
		return;
	free(tls->chain);
	free(tls->roots);
	secret_free(tls->key);
	pthread_mutex_destroy(&tls->mutex);
	free(tls);
}

/* ---- for gRPC ---- */

/* Before each handshake of a listener, on a thread of gRPC's, which makes no two such calls at once. */
static grpc_ssl_certificate_config_reload_status tls_fetch(void *context, grpc_ssl_server_certificate_config **config)
{
	struct grpc_tls_view *view = context;
	struct grpc_tls *tls = view->tls;
	grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;

	pthread_mutex_lock(&tls->mutex);
	if (view->version != tls->version) {
		const grpc_ssl_pem_key_cert_pair pair = {.private_key = tls->key, .cert_chain = tls->chain};
		*config = grpc_ssl_server_certificate_config_create(tls->roots, &pair, 1);
		view->version = tls->version;
		status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
	}
	pthread_mutex_unlock(&tls->mutex);
	return status;
}

grpc_server_credentials *grpc_tls_credentials(struct grpc_tls_view *view)
{
	return grpc_ssl_server_credentials_create_with_options(
	    grpc_ssl_server_credentials_create_options_using_config_fetcher(
	        GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY, tls_fetch, view));
}
