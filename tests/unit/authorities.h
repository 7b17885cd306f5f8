#pragma once
/*
 * Authorities for tests of ca/: certificates as some administrator made them, good and bad, as the files they would be
 * in.
 */
#include "ca/authority.h"
#include "ca/sign.h"
#include "tests/unit/certs.h"
#include "tests/unit/unit.h"

#define NOW_S INT64_C(1800000000)
#define DAY_S INT64_C(86400)
#define YEAR_S (365 * DAY_S)

/* Zero: a P-256 authority's, valid from an hour ago for a year, signed by itself. */
struct cert_wish {
	const char *name; /* common name */
	EVP_PKEY *key;    /* its own; borrowed */
	X509 *issuer;     /* NULL: itself */
	EVP_PKEY *issuer_key;
	const char *constraints, *use, *extended_use,
	    *limits; /* NULL: "critical,CA:TRUE", "critical,keyCertSign", none */
	bool has_no_use, has_no_key_id;
	int64_t begin_s, end_s; /* from NOW_S; 0: the defaults */
	const char *digest;     /* NULL is SHA256 */
};

static inline void certs_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	X509_EXTENSION *extension = value ? X509V3_EXT_conf_nid(NULL, &context, nid, value) : NULL;
	assert(extension || !value);
	if (extension)
		X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static inline X509 *certs_certificate(const struct cert_wish *wish)
{
	static long serial = 1000;
	X509 *certificate = X509_new(), *issuer = wish->issuer ? wish->issuer : certificate;
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
	                           (const unsigned char *)wish->name, -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	ASN1_TIME_set(X509_getm_notBefore(certificate), NOW_S + (wish->begin_s ? wish->begin_s : -3600));
	ASN1_TIME_set(X509_getm_notAfter(certificate), NOW_S + (wish->end_s ? wish->end_s : YEAR_S));
	X509_set_pubkey(certificate, wish->key);
	certs_extend(certificate, issuer, NID_basic_constraints,
	             wish->constraints ? wish->constraints : "critical,CA:TRUE");
	if (!wish->has_no_use)
		certs_extend(certificate, issuer, NID_key_usage, wish->use ? wish->use : "critical,keyCertSign");
	certs_extend(certificate, issuer, NID_ext_key_usage, wish->extended_use);
	certs_extend(certificate, issuer, NID_name_constraints, wish->limits);
	if (!wish->has_no_key_id)
		certs_extend(certificate, issuer, NID_subject_key_identifier, "hash");
	if (wish->issuer && X509_get0_subject_key_id(wish->issuer))
		certs_extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
	int n = X509_sign(certificate, wish->issuer ? wish->issuer_key : wish->key,
	                  EVP_get_digestbyname(wish->digest ? wish->digest : "SHA256"));
	assert(n > 0);
	ERR_clear_error();
	return certificate;
}

/* A root, an authority between, and the signer: what an administrator plugs in. */
struct hierarchy {
	EVP_PKEY *root_key, *middle_key, *signer_key;
	X509 *root, *middle, *signer;
	struct text cert, key, chain, roots; /* the files */
};

static inline void certs_print_key(EVP_PKEY *key, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	certs_add_bio(out, bio);
}

static inline void hierarchy_print(struct hierarchy *h)
{
	h->cert.n = h->key.n = h->chain.n = h->roots.n = 0;
	certificate_print(h->signer, &h->cert);
	certs_print_key(h->signer_key, &h->key);
	certificate_print(h->signer, &h->chain); /* as Istio's own instructions have it */
	certificate_print(h->middle, &h->chain);
	certificate_print(h->root, &h->chain);
	certificate_print(h->root, &h->roots);
}

static inline void hierarchy_init(struct hierarchy *h)
{
	*h = (struct hierarchy){
	    .root_key = certs_key("P-256"), .middle_key = certs_key("P-384"), .signer_key = certs_key("P-256")};
	h->root = certs_certificate(&(struct cert_wish){.name = "root", .key = h->root_key});
	h->middle = certs_certificate(&(struct cert_wish){
	    .name = "middle", .key = h->middle_key, .issuer = h->root, .issuer_key = h->root_key, .end_s = 60 * DAY_S});
	h->signer = certs_certificate(&(struct cert_wish){
	    .name = "signer", .key = h->signer_key, .issuer = h->middle, .issuer_key = h->middle_key});
	hierarchy_print(h);
}

/* Another signer, the same key unless the wish has one. */
static inline void hierarchy_set_signer(struct hierarchy *h, struct cert_wish wish)
{
	X509_free(h->signer);
	wish.name = "signer";
	wish.issuer = h->middle;
	wish.issuer_key = h->middle_key;
	wish.key = wish.key ? wish.key : h->signer_key;
	h->signer = certs_certificate(&wish);
	hierarchy_print(h);
}

/* Another one between, the same key; the signer is the usual one below it. */
static inline void hierarchy_set_middle(struct hierarchy *h, struct cert_wish wish)
{
	X509_free(h->middle);
	wish.name = "middle";
	wish.key = h->middle_key;
	wish.issuer = h->root;
	wish.issuer_key = h->root_key;
	h->middle = certs_certificate(&wish);
	hierarchy_set_signer(h, (struct cert_wish){0});
}

static inline void hierarchy_done(struct hierarchy *h)
{
	EVP_PKEY_free(h->root_key);
	EVP_PKEY_free(h->middle_key);
	EVP_PKEY_free(h->signer_key);
	X509_free(h->root);
	X509_free(h->middle);
	X509_free(h->signer);
	text_done(&h->cert);
	text_done(&h->key);
	text_done(&h->chain);
	text_done(&h->roots);
}

static inline struct authority_files hierarchy_files(const struct hierarchy *h)
{
	return (struct authority_files){
	    .cert = {"ca-cert.pem", h->cert.s, h->cert.n},
	    .key = {"ca-key.pem", h->key.s, h->key.n},
	    .chain = {"cert-chain.pem", h->chain.s, h->chain.n},
	    .root = {"root-cert.pem", h->roots.s, h->roots.n},
	};
}

static inline struct clock clock_at(int64_t s)
{
	return clock_fake(s * CLOCK_S);
}

static inline struct authority *authority_for_test(void)
{
	struct error error;
	struct clock clock = clock_at(NOW_S);
	struct authority *authority = authority_create(
	    &(struct authority_plan){.trust_domain = "cluster.local", .serial = {1, 2, 3}}, &clock, &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	return authority;
}

/* The key as a request's would be. */
static inline struct public_key *public_key_for_test(EVP_PKEY *key)
{
	struct refusal refusal;
	struct public_key *public_key = public_key_of(key, KEY_USE_WORKLOAD, &refusal);
	ck_assert_msg(public_key != NULL, "%s", refusal.error.message);
	return public_key;
}

/* As OpenSSL reads what was signed; NULL with an error when nothing was. */
static inline X509 *certificate_for_test(const struct authority *authority, const struct template *meant, EVP_PKEY *key,
                                         struct error *error)
{
	CLEANUP(text_done) struct text der = {0};
	CLEANUP(public_key_freep) struct public_key *public_key = public_key_for_test(key);
	if (!sign_certificate(authority, meant, public_key, &der, error))
		return NULL;
	const unsigned char *at = (const unsigned char *)der.s;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.n);
	ck_assert(certificate != NULL && at == (const unsigned char *)der.s + der.n);
	return certificate;
}
