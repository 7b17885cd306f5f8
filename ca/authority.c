#include "ca/authority.h"

#include "base/heap.h"
#include "ca/certification_path.h"
#include "ca/crypto_error.h"
#include "ca/extension.h"
#include "ca/key_policy.h"
#include "ca/private_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define ORGANISATION_MAX 64 /* RFC 5280, A.1: ub-organization-name */

struct authority {
	X509 *cert;
	EVP_PKEY *key;
	struct signing_key *signing_key;
	struct der name, key_id; /* in cert */
	STACK_OF(X509) * given;  /* the signer, and certificates to choose its way to the root from */
	STACK_OF(X509) * path;   /* the way, without the root */
	X509 *root;              /* at its end */
	struct bundle *roots;
	X509_STORE *store; /* the roots, for OpenSSL */
	int64_t begin_s, end_s;
	bool is_unlimited;
	_Atomic unsigned more; /* references beyond the first */
};

struct authority *authority_ref(struct authority *authority)
{
	atomic_fetch_add_explicit(&authority->more, 1, memory_order_relaxed);
	return authority;
}

void authority_free(struct authority *authority)
{
	if (!authority || atomic_fetch_sub_explicit(&authority->more, 1, memory_order_acq_rel) > 0)
		return;
	signing_key_free(authority->signing_key);
	X509_free(authority->cert);
	X509_free(authority->root);
	EVP_PKEY_free(authority->key); /* wipes it */
	sk_X509_pop_free(authority->given, X509_free);
	sk_X509_pop_free(authority->path, X509_free);
	bundle_free(authority->roots);
	X509_STORE_free(authority->store);
	free(authority);
}

static bool check_signer(X509 *cert, int64_t now_s, struct error *error)
{
	struct refusal refusal;
	if (!certificate_check_signs(cert, error) || !certificate_check_time(cert, now_s, error))
		return false;
	return key_policy_check(X509_get_X509_PUBKEY(cert), KEY_USE_AUTHORITY, &refusal) ||
	       error_set(error, "%s", refusal.error.message);
}

bool authority_check_leads(const struct authority *authority, X509 *certificate, int64_t at_s, struct error *error)
{
	CLEANUP(certificates_freep) STACK_OF(X509) *path = NULL;
	return certification_path_find(authority->store, authority->given, certificate, at_s, X509_PURPOSE_SSL_SERVER,
	                               &path, error) &&
	       certification_path_fits(path, X509_PURPOSE_SSL_CLIENT, error);
}

/* Fills path, begin and end. */
static bool find_path(struct authority *authority, int64_t now_s, struct error *error)
{
	if (!certification_path_find(authority->store, authority->given, authority->cert, now_s, 0, &authority->path,
	                             error))
		return false;
	authority->begin_s = INT64_MIN;
	authority->end_s = INT64_MAX;
	for (int i = 0; i < sk_X509_num(authority->path); i++) {
		int64_t begin_s = 0, end_s = 0;
		if (!certificate_times(sk_X509_value(authority->path, i), &begin_s, &end_s, error))
			return false;
		authority->begin_s = begin_s > authority->begin_s ? begin_s : authority->begin_s;
		authority->end_s = end_s < authority->end_s ? end_s : authority->end_s;
	}
	authority->is_unlimited = certification_path_is_unlimited(authority->path);
	authority->root = sk_X509_pop(authority->path);
	return true;
}

/* What each certificate that it signs will need. */
static void prepare(struct authority *authority)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(authority->cert);
	crypto_must(
	    X509_NAME_get0_der(X509_get_subject_name(authority->cert), &authority->name.s, &authority->name.n) == 1);
	if (id)
		authority->key_id = (struct der){ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)};
	authority->signing_key = signing_key_new(authority->key, X509_get0_pubkey(authority->cert));
}

/* The signer stays in the list: it lies on the way from what it signs. */
static bool read_cert(struct authority *authority, const struct pem_file *file, int64_t now_s, struct error *error)
{
	authority->given = certificates_read(file, error);
	if (!authority->given)
		return false;
	authority->cert = sk_X509_value(authority->given, 0);
	X509_up_ref(authority->cert);
	return check_signer(authority->cert, now_s, error) || error_wrap(error, "%s", file->name);
}

static bool read_chain(struct authority *authority, const struct pem_file *file, struct error *error)
{
	if (file->n == 0)
		return true;
	CLEANUP(certificates_freep) STACK_OF(X509) *list = certificates_read(file, error);
	while (list && sk_X509_num(list))
		crypto_must(sk_X509_push(authority->given, sk_X509_shift(list)) > 0);
	return list != NULL;
}

static bool read_files(struct authority *authority, const struct authority_files *files, int64_t now_s,
                       struct error *error)
{
	if (!read_cert(authority, &files->cert, now_s, error))
		return false;
	authority->key = private_key_read(&files->key, error);
	if (!authority->key)
		return false;
	if (!private_key_belongs(authority->key, authority->cert))
		return error_set(error, "%s: this is not the private key of the certificate in %s", files->key.name,
		                 files->cert.name);
	if (!read_chain(authority, &files->chain, error))
		return false;
	authority->roots = bundle_read(&files->root, error);
	if (!authority->roots)
		return false;
	authority->store = certification_path_store(authority->roots);
	return find_path(authority, now_s, error) ||
	       error_wrap(error, "%s: it does not lead to a root in %s", files->cert.name, files->root.name);
}

