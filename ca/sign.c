#include "ca/sign.h"

#include "ca/crypto_error.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#define KEY_ID_SIZE 20
#define NAME_IS_DNS DER_IMPLICIT(2) /* GeneralName (RFC 5280, 4.2.1.6) */
#define NAME_IS_URI DER_IMPLICIT(6)

/* The extensions that all certificates have in common: SEQUENCE { id, critical, OCTET STRING } each. */
static const struct der same_extensions = DER_CONST(
    /* keyUsage, critical: digitalSignature, keyEncipherment */
    "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x05\xa0"
    /* extendedKeyUsage: serverAuth, clientAuth */
    "\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14"
    "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
    /* basicConstraints, critical: no authority */
    "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00");

/* [0] INTEGER 2 */
static const struct der version_3 = DER_CONST("\xa0\x03\x02\x01\x02");

/* The last byte of id-ce (2.5.29), and whether it is critical. */
static size_t open_extension(struct text *out, unsigned char id, bool is_critical, size_t *value)
{
	const unsigned char oid[] = {0x55, 0x1d, id}, yes = 0xff;
	size_t extension = der_open(out, DER_SEQUENCE);
	der_add(out, DER_OID, oid, sizeof oid);
	if (is_critical)
		der_add(out, DER_BOOLEAN, &yes, 1);
	*value = der_open(out, DER_OCTET_STRING);
	return extension;
}

static void close_extension(struct text *out, size_t extension, size_t value)
{
	der_close(out, value);
	der_close(out, extension);
}

/* By RFC 7093, 2, method 1: SHA-256 of the key's bits, cut to 160. */
static void add_subject_key(struct text *out, struct der key_bits)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t value = 0, extension = open_extension(out, 0x0e, false, &value);
	crypto_must(EVP_Digest(key_bits.s, key_bits.n, digest, NULL, EVP_sha256(), NULL) == 1);
	der_add(out, DER_OCTET_STRING, digest, KEY_ID_SIZE);
	close_extension(out, extension, value);
}

/* As the authority's certificate has it; left out when that has none. */
static void add_authority_key(struct text *out, struct der key_id)
{
	if (der_is_done(key_id))
		return;
	size_t value = 0, extension = open_extension(out, 0x23, false, &value);
	size_t body = der_open(out, DER_SEQUENCE);
	der_add(out, DER_IMPLICIT(0), key_id.s, key_id.n);
	der_close(out, body);
	close_extension(out, extension, value);
}

/* One URI for an id, then host names; critical, as the subject is empty (RFC 5280, 4.2.1.6). */
static void add_names(struct text *out, const struct template *meant)
{
	size_t value = 0, extension = open_extension(out, 0x11, true, &value);
	size_t names = der_open(out, DER_SEQUENCE);
	if (meant->id) {
		char id[SPIFFE_ID_TEXT];
		spiffe_id_print(meant->id, id);
		der_add(out, NAME_IS_URI, id, strlen(id));
	}
	for (size_t i = 0; i < meant->n_dns; i++)
		der_add(out, NAME_IS_DNS, meant->dns[i], strlen(meant->dns[i]));
	der_close(out, names);
	close_extension(out, extension, value);
}

static void add_extensions(struct text *out, const struct authority *authority, const struct template *meant,
                           const struct public_key *key)
{
	size_t field = der_open(out, DER_EXPLICIT(3)), list = der_open(out, DER_SEQUENCE);
	der_add_whole(out, same_extensions);
	add_subject_key(out, public_key_bits(key));
	add_authority_key(out, authority_key_id(authority));
	add_names(out, meant);
	der_close(out, list);
	der_close(out, field);
}

static bool add_serial(struct text *out, const struct template *meant, struct error *error)
{
	static const unsigned char zero[TEMPLATE_SERIAL_SIZE];
	if (memcmp(meant->serial, zero, sizeof zero) == 0)
		return error_set(error, "the serial number is zero: randomness is broken");
	der_add_unsigned(out, meant->serial, sizeof meant->serial);
	return true;
}

static bool add_validity(struct text *out, const struct template *meant, struct error *error)
{
	size_t validity = der_open(out, DER_SEQUENCE);
	if (meant->not_before_s >= meant->not_after_s || !der_add_time(out, meant->not_before_s) ||
	    !der_add_time(out, meant->not_after_s))
		return error_set(error, "no validity is from %lld to %lld", (long long)meant->not_before_s,
		                 (long long)meant->not_after_s);
	der_close(out, validity);
	return true;
}

/* TBSCertificate (RFC 5280, 4.1). */
static bool add_signed_part(struct text *out, const struct authority *authority, const struct template *meant,
                            const struct public_key *key, struct error *error)
{
	size_t body = der_open(out, DER_SEQUENCE);
	der_add_whole(out, version_3);
	if (!add_serial(out, meant, error))
		return false;
	der_add_whole(out, signing_key_algorithm(authority_signing_key(authority))->identifier);
	der_add_whole(out, authority_name(authority));
	if (!add_validity(out, meant, error))
		return false;
	der_add(out, DER_SEQUENCE, NULL, 0); /* no subject */
	der_add_whole(out, public_key_info(key));
	add_extensions(out, authority, meant, key);
	der_close(out, body);
	return true;
}

bool sign_certificate(const struct authority *authority, const struct template *meant, const struct public_key *key,
                      struct text *der, struct error *error)
{
	const struct signing_key *signer = authority_signing_key(authority);
	CLEANUP(text_done) struct text signature = {0};
	assert((meant->id || meant->n_dns) && meant->n_dns <= TEMPLATE_DNS_MAX);
	size_t certificate = der_open(der, DER_SEQUENCE), begin = der->n;
	if (!add_signed_part(der, authority, meant, key, error))
		return false;
	const struct der signed_part = {(const unsigned char *)der->s + begin, der->n - begin};
	if (!signing_key_sign(signer, signed_part, &signature, error))
		return false;
	der_add_whole(der, signing_key_algorithm(signer)->identifier);
	der_add_octets_as_bits(der, signature.s, signature.n);
	der_close(der, certificate);
	return true;
}
