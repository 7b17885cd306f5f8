#include "ca/sign.h"

#include "ca/crypto_error.h"
#include "ca/extension.h"
#include "ca/key_policy.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

static bool set_serial(X509 *certificate, const struct template *meant, struct error *error)
{
	BIGNUM *serial = BN_bin2bn(meant->serial, sizeof meant->serial, NULL);
	crypto_must(serial && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)));
	bool is_zero = BN_is_zero(serial);
	BN_free(serial);
	return !is_zero || error_set(error, "the serial number is zero: randomness is broken");
}

static bool set_times(X509 *certificate, const struct template *meant, struct error *error)
{
	if (meant->not_before_s < meant->not_after_s &&
	    ASN1_TIME_set(X509_getm_notBefore(certificate), meant->not_before_s) &&
	    ASN1_TIME_set(X509_getm_notAfter(certificate), meant->not_after_s))
		return true;
	return crypto_error_set(error, "no validity is from %lld to %lld", (long long)meant->not_before_s,
	                        (long long)meant->not_after_s);
}

/* Writes what is there: X509_set_pubkey encodes the key, and then decodes it again, which costs more than signing. */
static void set_ec_key(X509 *certificate, EVP_PKEY *key, const char *group)
{
	unsigned char *point = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);
	ASN1_OBJECT *curve = OBJ_nid2obj(OBJ_sn2nid(group));
	crypto_must(n > 0 && curve &&
	            X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_nid2obj(EVP_PKEY_EC), V_ASN1_OBJECT,
	                                   curve, point, (int)n));
}

static void set_key(X509 *certificate, EVP_PKEY *key)
{
	char group[32] = "";
	size_t n = 0;
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1)
		set_ec_key(certificate, key, group);
	else
		crypto_must(X509_set_pubkey(certificate, key));
}

static bool fill(X509 *certificate, const struct authority *authority, const struct template *meant, EVP_PKEY *key,
                 struct error *error)
{
	X509 *signer = authority_cert(authority);
	if (!set_serial(certificate, meant, error) || !set_times(certificate, meant, error))
		return false;
	crypto_must(X509_set_version(certificate, X509_VERSION_3) &&
	            X509_set_issuer_name(certificate, X509_get_subject_name(signer)));
	set_key(certificate, key);
	extension_add_key_usage(certificate, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	extension_add_server_and_client(certificate);
	extension_add_basic(certificate, EXTENSION_LEAF);
	extension_add_subject_key(certificate);
	extension_add_authority_key(certificate, signer);
	extension_add_names(certificate, meant->id, meant->dns, meant->n_dns);
	if (!X509_sign(certificate, authority_key(authority), key_policy_digest(authority_key(authority))))
		return crypto_error_set(error, "signing");
	return true;
}

X509 *sign_certificate(const struct authority *authority, const struct template *meant, EVP_PKEY *key,
                       struct error *error)
{
	assert((meant->id || meant->n_dns) && meant->n_dns <= TEMPLATE_DNS_MAX);
	X509 *certificate = X509_new();
	crypto_must(certificate != NULL);
	bool is_good = fill(certificate, authority, meant, key, error);
	crypto_error_clear();
	if (is_good)
		return certificate;
	X509_free(certificate);
	return NULL;
}
