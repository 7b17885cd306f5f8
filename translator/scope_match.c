#include "translator/scope.h"

#include <string.h>

static bool has_gateway(const struct http_match *match, const char *gateway)
{
	if (!gateway)
		return match->is_mesh;
	for (size_t i = 0; i < match->gateways.n; i++) {
		if (strcmp(match->gateways.v[i], gateway) == 0)
			return true;
	}
	return false;
}

bool scope_match_applies(const struct scope *scope, const struct scope_host *host, size_t rule_i,
                         const struct http_match *match)
{
	const struct view *view = scope->view;
	if (match->port && match->port != host->port)
		return false;
	/* a match that names gateways does not look at the client */
	if (match->has_gateways)
		return has_gateway(match, host->gateways ? host->gateways[rule_i] : NULL);
	if (!labels_match(&match->source_labels, &view->labels))
		return false;
	return !match->source_namespace || strcmp(match->source_namespace, view->namespace) == 0;
}

bool http_match_is_catch_all(const struct http_match *match)
{
	if (!match)
		return true;
	if (match->n_headers > 0 || match->n_query_params > 0)
		return false;
	if (!match->has_path)
		return true;
	return (match->path.type == MATCH_PREFIX && strcmp(match->path.value, "/") == 0) ||
	       (match->path.type == MATCH_REGEX && strcmp(match->path.value, ".*") == 0);
}
