#include "ca/issued_chain.h"

#include "base/heap.h"
#include "ca/certification_path.h"
#include "ca/crypto_error.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

struct issued_chain {
	STACK_OF(X509) * list; /* the certificate, what lies between */
	struct bundle *roots;
	int64_t begin_s, end_s;
};

void issued_chain_free(struct issued_chain *chain)
{
	if (!chain)
		return;
	sk_X509_pop_free(chain->list, X509_free);
	bundle_free(chain->roots);
	free(chain);
}

static bool read_parts(struct issued_chain *chain, const char *const *parts, size_t n, struct error *error)
{
	CLEANUP(text_done) struct text path = {0};
	size_t size = 0;
	if (n < 2 || n > ISSUED_CHAIN_PARTS_MAX)
		return error_set(error, "%zu parts: there must be a certificate and, last, the roots; at most %d parts",
		                 n, ISSUED_CHAIN_PARTS_MAX);
	for (size_t i = 0; i < n; i++)
		size += strlen(parts[i]);
	if (size > ISSUED_CHAIN_BYTES_MAX)
		return error_set(error, "%zu bytes, at most %u are allowed", size, ISSUED_CHAIN_BYTES_MAX);
	for (size_t i = 0; i + 1 < n; i++)
		text_printf(&path, "%s\n", parts[i]);
	chain->list = certificates_read(&(struct pem_file){"the certificate", path.s, path.n}, error);
	if (!chain->list)
		return false;
	chain->roots = bundle_read(&(struct pem_file){"the roots", parts[n - 1], strlen(parts[n - 1])}, error);
	return chain->roots != NULL;
}

static void general_names_freep(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

/* X509-SVID, section 2: one URI. Other kinds of names do no harm: nobody is known by them in the mesh. */
static bool check_name(const X509 *certificate, const struct spiffe_id *id, struct error *error)
{
	char want[SPIFFE_ID_TEXT];
	int n_uris = 0;
	bool is_found = false;
	CLEANUP(general_names_freep)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	spiffe_id_print(id, want);
	for (int i = 0; i < (names ? sk_GENERAL_NAME_num(names) : 0); i++) {
		int type = 0;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		if (type != GEN_URI)
			continue;
		n_uris++;
		is_found = (size_t)ASN1_STRING_length(value) == strlen(want) &&
		           memcmp(ASN1_STRING_get0_data(value), want, strlen(want)) == 0;
	}
	return (n_uris == 1 && is_found) || error_set(error, "its name is not %s, and that alone", want);
}

static bool check_leads(const struct issued_chain *chain, int64_t now_s, struct error *error)
{
	static const int purposes[] = {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT};
	X509_STORE *store = certification_path_store(chain->roots);
	bool is_good = true;
	for (size_t i = 0; i < sizeof purposes / sizeof purposes[0] && is_good; i++)
		is_good = certification_path_find(store, chain->list, sk_X509_value(chain->list, 0), now_s, purposes[i],
		                                  NULL, error) ||
		          error_wrap(error, "it does not lead to a root that came with it");
	X509_STORE_free(store);
	return is_good;
}

static bool check(struct issued_chain *chain, const struct issued_chain_expected *expected, struct error *error)
{
	X509 *certificate = sk_X509_value(chain->list, 0);
	int64_t now_s = clock_wall_ns(expected->clock) / CLOCK_S;
	if (EVP_PKEY_eq(X509_get0_pubkey(certificate), expected->key) != 1)
		return error_set(error, "it is for another key than the one it was asked for");
	return certificate_times(certificate, &chain->begin_s, &chain->end_s, error) &&
	       certificate_check_time(certificate, now_s, error) && check_name(certificate, expected->id, error) &&
	       check_leads(chain, now_s, error);
}

struct issued_chain *issued_chain_read(const char *const *parts, size_t n, const struct issued_chain_expected *expected,
                                       struct error *error)
{
	struct issued_chain *chain = HEAP_NEW(struct issued_chain);
	bool is_good = read_parts(chain, parts, n, error) && check(chain, expected, error);
	crypto_error_clear();
	if (is_good)
		return chain;
	error_wrap(error, "the certificate that was issued");
	issued_chain_free(chain);
	return NULL;
}

const struct bundle *issued_chain_roots(const struct issued_chain *chain)
{
	return chain->roots;
}

void issued_chain_print(const struct issued_chain *chain, struct text *out)
{
	for (int i = 0; i < sk_X509_num(chain->list); i++)
		certificate_print(sk_X509_value(chain->list, i), out);
}

void issued_chain_times(const struct issued_chain *chain, int64_t *begin_s, int64_t *end_s)
{
	*begin_s = chain->begin_s;
	*end_s = chain->end_s;
}
