#include "ca/csr.h"

#include "tests/unit/certs.h"
#include "tests/unit/unit.h"

static struct spiffe_id caller(void)
{
	struct spiffe_id id;
	struct error error;
	ck_assert(spiffe_id_parse(CERTS_CALLER, strlen(CERTS_CALLER), &id, &error));
	return id;
}

/* REFUSAL_NONE when it is taken. */
static enum refusal_reason judge(const void *s, size_t n, struct refusal *refusal)
{
	const struct spiffe_id id = caller();
	*refusal = (struct refusal){0};
	CLEANUP(csr_freep) struct csr *csr = csr_parse(s, n, refusal);
	if (csr && csr_check_identity(csr, &id, refusal))
		ck_assert(csr_key(csr) != NULL);
	ck_assert_msg((refusal->reason == REFUSAL_NONE) == (refusal->error.message[0] == '\0'), "a reason has words");
	ck_assert_msg(ERR_peek_error() == 0, "OpenSSL's queue must be empty");
	return refusal->reason;
}

static void check(const struct csr_wish *wish, size_t row, enum refusal_reason want)
{
	CLEANUP(text_done) struct text request = {0};
	struct refusal refusal;
	certs_request_of(wish, &request);
	enum refusal_reason got = judge(request.s, request.n, &refusal);
	ck_assert_msg(got == want, "row %zu: want %s, got %s: %s", row, refusal_label(want), refusal_label(got),
	              refusal.error.message);
}

