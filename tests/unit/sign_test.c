#include "ca/sign.h"

#include "tests/unit/authorities.h"

static const struct template_lifetime policy = {TEMPLATE_TTL_DEFAULT_S, TEMPLATE_TTL_MAX_S};

static struct spiffe_id caller(void)
{
	struct spiffe_id id;
	struct error error;
	ck_assert(spiffe_id_parse(CERTS_CALLER, strlen(CERTS_CALLER), &id, &error));
	return id;
}

START_TEST(a_lifetime_is_asked_for_within_limits)
{
	CLEANUP(authority_freep) struct authority *authority = authority_for_test();
	const int64_t end_s = NOW_S + AUTHORITY_LIFETIME_S;
	const struct {
		int64_t now_s, ttl_s, begin_s, end_s;
		enum refusal_reason want;
	} rows[] = {
	    {NOW_S, 0, NOW_S - 120, NOW_S + DAY_S, REFUSAL_NONE},
	    {NOW_S, -5, NOW_S - 120, NOW_S + DAY_S, REFUSAL_NONE},
	    {NOW_S, INT64_MIN, NOW_S - 120, NOW_S + DAY_S, REFUSAL_NONE},
	    {NOW_S, 1, NOW_S - 120, NOW_S + 1, REFUSAL_NONE},
	    {NOW_S, 3600, NOW_S - 120, NOW_S + 3600, REFUSAL_NONE},
	    {NOW_S, 90 * DAY_S, NOW_S - 120, NOW_S + 90 * DAY_S, REFUSAL_NONE},
	    {NOW_S, 90 * DAY_S + 1, 0, 0, REFUSAL_LIFETIME},
	    {NOW_S, INT64_MAX, 0, 0, REFUSAL_LIFETIME},
	    {NOW_S - 60, 3600, NOW_S - 120, NOW_S + 3540, REFUSAL_NONE}, /* not before the signer begins */
	    {NOW_S - 121, 3600, 0, 0, REFUSAL_SIGNER_EXPIRED},
	    {end_s - DAY_S - 1, 0, end_s - DAY_S - 121, end_s - 1, REFUSAL_NONE},
	    {end_s - DAY_S + 1, 0, end_s - DAY_S - 119, end_s, REFUSAL_NONE}, /* nor after it ends */
	    {end_s - 1, 0, end_s - 121, end_s, REFUSAL_NONE},
	    {end_s, 0, 0, 0, REFUSAL_SIGNER_EXPIRED},
	    {end_s + YEAR_S, 1, 0, 0, REFUSAL_SIGNER_EXPIRED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct template meant = {0};
		struct refusal refusal = {0};
		struct clock clock = clock_at(rows[i].now_s);
		ck_assert_msg(template_set_times(&meant, authority, rows[i].ttl_s, &policy, &clock, &refusal) ==
		                  (rows[i].want == REFUSAL_NONE),
		              "row %zu: %s", i, refusal.error.message);
		ck_assert_int_eq(refusal.reason, rows[i].want);
		ck_assert_msg(meant.not_before_s == rows[i].begin_s && meant.not_after_s == rows[i].end_s, "row %zu",
		              i);
	}
}
END_TEST

/* The middle of the hierarchy ends before its signer does. */
START_TEST(nothing_outlives_the_way_to_the_root)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	struct authority_files files = hierarchy_files(&h);
	struct clock clock = clock_at(NOW_S);
	struct error error;
	struct refusal refusal;
	struct template meant = {0};
	CLEANUP(authority_freep) struct authority *authority = authority_read(&files, &clock, &error);
	ck_assert(template_set_times(&meant, authority, 90 * DAY_S, &policy, &clock, &refusal));
	ck_assert_int_eq(meant.not_after_s, NOW_S + 60 * DAY_S);
}
END_TEST

static X509 *sign_with(const struct authority *authority, const struct template *meant, struct error *error)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	return certificate_for_test(authority, meant, key, error);
}

