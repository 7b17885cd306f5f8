#include "ca/authority.h"

#include "ca/private_key.h"
#include "tests/unit/authorities.h"

static struct authority *read_at(const struct authority_files *files, int64_t now_s, struct error *error)
{
	struct clock clock = clock_at(now_s);
	*error = (struct error){""};
	struct authority *authority = authority_read(files, &clock, error);
	ck_assert_msg((authority != NULL) == (error->message[0] == '\0'), "%s", error->message);
	ck_assert_msg(ERR_peek_error() == 0, "OpenSSL's queue must be empty");
	return authority;
}

static void check_refused(const struct authority_files *files, int64_t now_s, const char *want)
{
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_at(files, now_s, &error);
	ck_assert_msg(authority == NULL, "taken, but want: %s", want);
	ck_assert_msg(strstr(error.message, want) != NULL, "want: %s\ngot: %s", want, error.message);
	ck_assert_msg(!strstr(error.message, "PRIVATE KEY---"), "a key in a message");
}

START_TEST(what_is_plugged_in_is_taken)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	struct authority_files files = hierarchy_files(&h);
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_at(&files, NOW_S, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	ck_assert_int_eq(X509_cmp(authority_cert(authority), h.signer), 0);
	ck_assert_int_eq(sk_X509_num(authority_path(authority)), 2);
	ck_assert_int_eq(X509_cmp(sk_X509_value(authority_path(authority), 0), h.signer), 0);
	ck_assert_int_eq(X509_cmp(sk_X509_value(authority_path(authority), 1), h.middle), 0);
	ck_assert_uint_eq(bundle_size(authority_roots(authority)), 1);
	ck_assert_int_eq(authority_begin_s(authority), NOW_S - 3600);
	ck_assert_int_eq(authority_end_s(authority), NOW_S + 60 * DAY_S); /* the middle's, which ends first */
}
END_TEST

/* A root that signs by itself, without a chain file; and the path is empty. */
START_TEST(a_root_may_be_the_signer)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	CLEANUP(text_done) struct text key = {0};
	certs_print_key(h.root_key, &key);
	struct authority_files files = {{"tls.crt", h.roots.s, h.roots.n},
	                                {"tls.key", key.s, key.n},
	                                {"", NULL, 0},
	                                {"ca.crt", h.roots.s, h.roots.n}};
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_at(&files, NOW_S, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	ck_assert_int_eq(sk_X509_num(authority_path(authority)), 0);
}
END_TEST

/* An intermediate that the administrator trusts is a root. */
START_TEST(a_root_need_not_be_self_signed)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	h.roots.n = 0;
	certificate_print(h.middle, &h.roots);
	struct authority_files files = hierarchy_files(&h);
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_at(&files, NOW_S, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	ck_assert_int_eq(sk_X509_num(authority_path(authority)), 1);
}
END_TEST

/* They bear the same name, as a root and its successor do; the key's digest tells them apart. */
START_TEST(several_roots_are_all_trusted)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	struct text both = {0};
	text_printf(&both, "# the old one\n%s# the new one\n%s", other.roots.s, h.roots.s);
	text_done(&h.roots);
	h.roots = both;
	struct authority_files files = hierarchy_files(&h);
	struct error error;
	CLEANUP(authority_freep) struct authority *authority = read_at(&files, NOW_S, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	ck_assert_uint_eq(bundle_size(authority_roots(authority)), 2);
	ck_assert(bundle_has(authority_roots(authority), other.root));
}
END_TEST

