#include "ca/verify.h"

#include "ca/certificate_parts.h"
#include "ca/crypto_error.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static bool is_bytes(struct der range, const void *want, size_t n)
{
	return range.n == n && memcmp(range.s, want, n) == 0;
}

static bool is_version_3(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	struct der range = leaf->version, number;
	return der_read(&range, DER_INTEGER, &number) && der_is_done(range) && is_bytes(number, "\x02", 1);
}

/* Positive: the first bit is none of the number's. */
static bool is_serial(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	unsigned char bytes[1 + TEMPLATE_SERIAL_SIZE] = {0};
	if (leaf->serial.n > sizeof bytes)
		return false;
	memcpy(bytes + sizeof bytes - leaf->serial.n, leaf->serial.s, leaf->serial.n);
	return leaf->serial.s[0] < 0x80 && bytes[0] == 0 &&
	       memcmp(bytes + 1, expected->meant->serial, TEMPLATE_SERIAL_SIZE) == 0;
}

static bool is_issuer(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	return der_equal(leaf->issuer, authority_name(expected->authority));
}

static bool is_without_subject(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	return der_is_done(leaf->subject);
}

static bool is_without_unique_ids(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	return !leaf->has_unique_ids;
}

static bool is_valid_then(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	int64_t begin_s = 0, end_s = 0;
	return certificate_parts_times(leaf, &begin_s, &end_s) && begin_s == expected->meant->not_before_s &&
	       end_s == expected->meant->not_after_s && begin_s < end_s;
}

static bool is_within_the_signers(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	int64_t begin_s = 0, end_s = 0;
	return certificate_parts_times(leaf, &begin_s, &end_s) && begin_s >= authority_begin_s(expected->authority) &&
	       end_s <= authority_end_s(expected->authority);
}

static bool is_of_the_key(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	return der_equal(leaf->public_key, public_key_info(expected->key));
}

/* The last byte of id-ce, 2.5.29. True when there is exactly one, critical or not as is wanted. */
static bool get_extension(const struct certificate_parts *leaf, unsigned char id, bool is_critical, struct der *value)
{
	const unsigned char want[] = {0x55, 0x1d, id};
	size_t n = 0;
	struct certificate_extension extension;
	for (struct der rest = leaf->extensions; !der_is_done(rest) && certificate_parts_next(&rest, &extension);) {
		if (!is_bytes(extension.id, want, sizeof want))
			continue;
		if (extension.is_critical != is_critical)
			return false;
		*value = extension.value;
		n++;
	}
	return n == 1;
}

static bool read_name(struct der *names, unsigned tag, const char *want)
{
	struct der name;
	return der_read(names, tag, &name) && is_bytes(name, want, strlen(want));
}

/* These, in this order, and no other: a URI is [6], a host name [2]. */
static bool are_names(struct der names, const struct template *meant)
{
	if (meant->id) {
		char text[SPIFFE_ID_TEXT];
		spiffe_id_print(meant->id, text);
		if (!read_name(&names, DER_IMPLICIT(6), text))
			return false;
	}
	for (size_t i = 0; i < meant->n_dns; i++)
		if (!read_name(&names, DER_IMPLICIT(2), meant->dns[i]))
			return false;
	return der_is_done(names);
}

static bool has_names(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	struct der range, names;
	return get_extension(leaf, 17, true, &range) && der_read(&range, DER_SEQUENCE, &names) && der_is_done(range) &&
	       are_names(names, expected->meant);
}

/* digitalSignature (0) and keyEncipherment (2) from the left; five bits are left over. */
static bool has_key_usage(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	struct der range, bits;
	return get_extension(leaf, 15, true, &range) && der_read(&range, DER_BIT_STRING, &bits) && der_is_done(range) &&
	       bits.n == 2 && bits.s[0] == 5 && bits.s[1] == (1u << 7 | 1u << 5);
}

/* id-kp is 1.3.6.1.5.5.7.3. */
static bool has_extended_key_usage(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	static const struct der server_auth = DER_CONST("\x2b\x06\x01\x05\x05\x07\x03\x01"),
	                        client_auth = DER_CONST("\x2b\x06\x01\x05\x05\x07\x03\x02");
	struct der range, usages, server, client;
	return get_extension(leaf, 37, false, &range) && der_read(&range, DER_SEQUENCE, &usages) &&
	       der_is_done(range) && der_read(&usages, DER_OID, &server) && der_read(&usages, DER_OID, &client) &&
	       der_is_done(usages) && der_equal(server, server_auth) && der_equal(client, client_auth);
}

