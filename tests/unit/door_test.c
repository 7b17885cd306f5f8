#include "server/identity/door.h"

#include "server/source/kube/kube_review.h"
#include "tests/unit/keystore_dir.h"
#include "tests/unit/tls_material.h"
#include "tests/unit/tokens.h"

#define APP "spiffe://cluster.local/ns/shop/sa/cart"

/* The API server's part: what it was asked, and how it answers. */
struct reviewer {
	unsigned n_asked;
	bool is_full;
	kube_review_on_answer *on_answer[8];
	void *contexts[8];
};

static bool reviewer_ask(void *context, const char *token, kube_review_on_answer *on_answer, void *answer_context)
{
	struct reviewer *reviewer = context;
	(void)token;
	if (reviewer->is_full)
		return false;
	reviewer->on_answer[reviewer->n_asked] = on_answer;
	reviewer->contexts[reviewer->n_asked++] = answer_context;
	return true;
}

static void reviewer_answer(struct reviewer *reviewer, unsigned i, enum kube_review_outcome outcome)
{
	struct kube_review_answer answer = {.outcome = outcome, .account = {"shop", "reviewed"}, .message = "because"};
	reviewer->on_answer[i](reviewer->contexts[i], &answer);
}

/* A guest, and what became of him: "spiffe://…", "16 why", or "" while he waits. */
struct guest {
	struct transport_guest base;
	char fate[2048];
};

static void on_admit(struct transport_guest *base, const struct spiffe_id *caller)
{
	struct guest *guest = (struct guest *)base;
	ck_assert_msg(!guest->fate[0], "answered twice");
	spiffe_id_print(caller, guest->fate);
}

static void on_refuse(struct transport_guest *base, enum transport_status status, const char *message)
{
	struct guest *guest = (struct guest *)base;
	ck_assert_msg(!guest->fate[0], "answered twice");
	snprintf(guest->fate, sizeof guest->fate, "%d %s", status, message);
}

static const struct transport_guest_ops guest_ops = {on_admit, on_refuse};

struct fixture {
	struct config_dir dir;
	struct tls_authority authority;
	struct signer_cell *signers;
	struct token_key *key;
	struct reviewer reviewer;
	struct door *door;
	struct clock clock;
};

static void set_signer(struct fixture *f, const char *trust_domain)
{
	CLEANUP(text_done) struct text key = {0}, cert = {0};
	struct error error;
	authority_print_key(f->authority.authority, &key);
	certificate_print(authority_cert(f->authority.authority), &cert);
	const struct pem_file file = {"cert", cert.s, cert.n};
	struct authority_files files = {.cert = file, .key = {"key", key.s, key.n}, .root = file};
	struct authority *authority = authority_read(&files, clock_system(), &error);
	ck_assert_msg(authority != NULL, "%s", error.message);
	signer_cell_put(f->signers, signer_new(authority, bundle_read(&file, &error),
	                                       (struct template_lifetime){3600, 86400}, trust_domain, clock_system()));
}

static void init_with(struct fixture *f, struct door_options options)
{
	struct error error;
	*f = (struct fixture){.signers = signer_cell_new(), .clock = clock_fake(5 * CLOCK_S)};
	f->clock.wall_ns = clock_wall_ns(clock_system());
	config_dir_init(&f->dir);
	tls_authority_init(&f->authority);
	f->key = token_key_keep(f->dir.path, &error);
	ck_assert_msg(f->key != NULL, "%s", error.message);
	options.signers = f->signers;
	options.own = f->key;
	options.clock = &f->clock;
	options.reviewer = (struct door_reviewer){reviewer_ask, &f->reviewer};
	f->door = door_new(&options);
}

static void init(struct fixture *f)
{
	init_with(f, (struct door_options){0});
	set_signer(f, "cluster.local");
}

