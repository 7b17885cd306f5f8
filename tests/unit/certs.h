#pragma once
/*
 * Keys and certificate requests for tests of ca/, good and bad ones: made with OpenSSL's own text syntax for
 * extensions, which the product does not use.
 */
#include "base/heap.h"
#include "base/text.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#define CERTS_CALLER "spiffe://cluster.local/ns/default/sa/reviews"

struct csr_wish {
	const char *key;   /* as for certs_key; NULL is P-256 */
	const char *names; /* "URI:…,DNS:…"; NULL asks for none */
	const char *raw_uri;
	size_t raw_uri_n;              /* a URI that the syntax cannot say */
	const char *constraints, *use; /* "CA:TRUE"; "keyCertSign" */
	const char *digest;            /* NULL is SHA256 */
	bool is_twice;                 /* the extensions stand there twice */
	bool is_list_twice;            /* their list does */
	bool is_foreign_signature;     /* by another key */
	bool is_der;
};

static inline void certs_key_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static inline EVP_PKEY *certs_generate(const char *type, const OSSL_PARAM *params)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	int is_done = EVP_PKEY_keygen_init(context) > 0 && (!params || EVP_PKEY_CTX_set_params(context, params) > 0) &&
	              EVP_PKEY_generate(context, &key) > 0;
	assert(is_done);
	EVP_PKEY_CTX_free(context);
	return key;
}

static inline EVP_PKEY *certs_ec_key(const char *curve, const char *encoding, const char *format)
{
	char *values[] = {heap_strdup(curve), heap_strdup(encoding)};
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, values[0], 0),
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, values[1], 0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = certs_generate("EC", params);
	EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, format);
	for (size_t i = 0; i < 2; i++)
		free(values[i]);
	return key;
}

/* "P-256" and other curves, "P-256 explicit", "P-256 compressed", "ED25519", "RSA 2048", "RSA 2048 3" (the exponent) */
static inline EVP_PKEY *certs_key(const char *name)
{
	unsigned bits = 0, exponent = 65537;
	if (sscanf(name, "RSA %u %u", &bits, &exponent) >= 1) {
		size_t size = bits;
		const OSSL_PARAM params[] = {
		    OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &size),
		    OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
		    OSSL_PARAM_construct_end(),
		};
		return certs_generate("RSA", params);
	}
	if (strcmp(name, "ED25519") == 0)
		return certs_generate(name, NULL);
	if (strcmp(name, "P-256 explicit") == 0)
		return certs_ec_key("P-256", "explicit", "uncompressed");
	if (strcmp(name, "P-256 compressed") == 0)
		return certs_ec_key("P-256", "named_curve", "compressed");
	return certs_ec_key(name, "named_curve", "uncompressed");
}

static inline void certs_add_extension(STACK_OF(X509_EXTENSION) * extensions, int nid, const char *value)
{
	if (!value)
		return;
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert(extension);
	sk_X509_EXTENSION_push(extensions, extension);
}

static inline void certs_add_uri(STACK_OF(X509_EXTENSION) * extensions, const char *uri, size_t n)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();
	ASN1_STRING_set(value, uri, (int)n);
	GENERAL_NAME_set0_value(name, GEN_URI, value);
	sk_GENERAL_NAME_push(names, name);
	sk_X509_EXTENSION_push(extensions, X509V3_EXT_i2d(NID_subject_alt_name, 1, names));
	GENERAL_NAMES_free(names);
}

static inline void certs_add_extensions(X509_REQ *request, const struct csr_wish *wish)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	for (int i = 0; i < 1 + wish->is_twice; i++) {
		certs_add_extension(extensions, NID_subject_alt_name, wish->names);
		certs_add_extension(extensions, NID_basic_constraints, wish->constraints);
		certs_add_extension(extensions, NID_key_usage, wish->use);
	}
	if (wish->raw_uri)
		certs_add_uri(extensions, wish->raw_uri, wish->raw_uri_n);
	if (sk_X509_EXTENSION_num(extensions))
		X509_REQ_add_extensions(request, extensions);
	if (wish->is_list_twice)
		X509_REQ_add_extensions_nid(request, extensions, NID_ms_ext_req);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static inline void certs_add_bio(struct text *out, BIO *bio)
{
	char *s = NULL;
	long n = BIO_get_mem_data(bio, &s);
	text_add_n(out, s, (size_t)n);
	BIO_free(bio);
}

static inline void certs_request(const struct csr_wish *wish, EVP_PKEY *key, struct text *out)
{
	X509_REQ *request = X509_REQ_new();
	X509_NAME *subject = X509_NAME_new();
	X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"whatever", -1, -1, 0);
	X509_REQ_set_subject_name(request, subject);
	X509_NAME_free(subject);
	X509_REQ_set_pubkey(request, key);
	certs_add_extensions(request, wish);
	CLEANUP(certs_key_freep) EVP_PKEY *other = wish->is_foreign_signature ? certs_key("P-256") : NULL;
	bool has_digest = !EVP_PKEY_is_a(key, "ED25519");
	int n = X509_REQ_sign(request, other ? other : key,
	                      has_digest ? EVP_get_digestbyname(wish->digest ? wish->digest : "SHA256") : NULL);
	assert(n > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	if (wish->is_der)
		i2d_X509_REQ_bio(bio, request);
	else
		PEM_write_bio_X509_REQ(bio, request);
	X509_REQ_free(request);
	certs_add_bio(out, bio);
	ERR_clear_error();
}

/* With a key of its own, which is thrown away. */
static inline void certs_request_of(const struct csr_wish *wish, struct text *out)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key(wish->key ? wish->key : "P-256");
	certs_request(wish, key, out);
}
