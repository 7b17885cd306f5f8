#include "ca/extension.h"

#include "ca/crypto_error.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

/* In the order of the bits of KeyUsage (RFC 5280, 4.2.1.3). */
static const unsigned key_usages[] = {
    KU_DIGITAL_SIGNATURE, KU_NON_REPUDIATION, KU_KEY_ENCIPHERMENT, KU_DATA_ENCIPHERMENT,
    KU_KEY_AGREEMENT,     KU_KEY_CERT_SIGN,   KU_CRL_SIGN,
};

static void add(X509 *certificate, int nid, void *value, bool is_critical)
{
	crypto_must(X509_add1_ext_i2d(certificate, nid, value, is_critical, X509V3_ADD_DEFAULT) == 1);
}

void extension_add_basic(X509 *certificate, int path_length)
{
	BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
	crypto_must(basic != NULL);
	if (path_length >= 0) {
		basic->ca = 0xff;
		basic->pathlen = ASN1_INTEGER_new();
		crypto_must(basic->pathlen && ASN1_INTEGER_set(basic->pathlen, path_length));
	}
	add(certificate, NID_basic_constraints, basic, true);
	BASIC_CONSTRAINTS_free(basic);
}

void extension_add_key_usage(X509 *certificate, unsigned usage)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	crypto_must(bits != NULL);
	for (size_t i = 0; i < sizeof key_usages / sizeof key_usages[0]; i++)
		if (usage & key_usages[i])
			crypto_must(ASN1_BIT_STRING_set_bit(bits, (int)i, 1));
	add(certificate, NID_key_usage, bits, true);
	ASN1_BIT_STRING_free(bits);
}

void extension_add_server_and_client(X509 *certificate)
{
	EXTENDED_KEY_USAGE *usages = EXTENDED_KEY_USAGE_new();
	crypto_must(usages && sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_server_auth)) > 0 &&
	            sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_client_auth)) > 0);
	add(certificate, NID_ext_key_usage, usages, false);
	EXTENDED_KEY_USAGE_free(usages);
}

static void add_name(GENERAL_NAMES *names, int type, const char *s)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();
	crypto_must(name && value && ASN1_STRING_set(value, s, (int)strlen(s)));
	GENERAL_NAME_set0_value(name, type, value);
	crypto_must(sk_GENERAL_NAME_push(names, name) > 0);
}

void extension_add_names(X509 *certificate, const struct spiffe_id *id, const char *const *dns, size_t n_dns)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	crypto_must(names != NULL);
	if (id) {
		char text[SPIFFE_ID_TEXT];
		spiffe_id_print(id, text);
		add_name(names, GEN_URI, text);
	}
	for (size_t i = 0; i < n_dns; i++)
		add_name(names, GEN_DNS, dns[i]);
	add(certificate, NID_subject_alt_name, names, true);
	GENERAL_NAMES_free(names);
}

void extension_ask_name(X509_REQ *request, const struct spiffe_id *id)
{
	char text[SPIFFE_ID_TEXT];
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	crypto_must(names && extensions);
	spiffe_id_print(id, text);
	add_name(names, GEN_URI, text);
	X509_EXTENSION *extension = X509V3_EXT_i2d(NID_subject_alt_name, true, names);
	crypto_must(extension && sk_X509_EXTENSION_push(extensions, extension) > 0 &&
	            X509_REQ_add_extensions(request, extensions));
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	GENERAL_NAMES_free(names);
}

void extension_key_digest(const X509 *certificate, unsigned char digest[EXTENSION_SKI_SIZE])
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	crypto_must(X509_pubkey_digest(certificate, EVP_sha256(), whole, &n) && n >= EXTENSION_SKI_SIZE);
	memcpy(digest, whole, EXTENSION_SKI_SIZE);
}

void extension_add_subject_key(X509 *certificate)
{
	unsigned char digest[EXTENSION_SKI_SIZE];
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	extension_key_digest(certificate, digest);
	crypto_must(id && ASN1_OCTET_STRING_set(id, digest, sizeof digest));
	add(certificate, NID_subject_key_identifier, id, false);
	ASN1_OCTET_STRING_free(id);
}

void extension_add_authority_key(X509 *certificate, X509 *issuer)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
	if (!id)
		return;
	AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
	crypto_must(authority != NULL);
	authority->keyid = ASN1_OCTET_STRING_dup(id);
	crypto_must(authority->keyid != NULL);
	add(certificate, NID_authority_key_identifier, authority, false);
	AUTHORITY_KEYID_free(authority);
}