START_TEST(each_kind_of_key_file_is_read)
{
	static const char *const keys[] = {"P-256", "P-384", "P-521", "RSA 2048"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		CLEANUP(hierarchy_done) struct hierarchy h;
		hierarchy_init(&h);
		EVP_PKEY_free(h.signer_key);
		h.signer_key = certs_key(keys[i]);
		hierarchy_set_signer(&h, (struct cert_wish){0});
		for (int is_traditional = 0; is_traditional < 2; is_traditional++) {
			if (is_traditional) { /* "EC PRIVATE KEY", "RSA PRIVATE KEY" */
				BIO *bio = BIO_new(BIO_s_mem());
				PEM_write_bio_PrivateKey_traditional(bio, h.signer_key, NULL, NULL, 0, NULL, NULL);
				text_done(&h.key);
				text_add(
				    &h.key,
				    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
				certs_add_bio(&h.key, bio);
			}
			struct authority_files files = hierarchy_files(&h);
			struct error error;
			CLEANUP(authority_freep) struct authority *authority = read_at(&files, NOW_S, &error);
			ck_assert_msg(authority != NULL, "%s: %s", keys[i], error.message);
		}
	}
}
END_TEST

START_TEST(a_signer_that_cannot_sign_is_refused)
{
	static const struct {
		struct cert_wish wish;
		const char *want;
	} rows[] = {
	    {{.constraints = "critical,CA:FALSE"},
	     "ca-cert.pem: it is not for an authority: basicConstraints must be CA:TRUE"},
	    {{.use = "digitalSignature"},
	     "ca-cert.pem: it is not for signing certificates: keyUsage has no keyCertSign"},
	    {{.end_s = -60}, "ca-cert.pem: it expired at 2027-01-15T07:59:00Z, and now is 2027-01-15T08:00:00Z"},
	    {{.begin_s = 60}, "ca-cert.pem: it is not valid before 2027-01-15T08:01:00Z"},
	    {{.digest = "SHA1"}, "ca-cert.pem: it does not lead to a root in root-cert.pem: "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(hierarchy_done) struct hierarchy h;
		hierarchy_init(&h);
		hierarchy_set_signer(&h, rows[i].wish);
		struct authority_files files = hierarchy_files(&h);
		check_refused(&files, NOW_S, rows[i].want);
	}
}
END_TEST

START_TEST(a_weak_key_does_not_sign)
{
	static const struct {
		const char *key, *want;
	} rows[] = {
	    {"RSA 1024", "ca-cert.pem: RSA keys must have 2048 to 8192 bits, not 1024"},
	    {"P-224", "ca-cert.pem: EC keys must be on P-256 or P-384 or P-521, not on secp224r1"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(hierarchy_done) struct hierarchy h;
		hierarchy_init(&h);
		EVP_PKEY_free(h.signer_key);
		h.signer_key = certs_key(rows[i].key);
		hierarchy_set_signer(&h, (struct cert_wish){0});
		struct authority_files files = hierarchy_files(&h);
		check_refused(&files, NOW_S, rows[i].want);
	}
}
END_TEST

START_TEST(errors_name_the_file)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	CLEANUP(text_done) struct text two_keys = {0}, rsa = {0}, encrypted = {0}, leaf_root = {0};
	text_printf(&two_keys, "%s%s", h.key.s, other.key.s);
	CLEANUP(certs_key_freep) EVP_PKEY *rsa_key = certs_key("RSA 2048");
	certs_print_key(rsa_key, &rsa);
	BIO *bio = BIO_new(BIO_s_mem());
	char password[] = "secret";
	PEM_write_bio_PKCS8PrivateKey(bio, h.signer_key, EVP_aes_256_cbc(), password, 6, NULL, NULL);
	certs_add_bio(&encrypted, bio);
	X509 *leaf =
	    certs_certificate(&(struct cert_wish){.name = "leaf", .key = h.signer_key, .constraints = "CA:FALSE"});
	text_printf(&leaf_root, "%s", h.roots.s);
	certificate_print(leaf, &leaf_root);
	X509_free(leaf);
	const char *broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
	const char *cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
	const struct {
		const char *cert, *key, *chain, *root, *want;
	} rows[] = {
	    {"", NULL, NULL, NULL, "ca-cert.pem: there is no certificate in it"},
	    {"no PEM at all", NULL, NULL, NULL, "ca-cert.pem: there is no certificate in it"},
	    {broken, NULL, NULL, NULL, "ca-cert.pem: certificate 1 cannot be read: "},
	    {cut, NULL, NULL, NULL, "ca-cert.pem: it ends in the middle of a PEM block"},
	    {h.key.s, NULL, NULL, NULL, "ca-cert.pem: a PRIVATE KEY stands among the certificates"},
	    {NULL, "", NULL, NULL, "ca-key.pem: there is no private key in it"},
	    {NULL, h.cert.s, NULL, NULL, "ca-key.pem: a CERTIFICATE stands where the private key should"},
	    {NULL, two_keys.s, NULL, NULL, "ca-key.pem: there is more than one private key in it"},
	    {NULL, encrypted.s, NULL, NULL, "ca-key.pem: the private key is encrypted; store it without a password"},
	    {NULL, other.key.s, NULL, NULL,
	     "ca-key.pem: this is not the private key of the certificate in ca-cert.pem"},
	    {NULL, rsa.s, NULL, NULL, "ca-key.pem: this is not the private key of the certificate in ca-cert.pem"},
	    {NULL, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", NULL, NULL,
	     "ca-key.pem: the private key cannot be read"},
	    {NULL, NULL, "", NULL,
	     "ca-cert.pem: it does not lead to a root in root-cert.pem: unable to get local issuer certificate"},
	    {NULL, NULL, other.chain.s, NULL, "ca-cert.pem: it does not lead to a root in root-cert.pem: "},
	    {NULL, NULL, "nothing", NULL, "cert-chain.pem: there is no certificate in it"},
	    {NULL, NULL, h.key.s, NULL, "cert-chain.pem: a PRIVATE KEY stands among the certificates"},
	    {NULL, NULL, NULL, "", "root-cert.pem: there is no certificate in it"},
	    {NULL, NULL, NULL, other.roots.s, "ca-cert.pem: it does not lead to a root in root-cert.pem: "},
	    {NULL, NULL, NULL, leaf_root.s, "root-cert.pem: certificate 2: it is not for an authority"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct authority_files files = hierarchy_files(&h);
		struct {
			const char *s;
			struct pem_file *file;
		} changes[] = {{rows[i].cert, &files.cert},
		               {rows[i].key, &files.key},
		               {rows[i].chain, &files.chain},
		               {rows[i].root, &files.root}};
		for (size_t k = 0; k < 4; k++)
			if (changes[k].s)
				*changes[k].file =
				    (struct pem_file){changes[k].file->name, changes[k].s, strlen(changes[k].s)};
		check_refused(&files, NOW_S, rows[i].want);
	}
}
END_TEST

START_TEST(files_have_caps)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	CLEANUP(text_done) struct text many = {0}, large = {0};
	for (int i = 0; i <= CERTIFICATES_MAX; i++)
		text_add(&many, h.roots.s);
	while (large.n <= 1u << 20)
		text_add(&large, "# a comment, and another, and another, and another\n");
	struct authority_files files = hierarchy_files(&h);
	files.root.s = many.s, files.root.n = many.n;
	check_refused(&files, NOW_S, "root-cert.pem: it has more than 64 certificates");
	files.root.s = large.s, files.root.n = large.n;
	check_refused(&files, NOW_S, "at most 1048576 are allowed");
}
END_TEST

/* Whoever is not valid on the way, the signer does not lead anywhere. */
START_TEST(the_whole_way_is_valid)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	struct authority_files files = hierarchy_files(&h);
	check_refused(&files, NOW_S + 61 * DAY_S, "certificate has expired (certificate 2 of the chain)");
	check_refused(&files, NOW_S + 366 * DAY_S, "ca-cert.pem: it expired at");
}
END_TEST

/* The public half is still the certificate's; only signing shows that the private one is not. */
START_TEST(a_key_that_is_damaged_is_found)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	BIGNUM *scalar = NULL;
	unsigned char bytes[32], *der = NULL;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(h.signer_key);
	ck_assert(EVP_PKEY_get_bn_param(h.signer_key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar));
	ck_assert_int_eq(BN_bn2binpad(scalar, bytes, sizeof bytes), sizeof bytes);
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	unsigned char *at = memmem(der, n, bytes, sizeof bytes);
	ck_assert(at != NULL);
	at[31] ^= 1;
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio(bio, "PRIVATE KEY", "", der, n);
	text_done(&h.key);
	certs_add_bio(&h.key, bio);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	BN_free(scalar);
	struct authority_files files = hierarchy_files(&h);
	check_refused(&files, NOW_S, "ca-key.pem: this is not the private key of the certificate in ca-cert.pem");
}
END_TEST

