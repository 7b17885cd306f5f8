#include "ca/verify.h"

#include "tests/unit/authorities.h"

/* One certificate as it was meant, and all that is expected of it. */
struct world {
	struct authority *authority;
	EVP_PKEY *key, *other_key;
	struct public_key *public_key, *other_public_key;
	struct spiffe_id id;
	struct template meant;
	struct verify_expected expected;
	X509 *certificate;
};

static void world_init(struct world *world)
{
	struct error error;
	struct refusal refusal;
	struct clock clock = clock_at(NOW_S);
	*world = (struct world){
	    .authority = authority_for_test(), .key = certs_key("P-256"), .other_key = certs_key("P-256")};
	world->public_key = public_key_for_test(world->key);
	world->other_public_key = public_key_for_test(world->other_key);
	ck_assert(spiffe_id_parse(CERTS_CALLER, strlen(CERTS_CALLER), &world->id, &error));
	world->meant = (struct template){.id = &world->id, .serial = {0x80, 1, 2, 3, [15] = 0xff}};
	ck_assert(template_set_times(&world->meant, world->authority, 3600, &(struct template_lifetime){3600, 7200},
	                             &clock, &refusal));
	world->expected = (struct verify_expected){&world->meant, world->public_key, world->authority};
	world->certificate = certificate_for_test(world->authority, &world->meant, world->key, &error);
	ck_assert_msg(world->certificate != NULL, "%s", error.message);
}

static void world_done(struct world *world)
{
	X509_free(world->certificate);
	public_key_free(world->public_key);
	public_key_free(world->other_public_key);
	EVP_PKEY_free(world->key);
	EVP_PKEY_free(world->other_key);
	authority_free(world->authority);
}

static void sign_again(struct world *world, const char *digest)
{
	ck_assert(X509_sign(world->certificate, authority_key(world->authority), EVP_get_digestbyname(digest)) > 0);
}

static bool verify(const struct world *world, struct refusal *refusal)
{
	unsigned char *der = NULL;
	int n = i2d_X509(world->certificate, &der);
	ck_assert_int_gt(n, 0);
	*refusal = (struct refusal){0};
	bool is_good = verify_certificate(der, n, &world->expected, refusal);
	OPENSSL_free(der);
	ck_assert_int_eq(ERR_peek_error(), 0);
	ck_assert_int_eq(refusal->reason, is_good ? REFUSAL_NONE : REFUSAL_RECHECK);
	return is_good;
}

static void replace(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION_free(X509_delete_ext(certificate, X509_get_ext_by_NID(certificate, nid, -1)));
	certs_extend(certificate, certificate, nid, value);
}

/* How the certificate differs from what was meant, one thing at a time; it is signed again after that. */
static void change(struct world *world, const char *how)
{
	X509 *c = world->certificate;
	ASN1_INTEGER *serial = X509_get_serialNumber(c);
	if (strcmp(how, "version") == 0)
		X509_set_version(c, X509_VERSION_1);
	else if (strcmp(how, "serial") == 0)
		ASN1_INTEGER_set(serial, 7);
	else if (strcmp(how, "negative serial") == 0)
		serial->type = V_ASN1_NEG_INTEGER;
	else if (strcmp(how, "issuer") == 0)
		X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "CN", MBSTRING_UTF8, (const unsigned char *)"x", 1,
		                           -1, 0);
	else if (strcmp(how, "subject") == 0)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8, (const unsigned char *)"x", 1,
		                           -1, 0);
	else if (strcmp(how, "begin") == 0)
		ASN1_TIME_set(X509_getm_notBefore(c), world->meant.not_before_s - 1);
	else if (strcmp(how, "end") == 0)
		ASN1_TIME_set(X509_getm_notAfter(c), world->meant.not_after_s + 1);
	else if (strcmp(how, "key") == 0)
		X509_set_pubkey(c, world->other_key);
	else
		ck_abort_msg("%s", how);
}

START_TEST(what_was_meant_passes)
{
	CLEANUP(world_done) struct world world;
	struct refusal refusal;
	world_init(&world);
	ck_assert_msg(verify(&world, &refusal), "%s", refusal.error.message);
	sign_again(&world, "SHA256"); /* so that the changes below are what is found */
	ck_assert_msg(verify(&world, &refusal), "%s", refusal.error.message);
}
END_TEST

