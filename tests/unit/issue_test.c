#include "ca/issue.h"

#include "tests/unit/authorities.h"
#include "tests/unit/config_dir.h"

#include <pthread.h>

/* A hierarchy that issues, and where its answers live. */
struct office {
	struct hierarchy h;
	struct authority *authority;
	struct clock clock;
	struct issuer issuer;
	struct spiffe_id caller;
	struct arena *arena;
};

static void office_open(struct office *office)
{
	struct authority_files files = hierarchy_files(&office->h);
	struct error error;
	authority_free(office->authority);
	office->authority = authority_read(&files, &office->clock, &error);
	ck_assert_msg(office->authority != NULL, "%s", error.message);
	office->issuer = (struct issuer){office->authority,
	                                 authority_roots(office->authority),
	                                 {TEMPLATE_TTL_DEFAULT_S, TEMPLATE_TTL_MAX_S},
	                                 &office->clock};
}

static void office_init(struct office *office)
{
	struct error error;
	*office = (struct office){.clock = clock_at(NOW_S), .arena = arena_new()};
	ck_assert(spiffe_id_parse(CERTS_CALLER, strlen(CERTS_CALLER), &office->caller, &error));
	hierarchy_init(&office->h);
	office_open(office);
}

static void office_done(struct office *office)
{
	hierarchy_done(&office->h);
	authority_free(office->authority);
	arena_free(office->arena);
}

static bool ask(struct office *office, const struct csr_wish *wish, int64_t ttl_s, struct issued *issued,
                struct refusal *refusal)
{
	CLEANUP(text_done) struct text csr = {0};
	certs_request_of(wish, &csr);
	struct workload_request request = {.csr = csr.s, .csr_n = csr.n, .caller = &office->caller, .ttl_s = ttl_s};
	issue_draw_serial(request.serial);
	*refusal = (struct refusal){0};
	bool is_good = issue_workload(office->arena, &office->issuer, &request, issued, refusal);
	ck_assert_int_eq(ERR_peek_error(), 0);
	ck_assert(is_good == (refusal->reason == REFUSAL_NONE));
	return is_good;
}

START_TEST(the_answer_is_the_certificate_the_way_and_the_roots)
{
	CLEANUP(office_done) struct office office;
	struct issued issued;
	struct refusal refusal;
	office_init(&office);
	ck_assert_msg(ask(&office, &(struct csr_wish){.names = "URI:" CERTS_CALLER}, 3600, &issued, &refusal), "%s",
	              refusal.error.message);
	CLEANUP(text_done) struct text signer = {0}, middle = {0};
	certificate_print(office.h.signer, &signer);
	certificate_print(office.h.middle, &middle);
	ck_assert_uint_eq(issued.n, 4);
	ck_assert_str_eq(issued.chain[1], signer.s);
	ck_assert_str_eq(issued.chain[2], middle.s);
	ck_assert_str_eq(issued.chain[3], office.h.roots.s);
	ck_assert_int_eq(issued.not_after_s, NOW_S + 3600);
}
END_TEST

/* cert-chain.pem without the signer, as some tools write it: the answer is the same. */
START_TEST(the_chain_file_need_not_repeat_the_signer)
{
	CLEANUP(office_done) struct office office;
	struct issued issued;
	struct refusal refusal;
	office_init(&office);
	office.h.chain.n = 0;
	certificate_print(office.h.middle, &office.h.chain);
	office_open(&office);
	ck_assert_msg(ask(&office, &(struct csr_wish){0}, 0, &issued, &refusal), "%s", refusal.error.message);
	ck_assert_uint_eq(issued.n, 4);
}
END_TEST

START_TEST(a_request_puts_nothing_but_its_key_into_the_certificate)
{
	CLEANUP(office_done) struct office office;
	struct issued issued;
	struct refusal refusal;
	office_init(&office);
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-384");
	CLEANUP(text_done) struct text csr = {0};
	certs_request(&(struct csr_wish){.use = "decipherOnly,keyAgreement"}, key, &csr);
	struct workload_request request = {.csr = csr.s, .csr_n = csr.n, .caller = &office.caller, .serial = {9}};
	ck_assert(issue_workload(office.arena, &office.issuer, &request, &issued, &refusal));
	struct error error;
	CLEANUP(certificates_freep)
	STACK_OF(X509) *list =
	    certificates_read(&(struct pem_file){"leaf", issued.chain[0], strlen(issued.chain[0])}, &error);
	X509 *leaf = sk_X509_value(list, 0);
	ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(leaf), key), 1);
	ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(leaf)), 0); /* the request has an organisation */
	ck_assert_uint_eq(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
}
END_TEST

