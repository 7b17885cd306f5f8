#include "translator/scope.h"

#include <string.h>

static bool has_gateway(const struct strings *gateways, const char *gateway)
{
	for (size_t i = 0; i < gateways->n; i++)
		if (strcmp(gateways->v[i], gateway) == 0)
			return true;
	return false;
}

static bool is_client(const struct view *view, const struct labels *labels, const char *namespace)
{
	return labels_match(labels, &view->labels) && (!namespace || strcmp(namespace, view->namespace) == 0);
}

bool scope_match_applies(const struct scope *scope, const struct scope_host *host, size_t rule_i,
                         const struct http_match *match)
{
	const struct view *view = scope->view;
	if (match->port && match->port != host->port)
		return false;
	/* a match that names gateways does not look at the client */
	if (match->has_gateways)
		return host->gateways ? has_gateway(&match->gateways, host->gateways[rule_i]) : match->is_mesh;
	return is_client(view, &match->source_labels, match->source_namespace);
}

bool connection_match_applies(const struct scope *scope, const struct connection_match *match, const char *gateway,
                              uint32_t port)
{
	if (match->port && match->port != port)
		return false;
	/* a gateway that is named is no client; sidecars are, also where "mesh" is named */
	if (match->has_gateways && gateway)
		return has_gateway(&match->gateways, gateway);
	if (match->has_gateways && !match->is_mesh)
		return false;
	return is_client(scope->view, &match->source_labels, match->source_namespace);
}

bool scope_chain_is_catch_all(const struct scope_chain *chain)
{
	return chain->server_names.n == 0 && chain->subnets.n == 0;
}

bool http_match_is_catch_all(const struct http_match *match)
{
	if (!match)
		return true;
	if (match->n_headers > 0 || match->n_query_params > 0 || match->n_claims > 0)
		return false;
	if (!match->has_path)
		return true;
	return (match->path.type == MATCH_PREFIX && strcmp(match->path.value, "/") == 0) ||
	       (match->path.type == MATCH_REGEX && strcmp(match->path.value, ".*") == 0);
}