static void done(struct fixture *f)
{
	door_free(f->door);
	signer_cell_free(f->signers);
	token_key_free(f->key);
	tls_authority_done(&f->authority);
	config_dir_done(&f->dir);
}

static void knock(struct fixture *f, struct guest *guest, struct transport_visitor visitor)
{
	struct transport_door door = door_transport(f->door);
	*guest = (struct guest){.base = {&guest_ops, visitor}};
	guest->base.visitor.peer = "10.0.0.1:1";
	guest->base.visitor.path = "/x";
	door.knock(door.context, &guest->base);
}

static void check(const struct guest *guest, const char *want)
{
	ck_assert_msg(want[0] ? strstr(guest->fate, want) == guest->fate : !guest->fate[0], "want %s, got %s", want,
	              guest->fate);
}

static void own_token(struct fixture *f, struct text *out)
{
	struct service_account account = {"shop", "own"};
	struct error error;
	ck_assert(token_key_sign(f->key, &(struct token_request){&account, "istio-ca", 600}, &f->clock, out, &error));
}

/* Of an issuer whom only the API server knows. */
static void kube_token(struct fixture *f, const char *who, int64_t ends_in_s, struct text *out)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	CLEANUP(text_done) struct text claims = {0};
	text_printf(&claims, "{\"iss\":\"k8s\",\"sub\":\"%s\",\"exp\":%lld}", who,
	            (long long)(f->clock.wall_ns / CLOCK_S) + ends_in_s);
	tokens_make(key, "ES256", "{\"alg\":\"ES256\"}", claims.s, out);
}

START_TEST(who_shows_nothing_is_told_what_to_show)
{
	struct fixture f;
	struct guest guest;
	struct door_stats stats;
	init(&f);
	knock(&f, &guest, (struct transport_visitor){0});
	check(&guest, "16 show who you are");
	door_stats(f.door, &stats);
	ck_assert_uint_eq(stats.refused[DOOR_NOTHING_SHOWN], 1);
	done(&f);
}
END_TEST