START_TEST(each_field_that_differs_is_found)
{
	static const struct {
		const char *how, *want;
	} rows[] = {
	    {"version", "version"},
	    {"serial", "serial number"},
	    {"negative serial", "serial number"},
	    {"issuer", "issuer"},
	    {"subject", "subject"},
	    {"begin", "validity"},
	    {"end", "validity"},
	    {"key", "key"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(world_done) struct world world;
		struct refusal refusal;
		char want[100];
		world_init(&world);
		change(&world, rows[i].how);
		sign_again(&world, "SHA256");
		ck_assert_msg(!verify(&world, &refusal), "%s passes", rows[i].how);
		snprintf(want, sizeof want, "the signed certificate is not what was meant: %s", rows[i].want);
		ck_assert_str_eq(refusal.error.message, want);
	}
}
END_TEST

START_TEST(each_extension_that_differs_is_found)
{
	static const struct {
		int nid;
		const char *value; /* NULL: it is left out */
		const char *want;
	} rows[] = {
	    {NID_subject_alt_name, NULL, "names"},
	    {NID_subject_alt_name, "URI:" CERTS_CALLER, "names"}, /* not critical */
	    {NID_subject_alt_name, "critical,URI:" CERTS_CALLER "x", "names"},
	    {NID_subject_alt_name, "critical,URI:spiffe://cluster.local/ns/default/sa/review", "names"},
	    {NID_subject_alt_name, "critical,DNS:" CERTS_CALLER, "names"},
	    {NID_subject_alt_name, "critical,URI:" CERTS_CALLER ",URI:" CERTS_CALLER, "names"},
	    {NID_subject_alt_name, "critical,URI:" CERTS_CALLER ",DNS:a", "names"},
	    {NID_key_usage, NULL, "key usage"},
	    {NID_key_usage, "digitalSignature,keyEncipherment", "key usage"},
	    {NID_key_usage, "critical,digitalSignature", "key usage"},
	    {NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign", "key usage"},
	    {NID_key_usage, "critical,digitalSignature,keyEncipherment,decipherOnly", "key usage"},
	    {NID_ext_key_usage, NULL, "extended key usage"},
	    {NID_ext_key_usage, "serverAuth", "extended key usage"},
	    {NID_ext_key_usage, "clientAuth,serverAuth", "extended key usage"},
	    {NID_ext_key_usage, "serverAuth,clientAuth,codeSigning", "extended key usage"},
	    {NID_ext_key_usage, "critical,serverAuth,clientAuth", "extended key usage"},
	    {NID_basic_constraints, NULL, "basic constraints"},
	    {NID_basic_constraints, "CA:FALSE", "basic constraints"},
	    {NID_basic_constraints, "critical,CA:TRUE", "basic constraints"},
	    {NID_basic_constraints, "critical,CA:FALSE,pathlen:0", "basic constraints"},
	    {NID_subject_key_identifier, NULL, "subject key identifier"},
	    {NID_subject_key_identifier, "00:01:02", "subject key identifier"},
	    {NID_authority_key_identifier, NULL, "authority key identifier"},
	    {NID_authority_key_identifier, "keyid", "authority key identifier"}, /* its own */
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(world_done) struct world world;
		struct refusal refusal;
		char want[100];
		world_init(&world);
		replace(world.certificate, rows[i].nid, rows[i].value);
		sign_again(&world, "SHA256");
		ck_assert_msg(!verify(&world, &refusal), "row %zu passes", i);
		snprintf(want, sizeof want, "the signed certificate is not what was meant: %s", rows[i].want);
		ck_assert_msg(strcmp(refusal.error.message, want) == 0, "row %zu: %s", i, refusal.error.message);
	}
}
END_TEST

START_TEST(an_extension_too_many_is_found)
{
	static const struct {
		int nid;
		const char *value, *want;
	} rows[] = {
	    {NID_netscape_comment, "hello", "extensions"},
	    {NID_name_constraints, "permitted;DNS:a", "extensions"},
	    {NID_subject_alt_name, "critical,URI:spiffe://cluster.local/ns/a/sa/b", "names"}, /* a second one */
	    {NID_basic_constraints, "critical,CA:TRUE", "basic constraints"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(world_done) struct world world;
		struct refusal refusal;
		world_init(&world);
		certs_extend(world.certificate, world.certificate, rows[i].nid, rows[i].value);
		sign_again(&world, "SHA256");
		ck_assert_msg(!verify(&world, &refusal), "row %zu passes", i);
		ck_assert_msg(text_has_suffix(refusal.error.message, rows[i].want), "row %zu: %s", i,
		              refusal.error.message);
	}
}
END_TEST

/* What OpenSSL would not write: one element of the certificate is written anew, and all of it is signed again. */
struct edit {
	const char *name;
	size_t field;      /* of the signed part, from its front */
	size_t extension;  /* within the last field; NONE: the field itself */
	bool is_before;    /* the bytes stand before the element, and not instead of it */
	const char *bytes; /* DER, or what is not quite */
	size_t n;
	const char *want;
};

#define NONE SIZE_MAX
#define EDIT(s) s, sizeof(s) - 1
enum { VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, PUBLIC_KEY, EXTENSIONS };
enum { USAGE, EXTENDED_USAGE, BASIC, SUBJECT_KEY, AUTHORITY_KEY, NAMES };
#define NOT_MEANT "the signed certificate is not what was meant: "
#define NOT_READ "the signed certificate cannot be read back"

/* The elements of a range one by one, number `at` of them edited. */
static void copy_elements(struct der range, size_t at, const struct edit *edit, struct text *out)
{
	struct der value;
	unsigned tag = 0;
	for (size_t i = 0; !der_is_done(range); i++) {
		struct der whole = range;
		ck_assert(der_read_any(&range, &tag, &value));
		whole.n -= range.n;
		if (i == at)
			text_add_n(out, edit->bytes, edit->n);
		if (i != at || edit->is_before)
			der_add_whole(out, whole);
	}
}

static void copy_extensions(struct der range, const struct edit *edit, struct text *out)
{
	struct der field, list;
	ck_assert(der_read(&range, DER_EXPLICIT(3), &field) && der_read(&field, DER_SEQUENCE, &list));
	size_t field_at = der_open(out, DER_EXPLICIT(3)), list_at = der_open(out, DER_SEQUENCE);
	copy_elements(list, edit->extension, edit, out);
	der_close(out, list_at);
	der_close(out, field_at);
}

static void edit_signed_part(struct der certificate, const struct edit *edit, struct text *out)
{
	struct der body, part, value;
	unsigned tag = 0;
	ck_assert(der_read(&certificate, DER_SEQUENCE, &body) && der_read(&body, DER_SEQUENCE, &part));
	size_t at = der_open(out, DER_SEQUENCE);
	if (edit->extension == NONE) {
		copy_elements(part, edit->field, edit, out);
	} else {
		struct der fields = part;
		for (size_t i = 0; i < EXTENSIONS; i++)
			ck_assert(der_read_any(&fields, &tag, &value));
		text_add_n(out, part.s, part.n - fields.n);
		copy_extensions(fields, edit, out);
	}
	der_close(out, at);
}

static bool verify_edited(const struct world *world, const struct edit *edit, struct refusal *refusal)
{
	CLEANUP(text_done) struct text part = {0}, signature = {0}, out = {0};
	unsigned char *der = NULL;
	struct error error;
	const struct signing_key *key = authority_signing_key(world->authority);
	int n = i2d_X509(world->certificate, &der);
	edit_signed_part((struct der){der, n}, edit, &part);
	OPENSSL_free(der);
	const struct der signed_part = {(const unsigned char *)part.s, part.n};
	ck_assert(signing_key_sign(key, signed_part, &signature, &error));
	size_t at = der_open(&out, DER_SEQUENCE);
	der_add_whole(&out, signed_part);
	der_add_whole(&out, signing_key_algorithm(key)->identifier);
	der_add_octets_as_bits(&out, signature.s, signature.n);
	der_close(&out, at);
	*refusal = (struct refusal){0};
	return verify_certificate((const unsigned char *)out.s, out.n, &world->expected, refusal);
}

START_TEST(each_byte_that_openssl_would_not_write_is_found)
{
#define EXT(id) "\x06\x03\x55\x1d" id
#define TIMES                                                                                                          \
	"\x30\x1e\x17\x0d"                                                                                             \
	"270115075800Z"                                                                                                \
	"\x17\x0d"                                                                                                     \
	"270115090000Z"
	static const struct edit rows[] = {
	    {"the same again", VALIDITY, NONE, false, EDIT(TIMES), NULL},
	    {"version 2", VERSION, NONE, false, EDIT("\xa0\x03\x02\x01\x01"), NOT_MEANT "version"},
	    {"version 1, said", VERSION, NONE, false, EDIT("\xa0\x03\x02\x01\x00"), NOT_MEANT "version"},
	    {"no version", VERSION, NONE, false, EDIT(""), NOT_MEANT "version"},
	    {"a version that is not there", VERSION, NONE, false, EDIT("\xa0\x00"), NOT_MEANT "version"},
	    {"two versions", VERSION, NONE, false, EDIT("\xa0\x06\x02\x01\x02\x02\x01\x02"), NOT_MEANT "version"},
	    {"a serial number of zero", SERIAL, NONE, false, EDIT("\x02\x01\x00"), NOT_MEANT "serial number"},
	    {"a negative serial number", SERIAL, NONE, false,
	     EDIT("\x02\x10\x80\x01\x02\x03\0\0\0\0\0\0\0\0\0\0\0\xff"), NOT_MEANT "serial number"},
	    {"a serial number without its first byte", SERIAL, NONE, false,
	     EDIT("\x02\x0f\x01\x02\x03\0\0\0\0\0\0\0\0\0\0\0\xff"), NOT_MEANT "serial number"},
	    {"a serial number with a byte more", SERIAL, NONE, false,
	     EDIT("\x02\x12\x01\x80\x01\x02\x03\0\0\0\0\0\0\0\0\0\0\0\xff\0"), NOT_MEANT "serial number"},
	    {"a serial number of 17 bytes", SERIAL, NONE, false,
	     EDIT("\x02\x11\x01\x80\x01\x02\x03\0\0\0\0\0\0\0\0\0\0\0\xff"), NOT_MEANT "serial number"},
	    {"a serial number with a zero too many", SERIAL, NONE, false,
	     EDIT("\x02\x12\0\0\x80\x01\x02\x03\0\0\0\0\0\0\0\0\0\0\0\xff"), NOT_READ},
	    {"another algorithm", ALGORITHM, NONE, false, EDIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"),
	     "the signed certificate does not lead to a root: it is signed by another algorithm than the authority's"},
	    {"no issuer", ISSUER, NONE, false, EDIT("\x30\x00"), NOT_MEANT "issuer"},
	    {"times without seconds", VALIDITY, NONE, false,
	     EDIT("\x30\x1a\x17\x0b"
	          "2701150758Z"
	          "\x17\x0b"
	          "2701150900Z"),
	     NOT_MEANT "validity"},
	    {"times of the years to come", VALIDITY, NONE, false,
	     EDIT("\x30\x22\x18\x0f"
	          "20270115075800Z"
	          "\x18\x0f"
	          "20270115090000Z"),
	     NOT_MEANT "validity"},
	    {"times of another zone", VALIDITY, NONE, false,
	     EDIT("\x30\x26\x17\x11"
	          "270115075800+0000"
	          "\x17\x11"
	          "270115090000+0000"),
	     NOT_MEANT "validity"},
	    {"three times", VALIDITY, NONE, false,
	     EDIT("\x30\x2d\x17\x0d"
	          "270115075800Z"
	          "\x17\x0d"
	          "270115090000Z"
	          "\x17\x0d"
	          "270115090000Z"),
	     NOT_MEANT "validity"},
	    {"one time", VALIDITY, NONE, false,
	     EDIT("\x30\x0f\x17\x0d"
	          "270115075800Z"),
	     NOT_MEANT "validity"},
	    {"a subject of nothing", SUBJECT, NONE, false, EDIT("\x30\x02\x31\x00"), NOT_MEANT "subject"},
	    {"a length in a byte more than it needs", SUBJECT, NONE, false, EDIT("\x30\x81\x00"), NOT_READ},
	    {"an indefinite length", SUBJECT, NONE, false, EDIT("\x30\x80\x00\x00"), NOT_READ},
	    {"an issuer's unique identifier", EXTENSIONS, NONE, true, EDIT("\x81\x02\x00\x61"),
	     NOT_MEANT "unique identifiers"},
	    {"a subject's unique identifier", EXTENSIONS, NONE, true, EDIT("\x82\x02\x00\x61"),
	     NOT_MEANT "unique identifiers"},
	    {"both", EXTENSIONS, NONE, true, EDIT("\x81\x02\x00\x61\x82\x02\x00\x61"), NOT_MEANT "unique identifiers"},
	    {"both, the wrong way round", EXTENSIONS, NONE, true, EDIT("\x82\x02\x00\x61\x81\x02\x00\x61"), NOT_READ},
	    {"a field of no certificate", EXTENSIONS, NONE, true, EDIT("\xa4\x00"), NOT_READ},
	    {"two lists of extensions", EXTENSIONS, NONE, true, EDIT("\xa3\x02\x30\x00"), NOT_READ},
	    {"no extensions", EXTENSIONS, NONE, false, EDIT(""), NOT_MEANT "names"},
	    {"a critical that is not, said", 0, EXTENDED_USAGE, false,
	     EDIT("\x30\x20" EXT("\x25") "\x01\x01\x00\x04\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
	                                 "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"),
	     NOT_READ},
	    {"two values", 0, BASIC, false, EDIT("\x30\x10" EXT("\x13") "\x01\x01\xff\x04\x02\x30\x00\x04\x02\x30\x00"),
	     NOT_READ},
	    {"something behind a value", 0, BASIC, false,
	     EDIT("\x30\x0e" EXT("\x13") "\x01\x01\xff\x04\x04\x30\x00\x05\x00"), NOT_MEANT "basic constraints"},
	    {"no authority, said", 0, BASIC, false,
	     EDIT("\x30\x0f" EXT("\x13") "\x01\x01\xff\x04\x05\x30\x03\x01\x01\x00"), NOT_MEANT "basic constraints"},
	    {"an authority, said otherwise", 0, BASIC, false,
	     EDIT("\x30\x0f" EXT("\x13") "\x01\x01\xff\x04\x05\x30\x03\x01\x01\x01"), NOT_MEANT "basic constraints"},
	    {"nothing in a value", 0, BASIC, false, EDIT("\x30\x0a" EXT("\x13") "\x01\x01\xff\x04\x00"),
	     NOT_MEANT "basic constraints"},
	    {"bits that another encoding would not have", 0, USAGE, false,
	     EDIT("\x30\x0e" EXT("\x0f") "\x01\x01\xff\x04\x04\x03\x02\x00\xa0"), NOT_MEANT "key usage"},
	    {"a bit more", 0, USAGE, false, EDIT("\x30\x0e" EXT("\x0f") "\x01\x01\xff\x04\x04\x03\x02\x05\xe0"),
	     NOT_MEANT "key usage"},
	    {"an extension twice", 0, NAMES, true, EDIT("\x30\x0c" EXT("\x13") "\x01\x01\xff\x04\x02\x30\x00"),
	     NOT_MEANT "basic constraints"},
	    {"an extension twice, once critical", 0, NAMES, true, EDIT("\x30\x09" EXT("\x13") "\x04\x02\x30\x00"),
	     NOT_MEANT "basic constraints"},
	    {"an extension that nobody knows", 0, NAMES, true, EDIT("\x30\x07\x06\x01\x2a\x04\x02\x05\x00"),
	     NOT_MEANT "extensions"},
	    {"what is no extension", 0, NAMES, true, EDIT("\x30\x00"), NOT_READ},
	    {"a key's name that is too long", 0, SUBJECT_KEY, false,
	     EDIT("\x30\x1e" EXT("\x0e") "\x04\x17\x04\x15"
	                                 "123456789012345678901"),
	     NOT_MEANT "subject key identifier"},
	    {"an authority's key without a name", 0, AUTHORITY_KEY, false,
	     EDIT("\x30\x09" EXT("\x23") "\x04\x02\x30\x00"), NOT_MEANT "authority key identifier"},
	    {"no names", 0, NAMES, false, EDIT("\x30\x0c" EXT("\x11") "\x01\x01\xff\x04\x02\x30\x00"),
	     NOT_MEANT "names"},
	};
	CLEANUP(world_done) struct world world;
	world_init(&world);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct refusal refusal;
		bool is_good = verify_edited(&world, &rows[i], &refusal);
		ck_assert_msg(is_good == !rows[i].want, "%s: %s", rows[i].name, refusal.error.message);
		ck_assert_msg(is_good || strcmp(refusal.error.message, rows[i].want) == 0, "%s: %s", rows[i].name,
		              refusal.error.message);
		ck_assert_int_eq(refusal.reason, is_good ? REFUSAL_NONE : REFUSAL_RECHECK);
	}
}
END_TEST

/* The other form of times. */
START_TEST(what_ends_after_2049_passes)
{
	struct error error;
	struct clock clock = clock_at(NOW_S);
	struct authority_plan plan = {.trust_domain = "cluster.local", .lifetime_s = 40 * YEAR_S, .serial = {1}};
	CLEANUP(world_done) struct world world;
	struct refusal refusal;
	world_init(&world);
	CLEANUP(authority_freep) struct authority *authority = authority_create(&plan, &clock, &error);
	world.expected.authority = authority;
	world.meant.not_after_s = NOW_S + 30 * YEAR_S;
	X509_free(world.certificate);
	world.certificate = certificate_for_test(authority, &world.meant, world.key, &error);
	ck_assert_int_eq(ASN1_STRING_type(X509_get0_notAfter(world.certificate)), V_ASN1_GENERALIZEDTIME);
	ck_assert_msg(verify(&world, &refusal), "%s", refusal.error.message);
	world.meant.not_after_s++;
	ck_assert(!verify(&world, &refusal));
}
END_TEST

START_TEST(what_the_authority_did_not_sign_is_found)
{
	CLEANUP(world_done) struct world world;
	struct refusal refusal;
	world_init(&world);
	const char *want = "the signed certificate does not lead to a root: ";
	ck_assert(X509_sign(world.certificate, world.other_key, EVP_sha256()) > 0);
	ck_assert(!verify(&world, &refusal));
	ck_assert_msg(text_has_prefix(refusal.error.message, want), "%s", refusal.error.message);
	sign_again(&world, "SHA1");
	ck_assert(!verify(&world, &refusal));
	ck_assert_msg(text_has_prefix(refusal.error.message, want), "%s", refusal.error.message);
}
END_TEST

/* The other way round: the certificate stays, what was meant differs. */
START_TEST(what_was_meant_for_somebody_else_is_found)
{
	CLEANUP(world_done) struct world world;
	struct refusal refusal;
	world_init(&world);
	CLEANUP(authority_freep) struct authority *other = authority_for_test(); /* the same name, another key */
	const struct verify_expected good = world.expected;
	world.expected.authority = other;
	ck_assert(!verify(&world, &refusal));
	ck_assert(text_has_suffix(refusal.error.message, "authority key identifier"));
	world.expected = good;
	world.expected.key = world.other_public_key;
	ck_assert(!verify(&world, &refusal));
	world.expected = good;
	strcpy(world.id.account, "ratings");
	ck_assert(!verify(&world, &refusal));
	ck_assert(text_has_suffix(refusal.error.message, "names"));
}
END_TEST

START_TEST(a_certificate_that_outlives_its_signer_is_found)
{
	CLEANUP(world_done) struct world world;
	struct refusal refusal;
	struct error error;
	world_init(&world);
	world.meant.not_after_s = authority_end_s(world.authority) + 1;
	X509_free(world.certificate);
	world.certificate = certificate_for_test(world.authority, &world.meant, world.key, &error);
	ck_assert(!verify(&world, &refusal));
	ck_assert(text_has_suffix(refusal.error.message, "validity within the signer's"));
}
END_TEST

START_TEST(bytes_that_are_no_certificate_are_found)
{
	CLEANUP(world_done) struct world world;
	struct refusal refusal;
	unsigned char *der = NULL;
	world_init(&world);
	int n = i2d_X509(world.certificate, &der);
	unsigned char *longer = heap_alloc(n + 1);
	memcpy(longer, der, n);
	ck_assert(verify_certificate(longer, n, &world.expected, &refusal));
	ck_assert(!verify_certificate(longer, n + 1, &world.expected, &refusal));
	ck_assert(!verify_certificate(longer, n - 1, &world.expected, &refusal));
	ck_assert(!verify_certificate(longer, 0, &world.expected, &refusal));
	for (int i = 0; i < n; i++) { /* no byte can be another */
		longer[i] ^= 1;
		ck_assert_msg(!verify_certificate(longer, n, &world.expected, &refusal), "byte %d of %d", i, n);
		longer[i] ^= 1;
	}
	free(longer);
	OPENSSL_free(der);
}
END_TEST

UNIT_MAIN("verify", what_was_meant_passes, each_field_that_differs_is_found, each_extension_that_differs_is_found,
          an_extension_too_many_is_found, each_byte_that_openssl_would_not_write_is_found, what_ends_after_2049_passes,
          what_the_authority_did_not_sign_is_found, what_was_meant_for_somebody_else_is_found,
          a_certificate_that_outlives_its_signer_is_found, bytes_that_are_no_certificate_are_found)
