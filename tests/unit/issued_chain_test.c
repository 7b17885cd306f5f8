#include "ca/issued_chain.h"

#include "ca/csr_build.h"
#include "ca/issue.h"
#include "ca/private_key.h"
#include "tests/unit/authorities.h"

/* A workload that asks, and an authority that answers. */
struct exchange {
	struct hierarchy h;
	struct authority *authority;
	struct clock clock;
	struct spiffe_id id;
	EVP_PKEY *key;
	struct arena *arena;
	struct issued issued;
};

static void answer(struct exchange *x, EVP_PKEY *key, const char *caller)
{
	CLEANUP(text_done) struct text csr = {0};
	struct spiffe_id id;
	struct error error;
	struct refusal refusal;
	ck_assert(spiffe_id_parse(caller, strlen(caller), &id, &error));
	ck_assert_msg(csr_build(key, &id, &csr, &error), "%s", error.message);
	const struct issuer issuer = {x->authority, authority_roots(x->authority), {3600, 86400}, &x->clock};
	struct workload_request request = {.csr = csr.s, .csr_n = csr.n, .caller = &id};
	issue_draw_serial(request.serial);
	ck_assert_msg(issue_workload(x->arena, &issuer, &request, &x->issued, &refusal), "%s", refusal.error.message);
}

static void exchange_init(struct exchange *x, enum private_key_type type)
{
	struct error error;
	*x = (struct exchange){.clock = clock_at(NOW_S), .arena = arena_new()};
	hierarchy_init(&x->h);
	struct authority_files files = hierarchy_files(&x->h);
	x->authority = authority_read(&files, &x->clock, &error);
	ck_assert_msg(x->authority != NULL, "%s", error.message);
	ck_assert(spiffe_id_parse(CERTS_CALLER, strlen(CERTS_CALLER), &x->id, &error));
	x->key = private_key_generate(type, &error);
	ck_assert_msg(x->key != NULL, "%s", error.message);
	answer(x, x->key, CERTS_CALLER);
}

static void exchange_done(struct exchange *x)
{
	hierarchy_done(&x->h);
	authority_free(x->authority);
	EVP_PKEY_free(x->key);
	arena_free(x->arena);
}

static struct issued_chain *take(struct exchange *x, const char *const *parts, size_t n, struct error *error)
{
	const struct issued_chain_expected expected = {x->key, &x->id, &x->clock};
	error->message[0] = '\0';
	struct issued_chain *chain = issued_chain_read(parts, n, &expected, error);
	ck_assert_int_eq(ERR_peek_error(), 0);
	return chain;
}

static void refused(struct exchange *x, const char *const *parts, size_t n, const char *want)
{
	struct error error;
	CLEANUP(issued_chain_freep) struct issued_chain *chain = take(x, parts, n, &error);
	ck_assert_msg(!chain, "taken, but: %s", want);
	ck_assert_msg(strstr(error.message, want) != NULL, "%s: not \"%s\"", error.message, want);
}

START_TEST(an_answer_to_a_request_is_taken)
{
	const enum private_key_type types[] = {PRIVATE_KEY_P256, PRIVATE_KEY_RSA_2048};
	for (size_t i = 0; i < 2; i++) {
		struct exchange x;
		struct error error;
		int64_t begin_s, end_s;
		CLEANUP(text_done) struct text pem = {0};
		exchange_init(&x, types[i]);
		CLEANUP(issued_chain_freep) struct issued_chain *chain = take(&x, x.issued.chain, x.issued.n, &error);
		ck_assert_msg(chain != NULL, "%s", error.message);
		issued_chain_times(chain, &begin_s, &end_s);
		ck_assert_int_eq(begin_s, NOW_S - TEMPLATE_BACKDATE_S);
		ck_assert_int_eq(end_s, NOW_S + 3600);
		ck_assert(bundle_has(issued_chain_roots(chain), x.h.root));
		issued_chain_print(chain, &pem);
		CLEANUP(certificates_freep)
		STACK_OF(X509) *list = certificates_read(&(struct pem_file){"chain", pem.s, pem.n}, &error);
		ck_assert_int_eq(sk_X509_num(list), 3);
		exchange_done(&x);
	}
}
END_TEST

START_TEST(what_was_not_asked_for_is_refused)
{
	struct exchange x;
	struct error error;
	exchange_init(&x, PRIVATE_KEY_P256);
	const char *const *parts = x.issued.chain;
	size_t n = x.issued.n;
	refused(&x, parts, 1, "1 parts: there must be a certificate and, last, the roots");
	refused(&x, parts, 0, "0 parts");
	refused(&x, parts, ISSUED_CHAIN_PARTS_MAX + 1, "at most 16 parts");
	refused(&x, (const char *[]){parts[0], parts[n - 1]}, 2, "does not lead to a root");
	refused(&x, (const char *[]){"", parts[n - 1]}, 2, "there is no certificate in it");
	refused(&x, (const char *[]){parts[0], parts[1], parts[2], ""}, 4, "the roots: there is no certificate in it");
	refused(&x, (const char *[]){parts[0], parts[1], parts[2], parts[0]}, 4, "it is not for an authority");

	struct authority *other = authority_for_test(), *own = x.authority;
	CLEANUP(text_done) struct text roots = {0};
	bundle_print(authority_roots(other), &roots);
	refused(&x, (const char *[]){parts[0], parts[1], parts[2], roots.s}, 4, "does not lead to a root");
	authority_free(other);
	x.authority = own;

	CLEANUP(private_key_freep) EVP_PKEY *key = private_key_generate(PRIVATE_KEY_P256, &error);
	answer(&x, key, CERTS_CALLER);
	refused(&x, x.issued.chain, x.issued.n, "another key");
	answer(&x, x.key, "spiffe://cluster.local/ns/default/sa/ratings");
	refused(&x, x.issued.chain, x.issued.n, "its name is not " CERTS_CALLER);
	exchange_done(&x);
}
END_TEST

START_TEST(a_clock_that_is_wrong_is_named)
{
	struct exchange x;
	exchange_init(&x, PRIVATE_KEY_P256);
	x.clock = clock_at(NOW_S - 3600);
	refused(&x, x.issued.chain, x.issued.n, "it is not valid before");
	x.clock = clock_at(NOW_S + 3600);
	refused(&x, x.issued.chain, x.issued.n, "it expired at");
	exchange_done(&x);
}
END_TEST

UNIT_MAIN("issued_chain", an_answer_to_a_request_is_taken, what_was_not_asked_for_is_refused,
          a_clock_that_is_wrong_is_named)
