#include "server/identity/caller_certificate.h"

#include "ca/certification_path.h"
#include "ca/crypto_error.h"

#include <openssl/x509v3.h>
#include <string.h>

void caller_roots_done(struct caller_roots *roots)
{
	X509_STORE_free(roots->store);
	*roots = (struct caller_roots){0};
}

static X509_STORE *store_of(struct caller_roots *roots, const struct bundle *trusted)
{
	struct digest digest = bundle_digest(trusted);
	if (roots->store && digest_equal(roots->digest, digest))
		return roots->store;
	X509_STORE_free(roots->store);
	roots->store = certification_path_store(trusted);
	roots->digest = digest;
	return roots->store;
}

static bool is_ours(const struct caller_policy *policy, const char *trust_domain)
{
	if (strcmp(trust_domain, policy->signer->trust_domain) == 0)
		return true;
	for (size_t i = 0; i < policy->n_aliases; i++)
		if (strcmp(trust_domain, policy->aliases[i]) == 0)
			return true;
	return false;
}

static bool check_name(const struct caller_policy *policy, const struct transport_visitor *visitor,
                       struct spiffe_id *caller, struct error *error)
{
	struct spiffe_id id;
	if (visitor->n_uris != 1)
		return error_set(error, "the client certificate has %zu URIs; a workload's has one", visitor->n_uris);
	if (!spiffe_id_parse(visitor->uris[0].s, visitor->uris[0].n, &id, error))
		return error_wrap(error, "the client certificate's URI");
	if (!is_ours(policy, id.trust_domain))
		return error_set(error, "the client certificate is of the trust domain \"%s\", not of \"%s\"",
		                 id.trust_domain, policy->signer->trust_domain);
	return spiffe_id_make(policy->signer->trust_domain, id.ns, id.account, caller, error);
}

static STACK_OF(X509) * read(const char *name, const char *pem, struct error *error)
{
	return certificates_read(&(struct pem_file){name, pem, strlen(pem)}, error);
}

static bool check_leads(X509_STORE *store, const struct caller_policy *policy, const struct transport_visitor *visitor,
                        struct error *error)
{
	int64_t now_s = clock_wall_ns(policy->signer->issuer.clock) / CLOCK_S;
	bool has_chain = !text_is_empty(visitor->chain);
	CLEANUP(certificates_freep)
	STACK_OF(X509) *leaf = read("the client certificate", visitor->certificate, error);
	CLEANUP(certificates_freep)
	STACK_OF(X509) *chain =
	    leaf && has_chain ? read("the client certificate's chain", visitor->chain, error) : NULL;
	if (!leaf || (has_chain && !chain))
		return false;
	if (X509_check_ca(sk_X509_value(leaf, 0))) /* SPIFFE's X.509-SVID, 5.2: a workload's may not sign */
		return error_set(error, "the client certificate is an authority's; a workload's is not (CA:FALSE)");
	return certification_path_find(store, chain, sk_X509_value(leaf, 0), now_s, X509_PURPOSE_SSL_CLIENT, NULL,
	                               error) ||
	       error_wrap(error, "the client certificate does not lead to a trusted root");
}

bool caller_certificate_check(struct caller_roots *roots, const struct caller_policy *policy,
                              const struct transport_visitor *visitor, struct spiffe_id *caller, struct error *error)
{
	struct spiffe_id found;
	X509_STORE *store = store_of(roots, policy->signer->issuer.trusted);
	bool is_good = check_name(policy, visitor, &found, error) && check_leads(store, policy, visitor, error);
	crypto_error_clear();
	if (is_good)
		*caller = found;
	return is_good;
}
