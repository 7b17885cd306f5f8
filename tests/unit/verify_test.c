#include "ca/verify.h"

#include "ca/sign.h"
#include "tests/unit/authorities.h"

/* One certificate as it was meant, and all that is expected of it. */
struct world {
	struct authority *authority;
	EVP_PKEY *key, *other_key;
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
	ck_assert(spiffe_id_parse(CERTS_CALLER, strlen(CERTS_CALLER), &world->id, &error));
	world->meant = (struct template){.id = &world->id, .serial = {0x80, 1, 2, 3, [15] = 0xff}};
	ck_assert(template_set_times(&world->meant, world->authority, 3600, &(struct template_lifetime){3600, 7200},
	                             &clock, &refusal));
	world->expected = (struct verify_expected){&world->meant, world->key, world->authority};
	world->certificate = sign_certificate(world->authority, &world->meant, world->key, &error);
	ck_assert_msg(world->certificate != NULL, "%s", error.message);
}

static void world_done(struct world *world)
{
	X509_free(world->certificate);
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
	world.expected.key = world.other_key;
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
	world.certificate = sign_certificate(world.authority, &world.meant, world.key, &error);
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
          an_extension_too_many_is_found, what_the_authority_did_not_sign_is_found,
          what_was_meant_for_somebody_else_is_found, a_certificate_that_outlives_its_signer_is_found,
          bytes_that_are_no_certificate_are_found)
