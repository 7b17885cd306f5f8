#pragma once
/*
 * An authority that is valid now, and what it gives to servers and clients that talk TLS, as PEM.
 */
#include "ca/issue.h"
#include "rpc/grpc_tls.h"
#include "tests/unit/authorities.h"

struct tls_authority {
	struct authority *authority;
	struct issuer issuer;
	struct arena *arena;
	const char *roots;
};

static inline const char *tls_key_pem(struct arena *arena, EVP_PKEY *key)
{
	CLEANUP(text_done) struct text pem = {0};
	certs_print_key(key, &pem);
	return arena_strdup(arena, pem.s);
}

static inline void tls_authority_init(struct tls_authority *a)
{
	struct error error;
	struct authority_plan plan = {.trust_domain = "cluster.local"};
	issue_draw_serial(plan.serial);
	*a = (struct tls_authority){.arena = arena_new()};
	a->authority = authority_create(&plan, clock_system(), &error);
	ck_assert_msg(a->authority != NULL, "%s", error.message);
	a->issuer = (struct issuer){
	    a->authority, authority_roots(a->authority), {TEMPLATE_TTL_DEFAULT_S, TEMPLATE_TTL_MAX_S}, clock_system()};
	CLEANUP(text_done) struct text roots = {0};
	bundle_print(authority_roots(a->authority), &roots);
	a->roots = arena_strdup(a->arena, roots.s);
}

static inline void tls_authority_done(struct tls_authority *a)
{
	authority_free(a->authority);
	arena_free(a->arena);
}

/* All but the roots, which come last. */
static inline const char *tls_chain(struct tls_authority *a, const struct issued *issued)
{
	CLEANUP(text_done) struct text chain = {0};
	for (size_t i = 0; i + 1 < issued->n; i++)
		text_add(&chain, issued->chain[i]);
	return arena_strdup(a->arena, chain.s);
}

static inline struct grpc_tls_material tls_for_server(struct tls_authority *a, const char *dns)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	struct server_request request = {.key = key, .dns = &dns, .n_dns = 1, .ttl_s = 3600};
	struct issued issued;
	struct refusal refusal = {0};
	issue_draw_serial(request.serial);
	ck_assert_msg(issue_server(a->arena, &a->issuer, &request, &issued, &refusal), "%s", refusal.error.message);
	return (struct grpc_tls_material){tls_chain(a, &issued), tls_key_pem(a->arena, key), a->roots};
}

static inline struct grpc_tls_material tls_for_client(struct tls_authority *a, const char *id)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	CLEANUP(text_done) struct text csr = {0};
	struct spiffe_id caller;
	struct error error;
	struct issued issued;
	struct refusal refusal = {0};
	ck_assert(spiffe_id_parse(id, strlen(id), &caller, &error));
	certs_request(&(struct csr_wish){0}, key, &csr);
	struct workload_request request = {.csr = csr.s, .csr_n = csr.n, .caller = &caller, .ttl_s = 3600};
	issue_draw_serial(request.serial);
	ck_assert_msg(issue_workload(a->arena, &a->issuer, &request, &issued, &refusal), "%s", refusal.error.message);
	return (struct grpc_tls_material){tls_chain(a, &issued), tls_key_pem(a->arena, key), a->roots};
}

/* A client's certificate as no sound authority gives it: any names, any time (seconds from now). */
static inline struct grpc_tls_material tls_for_oddity(struct tls_authority *a, const char *names, int64_t begin_s,
                                                      int64_t end_s)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	int64_t from_now_s = clock_wall_ns(clock_system()) / CLOCK_S - NOW_S;
	X509 *issuer = authority_cert(a->authority);
	X509 *certificate = certs_certificate(&(struct cert_wish){.name = "odd",
	                                                          .key = key,
	                                                          .issuer = issuer,
	                                                          .issuer_key = authority_key(a->authority),
	                                                          .constraints = "critical,CA:FALSE",
	                                                          .use = "critical,digitalSignature",
	                                                          .begin_s = from_now_s + begin_s,
	                                                          .end_s = from_now_s + end_s});
	certs_extend(certificate, issuer, NID_subject_alt_name, names);
	X509_sign(certificate, authority_key(a->authority), EVP_sha256());
	CLEANUP(text_done) struct text chain = {0};
	certificate_print(certificate, &chain);
	X509_free(certificate);
	return (struct grpc_tls_material){arena_strdup(a->arena, chain.s), tls_key_pem(a->arena, key), a->roots};
}
