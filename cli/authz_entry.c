#include "cli/authz_entry.h"

#include "base/text.h"
#include "translator/envoy/names.h"

#include <string.h>

const envoy_filter *authz_chain_filter(const envoy_filter_chain *chain, const char *name)
{
	for (size_t i = 0; i < chain->n_filters; i++)
		if (strcmp(chain->filters[i]->name, name) == 0)
			return chain->filters[i];
	return NULL;
}

static bool is_for_port(const envoy_filter_chain *chain, uint32_t port)
{
	const envoy_filter_chain_match *match = chain->filter_chain_match;
	return match && match->destination_port && match->destination_port->value == port;
}

static bool is_for_any_port(const envoy_filter_chain *chain)
{
	return !chain->filter_chain_match || !chain->filter_chain_match->destination_port;
}

/* Whether the chain takes TLS that ends here (or plaintext), HTTP (or whatever comes). */
static bool takes(const envoy_filter_chain *chain, const struct authz_request *request)
{
	bool is_tls = request->principal != NULL;
	if (is_tls != (chain->transport_socket != NULL))
		return false;
	if (!is_tls && chain->filter_chain_match && text_equal(chain->filter_chain_match->transport_protocol, "tls"))
		return false;
	return request->is_http == (authz_chain_filter(chain, NAME_HTTP_CONNECTION_MANAGER) != NULL);
}

static const envoy_filter_chain *choose(const envoy_listener *listener, const struct authz_request *request)
{
	bool has_own = false;
	for (size_t i = 0; i < listener->n_filter_chains; i++)
		has_own |= is_for_port(listener->filter_chains[i], request->port);
	for (size_t i = 0; i < listener->n_filter_chains; i++) {
		const envoy_filter_chain *chain = listener->filter_chains[i];
		bool is_meant = has_own ? is_for_port(chain, request->port) : is_for_any_port(chain);
		if (is_meant && takes(chain, request))
			return chain;
	}
	return NULL;
}

struct authz_entry authz_enter(struct arena *arena, const struct authz_proxy *proxy,
                               const struct authz_request *request)
{
	if (proxy->is_gateway)
		return authz_enter_gateway(arena, proxy, request);
	struct authz_entry entry = {.seen = request};
	if (proxy->n_listeners > 0)
		entry.listener = proxy->listeners[0];
	if (entry.listener)
		entry.chain = choose(entry.listener, request);
	if (!entry.chain)
		entry.refusal =
		    arena_printf(arena, "port %u takes no %s with %s", request->port,
		                 request->principal ? "mutual TLS" : "plaintext", request->is_http ? "HTTP" : "TCP");
	return entry;
}