/* Nothing said of being an authority, which is the default, nor of a length. */
static bool is_no_authority(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	struct der range, constraints;
	return get_extension(leaf, 19, true, &range) && der_read(&range, DER_SEQUENCE, &constraints) &&
	       der_is_done(range) && der_is_done(constraints);
}

/* RFC 7093, 2, method 1: 160 bits of the SHA-256. */
static bool has_subject_key(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	(void)expected;
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct der range, id;
	crypto_must(EVP_Digest(leaf->key_bits.s, leaf->key_bits.n, digest, NULL, EVP_sha256(), NULL) == 1);
	return get_extension(leaf, 14, false, &range) && der_read(&range, DER_OCTET_STRING, &id) &&
	       der_is_done(range) && is_bytes(id, digest, 160 / 8);
}

/* [0] keyIdentifier alone; none at all when the signer has none. */
static bool has_authority_key(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	struct der range, body, id, want = authority_key_id(expected->authority);
	if (der_is_done(want))
		return true; /* or there is one extension too many */
	return get_extension(leaf, 35, false, &range) && der_read(&range, DER_SEQUENCE, &body) && der_is_done(range) &&
	       der_read(&body, DER_IMPLICIT(0), &id) && der_is_done(body) && der_equal(id, want);
}

/* Those above, each of which is there once, and none besides. */
static bool has_no_other_extension(const struct certificate_parts *leaf, const struct verify_expected *expected)
{
	size_t n = 0, want = der_is_done(authority_key_id(expected->authority)) ? 5 : 6;
	struct certificate_extension extension;
	for (struct der rest = leaf->extensions; !der_is_done(rest) && certificate_parts_next(&rest, &extension);)
		n++;
	return n == want;
}

/* In the order in which they are asked: the cheap ones first. */
static const struct {
	const char *what;
	bool (*is_good)(const struct certificate_parts *leaf, const struct verify_expected *expected);
} checks[] = {
    {"version", is_version_3},
    {"serial number", is_serial},
    {"issuer", is_issuer},
    {"subject", is_without_subject},
    {"unique identifiers", is_without_unique_ids},
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

/* ---- whether it leads to a root ---- */

static bool is_signed(const struct certificate_parts *leaf, const struct verify_expected *expected, struct error *error)
{
	const struct signing_key *key = authority_signing_key(expected->authority);
	const struct der algorithm = signing_key_algorithm(key)->identifier;
	if (!der_equal(leaf->algorithm, algorithm) || !der_equal(leaf->outer_algorithm, algorithm))
		return error_set(error, "it is signed by another algorithm than the authority's");
	return signing_key_check(key, leaf->signed_part, leaf->signature) ||
	       error_set(error, "the authority has not signed it");
}

/* As OpenSSL sees it, with all that an authority may limit. */
static bool leads_within_limits(struct der der, const struct verify_expected *expected, struct error *error)
{
	const unsigned char *at = der.s;
	CLEANUP(certificate_freep) X509 *certificate = d2i_X509(NULL, &at, (long)der.n);
	if (!certificate)
		return crypto_error_set(error, "OpenSSL cannot read it");
	return authority_check_leads(expected->authority, certificate, expected->meant->not_before_s, error);
}

static bool is_as_meant(const struct certificate_parts *leaf, const struct verify_expected *expected,
                        struct refusal *refusal)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		if (!checks[i].is_good(leaf, expected))
			return refusal_set(refusal, REFUSAL_RECHECK, "the signed certificate is not what was meant: %s",
			                   checks[i].what);
	return true;
}

bool verify_certificate(const unsigned char *der, size_t n, const struct verify_expected *expected,
                        struct refusal *refusal)
{
	const struct der whole = {der, n};
	struct certificate_parts leaf;
	struct error error;
	if (!certificate_parts_read(whole, &leaf))
		return refusal_set(refusal, REFUSAL_RECHECK, "the signed certificate cannot be read back");
	if (!is_as_meant(&leaf, expected, refusal))
		return false;
	bool leads = is_signed(&leaf, expected, &error) &&
	             (authority_is_unlimited(expected->authority) || leads_within_limits(whole, expected, &error));
	crypto_error_clear();
	return leads || refusal_set(refusal, REFUSAL_RECHECK, "the signed certificate does not lead to a root: %s",
	                            error.message);
}
