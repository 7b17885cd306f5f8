#include "ca/csr.h"

#include "ca/signing_key.h"
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

/* A request as no library writes it, but rightly signed: its fields as they are given, between brackets of ours. */
static void write_request(const char *subject, size_t n_subject, const char *attributes, size_t n_attributes,
                          struct text *out)
{
	CLEANUP(certs_key_freep) EVP_PKEY *evp = certs_key("P-256");
	struct refusal refusal;
	struct error error;
	CLEANUP(public_key_freep) struct public_key *key = public_key_of(evp, KEY_USE_WORKLOAD, &refusal);
	struct signing_key *signer = signing_key_new(evp, evp);
	CLEANUP(text_done) struct text part = {0}, signature = {0};
	size_t info = der_open(&part, DER_SEQUENCE);
	der_add(&part, DER_INTEGER, "", 1);
	text_add_n(&part, subject, n_subject);
	der_add_whole(&part, public_key_info(key));
	text_add_n(&part, attributes, n_attributes);
	der_close(&part, info);
	struct der signed_part = {(const unsigned char *)part.s, part.n};
	ck_assert(signing_key_sign(signer, signed_part, &signature, &error));
	size_t request = der_open(out, DER_SEQUENCE);
	der_add_whole(out, signed_part);
	der_add_whole(out, signing_key_algorithm(signer)->identifier);
	der_add_octets_as_bits(out, signature.s, signature.n);
	der_close(out, request);
	signing_key_free(signer);
}

