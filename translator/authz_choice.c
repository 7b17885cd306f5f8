#include "translator/authz_choice.h"

#include "translator/scope.h"

#include <string.h>

/* Its service, or why there is none. */
static enum authz_choice_state find_service(const struct model *model, const struct authz_provider *provider,
                                            const struct service **found)
{
	struct services_of_host all = model_services_of_host(model, provider->host);
	*found = NULL;
	for (size_t i = 0; i < all.n; i++) {
		if (provider->namespace && strcmp(all.v[i]->namespace, provider->namespace) != 0)
			continue;
		if (*found)
			return AUTHZ_SERVICE_AMBIGUOUS;
		*found = all.v[i];
	}
	return *found ? AUTHZ_CHOSEN : AUTHZ_SERVICE_NOT_FOUND;
}

/* Proxies have a cluster for each port that is proxied, under the host's name: of the service that they see. */
static enum authz_choice_state find_port(const struct model *model, const char *namespace,
                                         const struct authz_provider *provider, const struct service_port **port)
{
	const struct service *service;
	if (!provider)
		return AUTHZ_UNDEFINED;
	if (!provider->is_valid)
		return AUTHZ_INVALID;
	enum authz_choice_state state = find_service(model, provider, &service);
	if (state != AUTHZ_CHOSEN)
		return state;
	*port = service_port_get(service, provider->port);
	if (!*port || protocol_transport((*port)->protocol) == TRANSPORT_NONE || service->resolution == SERVICE_ALIAS)
		return AUTHZ_PORT_NOT_FOUND;
	if (service->resolution == SERVICE_ORIGINAL_DST)
		return AUTHZ_SERVICE_BY_ADDRESS;
	return scope_service_seen(model, namespace, provider->host) == service ? AUTHZ_CHOSEN : AUTHZ_SERVICE_NOT_SEEN;
}

struct authz_choice authz_choose(const struct model *model, const char *namespace,
                                 const struct authz_policies *policies)
{
	struct authz_choice choice = {.state = AUTHZ_NOT_ASKED};
	for (size_t i = 0; i < policies->n; i++) {
		const struct authz_policy *policy = policies->v[i];
		if (policy->action != AUTHZ_CUSTOM)
			continue;
		if (!choice.policy) {
			choice.policy = policy;
		} else if (!choice.rival && strcmp(policy->provider_name, choice.policy->provider_name) != 0) {
			choice.rival = policy;
			choice.state = AUTHZ_RIVALS;
			return choice;
		}
	}
	if (!choice.policy)
		return choice;
	choice.state = find_port(model, namespace, choice.policy->provider, &choice.port);
	if (choice.state == AUTHZ_CHOSEN)
		choice.provider = choice.policy->provider;
	return choice;
}

struct authz_policies authz_of(struct arena *arena, const struct model *model, const char *namespace,
                               const struct labels *labels)
{
	struct authz_policies policies = model_authz(arena, model, namespace, labels);
	policies.provider = authz_choose(model, namespace, &policies).provider;
	return policies;
}
