/* The secrets that a view may have: those of its own namespace that something in its scope names. */
#include "translator/scope_parts.h"

#include <string.h>

static const struct secret *find_secret(struct scope_draft *draft, const struct credential *credential,
                                        bool is_validation)
{
	const struct scope *scope = draft->scope;
	const char *namespace = scope->view->namespace;
	if (!credential->secret || (credential->namespace && strcmp(credential->namespace, namespace) != 0))
		return NULL;
	const struct secret *own = NULL;
	if (is_validation)
		own =
		    model_secret(scope->model, namespace, arena_printf(draft->arena, "%s-cacert", credential->secret));
	if (own && own->ca.n > 0)
		return own;
	const struct secret *secret = model_secret(scope->model, namespace, credential->secret);
	return secret && (is_validation ? secret->ca.n : secret->key.n) > 0 ? secret : NULL;
}

void scope_add_secret(struct scope_draft *draft, const struct credential *credential, bool is_validation)
{
	if (!draft->scope->view->is_verified)
		return;
	const struct secret *secret = find_secret(draft, credential, is_validation);
	if (!secret)
		return;
	const struct scope_secret named = {.credential = credential, .secret = secret, .is_validation = is_validation};
	VEC_PUSH(draft->arena, &draft->secrets, named);
}

static void add_of_tls(struct scope_draft *draft, const struct client_tls *tls)
{
	if (tls->mode == CLIENT_TLS_MUTUAL)
		scope_add_secret(draft, &tls->credential, false);
	if (tls->mode == CLIENT_TLS_MUTUAL || tls->mode == CLIENT_TLS_SIMPLE)
		scope_add_secret(draft, &tls->credential, true);
}

static void add_of_subset(struct scope_draft *draft, const struct destination_subset *subset)
{
	for (size_t i = 0; i < subset->n_ports; i++)
		add_of_tls(draft, &subset->ports[i].policy->tls);
}

/* Gateways take what a policy names; sidecars, where the policy selects them. */
void scope_add_secrets(struct scope_draft *draft)
{
	const struct scope *scope = draft->scope;
	for (size_t i = 0; i < scope->n_services; i++) {
		const struct destination_policy *policy = scope->services[i].policy;
		if (!policy || (scope->view->role == PROXY_SIDECAR && !policy->workload_selector.n))
			continue;
		add_of_subset(draft, &policy->whole);
		for (size_t k = 0; k < policy->n_subsets; k++)
			add_of_subset(draft, &policy->subsets[k]);
	}
}
