#pragma once
/*
 * Who signs: a certificate, its private key, the certificates between it and a root, and the roots. An authority that
 * was made or read is sound: key and certificate belong together, it may sign certificates, and it leads to a root of
 * its own, all of it valid now. It never changes and may be used by many threads.
 *
 *     struct authority *authority = authority_read(&files, clock, &error);          what an administrator plugged in
 *     struct authority *authority = authority_create(&plan, clock, &error);         self-signed
 *
 * The private key stays inside; authority_print_key is for keeping a self-signed one (a Secret), and wipes behind
 * itself.
 */
#include "base/clock.h"
#include "ca/bundle.h"
#include "ca/certificate.h"
#include "ca/signing_key.h"

#define AUTHORITY_LIFETIME_S INT64_C(315360000) /* ten years of 365 days */
#define AUTHORITY_BACKDATE_S 120                /* for clocks that are behind */
#define AUTHORITY_SERIAL_SIZE 16

struct authority;

/* Istio's names for them: ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem; or tls.crt, tls.key, none, ca.crt. */
struct authority_files {
	struct pem_file cert;  /* the signer's first; others are taken as if they stood in chain */
	struct pem_file key;   /* one private key, not encrypted */
	struct pem_file chain; /* optional; the signer and the root may stand there too */
	struct pem_file root;  /* one or more: all are trusted, the signer leads to one */
};

enum authority_key_type { AUTHORITY_KEY_P256, AUTHORITY_KEY_P384, AUTHORITY_KEY_RSA_4096 };

struct authority_plan {
	const char *trust_domain; /* the subject's organisation, as Istio does */
	enum authority_key_type key;
	int64_t lifetime_s;                          /* from now; 0 is AUTHORITY_LIFETIME_S */
	unsigned char serial[AUTHORITY_SERIAL_SIZE]; /* random */
};

/* Errors begin with the name of the file that is wrong. */
struct authority *authority_read(const struct authority_files *files, const struct clock *clock, struct error *error);
struct authority *authority_create(const struct authority_plan *plan, const struct clock *clock, struct error *error);
struct authority *authority_ref(struct authority *authority); /* one more that must be freed */
void authority_free(struct authority *authority);             /* NULL is fine; the last wipes */
static inline void authority_freep(struct authority **authority)
{
	authority_free(*authority);
}

/* All borrowed. */
X509 *authority_cert(const struct authority *authority);
EVP_PKEY *authority_key(const struct authority *authority);
const struct signing_key *authority_signing_key(const struct authority *authority);
struct der authority_name(const struct authority *authority);   /* the subject, whole */
struct der authority_key_id(const struct authority *authority); /* empty when its certificate says none */
const struct bundle *authority_roots(const struct authority *authority);
X509 *authority_root(const struct authority *authority); /* of them, the one it leads to */
/* What a peer needs between a certificate and the root: the signer first; empty when the signer is a root. */
const STACK_OF(X509) * authority_path(const struct authority *authority);
/* When all of the way to the root is valid: first and last second. */
int64_t authority_begin_s(const struct authority *authority);
int64_t authority_end_s(const struct authority *authority);
/* Whether it is valid then. The message is the same as long as it is not. */
bool authority_check_time(const struct authority *authority, int64_t at_s, struct error *error);

/*
 * Whether nothing on its way to the root limits what it signs: no extension there but those that say that it is an
 * authority's and whose key it has, and a certificate below it makes no path too long. What is not known is a limit.
 */
bool authority_is_unlimited(const struct authority *authority);

/* Whether the certificate leads through path to a root at that time, as a server's and as a client's. */
bool authority_check_leads(const struct authority *authority, X509 *certificate, int64_t at_s, struct error *error);

/* PKCS #8 in PEM. out is empty before, and the caller's to end with private_key_wipe. */
void authority_print_key(const struct authority *authority, struct text *out);