START_TEST(a_self_signed_one_is_sound_and_reads_back)
{
	static const struct {
		enum authority_key_type type;
		int bits;
	} rows[] = {{AUTHORITY_KEY_P256, 256}, {AUTHORITY_KEY_P384, 384}, {AUTHORITY_KEY_RSA_4096, 4096}};
	struct clock clock = clock_at(NOW_S);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error error;
		const struct authority_plan plan = {
		    .trust_domain = "cluster.local", .key = rows[i].type, .serial = {0x80}};
		CLEANUP(authority_freep) struct authority *authority = authority_create(&plan, &clock, &error);
		ck_assert_msg(authority != NULL, "%s", error.message);
		ck_assert_int_eq(EVP_PKEY_get_bits(authority_key(authority)), rows[i].bits);
		X509 *cert = authority_cert(authority);
		char subject[100] = "";
		X509_NAME_oneline(X509_get_subject_name(cert), subject, sizeof subject);
		ck_assert_str_eq(subject, "/O=cluster.local");
		ck_assert_int_eq(X509_get_pathlen(cert), 0);
		ck_assert_uint_eq(X509_get_key_usage(cert), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
		ck_assert_int_eq(authority_begin_s(authority), NOW_S - AUTHORITY_BACKDATE_S);
		ck_assert_int_eq(authority_end_s(authority), NOW_S + AUTHORITY_LIFETIME_S);
		ck_assert_int_eq(sk_X509_num(authority_path(authority)), 0);

		CLEANUP(private_key_wipe) struct text key = {0};
		CLEANUP(text_done) struct text pem = {0};
		authority_print_key(authority, &key);
		certificate_print(cert, &pem);
		const struct authority_files files = {.cert = {"ca-cert.pem", pem.s, pem.n},
		                                      .key = {"ca-key.pem", key.s, key.n},
		                                      .root = {"root-cert.pem", pem.s, pem.n}};
		CLEANUP(authority_freep) struct authority *again = read_at(&files, NOW_S, &error);
		ck_assert_msg(again != NULL, "%s", error.message);
		ck_assert(
		    digest_equal(bundle_digest(authority_roots(again)), bundle_digest(authority_roots(authority))));
	}
}
END_TEST