START_TEST(refusals_come_with_their_reasons)
{
	static const struct {
		struct csr_wish wish;
		int64_t ttl_s;
		enum refusal_reason want;
	} rows[] = {
	    {{.names = "URI:spiffe://cluster.local/ns/default/sa/ratings"}, 0, REFUSAL_OTHER_IDENTITY},
	    {{.constraints = "CA:TRUE"}, 0, REFUSAL_ASKS_FOR_CA},
	    {{.is_foreign_signature = true}, 0, REFUSAL_SIGNATURE},
	    {{0}, 91 * DAY_S, REFUSAL_LIFETIME},
	};
	CLEANUP(office_done) struct office office;
	office_init(&office);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct issued issued = {.n = 77};
		struct refusal refusal;
		ck_assert(!ask(&office, &rows[i].wish, rows[i].ttl_s, &issued, &refusal));
		ck_assert_int_eq(refusal.reason, rows[i].want);
		ck_assert_uint_eq(issued.n, 77);
	}
}
END_TEST

START_TEST(while_roots_change_both_are_told)
{
	CLEANUP(office_done) struct office office;
	struct issued issued;
	struct refusal refusal;
	struct error error;
	office_init(&office);
	CLEANUP(authority_freep) struct authority *next = authority_for_test();
	CLEANUP(bundle_freep)
	struct bundle *both = bundle_union(authority_roots(office.authority), authority_roots(next), &error);
	office.issuer.trusted = both;
	ck_assert(ask(&office, &(struct csr_wish){0}, 0, &issued, &refusal));
	CLEANUP(text_done) struct text want = {0};
	bundle_print(both, &want);
	ck_assert_str_eq(issued.chain[issued.n - 1], want.s);
	office.issuer.authority = next; /* a root signs by itself: nothing between */
	ck_assert(ask(&office, &(struct csr_wish){0}, 0, &issued, &refusal));
	ck_assert_uint_eq(issued.n, 2);
	ck_assert_str_eq(issued.chain[1], want.s);
}
END_TEST

static void run(const char *command, struct text *output)
{
	FILE *pipe = popen(command, "r");
	ck_assert(pipe != NULL);
	char part[512];
	for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;)
		text_add_n(output, part, n);
	int status = pclose(pipe);
	ck_assert_msg(status == 0, "%s\nended with %d:\n%s", command, status, text_get(output));
}

/* A second reader: the command line, in strict mode, for both uses. */
static void check_with_openssl(const struct issued *issued)
{
	CLEANUP(config_dir_done) struct config_dir dir;
	CLEANUP(text_done) struct text path = {0};
	config_dir_init(&dir);
	for (size_t i = 1; i + 1 < issued->n; i++)
		text_add(&path, issued->chain[i]);
	config_dir_write(&dir, "leaf.pem", issued->chain[0]);
	config_dir_write(&dir, "path.pem", text_get(&path));
	config_dir_write(&dir, "roots.pem", issued->chain[issued->n - 1]);
	static const char *const purposes[] = {"sslserver", "sslclient"};
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(text_done) struct text command = {0}, output = {0};
		text_printf(&command,
		            "cd %s && openssl verify -x509_strict -check_ss_sig -auth_level 2 -attime %lld -purpose %s "
		            "-no-CApath -no-CAstore -CAfile roots.pem %s leaf.pem 2>&1",
		            dir.path, (long long)NOW_S, purposes[i], path.n ? "-untrusted path.pem" : "");
		run(command.s, &output);
		ck_assert_msg(strstr(text_get(&output), "leaf.pem: OK") != NULL, "%s", text_get(&output));
	}
}

/* All that there is to check of a chain, as for an authority that limits. */
static void check_leads(const struct office *office, const struct issued *issued)
{
	struct error error;
	CLEANUP(certificates_freep)
	STACK_OF(X509) *list =
	    certificates_read(&(struct pem_file){"leaf", issued->chain[0], strlen(issued->chain[0])}, &error);
	ck_assert_msg(authority_check_leads(office->authority, sk_X509_value(list, 0), NOW_S, &error), "%s",
	              error.message);
}

