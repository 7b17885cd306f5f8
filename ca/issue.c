#include "ca/issue.h"

#include "base/vec.h"
#include "ca/pem.h"
#include "ca/sign.h"
#include "ca/verify.h"

#include <assert.h>
#include <openssl/rand.h>
#include <string.h>

#define DNS_NAME_MAX 253

/* What was printed, which makes room for the next. */
static const char *keep(struct arena *arena, struct text *printed)
{
	const char *kept = arena_strndup(arena, printed->s, printed->n);
	printed->n = 0;
	return kept;
}

static void list_chain(struct arena *arena, const struct issuer *issuer, const struct text *der,
                       const struct template *meant, struct issued *issued)
{
	VEC(const char *) chain = {0};
	CLEANUP(text_done) struct text text = {0};
	const STACK_OF(X509) *path = authority_path(issuer->authority);
	pem_print("CERTIFICATE", der->s, der->n, &text);
	VEC_PUSH(arena, &chain, keep(arena, &text));
	for (int i = 0; i < sk_X509_num(path); i++) {
		certificate_print(sk_X509_value(path, i), &text);
		VEC_PUSH(arena, &chain, keep(arena, &text));
	}
	bundle_print(issuer->trusted, &text);
	VEC_PUSH(arena, &chain, keep(arena, &text));
	*issued = (struct issued){chain.v, chain.n, meant->not_before_s, meant->not_after_s};
}

/* meant has its names and serial number. */
static bool issue(struct arena *arena, const struct issuer *issuer, const struct template *meant,
                  const struct public_key *key, struct issued *issued, struct refusal *refusal)
{
	struct error error;
	CLEANUP(text_done) struct text der = {0};
	if (!sign_certificate(issuer->authority, meant, key, &der, &error))
		return refusal_set(refusal, REFUSAL_SIGNING, "the certificate cannot be signed: %s", error.message);
	const struct verify_expected expected = {meant, key, issuer->authority};
	if (!verify_certificate((const unsigned char *)der.s, der.n, &expected, refusal))
		return false;
	list_chain(arena, issuer, &der, meant, issued);
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
	       issue(arena, issuer, &meant, csr_key(csr), issued, refusal);
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
	CLEANUP(public_key_freep) struct public_key *key = public_key_of(request->key, KEY_USE_WORKLOAD, refusal);
	return key && check_dns(request, refusal) &&
	       template_set_times(&meant, issuer->authority, request->ttl_s, &issuer->lifetime, issuer->clock,
	                          refusal) &&
	       issue(arena, issuer, &meant, key, issued, refusal);
}

void issue_draw_serial(unsigned char serial[TEMPLATE_SERIAL_SIZE])
{
	int is_done = RAND_bytes(serial, TEMPLATE_SERIAL_SIZE);
	assert(is_done == 1);
}