START_TEST(a_plan_that_cannot_be_is_refused)
{
	struct clock clock = clock_at(NOW_S);
	static const struct {
		struct authority_plan plan;
		const char *want;
	} rows[] = {
	    {{.trust_domain = "", .serial = {1}}, "the trust domain is empty"},
	    {{.trust_domain = "Cluster.local", .serial = {1}}, "character 'C' at position 1"},
	    {{.trust_domain = "a"}, "the serial number is zero"},
	    {{.trust_domain = "a", .serial = {1}, .lifetime_s = -1000}, "it expired at"},
	    {{.trust_domain = "a", .serial = {1}, .lifetime_s = INT64_MAX / 2}, "a lifetime of"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error error = {""};
		ck_assert(!authority_create(&rows[i].plan, &clock, &error));
		ck_assert_msg(strstr(error.message, rows[i].want) != NULL, "%s", error.message);
		ck_assert(ERR_peek_error() == 0);
	}
}
END_TEST

/* RFC 5280 lets an organisation have 64 characters, SPIFFE a trust domain 255. */
START_TEST(a_long_trust_domain_is_cut_in_the_subject)
{
	char domain[201];
	memset(domain, 'a', 200);
	domain[200] = '\0';
	struct clock clock = clock_at(NOW_S);
	struct error error;
	CLEANUP(authority_freep)
	struct authority *authority =
	    authority_create(&(struct authority_plan){.trust_domain = domain, .serial = {1}}, &clock, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
}
END_TEST

UNIT_MAIN("authority", what_is_plugged_in_is_taken, a_root_may_be_the_signer, a_root_need_not_be_self_signed,
          several_roots_are_all_trusted, each_kind_of_key_file_is_read, a_signer_that_cannot_sign_is_refused,
          a_weak_key_does_not_sign, errors_name_the_file, files_have_caps, the_whole_way_is_valid,
          a_key_that_is_damaged_is_found, a_self_signed_one_is_sound_and_reads_back, a_plan_that_cannot_be_is_refused,
          a_long_trust_domain_is_cut_in_the_subject)