START_TEST(certificates_are_looked_at_now)
{
	struct fixture f;
	struct tls_authority foreign;
	init(&f);
	tls_authority_init(&foreign);
	const char *nobody = "spiffe://elsewhere/ns/shop/sa/cart";
	const char *good = tls_for_client(&f.authority, APP).chain;
	const struct {
		const char *name, *certificate, *uris[2];
		size_t n_uris;
		const char *want;
	} rows[] = {
	    {"good", good, {APP}, 1, APP},
	    {"no name", good, {NULL}, 0, "16 the client certificate has 0 URIs"},
	    {"two names", good, {APP, APP}, 2, "16 the client certificate has 2 URIs"},
	    {"no workload's name", good, {"https://x"}, 1, "16 the client certificate's URI"},
	    {"another domain", good, {nobody}, 1, "16 the client certificate is of the trust domain \"elsewhere\""},
	    {"a root that is not trusted",
	     tls_for_client(&foreign, APP).chain,
	     {APP},
	     1,
	     "16 the client certificate does not lead to a trusted root"},
	    {"ended",
	     tls_for_oddity(&f.authority, "URI:" APP, -3600, -60).chain,
	     {APP},
	     1,
	     "16 the client certificate does not lead to a trusted root"},
	    {"not begun",
	     tls_for_oddity(&f.authority, "URI:" APP, 3600, 7200).chain,
	     {APP},
	     1,
	     "16 the client certificate does not lead to a trusted root"},
	    {"an authority's", f.authority.roots, {APP}, 1, "16 the client certificate is an authority's"},
	    {"no certificate", "x", {APP}, 1, "16 "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text token = {0};
		struct guest guest;
		struct transport_bytes uris[2] = {{0}};
		for (size_t j = 0; j < rows[i].n_uris; j++)
			uris[j] = (struct transport_bytes){rows[i].uris[j], strlen(rows[i].uris[j])};
		own_token(&f, &token); /* does not help a bad certificate */
		knock(
		    &f, &guest,
		    (struct transport_visitor){
		        .certificate = rows[i].certificate, .uris = uris, .n_uris = rows[i].n_uris, .token = token.s});
		check(&guest, rows[i].want);
	}
	tls_authority_done(&foreign);
	done(&f);
}
END_TEST

START_TEST(a_root_that_is_taken_away_counts_at_once)
{
	struct fixture f, other;
	struct guest guest;
	init(&f);
	init(&other);
	const struct transport_bytes uri = {APP, strlen(APP)};
	const struct transport_visitor visitor = {
	    .certificate = tls_for_client(&f.authority, APP).chain, .uris = &uri, .n_uris = 1};
	knock(&f, &guest, visitor);
	check(&guest, APP);
	signer_cell_put(f.signers, signer_cell_get(other.signers));
	knock(&f, &guest, visitor);
	check(&guest, "16 the client certificate does not lead to a trusted root");
	done(&f);
	done(&other);
}
END_TEST

START_TEST(an_alias_is_the_same_workload)
{
	static const char *const aliases[] = {"cluster.local"};
	struct fixture f;
	struct guest guest;
	init_with(&f, (struct door_options){0});
	set_signer(&f, "new.domain");
	const struct transport_bytes uri = {APP, strlen(APP)};
	const struct transport_visitor visitor = {
	    .certificate = tls_for_client(&f.authority, APP).chain, .uris = &uri, .n_uris = 1};
	door_set_aliases(f.door, aliases, 1);
	knock(&f, &guest, visitor);
	check(&guest, "spiffe://new.domain/ns/shop/sa/cart");
	door_set_aliases(f.door, NULL, 0);
	knock(&f, &guest, visitor);
	ck_assert_msg(strncmp(guest.fate, "16 ", 3) == 0, "%s", guest.fate);
	done(&f);
}
END_TEST

START_TEST(our_own_tokens_need_no_asking)
{
	struct fixture f;
	struct guest guest;
	struct door_stats stats;
	CLEANUP(text_done) struct text token = {0};
	init(&f);
	own_token(&f, &token);
	knock(&f, &guest, (struct transport_visitor){.token = token.s});
	check(&guest, "spiffe://cluster.local/ns/shop/sa/own");
	f.clock.wall_ns += 700 * CLOCK_S;
	knock(&f, &guest, (struct transport_visitor){.token = token.s});
	check(&guest, "16 the token ended");
	knock(&f, &guest, (struct transport_visitor){.token = "x.y.z"});
	check(&guest, "16 the token's header is not");
	ck_assert_uint_eq(f.reviewer.n_asked, 0);
	door_stats(f.door, &stats);
	ck_assert_uint_eq(stats.admitted[DOOR_OWN_TOKEN], 1);
	ck_assert_uint_eq(stats.token_refusals[TOKEN_EXPIRED], 1);
	ck_assert_uint_eq(stats.token_refusals[TOKEN_MALFORMED], 1);
	done(&f);
}
END_TEST

START_TEST(other_tokens_are_asked_about_once)
{
	struct fixture f;
	struct guest a, b, c;
	CLEANUP(text_done) struct text token = {0}, bad = {0}, ended = {0}, unknown = {0};
	init(&f);
	kube_token(&f, "one", 600, &token);
	kube_token(&f, "two", 600, &bad);
	kube_token(&f, "three", 600, &unknown);
	kube_token(&f, "four", -600, &ended);
	knock(&f, &a, (struct transport_visitor){.token = token.s});
	knock(&f, &b, (struct transport_visitor){.token = token.s});
	check(&a, "");
	ck_assert_uint_eq(f.reviewer.n_asked, 1);
	reviewer_answer(&f.reviewer, 0, KUBE_REVIEW_GOOD);
	check(&a, "spiffe://cluster.local/ns/shop/sa/reviewed");
	check(&b, "spiffe://cluster.local/ns/shop/sa/reviewed");
	knock(&f, &c, (struct transport_visitor){.token = token.s});
	check(&c, "spiffe://cluster.local/ns/shop/sa/reviewed");
	ck_assert_uint_eq(f.reviewer.n_asked, 1);

	knock(&f, &a, (struct transport_visitor){.token = bad.s});
	reviewer_answer(&f.reviewer, 1, KUBE_REVIEW_BAD);
	check(&a, "16 because");
	knock(&f, &a, (struct transport_visitor){.token = bad.s});
	check(&a, "16 because");
	ck_assert_uint_eq(f.reviewer.n_asked, 2);

	knock(&f, &a, (struct transport_visitor){.token = unknown.s});
	reviewer_answer(&f.reviewer, 2, KUBE_REVIEW_UNKNOWN);
	check(&a, "14 because");
	f.reviewer.is_full = true;
	knock(&f, &a, (struct transport_visitor){.token = unknown.s});
	check(&a, "14 too many tokens");
	knock(&f, &a, (struct transport_visitor){.token = ended.s});
	check(&a, "16 the token ended");
	ck_assert_uint_eq(f.reviewer.n_asked, 3);
	done(&f);
}
END_TEST

START_TEST(without_an_authority_nobody_comes_in)
{
	struct fixture f;
	struct guest guest;
	CLEANUP(text_done) struct text token = {0};
	init_with(&f, (struct door_options){0});
	own_token(&f, &token);
	knock(&f, &guest, (struct transport_visitor){.token = token.s});
	check(&guest, "14 the certificate authority is not ready");
	done(&f);
}
END_TEST

START_TEST(a_key_sets_tokens_need_no_asking)
{
	struct fixture f;
	struct guest guest;
	struct error error;
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	CLEANUP(config_dir_done) struct config_dir dir;
	CLEANUP(text_done) struct text token = {0}, claims = {0};
	static const char empty[] = "{\"keys\":[]}";
	config_dir_init(&dir);
	write_file(dir.path, "jwks", empty, sizeof empty - 1);
	struct clock clock = clock_fake(CLOCK_S);
	struct jwks_file *keys = jwks_file_new(path_in(dir.path, "jwks"), &clock, &error);
	ck_assert_msg(keys != NULL, "%s", error.message);
	init_with(&f, (struct door_options){.keys = keys, .issuer = "elsewhere"});
	set_signer(&f, "cluster.local");
	text_printf(&claims, "{\"iss\":\"elsewhere\",\"aud\":\"istio-ca\",\"sub\":\"%s\",\"exp\":%lld}", TOKENS_SUBJECT,
	            (long long)(f.clock.wall_ns / CLOCK_S) + 600);
	tokens_make(key, "ES256", "{\"alg\":\"ES256\"}", claims.s, &token);
	knock(&f, &guest, (struct transport_visitor){.token = token.s});
	check(&guest, "16 the token is signed with a key");
	ck_assert_uint_eq(f.reviewer.n_asked, 0);
	write_file(dir.path, "jwks", "no keys", 7); /* a bad file keeps what was */
	clock.now_ns += JWKS_FILE_LOOK_S * CLOCK_S;
	ck_assert_ptr_nonnull(jwks_file_get(keys));
	done(&f);
	jwks_file_free(keys);
	ck_assert_ptr_null(jwks_file_new(path_in(dir.path, "jwks"), &clock, &error));
	check_says(&error, dir.path, "jwks", "the key set");
}
END_TEST

UNIT_MAIN("door", who_shows_nothing_is_told_what_to_show, certificates_are_looked_at_now,
          a_root_that_is_taken_away_counts_at_once, an_alias_is_the_same_workload, our_own_tokens_need_no_asking,
          other_tokens_are_asked_about_once, without_an_authority_nobody_comes_in, a_key_sets_tokens_need_no_asking)