START_TEST(a_request_is_der)
{
#define BYTES(s) s, sizeof(s) - 1
#define NOBODY BYTES("\x30\x00")
#define ASK "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define MS_ASK "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"
#define BASIC "\x06\x03\x55\x1d\x13"
#define USAGE "\x06\x03\x55\x1d\x0f"
#define SAN "\x06\x03\x55\x1d\x11"
	static const struct {
		const char *name, *subject;
		size_t n_subject;
		const char *attributes;
		size_t n_attributes;
		enum refusal_reason want;
	} rows[] = {
	    {"no attributes", NOBODY, BYTES("\xa0\x00"), REFUSAL_NONE},
	    {"no field for them", NOBODY, BYTES(""), REFUSAL_NONE},
	    {"an attribute without values", NOBODY, BYTES("\xa0\x0f\x30\x0d" ASK "\x31\x00"), REFUSAL_NONE},
	    {"one that nobody knows", NOBODY, BYTES("\xa0\x0a\x30\x08\x06\x01\x2a\x31\x03\x02\x01\x07"), REFUSAL_NONE},
	    {"an empty list", NOBODY, BYTES("\xa0\x11\x30\x0f" ASK "\x31\x02\x30\x00"), REFUSAL_NONE},
	    {"two lists in one attribute", NOBODY, BYTES("\xa0\x13\x30\x11" ASK "\x31\x04\x30\x00\x30\x00"),
	     REFUSAL_MALFORMED},
	    {"two lists in two", NOBODY,
	     BYTES("\xa0\x23\x30\x0f" ASK "\x31\x02\x30\x00\x30\x10" MS_ASK "\x31\x02\x30\x00"), REFUSAL_MALFORMED},
	    {"a list that is none", NOBODY, BYTES("\xa0\x11\x30\x0f" ASK "\x31\x02\x05\x00"), REFUSAL_MALFORMED},
	    {"an extension that is none", NOBODY, BYTES("\xa0\x13\x30\x11" ASK "\x31\x04\x30\x02\x30\x00"),
	     REFUSAL_MALFORMED},
	    {"an attribute that is none", NOBODY, BYTES("\xa0\x02\x30\x00"), REFUSAL_MALFORMED},
	    {"something behind the attributes", NOBODY, BYTES("\xa0\x00\xa0\x00"), REFUSAL_MALFORMED},
	    {"something else there", NOBODY, BYTES("\x05\x00"), REFUSAL_MALFORMED},
	    {"a length in a byte more than it needs", NOBODY, BYTES("\xa0\x81\x00"), REFUSAL_MALFORMED},
	    {"an indefinite length", BYTES("\x30\x80\x00\x00"), BYTES("\xa0\x00"), REFUSAL_MALFORMED},
	    {"a subject that is none", BYTES("\x05\x00"), BYTES("\xa0\x00"), REFUSAL_MALFORMED},
	    {"no subject", BYTES(""), BYTES("\xa0\x00"), REFUSAL_MALFORMED},
	    {"a name of nothing", BYTES("\x30\x02\x31\x00"), BYTES("\xa0\x00"), REFUSAL_MALFORMED},
	    {"a name without its type", BYTES("\x30\x06\x31\x04\x30\x02\x05\x00"), BYTES("\xa0\x00"),
	     REFUSAL_MALFORMED},
	    {"a critical that is not, said", NOBODY,
	     BYTES("\xa0\x1f\x30\x1d" ASK "\x31\x10\x30\x0e\x30\x0c" BASIC "\x01\x01\x00\x04\x02\x30\x00"),
	     REFUSAL_NONE},
	    {"an authority", NOBODY,
	     BYTES("\xa0\x1f\x30\x1d" ASK "\x31\x10\x30\x0e\x30\x0c" BASIC "\x04\x05\x30\x03\x01\x01\xff"),
	     REFUSAL_ASKS_FOR_CA},
	    {"an authority, by Microsoft's name", NOBODY,
	     BYTES("\xa0\x20\x30\x1e" MS_ASK "\x31\x10\x30\x0e\x30\x0c" BASIC "\x04\x05\x30\x03\x01\x01\xff"),
	     REFUSAL_ASKS_FOR_CA},
	    {"an authority, said otherwise", NOBODY,
	     BYTES("\xa0\x1f\x30\x1d" ASK "\x31\x10\x30\x0e\x30\x0c" BASIC "\x04\x05\x30\x03\x01\x01\x01"),
	     REFUSAL_MALFORMED},
	    {"no authority, said", NOBODY,
	     BYTES("\xa0\x1f\x30\x1d" ASK "\x31\x10\x30\x0e\x30\x0c" BASIC "\x04\x05\x30\x03\x01\x01\x00"),
	     REFUSAL_NONE},
	    {"something behind the constraints", NOBODY,
	     BYTES("\xa0\x1e\x30\x1c" ASK "\x31\x0f\x30\x0d\x30\x0b" BASIC "\x04\x04\x30\x00\x05\x00"),
	     REFUSAL_MALFORMED},
	    {"constraints of nothing", NOBODY,
	     BYTES("\xa0\x1a\x30\x18" ASK "\x31\x0b\x30\x09\x30\x07" BASIC "\x04\x00"), REFUSAL_MALFORMED},
	    {"a use without bits", NOBODY,
	     BYTES("\xa0\x1d\x30\x1b" ASK "\x31\x0e\x30\x0c\x30\x0a" USAGE "\x04\x03\x03\x01\x00"), REFUSAL_NONE},
	    {"signing others, and bits to spare", NOBODY,
	     BYTES("\xa0\x1f\x30\x1d" ASK "\x31\x10\x30\x0e\x30\x0c" USAGE "\x04\x05\x03\x03\x00\x04\x00"),
	     REFUSAL_ASKS_FOR_CA},
	    {"a use that is none", NOBODY,
	     BYTES("\xa0\x1c\x30\x1a" ASK "\x31\x0d\x30\x0b\x30\x09" USAGE "\x04\x02\x30\x00"), REFUSAL_MALFORMED},
	    {"no names", NOBODY, BYTES("\xa0\x1c\x30\x1a" ASK "\x31\x0d\x30\x0b\x30\x09" SAN "\x04\x02\x30\x00"),
	     REFUSAL_NONE},
	    {"names that are none", NOBODY,
	     BYTES("\xa0\x1c\x30\x1a" ASK "\x31\x0d\x30\x0b\x30\x09" SAN "\x04\x02\x31\x00"), REFUSAL_MALFORMED},
	    {"a kind of name that there is not", NOBODY,
	     BYTES("\xa0\x1e\x30\x1c" ASK "\x31\x0f\x30\x0d\x30\x0b" SAN "\x04\x04\x30\x02\x89\x00"),
	     REFUSAL_MALFORMED},
	    {"a URI that is in parts", NOBODY,
	     BYTES("\xa0\x1e\x30\x1c" ASK "\x31\x0f\x30\x0d\x30\x0b" SAN "\x04\x04\x30\x02\xa6\x00"),
	     REFUSAL_MALFORMED},
	    {"a name of another kind", NOBODY,
	     BYTES("\xa0\x1e\x30\x1c" ASK "\x31\x0f\x30\x0d\x30\x0b" SAN "\x04\x04\x30\x02\x88\x00"),
	     REFUSAL_EXTRA_NAMES},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text der = {0};
		struct refusal refusal;
		write_request(rows[i].subject, rows[i].n_subject, rows[i].attributes, rows[i].n_attributes, &der);
		enum refusal_reason got = judge(der.s, der.n, &refusal);
		ck_assert_msg(got == rows[i].want, "%s: %s: %s", rows[i].name, refusal_label(got),
		              refusal.error.message);
	}
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
          a_request_is_der, a_request_that_is_too_large_is_not_read, each_reason_has_a_label_of_its_own)