static struct authority *keep_if(bool is_good, struct authority *authority)
{
	if (is_good) {
		prepare(authority);
	} else {
		authority_free(authority);
		authority = NULL;
	}
	crypto_error_clear();
	return authority;
}

struct authority *authority_read(const struct authority_files *files, const struct clock *clock, struct error *error)
{
	struct authority *authority = HEAP_NEW(struct authority);
	return keep_if(read_files(authority, files, clock_wall_ns(clock) / CLOCK_S, error), authority);
}

static EVP_PKEY *generate(enum authority_key_type type)
{
	switch (type) {
	case AUTHORITY_KEY_P256:
		return EVP_EC_gen("P-256");
	case AUTHORITY_KEY_P384:
		return EVP_EC_gen("P-384");
	case AUTHORITY_KEY_RSA_4096:
		return EVP_RSA_gen(4096);
	}
	return NULL;
}

/* Its own issuer. No other authority stands below it. */
static bool self_sign(X509 *cert, EVP_PKEY *key, const struct authority_plan *plan, int64_t now_s, struct error *error)
{
	int64_t lifetime_s = plan->lifetime_s ? plan->lifetime_s : AUTHORITY_LIFETIME_S;
	size_t n = strlen(plan->trust_domain);
	BIGNUM *serial = BN_bin2bn(plan->serial, sizeof plan->serial, NULL);
	X509_NAME *name = X509_get_subject_name(cert);
	crypto_must(serial && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)));
	bool is_zero = BN_is_zero(serial);
	BN_free(serial);
	if (is_zero)
		return error_set(error, "the serial number is zero");
	crypto_must(X509_set_version(cert, X509_VERSION_3) && X509_set_pubkey(cert, key) &&
	            X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
	                                       (const unsigned char *)plan->trust_domain,
	                                       n > ORGANISATION_MAX ? ORGANISATION_MAX : (int)n, -1, 0) &&
	            X509_set_issuer_name(cert, name));
	if (!ASN1_TIME_set(X509_getm_notBefore(cert), now_s - AUTHORITY_BACKDATE_S) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), now_s + lifetime_s))
		return crypto_error_set(error, "a lifetime of %lld seconds", (long long)lifetime_s);
	extension_add_basic(cert, 0);
	extension_add_key_usage(cert, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	extension_add_subject_key(cert);
	if (!X509_sign(cert, key, key_policy_digest(key)))
		return crypto_error_set(error, "signing");
	return true;
}

static bool create(struct authority *authority, const struct authority_plan *plan, int64_t now_s, struct error *error)
{
	if (!spiffe_trust_domain_check(plan->trust_domain, strlen(plan->trust_domain), error))
		return false;
	authority->key = generate(plan->key);
	authority->cert = X509_new();
	authority->given = sk_X509_new_null();
	crypto_must(authority->cert && authority->given);
	if (!authority->key)
		return crypto_error_set(error, "making a key");
	if (!self_sign(authority->cert, authority->key, plan, now_s, error) ||
	    !check_signer(authority->cert, now_s, error))
		return false;
	authority->roots = bundle_of(authority->cert, error);
	if (!authority->roots)
		return false;
	authority->store = certification_path_store(authority->roots);
	return find_path(authority, now_s, error);
}

struct authority *authority_create(const struct authority_plan *plan, const struct clock *clock, struct error *error)
{
	struct authority *authority = HEAP_NEW(struct authority);
	return keep_if(create(authority, plan, clock_wall_ns(clock) / CLOCK_S, error) ||
	                   error_wrap(error, "a self-signed authority"),
	               authority);
}

X509 *authority_cert(const struct authority *authority)
{
	return authority->cert;
}

EVP_PKEY *authority_key(const struct authority *authority)
{
	return authority->key;
}

const struct signing_key *authority_signing_key(const struct authority *authority)
{
	return authority->signing_key;
}

struct der authority_name(const struct authority *authority)
{
	return authority->name;
}

struct der authority_key_id(const struct authority *authority)
{
	return authority->key_id;
}

bool authority_is_unlimited(const struct authority *authority)
{
	return authority->is_unlimited;
}

const struct bundle *authority_roots(const struct authority *authority)
{
	return authority->roots;
}

X509 *authority_root(const struct authority *authority)
{
	return authority->root;
}

const STACK_OF(X509) * authority_path(const struct authority *authority)
{
	return authority->path;
}

int64_t authority_begin_s(const struct authority *authority)
{
	return authority->begin_s;
}

int64_t authority_end_s(const struct authority *authority)
{
	return authority->end_s;
}

bool authority_check_time(const struct authority *authority, int64_t at_s, struct error *error)
{
	char time[CLOCK_TEXT];

	if (at_s >= authority->end_s) {
		clock_print(authority->end_s * CLOCK_S, 0, time);
		return error_set(error, "it, or what it leads to, expired at %s", time);
	}
	if (at_s < authority->begin_s) {
		clock_print(authority->begin_s * CLOCK_S, 0, time);
		return error_set(error, "it, or what it leads to, is not valid before %s", time);
	}
	return true;
}

void authority_print_key(const struct authority *authority, struct text *out)
{
	private_key_print(authority->key, out);
}