START_TEST(keys_are_taken_or_not)
{
	static const struct {
		const char *key;
		enum refusal_reason want;
	} rows[] = {
	    {"P-256", REFUSAL_NONE},
	    {"P-384", REFUSAL_NONE},
	    {"RSA 2048", REFUSAL_NONE},
	    {"P-521", REFUSAL_KEY_CURVE},
	    {"P-224", REFUSAL_KEY_CURVE},
	    {"secp256k1", REFUSAL_KEY_CURVE},
	    {"brainpoolP256r1", REFUSAL_KEY_CURVE},
	    {"P-256 explicit", REFUSAL_KEY_CURVE},
	    {"P-256 compressed", REFUSAL_KEY_CURVE},
	    {"ED25519", REFUSAL_KEY_TYPE},
	    {"RSA 1024", REFUSAL_KEY_SIZE},
	    {"RSA 2047", REFUSAL_KEY_SIZE},
	    {"RSA 4104", REFUSAL_KEY_SIZE},
	    {"RSA 2048 3", REFUSAL_KEY_EXPONENT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&(struct csr_wish){.key = rows[i].key, .names = "URI:" CERTS_CALLER}, i, rows[i].want);
}
END_TEST

START_TEST(signatures_are_proof_of_possession)
{
	static const struct {
		struct csr_wish wish;
		enum refusal_reason want;
	} rows[] = {
	    {{.digest = "SHA384"}, REFUSAL_NONE},
	    {{.digest = "SHA512"}, REFUSAL_NONE},
	    {{.key = "RSA 2048", .digest = "SHA512"}, REFUSAL_NONE},
	    {{.digest = "SHA1"}, REFUSAL_SIGNATURE_ALGORITHM},
	    {{.digest = "SHA224"}, REFUSAL_SIGNATURE_ALGORITHM},
	    {{.key = "RSA 2048", .digest = "SHA1"}, REFUSAL_SIGNATURE_ALGORITHM},
	    {{.key = "RSA 2048", .digest = "MD5"}, REFUSAL_SIGNATURE_ALGORITHM},
	    {{.is_foreign_signature = true}, REFUSAL_SIGNATURE},
	    {{.key = "RSA 2048", .is_foreign_signature = true}, REFUSAL_SIGNATURE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&rows[i].wish, i, rows[i].want);
}
END_TEST

START_TEST(nothing_may_be_asked_beyond_ones_own_name)
{
#define NUL_ID CERTS_CALLER "\0.evil"
	static const struct {
		struct csr_wish wish;
		enum refusal_reason want;
	} rows[] = {
	    {{.names = NULL}, REFUSAL_NONE},
	    {{.names = "URI:" CERTS_CALLER}, REFUSAL_NONE},
	    {{.names = "URI:" CERTS_CALLER, .constraints = "CA:FALSE", .use = "digitalSignature,keyEncipherment"},
	     REFUSAL_NONE},
	    {{.names = "URI:spiffe://cluster.local/ns/default/sa/ratings"}, REFUSAL_OTHER_IDENTITY},
	    {{.names = "URI:spiffe://cluster.local/ns/prod/sa/reviews"}, REFUSAL_OTHER_IDENTITY},
	    {{.names = "URI:spiffe://other.local/ns/default/sa/reviews"}, REFUSAL_OTHER_IDENTITY},
	    {{.names = "URI:https://cluster.local"}, REFUSAL_OTHER_IDENTITY},
	    {{.raw_uri = NUL_ID, .raw_uri_n = sizeof NUL_ID - 1}, REFUSAL_OTHER_IDENTITY},
	    {{.raw_uri = "", .raw_uri_n = 0}, REFUSAL_OTHER_IDENTITY},
	    {{.names = "DNS:reviews.default.svc"}, REFUSAL_EXTRA_NAMES},
	    {{.names = "IP:10.0.0.1"}, REFUSAL_EXTRA_NAMES},
	    {{.names = "email:a@b.c"}, REFUSAL_EXTRA_NAMES},
	    {{.names = "URI:" CERTS_CALLER ",DNS:reviews.default.svc"}, REFUSAL_EXTRA_NAMES},
	    {{.names = "URI:" CERTS_CALLER ",URI:" CERTS_CALLER}, REFUSAL_EXTRA_NAMES},
	    {{.names = "URI:" CERTS_CALLER ",URI:spiffe://cluster.local/ns/default/sa/ratings"},
	     REFUSAL_OTHER_IDENTITY},
	    {{.constraints = "CA:TRUE"}, REFUSAL_ASKS_FOR_CA},
	    {{.constraints = "CA:TRUE,pathlen:0", .names = "URI:" CERTS_CALLER}, REFUSAL_ASKS_FOR_CA},
	    {{.use = "keyCertSign"}, REFUSAL_ASKS_FOR_CA},
	    {{.use = "digitalSignature,cRLSign"}, REFUSAL_ASKS_FOR_CA},
	    {{.names = "URI:" CERTS_CALLER, .is_twice = true}, REFUSAL_MALFORMED},
	    {{.constraints = "CA:FALSE", .is_twice = true}, REFUSAL_MALFORMED},
	    {{.names = "URI:" CERTS_CALLER, .is_list_twice = true}, REFUSAL_MALFORMED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&rows[i].wish, i, rows[i].want);
}
END_TEST

START_TEST(the_message_says_who_asked_for_whom)
{
	CLEANUP(text_done) struct text request = {0};
	struct refusal refusal;
	certs_request_of(&(struct csr_wish){.names = "URI:spiffe://cluster.local/ns/default/sa/ratings"}, &request);
	judge(request.s, request.n, &refusal);
	ck_assert_str_eq(refusal.error.message,
	                 "the certificate request asks for spiffe://cluster.local/ns/default/sa/ratings, but the "
	                 "caller is " CERTS_CALLER);
}
END_TEST

START_TEST(what_is_around_the_request_decides)
{
	CLEANUP(text_done) struct text good = {0}, der = {0};
	struct refusal refusal;
	certs_request_of(&(struct csr_wish){0}, &good);
	certs_request_of(&(struct csr_wish){.is_der = true}, &der);
	ck_assert_int_eq(judge(good.s, good.n, &refusal), REFUSAL_NONE);
	ck_assert_int_eq(judge(der.s, der.n, &refusal), REFUSAL_NONE);
	const struct {
		const char *before, *body, *after;
		enum refusal_reason want;
	} rows[] = {
	    {"\n \r\n", good.s, "\n\t\n", REFUSAL_NONE},
	    {"", good.s, good.s, REFUSAL_MALFORMED},
	    {"", good.s, "text", REFUSAL_MALFORMED},
	    {"Certificate Request:\n", good.s, "", REFUSAL_MALFORMED},
	    {"", "", "", REFUSAL_MALFORMED},
	    {"", "-----", "", REFUSAL_MALFORMED},
	    {"", "-----BEGIN CERTIFICATE REQUEST-----\n", "", REFUSAL_MALFORMED},
	    {"", "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", "", REFUSAL_MALFORMED},
	    {"", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "", REFUSAL_MALFORMED},
	    {"", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", "",
	     REFUSAL_MALFORMED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text all = {0};
		text_printf(&all, "%s%s%s", rows[i].before, rows[i].body, rows[i].after);
		ck_assert_msg(judge(all.s, all.n, &refusal) == rows[i].want, "row %zu: %s", i, refusal.error.message);
	}
	text_add_char(&der, '\0');
	ck_assert_int_eq(judge(der.s, der.n, &refusal), REFUSAL_MALFORMED);
	for (size_t n = 0; n + 1 < der.n; n++)
		ck_assert_int_eq(judge(der.s, n, &refusal), REFUSAL_MALFORMED);
}
END_TEST

START_TEST(no_byte_can_be_changed)
{
	CLEANUP(text_done) struct text der = {0};
	struct refusal refusal;
	certs_request_of(&(struct csr_wish){.is_der = true, .names = "URI:" CERTS_CALLER}, &der);
	for (size_t i = 0; i < der.n; i++) {
		der.s[i] ^= 1;
		ck_assert_msg(judge(der.s, der.n, &refusal) != REFUSAL_NONE, "byte %zu of %zu", i, der.n);
		der.s[i] ^= 1;
	}
	ck_assert_int_eq(judge(der.s, der.n, &refusal), REFUSAL_NONE);
}
END_TEST

START_TEST(a_request_that_is_too_large_is_not_read)
{
	CLEANUP(text_done) struct text request = {0};
	struct refusal refusal;
	certs_request_of(&(struct csr_wish){0}, &request);
	while (request.n < CSR_BYTES_MAX)
		text_add_char(&request, '\n');
	ck_assert_int_eq(judge(request.s, request.n, &refusal), REFUSAL_NONE);
	text_add_char(&request, '\n');
	ck_assert_int_eq(judge(request.s, request.n, &refusal), REFUSAL_TOO_LARGE);
}
END_TEST

START_TEST(each_reason_has_a_label_of_its_own)
{
	for (int i = 0; i < REFUSAL_REASONS; i++) {
		const char *label = refusal_label((enum refusal_reason)i);
		ck_assert_uint_eq(strspn(label, "abcdefghijklmnopqrstuvwxyz_"), strlen(label));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(label, refusal_label((enum refusal_reason)k));
	}
	ck_assert(refusal_is_ours(REFUSAL_RECHECK) && !refusal_is_ours(REFUSAL_OTHER_IDENTITY));
}
END_TEST

UNIT_MAIN("csr", keys_are_taken_or_not, signatures_are_proof_of_possession, nothing_may_be_asked_beyond_ones_own_name,
          the_message_says_who_asked_for_whom, what_is_around_the_request_decides, no_byte_can_be_changed,
          a_request_that_is_too_large_is_not_read, each_reason_has_a_label_of_its_own)
