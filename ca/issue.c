#include "ca/issue.h"

#include "base/vec.h"
#include "ca/crypto_error.h"
#include "ca/sign.h"
#include "ca/verify.h"

#include <assert.h>
#include <openssl/rand.h>
#include <string.h>

#define DNS_NAME_MAX 253

static void der_freep(unsigned char **der)
{
	OPENSSL_free(*der);
}

static const char *print_in(struct arena *arena, const X509 *certificate)
{
	CLEANUP(text_done) struct text text = {0};
	certificate_print(certificate, &text);
	return arena_strndup(arena, text.s, text.n);
}

static void list_chain(struct arena *arena, const struct issuer *issuer, const X509 *certificate,
                       const struct template *meant, struct issued *issued)
{
	VEC(const char *) chain = {0};
	CLEANUP(text_done) struct text roots = {0};
	const STACK_OF(X509) *path = authority_path(issuer->authority);
	VEC_PUSH(arena, &chain, print_in(arena, certificate));
	for (int i = 0; i < sk_X509_num(path); i++)
		VEC_PUSH(arena, &chain, print_in(arena, sk_X509_value(path, i)));
	bundle_print(issuer->trusted, &roots);
	VEC_PUSH(arena, &chain, arena_strndup(arena, roots.s, roots.n));
	*issued = (struct issued){chain.v, chain.n, meant->not_before_s, meant->not_after_s};
}

/* meant has its names and serial number. */
static bool issue(struct arena *arena, const struct issuer *issuer, const struct template *meant, EVP_PKEY *key,
                  struct issued *issued, struct refusal *refusal)
{
	struct error error;
	CLEANUP(der_freep) unsigned char *der = NULL;
	CLEANUP(certificate_freep) X509 *certificate = sign_certificate(issuer->authority, meant, key, &error);
	if (!certificate)
		return refusal_set(refusal, REFUSAL_SIGNING, "the certificate cannot be signed: %s", error.message);
	int n = i2d_X509(certificate, &der);
	crypto_must(n > 0);
	const struct verify_expected expected = {meant, key, issuer->authority};
	if (!verify_certificate(der, (size_t)n, &expected, refusal))
		return false;
	list_chain(arena, issuer, certificate, meant, issued);
	return true;
}

bool issue_workload(struct arena *arena, const struct issuer *issuer, const struct workload_request *request,
                    struct issued *issued, struct refusal *refusal)
{
	struct template meant = {.id = request->caller};
	memcpy(meant.serial, request->serial, sizeof meant.serial);
	CLEANUP(csr_freep) struct csr *csr = csr_parse(request->csr, request->csr_n, refusal);
	return csr && csr_check_identity(csr, request->caller, refusal) &&
	       template_set_times(&meant, issuer->authority, request->ttl_s, &issuer->lifetime, issuer->clock,
	                          refusal) &&
	       issue(arena, issuer, &meant, public_key_evp(csr_key(csr)), issued, refusal);
}

static bool check_dns(const struct server_request *request, struct refusal *refusal)
{
	if (request->n_dns == 0 || request->n_dns > TEMPLATE_DNS_MAX)
		return refusal_set(refusal, REFUSAL_EXTRA_NAMES,
		                   "a server's certificate has 1 to %d host names, not %zu", TEMPLATE_DNS_MAX,
		                   request->n_dns);
	for (size_t i = 0; i < request->n_dns; i++) {
		const char *name = request->dns[i];
		size_t n = strlen(name);
		if (n == 0 || n > DNS_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != n)
			return refusal_set(refusal, REFUSAL_EXTRA_NAMES, "\"%s\" is not a host name", name);
	}
	return true;
}

bool issue_server(struct arena *arena, const struct issuer *issuer, const struct server_request *request,
                  struct issued *issued, struct refusal *refusal)
{
	struct template meant = {.dns = request->dns, .n_dns = request->n_dns};
	memcpy(meant.serial, request->serial, sizeof meant.serial);
	return check_dns(request, refusal) &&
	       template_set_times(&meant, issuer->authority, request->ttl_s, &issuer->lifetime, issuer->clock,
	                          refusal) &&
	       issue(arena, issuer, &meant, request->key, issued, refusal);
}

void issue_draw_serial(unsigned char serial[TEMPLATE_SERIAL_SIZE])
{
	int is_done = RAND_bytes(serial, TEMPLATE_SERIAL_SIZE);
	assert(is_done == 1);
}
