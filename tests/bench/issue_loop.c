/*
 * What a certificate costs without any network: issue_workload again and again on one thread, and beside it, in turns,
 * the bare ECDSA work that it cannot do without (one P-256 verification of the request, one signature). In turns,
 * because a core's speed changes while one looks.
 *
 *     issue_loop [SECONDS]      {"n": …, "issue_us": …, "ecdsa_us": …, "ratio": …}, of this thread's CPU
 */
#include "ca/issue.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND 100 /* of one kind, before it is the other's turn */

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A request as PEM, without names: the caller's is meant. */
static char *make_request(EVP_PKEY *key)
{
	X509_REQ *request = X509_REQ_new();
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	assert(request && out && X509_REQ_set_pubkey(request, key) && X509_REQ_sign(request, key, EVP_sha256()));
	assert(PEM_write_bio_X509_REQ(out, request) && BIO_write(out, "", 1) == 1);
	char *in_bio = NULL;
	BIO_get_mem_data(out, &in_bio);
	text = strdup(in_bio);
	BIO_free(out);
	X509_REQ_free(request);
	return text;
}

static double issue_round(const struct issuer *issuer, const struct spiffe_id *caller, const char *csr)
{
	double start = cpu_s();
	for (int i = 0; i < ROUND; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct workload_request request = {.csr = csr, .csr_n = strlen(csr), .caller = caller};
		struct issued issued;
		struct refusal refusal = {0};
		issue_draw_serial(request.serial);
		if (!issue_workload(arena, issuer, &request, &issued, &refusal)) {
			fprintf(stderr, "refused: %s\n", refusal.error.message);
			exit(1);
		}
	}
	return cpu_s() - start;
}

static double ecdsa_round(EVP_PKEY *key)
{
	unsigned char message[1024] = {0}, signature[128];
	double start = cpu_s();
	for (int i = 0; i < ROUND; i++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		size_t n = sizeof signature;
		assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) &&
		       EVP_DigestSign(context, signature, &n, message, sizeof message));
		EVP_MD_CTX_reset(context);
		assert(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) &&
		       EVP_DigestVerify(context, signature, n, message, sizeof message) == 1);
		EVP_MD_CTX_free(context);
	}
	return cpu_s() - start;
}

int main(int argc, char **argv)
{
	double wanted_s = argc > 1 ? atof(argv[1]) : 5;
	struct error error;
	struct authority_plan plan = {.trust_domain = "cluster.local", .key = AUTHORITY_KEY_P256};
	issue_draw_serial(plan.serial);
	CLEANUP(authority_freep) struct authority *authority = authority_create(&plan, clock_system(), &error);
	assert(authority);
	struct issuer issuer = {
	    authority, authority_roots(authority), {TEMPLATE_TTL_DEFAULT_S, TEMPLATE_TTL_MAX_S}, clock_system()};
	struct spiffe_id caller;
	assert(spiffe_id_make("cluster.local", "default", "bench", &caller, &error));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *csr = make_request(key);
	double issue_s = 0, ecdsa_s = 0;
	long n = 0;
	while (issue_s + ecdsa_s < wanted_s) {
		issue_s += issue_round(&issuer, &caller, csr);
		ecdsa_s += ecdsa_round(key);
		n += ROUND;
	}
	printf("{\"n\": %ld, \"issue_us\": %.1f, \"ecdsa_us\": %.1f, \"ratio\": %.2f}\n", n, issue_s / (double)n * 1e6,
	       ecdsa_s / (double)n * 1e6, issue_s / ecdsa_s);
	free(csr);
	EVP_PKEY_free(key);
	return 0;
}
