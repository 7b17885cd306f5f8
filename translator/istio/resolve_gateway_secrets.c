/*
 * What is said of the Secrets that Gateways name. A proxy is given those of its own namespace, so the namespaces of the
 * workloads that a Gateway selects count; where it selects none, nothing is known to be missing. A certificate that
 * expired is handed out all the same: there is none in its place, and whether it is believed is the client's choice.
 */
#include "base/clock.h"
#include "base/text.h"
#include "ca/certificate.h"
#include "translator/istio/gateway_lowering.h"

#include <string.h>

static bool has_part(const struct secret *secret, bool is_ca)
{
	return secret && (is_ca ? secret->ca.n : secret->key.n) > 0;
}

static const struct secret *secret_of(const struct map *secrets, struct arena *arena, const char *namespace,
                                      const char *name)
{
	return map_get(secrets, arena_printf(arena, "%s/%s", namespace, name));
}

/* As scopes find it. */
static bool is_there(const struct map *secrets, struct arena *arena, const char *namespace, const char *name,
                     bool is_ca)
{
	return has_part(secret_of(secrets, arena, namespace, name), is_ca) ||
	       (is_ca && has_part(secret_of(secrets, arena, namespace, arena_printf(arena, "%s-cacert", name)), true));
}

/* The first end of the chain; false where it cannot be read. */
static bool chain_end_s(const struct secret *secret, int64_t *end_s)
{
	struct error error;
	const struct pem_file file = {secret->name, secret->certificate.s, secret->certificate.n};
	CLEANUP(certificates_freep) STACK_OF(X509) *chain = certificates_read(&file, &error);
	*end_s = INT64_MAX;
	for (int i = 0; chain && i < sk_X509_num(chain); i++) {
		int64_t begin_s, one_s;
		if (!certificate_times(sk_X509_value(chain, i), &begin_s, &one_s, &error))
			return false;
		*end_s = one_s < *end_s ? one_s : *end_s;
	}
	return chain != NULL;
}

/* The namespaces of the workloads that the Gateway selects, each once; sorted, as workloads of one namespace are told
 * of together. */
static struct strings namespaces_of(struct draft *draft, const struct gateway *gateway)
{
	VEC(const char *) namespaces = {0};
	for (size_t i = 0; i < draft->workloads.n; i++)
		if (labels_match(&gateway->selector, &draft->workloads.v[i]->labels))
			VEC_PUSH(draft->arena, &namespaces, draft->workloads.v[i]->namespace);
	VEC_SORT(&namespaces, text_compare);
	size_t n = 0;
	for (size_t i = 0; i < namespaces.n; i++)
		if (n == 0 || strcmp(namespaces.v[n - 1], namespaces.v[i]) != 0)
			namespaces.v[n++] = namespaces.v[i];
	return (struct strings){namespaces.v, n};
}

struct search {
	struct draft *draft;
	const struct gateway *gateway;
	struct map secrets;
	struct strings namespaces;
};

static void check_time(const struct search *search, const struct secret *secret, const char *field)
{
	struct model *model = search->draft->model;
	int64_t end_s, as_of_s = search->draft->snapshot->as_of_s;
	char end[CLOCK_TEXT];
	if (as_of_s == 0 || !chain_end_s(secret, &end_s))
		return;
	if (as_of_s < end_s) {
		model->holds_until_s = end_s < model->holds_until_s ? end_s : model->holds_until_s;
		return;
	}
	model->holds_from_s = end_s > model->holds_from_s ? end_s : model->holds_from_s;
	clock_print(end_s * CLOCK_S, 0, end);
	report_add(search->draft->report, search->gateway->source.object, REPORT_WARNING, REASON_EXPIRED, field,
	           "a certificate in Secret %s/%s expired at %s; clients refuse it until there is another one",
	           secret->namespace, secret->name, end);
}

static void check_credential(const struct search *search, const struct credential *credential, const char *server,
                             bool is_ca)
{
	struct draft *draft = search->draft;
	const char *field = arena_printf(draft->arena, "spec.servers[%s].tls", server);
	for (size_t i = 0; credential->secret && i < search->namespaces.n; i++) {
		const char *namespace = search->namespaces.v[i];
		if (credential->namespace && strcmp(credential->namespace, namespace) != 0)
			report_add(
			    draft->report, search->gateway->source.object, REPORT_ERROR, REASON_SECRET_NOT_FOUND, field,
			    "Secret %s/%s is not given to the proxies in namespace %s: only Secrets of their own are; "
			    "handshakes are refused",
			    credential->namespace, credential->secret, namespace);
		else if (!is_there(&search->secrets, draft->arena, namespace, credential->secret, is_ca))
			report_add(draft->report, search->gateway->source.object, REPORT_ERROR, REASON_SECRET_NOT_FOUND,
			           field, "there is no Secret %s/%s with %s; handshakes are refused until there is",
			           namespace, credential->secret, is_ca ? "ca.crt" : "tls.crt and tls.key");
		else if (!is_ca)
			check_time(search, secret_of(&search->secrets, draft->arena, namespace, credential->secret),
			           field);
	}
}

static bool names_secrets(const struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->n_servers; i++) {
		const struct gateway_tls *tls = &gateway->servers[i].tls;
		if (tls->ca.secret || (tls->n_certificates > 0 && tls->certificates[0].secret))
			return true;
	}
	return false;
}

static void check_gateway_secrets(struct search *search, const struct gateway *gateway)
{
	struct arena *arena = search->draft->arena;
	search->gateway = gateway;
	search->namespaces = namespaces_of(search->draft, gateway);
	for (size_t i = 0; i < gateway->n_servers; i++) {
		const struct gateway_tls *tls = &gateway->servers[i].tls;
		const char *server = arena_printf(arena, "%u", gateway->servers[i].place);
		for (size_t j = 0; j < tls->n_certificates; j++)
			check_credential(search, &tls->certificates[j], server, false);
		check_credential(search, &tls->ca, server, true);
	}
}

void gateway_check_secrets(struct draft *draft)
{
	struct search search = {.draft = draft};
	draft->model->holds_from_s = INT64_MIN;
	draft->model->holds_until_s = INT64_MAX;
	for (size_t i = 0; i < draft->secrets.n; i++) {
		const struct secret *secret = draft->secrets.v[i];
		*map_slot(draft->arena, &search.secrets,
		          arena_printf(draft->arena, "%s/%s", secret->namespace, secret->name)) =
		    (void *)(uintptr_t)secret;
	}
	for (size_t i = 0; i < draft->gateways.n; i++)
		if (names_secrets(draft->gateways.v[i]))
			check_gateway_secrets(&search, draft->gateways.v[i]);
}