START_TEST(it_says_what_was_meant_and_nothing_else)
{
	CLEANUP(authority_freep) struct authority *authority = authority_for_test();
	const struct spiffe_id id = caller();
	struct error error;
	const struct template meant = {
	    .id = &id, .not_before_s = NOW_S, .not_after_s = NOW_S + 60, .serial = {0xff, [15] = 1}};
	CLEANUP(certificate_freep) X509 *certificate = sign_with(authority, &meant, &error);
	ck_assert_msg(certificate != NULL, "%s", error.message);
	BIO *bio = BIO_new(BIO_s_mem());
	X509_print_ex(bio, certificate, 0, X509_FLAG_NO_PUBKEY | X509_FLAG_NO_SIGDUMP);
	CLEANUP(text_done) struct text text = {0};
	certs_add_bio(&text, bio);
	static const char *const lines[] = {
	    "Version: 3 (0x2)",
	    "ff:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01",
	    "Signature Algorithm: ecdsa-with-SHA256",
	    "Issuer: O=cluster.local",
	    "Not Before: Jan 15 08:00:00 2027 GMT",
	    "Not After : Jan 15 08:01:00 2027 GMT",
	    "Subject: \n",
	    "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n",
	    "X509v3 Extended Key Usage: \n                TLS Web Server",
	    "TLS Web Server Authentication, TLS Web Client Authentication\n",
	    "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
	    "X509v3 Subject Alternative Name: critical\n                URI:",
	    " URI:spiffe://cluster.local/ns/default/sa/reviews\n",
	    "X509v3 Subject Key Identifier: \n",
	    "X509v3 Authority Key Identifier: \n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		ck_assert_msg(strstr(text.s, lines[i]) != NULL, "no \"%s\" in\n%s", lines[i], text.s);
	ck_assert_int_eq(X509_get_ext_count(certificate), 6);
}
END_TEST

START_TEST(the_digest_is_as_strong_as_the_signers_key)
{
	static const struct {
		const char *key;
		int want;
	} rows[] = {
	    {"P-256", NID_ecdsa_with_SHA256},
	    {"P-384", NID_ecdsa_with_SHA384},
	    {"P-521", NID_ecdsa_with_SHA512},
	    {"RSA 2048", NID_sha256WithRSAEncryption},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(hierarchy_done) struct hierarchy h;
		hierarchy_init(&h);
		EVP_PKEY_free(h.signer_key);
		h.signer_key = certs_key(rows[i].key);
		hierarchy_set_signer(&h, (struct cert_wish){0});
		struct authority_files files = hierarchy_files(&h);
		struct clock clock = clock_at(NOW_S);
		struct error error;
		const struct spiffe_id id = caller();
		CLEANUP(authority_freep) struct authority *authority = authority_read(&files, &clock, &error);
		const struct template meant = {
		    .id = &id, .not_before_s = NOW_S, .not_after_s = NOW_S + 60, .serial = {1}};
		CLEANUP(certificate_freep) X509 *certificate = sign_with(authority, &meant, &error);
		ck_assert_msg(certificate != NULL, "%s", error.message);
		ck_assert_int_eq(X509_get_signature_nid(certificate), rows[i].want);
	}
}
END_TEST

START_TEST(what_cannot_be_is_not_signed)
{
	CLEANUP(authority_freep) struct authority *authority = authority_for_test();
	const struct spiffe_id id = caller();
	static const struct {
		int64_t begin_s, end_s;
		unsigned char serial;
		const char *want;
	} rows[] = {
	    {NOW_S, NOW_S + 60, 0, "the serial number is zero: randomness is broken"},
	    {NOW_S, NOW_S, 1, "no validity is from 1800000000 to 1800000000"},
	    {NOW_S + 1, NOW_S, 1, "no validity is from"},
	    {NOW_S, INT64_MAX / 2, 1, "no validity is from"}, /* a year that no certificate can say */
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error error = {""};
		const struct template meant = {.id = &id,
		                               .not_before_s = rows[i].begin_s,
		                               .not_after_s = rows[i].end_s,
		                               .serial = {rows[i].serial}};
		ck_assert_ptr_null(sign_with(authority, &meant, &error));
		ck_assert_msg(text_has_prefix(error.message, rows[i].want), "%s", error.message);
		ck_assert_int_eq(ERR_peek_error(), 0);
	}
}
END_TEST

UNIT_MAIN("sign", a_lifetime_is_asked_for_within_limits, nothing_outlives_the_way_to_the_root,
          it_says_what_was_meant_and_nothing_else, the_digest_is_as_strong_as_the_signers_key,
          what_cannot_be_is_not_signed)
