#include "ca/verify.h"

#include "ca/crypto_error.h"
#include "ca/extension.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

/* An extension by its NID; *is_critical is false too when there is none. */
static void *get_extension(const X509 *certificate, int nid, bool *is_critical)
{
	int critical = 0;
	void *value = X509_get_ext_d2i(certificate, nid, &critical, NULL);
	*is_critical = critical == 1;
	return value;
}

static bool is_version_3(X509 *certificate, const struct verify_expected *expected)
{
	(void)expected;
	const ASN1_BIT_STRING *issuer_id = NULL, *subject_id = NULL;
	X509_get0_uids(certificate, &issuer_id, &subject_id); /* fields that nobody uses */
	return X509_get_version(certificate) == X509_VERSION_3 && !issuer_id && !subject_id;
}

static bool is_serial(X509 *certificate, const struct verify_expected *expected)
{
	unsigned char bytes[TEMPLATE_SERIAL_SIZE];
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	bool is_same = serial && !BN_is_negative(serial) && !BN_is_zero(serial) &&
	               BN_bn2binpad(serial, bytes, sizeof bytes) == (int)sizeof bytes &&
	               memcmp(bytes, expected->meant->serial, sizeof bytes) == 0;
	BN_free(serial);
	return is_same;
}

static bool is_issuer(X509 *certificate, const struct verify_expected *expected)
{
	return X509_NAME_cmp(X509_get_issuer_name(certificate),
	                     X509_get_subject_name(authority_cert(expected->authority))) == 0;
}

static bool is_without_subject(X509 *certificate, const struct verify_expected *expected)
{
	(void)expected;
	return X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;
}

static bool is_valid_then(X509 *certificate, const struct verify_expected *expected)
{
	int64_t begin_s = 0, end_s = 0;
	struct error ignored;
	return certificate_times(certificate, &begin_s, &end_s, &ignored) && begin_s == expected->meant->not_before_s &&
	       end_s == expected->meant->not_after_s && begin_s < end_s;
}

static bool is_within_the_signers(X509 *certificate, const struct verify_expected *expected)
{
	int64_t begin_s = 0, end_s = 0;
	struct error ignored;
	return certificate_times(certificate, &begin_s, &end_s, &ignored) &&
	       begin_s >= authority_begin_s(expected->authority) && end_s <= authority_end_s(expected->authority);
}

static bool is_of_the_key(X509 *certificate, const struct verify_expected *expected)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	return key && EVP_PKEY_eq(key, expected->key) == 1;
}

static bool is_name(const GENERAL_NAME *name, int want_type, const char *want)
{
	int type = 0;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	size_t n = strlen(want);
	return type == want_type && (size_t)ASN1_STRING_length(value) == n &&
	       memcmp(ASN1_STRING_get0_data(value), want, n) == 0;
}

/* These, in this order, and no other. */
static bool are_names(const GENERAL_NAMES *names, const struct template *meant)
{
	size_t n_ids = meant->id ? 1 : 0;
	if ((size_t)sk_GENERAL_NAME_num(names) != n_ids + meant->n_dns)
		return false;
	if (meant->id) {
		char text[SPIFFE_ID_TEXT];
		spiffe_id_print(meant->id, text);
		if (!is_name(sk_GENERAL_NAME_value(names, 0), GEN_URI, text))
			return false;
	}
	for (size_t i = 0; i < meant->n_dns; i++)
		if (!is_name(sk_GENERAL_NAME_value(names, (int)(n_ids + i)), GEN_DNS, meant->dns[i]))
			return false;
	return true;
}

static bool has_names(X509 *certificate, const struct verify_expected *expected)
{
	bool is_critical = false;
	GENERAL_NAMES *names = get_extension(certificate, NID_subject_alt_name, &is_critical);
	bool is_good = names && is_critical && are_names(names, expected->meant);
	GENERAL_NAMES_free(names);
	return is_good;
}

static bool has_key_usage(X509 *certificate, const struct verify_expected *expected)
{
	(void)expected;
	bool is_critical = false;
	ASN1_BIT_STRING *usage = get_extension(certificate, NID_key_usage, &is_critical);
	bool is_good = usage && is_critical;
	for (int bit = 0; usage && bit < 16; bit++) /* digitalSignature (0) and keyEncipherment (2) */
		is_good = is_good && ASN1_BIT_STRING_get_bit(usage, bit) == (bit == 0 || bit == 2);
	ASN1_BIT_STRING_free(usage);
	return is_good;
}

