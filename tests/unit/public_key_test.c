#include "ca/public_key.h"

#include "tests/unit/authorities.h"

/* An EVP_PKEY's SubjectPublicKeyInfo, as OpenSSL writes it. */
static void info_of(EVP_PKEY *key, struct text *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	ck_assert_int_gt(n, 0);
	text_add_n(out, der, n);
	OPENSSL_free(der);
}

static struct public_key *read_info(const struct text *info, enum key_use use, struct refusal *refusal)
{
	*refusal = (struct refusal){0};
	struct public_key *key = public_key_read((struct der){(const unsigned char *)info->s, info->n}, use, refusal);
	ck_assert_int_eq(ERR_peek_error(), 0);
	ck_assert((key != NULL) == (refusal->reason == REFUSAL_NONE));
	ck_assert((key != NULL) == (refusal->error.message[0] == '\0'));
	return key;
}

START_TEST(it_is_the_key_that_openssl_reads)
{
	static const char *const names[] = {"P-256", "P-384", "RSA 2048"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *evp = certs_key(names[i]);
		CLEANUP(text_done) struct text info = {0};
		struct refusal refusal;
		info_of(evp, &info);
		CLEANUP(public_key_freep) struct public_key *key = read_info(&info, KEY_USE_WORKLOAD, &refusal);
		ck_assert_msg(key != NULL, "%s: %s", names[i], refusal.error.message);
		ck_assert_int_eq(EVP_PKEY_eq(public_key_evp(key), evp), 1);
		struct der want = {(const unsigned char *)info.s, info.n};
		ck_assert(der_equal(public_key_info(key), want));
		X509_PUBKEY *parts = NULL;
		const unsigned char *bits = NULL;
		int n = 0;
		ck_assert(X509_PUBKEY_set(&parts, evp) && X509_PUBKEY_get0_param(NULL, &bits, &n, NULL, parts));
		ck_assert(der_equal(public_key_bits(key), (struct der){bits, n}));
		X509_PUBKEY_free(parts);
	}
}
END_TEST

START_TEST(who_may_have_which_key)
{
	static const struct {
		const char *name;
		enum refusal_reason workload, authority;
	} rows[] = {
	    {"P-256", REFUSAL_NONE, REFUSAL_NONE},
	    {"P-384", REFUSAL_NONE, REFUSAL_NONE},
	    {"P-521", REFUSAL_KEY_CURVE, REFUSAL_NONE},
	    {"P-256 explicit", REFUSAL_KEY_CURVE, REFUSAL_KEY_CURVE},
	    {"P-256 compressed", REFUSAL_KEY_CURVE, REFUSAL_KEY_CURVE},
	    {"ED25519", REFUSAL_KEY_TYPE, REFUSAL_KEY_TYPE},
	    {"RSA 1024", REFUSAL_KEY_SIZE, REFUSAL_KEY_SIZE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *evp = certs_key(rows[i].name);
		for (int use = KEY_USE_WORKLOAD; use <= KEY_USE_AUTHORITY; use++) {
			struct refusal refusal = {0};
			CLEANUP(public_key_freep) struct public_key *key = public_key_of(evp, use, &refusal);
			ck_assert_msg(refusal.reason ==
			                  (use == KEY_USE_WORKLOAD ? rows[i].workload : rows[i].authority),
			              "%s: %s", rows[i].name, refusal.error.message);
			ck_assert((key != NULL) == (refusal.reason == REFUSAL_NONE));
		}
	}
}
END_TEST

/* Any other y is of no point with that x, but one. */
START_TEST(a_point_that_is_not_on_the_curve_is_no_key)
{
	static const char *const names[] = {"P-256", "P-384"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *evp = certs_key(names[i]);
		CLEANUP(text_done) struct text info = {0};
		struct refusal refusal;
		info_of(evp, &info);
		info.s[info.n - 1] ^= 1;
		ck_assert_ptr_null(read_info(&info, KEY_USE_WORKLOAD, &refusal));
		ck_assert_int_eq(refusal.reason, REFUSAL_MALFORMED);
		ck_assert_msg(text_has_prefix(refusal.error.message, "the public key cannot be read: "), "%s",
		              refusal.error.message);
		memset(info.s + info.n - 64, 0, 64); /* nor the point at infinity */
		ck_assert_ptr_null(read_info(&info, KEY_USE_WORKLOAD, &refusal));
		memset(info.s + info.n - 64, 0xff, 64); /* nor coordinates beyond the field */
		ck_assert_ptr_null(read_info(&info, KEY_USE_WORKLOAD, &refusal));
	}
}
END_TEST

START_TEST(no_byte_may_be_missing_or_too_many)
{
	static const char *const names[] = {"P-256", "RSA 2048"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *evp = certs_key(names[i]);
		CLEANUP(text_done) struct text info = {0};
		struct refusal refusal;
		info_of(evp, &info);
		text_add_char(&info, 0);
		ck_assert_ptr_null(read_info(&info, KEY_USE_WORKLOAD, &refusal));
		ck_assert_int_eq(refusal.reason, REFUSAL_MALFORMED);
		for (info.n -= 2; info.n > 0; info.n--)
			ck_assert_ptr_null(read_info(&info, KEY_USE_WORKLOAD, &refusal));
	}
}
END_TEST

/* An RSA key without the NULL beside its type, as some write it (RFC 3279, 2.3.1 wants it): what goes into certificates
 * has it. */
START_TEST(what_goes_into_a_certificate_is_der)
{
	CLEANUP(certs_key_freep) EVP_PKEY *evp = certs_key("RSA 2048");
	CLEANUP(text_done) struct text info = {0}, odd = {0};
	struct refusal refusal;
	info_of(evp, &info);
	struct der range = {(const unsigned char *)info.s, info.n}, body, algorithm, id, bits;
	ck_assert(der_read(&range, DER_SEQUENCE, &body) && der_read(&body, DER_SEQUENCE, &algorithm) &&
	          der_read(&algorithm, DER_OID, &id) && der_read(&body, DER_BIT_STRING, &bits));
	size_t outer = der_open(&odd, DER_SEQUENCE), inner = der_open(&odd, DER_SEQUENCE);
	der_add(&odd, DER_OID, id.s, id.n);
	der_close(&odd, inner);
	der_add(&odd, DER_BIT_STRING, bits.s, bits.n);
	der_close(&odd, outer);
	CLEANUP(public_key_freep) struct public_key *key = read_info(&odd, KEY_USE_WORKLOAD, &refusal);
	ck_assert_msg(key != NULL, "%s", refusal.error.message);
	ck_assert(der_equal(public_key_info(key), (struct der){(const unsigned char *)info.s, info.n}));
}
END_TEST

UNIT_MAIN("public_key", it_is_the_key_that_openssl_reads, who_may_have_which_key,
          a_point_that_is_not_on_the_curve_is_no_key, no_byte_may_be_missing_or_too_many,
          what_goes_into_a_certificate_is_der)