/*
 * What an administrator's authority may not sign is found before it leaves, and not by a proxy. Where nothing is said
 * that could be a limit OpenSSL is not asked each time: then it must be of the same opinion.
 */
START_TEST(limits_of_the_authority_are_kept)
{
	static const struct {
		struct cert_wish wish;
		bool is_issued, is_unlimited;
		bool is_middles; /* the one above the signer has it */
	} rows[] = {
	    {{0}, true, true, false},
	    {{.limits = "critical,permitted;URI:cluster.local"}, true, false, false},
	    {{.limits = "critical,permitted;URI:other.local"}, false, false, false},
	    {{.limits = "critical,excluded;URI:cluster.local"}, false, false, false},
	    {{.limits = "permitted;URI:other.local"}, false, false, false},
	    {{.extended_use = "serverAuth,clientAuth"}, true, false, false},
	    {{.extended_use = "serverAuth"}, false, false, false},
	    {{.extended_use = "clientAuth"}, false, false, false},
	    {{.constraints = "critical,CA:TRUE,pathlen:0"}, true, true, false},
	    {{.constraints = "critical,CA:TRUE,pathlen:1"}, true, true, false},
	    {{.has_no_key_id = true}, true, true, false},
	    {{.has_no_use = true}, true, true, false},
	    {{.limits = "critical,permitted;URI:cluster.local"}, true, false, true},
	    {{.limits = "critical,permitted;URI:other.local"}, false, false, true},
	    {{.extended_use = "serverAuth"}, false, false, true},
	    {{.constraints = "critical,CA:TRUE,pathlen:1"}, true, true, true},
	    {{.has_no_key_id = true}, true, true, true},
	    {{.constraints = "critical,CA:TRUE,pathlen:0"}, false, false, true},
	};
	CLEANUP(office_done) struct office office;
	office_init(&office);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct issued issued;
		struct refusal refusal;
		if (rows[i].is_middles)
			hierarchy_set_middle(&office.h, rows[i].wish);
		else
			hierarchy_set_signer(&office.h, rows[i].wish);
		office_open(&office);
		ck_assert_msg(authority_is_unlimited(office.authority) == rows[i].is_unlimited, "row %zu", i);
		ck_assert_msg(ask(&office, &(struct csr_wish){0}, 0, &issued, &refusal) == rows[i].is_issued,
		              "row %zu: %s", i, refusal.error.message);
		ck_assert_int_eq(refusal.reason, rows[i].is_issued ? REFUSAL_NONE : REFUSAL_RECHECK);
		if (rows[i].is_issued)
			check_leads(&office, &issued);
	}
}
END_TEST

START_TEST(openssl_takes_what_is_issued)
{
	static const char *const keys[] = {"P-256", "P-384", "RSA 2048"};
	CLEANUP(office_done) struct office office;
	office_init(&office);
	struct issued issued;
	struct refusal refusal;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		ck_assert(ask(&office, &(struct csr_wish){.key = keys[i]}, 0, &issued, &refusal));
		check_with_openssl(&issued);
	}
	CLEANUP(authority_freep) struct authority *self_signed = authority_for_test();
	office.issuer.authority = self_signed;
	office.issuer.trusted = authority_roots(self_signed);
	ck_assert(ask(&office, &(struct csr_wish){0}, 0, &issued, &refusal));
	check_with_openssl(&issued);
}
END_TEST

START_TEST(openssl_takes_what_authorities_of_each_kind_issue)
{
	static const char *const keys[] = {"P-256", "P-384", "P-521", "RSA 2048", "RSA 3072"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		CLEANUP(office_done) struct office office;
		struct issued issued;
		struct refusal refusal;
		office_init(&office);
		EVP_PKEY_free(office.h.signer_key);
		office.h.signer_key = certs_key(keys[i]);
		hierarchy_set_signer(&office.h, (struct cert_wish){0});
		office_open(&office);
		ck_assert(authority_is_unlimited(office.authority));
		ck_assert_msg(ask(&office, &(struct csr_wish){0}, 0, &issued, &refusal), "%s: %s", keys[i],
		              refusal.error.message);
		check_with_openssl(&issued);
	}
}
END_TEST

