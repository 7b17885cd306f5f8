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
	basic->ca = 0xff;
	basic->pathlen = ASN1_INTEGER_new();
	crypto_must(basic->pathlen && ASN1_INTEGER_set(basic->pathlen, path_length));
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

void extension_ask_name(X509_REQ *request, const struct spiffe_id *id)
{
	char text[SPIFFE_ID_TEXT];
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	crypto_must(names && extensions);
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();
	spiffe_id_print(id, text);
	crypto_must(name && value && ASN1_STRING_set(value, text, (int)strlen(text)));
	GENERAL_NAME_set0_value(name, GEN_URI, value);
	crypto_must(sk_GENERAL_NAME_push(names, name) > 0);
	X509_EXTENSION *extension = X509V3_EXT_i2d(NID_subject_alt_name, true, names);
	crypto_must(extension && sk_X509_EXTENSION_push(extensions, extension) > 0 &&
	            X509_REQ_add_extensions(request, extensions));
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	GENERAL_NAMES_free(names);
}

void extension_add_subject_key(X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	crypto_must(X509_pubkey_digest(certificate, EVP_sha256(), digest, &n) && n >= EXTENSION_SKI_SIZE);
	crypto_must(id && ASN1_OCTET_STRING_set(id, digest, EXTENSION_SKI_SIZE));
	add(certificate, NID_subject_key_identifier, id, false);
	ASN1_OCTET_STRING_free(id);
}