static bool has_extended_key_usage(X509 *certificate, const struct verify_expected *expected)
{
	(void)expected;
	bool is_critical = false;
	EXTENDED_KEY_USAGE *usages = get_extension(certificate, NID_ext_key_usage, &is_critical);
	bool is_good = usages && !is_critical && sk_ASN1_OBJECT_num(usages) == 2 &&
	               OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, 0)) == NID_server_auth &&
	               OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, 1)) == NID_client_auth;
	EXTENDED_KEY_USAGE_free(usages);
	return is_good;
}

static bool is_no_authority(X509 *certificate, const struct verify_expected *expected)
{
	(void)expected;
	bool is_critical = false;
	BASIC_CONSTRAINTS *basic = get_extension(certificate, NID_basic_constraints, &is_critical);
	bool is_good = basic && is_critical && !basic->ca && !basic->pathlen;
	BASIC_CONSTRAINTS_free(basic);
	return is_good;
}

static bool has_subject_key(X509 *certificate, const struct verify_expected *expected)
{
	(void)expected;
	unsigned char digest[EXTENSION_SKI_SIZE];
	bool is_critical = false;
	ASN1_OCTET_STRING *id = get_extension(certificate, NID_subject_key_identifier, &is_critical);
	extension_key_digest(certificate, digest);
	bool is_good = id && !is_critical && ASN1_STRING_length(id) == (int)sizeof digest &&
	               memcmp(ASN1_STRING_get0_data(id), digest, sizeof digest) == 0;
	ASN1_OCTET_STRING_free(id);
	return is_good;
}

static bool has_authority_key(X509 *certificate, const struct verify_expected *expected)
{
	const ASN1_OCTET_STRING *signer = X509_get0_subject_key_id(authority_cert(expected->authority));
	bool is_critical = false;
	AUTHORITY_KEYID *id = get_extension(certificate, NID_authority_key_identifier, &is_critical);
	bool is_good = signer ? id && !is_critical && !id->issuer && !id->serial && id->keyid &&
	                            ASN1_OCTET_STRING_cmp(id->keyid, signer) == 0
	                      : !id;
	AUTHORITY_KEYID_free(id);
	return is_good;
}

/* Those above, and none besides; each is there once, or X509_get_ext_d2i had not found it. */
static bool has_no_other_extension(X509 *certificate, const struct verify_expected *expected)
{
	bool has_signer_id = X509_get0_subject_key_id(authority_cert(expected->authority)) != NULL;
	return X509_get_ext_count(certificate) == 5 + has_signer_id;
}

/* In the order in which they are asked: the cheap ones first. */
static const struct {
	const char *what;
	bool (*is_good)(X509 *certificate, const struct verify_expected *expected);
} checks[] = {
    {"version", is_version_3},
    {"serial number", is_serial},
    {"issuer", is_issuer},
    {"subject", is_without_subject},
    {"validity", is_valid_then},
    {"validity within the signer's", is_within_the_signers},
    {"key", is_of_the_key},
    {"names", has_names},
    {"key usage", has_key_usage},
    {"extended key usage", has_extended_key_usage},
    {"basic constraints", is_no_authority},
    {"subject key identifier", has_subject_key},
    {"authority key identifier", has_authority_key},
    {"extensions", has_no_other_extension},
};

static bool check_leads(X509 *certificate, const struct verify_expected *expected, struct refusal *refusal)
{
	struct error error;
	return authority_check_leads(expected->authority, certificate, expected->meant->not_before_s, &error) ||
	       refusal_set(refusal, REFUSAL_RECHECK, "the signed certificate does not lead to a root: %s",
	                   error.message);
}

static bool check_all(X509 *certificate, const struct verify_expected *expected, struct refusal *refusal)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		if (!checks[i].is_good(certificate, expected))
			return refusal_set(refusal, REFUSAL_RECHECK, "the signed certificate is not what was meant: %s",
			                   checks[i].what);
	return check_leads(certificate, expected, refusal);
}

bool verify_certificate(const unsigned char *der, size_t n, const struct verify_expected *expected,
                        struct refusal *refusal)
{
	const unsigned char *at = der;
	CLEANUP(certificate_freep) X509 *certificate = d2i_X509(NULL, &at, (long)n);
	bool is_good = certificate && at == der + n
	                   ? check_all(certificate, expected, refusal)
	                   : refusal_set(refusal, REFUSAL_RECHECK, "the signed certificate cannot be read back");
	crypto_error_clear();
	return is_good;
}
