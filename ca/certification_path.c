#include "ca/certification_path.h"

#include "ca/crypto_error.h"

#include <openssl/x509v3.h>

#define SECURITY_LEVEL 2 /* 112 bits: neither SHA-1 nor RSA below 2048 on the way to the root */

/* What an authority may have without limiting anybody: that it is one, what its key is for, whose keys these are. */
static const int harmless_extensions[] = {NID_basic_constraints, NID_key_usage, NID_subject_key_identifier,
                                          NID_authority_key_identifier};

X509_STORE *certification_path_store(const struct bundle *roots)
{
	X509_STORE *store = X509_STORE_new();
	crypto_must(store != NULL);
	for (size_t i = 0; i < bundle_size(roots); i++)
		crypto_must(X509_STORE_add_cert(store, bundle_get(roots, i)));
	return store;
}

bool certification_path_find(X509_STORE *store, STACK_OF(X509) * given, X509 *certificate, int64_t at_s, int purpose,
                             STACK_OF(X509) * *path, struct error *error)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	crypto_must(context && X509_STORE_CTX_init(context, store, certificate, given));
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_time(param, at_s);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	if (purpose)
		X509_VERIFY_PARAM_set_purpose(param, purpose);
	bool is_good = X509_verify_cert(context) == 1;
	if (!is_good)
		error_set(error, "%s (certificate %d of the chain)",
		          X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)),
		          X509_STORE_CTX_get_error_depth(context) + 1);
	else if (path)
		*path = X509_STORE_CTX_get1_chain(context);
	X509_STORE_CTX_free(context);
	crypto_error_clear();
	return is_good;
}

bool certification_path_fits(STACK_OF(X509) * path, int purpose, struct error *error)
{
	bool is_good = true;
	for (int i = 0; is_good && i < sk_X509_num(path); i++)
		is_good = X509_check_purpose(sk_X509_value(path, i), purpose, i > 0) == 1 ||
		          error_set(error, "%s (certificate %d of the chain)",
		                    X509_verify_cert_error_string(X509_V_ERR_INVALID_PURPOSE), i + 1);
	crypto_error_clear();
	return is_good;
}

static bool has_only_harmless_extensions(const X509 *certificate)
{
	size_t n_harmless = sizeof harmless_extensions / sizeof harmless_extensions[0];
	for (int i = 0; i < X509_get_ext_count(certificate); i++) {
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(certificate, i)));
		size_t k = 0;
		while (k < n_harmless && harmless_extensions[k] != nid)
			k++;
		if (k == n_harmless)
			return false;
	}
	return true;
}

/* A path length counts the authorities that may stand below: of the signer's, above, as many as there are. */
bool certification_path_is_unlimited(const STACK_OF(X509) * path)
{
	for (int i = 0; i < sk_X509_num(path); i++) {
		X509 *certificate = sk_X509_value(path, i);
		long allowed = X509_get_pathlen(certificate);
		if (!has_only_harmless_extensions(certificate) || (allowed >= 0 && allowed < i))
			return false;
	}
	return true;
}