/* As a server's are: one authority, requests on several threads. */
#define THREADS 4
#define REQUESTS 25

static void *ask_again_and_again(void *arg)
{
	const struct office *office = arg;
	CLEANUP(text_done) struct text csr = {0};
	certs_request_of(&(struct csr_wish){0}, &csr);
	for (int i = 0; i < REQUESTS; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct workload_request request = {.csr = csr.s, .csr_n = csr.n, .caller = &office->caller};
		struct issued issued;
		struct refusal refusal;
		issue_draw_serial(request.serial);
		if (!issue_workload(arena, &office->issuer, &request, &issued, &refusal))
			return heap_strdup(refusal.error.message);
	}
	return NULL;
}

START_TEST(an_authority_serves_many_threads)
{
	pthread_t threads[THREADS];
	CLEANUP(office_done) struct office office;
	office_init(&office);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_again_and_again, &office), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed = NULL;
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_msg(!failed, "%s", (char *)failed);
	}
}
END_TEST

START_TEST(the_control_planes_key_is_held_to_the_same_rules)
{
	static const struct {
		const char *key;
		enum refusal_reason want;
	} rows[] = {
	    {"P-384", REFUSAL_NONE},
	    {"RSA 2048", REFUSAL_NONE},
	    {"RSA 1024", REFUSAL_KEY_SIZE},
	    {"P-224", REFUSAL_KEY_CURVE},
	    {"P-256 compressed", REFUSAL_KEY_CURVE},
	    {"ED25519", REFUSAL_KEY_TYPE},
	};
	static const char *const dns[] = {"istiod.istio-system.svc"};
	CLEANUP(office_done) struct office office;
	office_init(&office);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct issued issued;
		struct refusal refusal = {0};
		CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key(rows[i].key);
		struct server_request request = {.key = key, .dns = dns, .n_dns = 1, .serial = {1}};
		bool is_issued = issue_server(office.arena, &office.issuer, &request, &issued, &refusal);
		ck_assert_msg(refusal.reason == rows[i].want, "%s: %s", rows[i].key, refusal.error.message);
		ck_assert(is_issued == (rows[i].want == REFUSAL_NONE));
		ck_assert_int_eq(ERR_peek_error(), 0);
	}
}
END_TEST

START_TEST(the_control_plane_has_host_names)
{
	static const char *const good[] = {"istiod.istio-system.svc", "weftd.weft.svc"};
	static const char *const bad[][1] = {{""}, {"a,b"}, {"a\nb"}, {"A"}, {"*.local"}};
	CLEANUP(office_done) struct office office;
	struct issued issued;
	struct refusal refusal;
	office_init(&office);
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	struct server_request request = {.key = key, .dns = good, .n_dns = 2, .serial = {1}};
	ck_assert_msg(issue_server(office.arena, &office.issuer, &request, &issued, &refusal), "%s",
	              refusal.error.message);
	check_with_openssl(&issued);
	struct error error;
	CLEANUP(certificates_freep)
	STACK_OF(X509) *list =
	    certificates_read(&(struct pem_file){"leaf", issued.chain[0], strlen(issued.chain[0])}, &error);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(X509_check_host(sk_X509_value(list, 0), good[i], 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_host(sk_X509_value(list, 0), "other.svc", 0, 0, NULL), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		request.dns = bad[i];
		request.n_dns = 1;
		ck_assert(!issue_server(office.arena, &office.issuer, &request, &issued, &refusal));
	}
	request.n_dns = 0;
	ck_assert(!issue_server(office.arena, &office.issuer, &request, &issued, &refusal));
}
END_TEST

UNIT_MAIN("issue", the_answer_is_the_certificate_the_way_and_the_roots, the_chain_file_need_not_repeat_the_signer,
          a_request_puts_nothing_but_its_key_into_the_certificate, refusals_come_with_their_reasons,
          limits_of_the_authority_are_kept, while_roots_change_both_are_told, openssl_takes_what_is_issued,
          openssl_takes_what_authorities_of_each_kind_issue, an_authority_serves_many_threads,
          the_control_planes_key_is_held_to_the_same_rules, the_control_plane_has_host_names)
