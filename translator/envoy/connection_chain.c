/* Chains of connections that go on as they are: which of them, and where to. */
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/inbound_chains.h"

static void add_names(struct arena *arena, envoy_filter_chain_match *match, const struct strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		BUILD_ADD(arena, match, server_names, borrow(names->v[i]));
}

/* The name says where to, and what is offered that it is the mesh's TLS: an application's own does not get there. */
static envoy_filter_chain_match *auto_passthrough_match(struct arena *arena, const struct scope_chain *chain)
{
	envoy_filter_chain_match *match = envoy_filter_chain_match_new(arena);
	const char *name = name_outbound_sni(arena, chain->port, chain->subset, chain->service->service->hostname);
	add_names(arena, match, &(struct strings){&name, 1});
	for (size_t i = 0; i < alpn_of_mesh.n; i++)
		BUILD_ADD(arena, match, application_protocols, borrow(alpn_of_mesh.v[i]));
	return match;
}

envoy_filter_chain_match *connection_match(struct arena *arena, const struct scope_chain *chain)
{
	if (chain->is_auto_passthrough)
		return auto_passthrough_match(arena, chain);
	if (scope_chain_is_catch_all(chain))
		return NULL;
	envoy_filter_chain_match *match = envoy_filter_chain_match_new(arena);
	add_names(arena, match, &chain->server_names);
	for (size_t i = 0; i < chain->subnets.n; i++)
		BUILD_ADD(arena, match, prefix_ranges, cidr_range(arena, chain->subnets.v[i]));
	return match;
}

static envoy_filter *filter_to_service(const struct emit *emit, const struct scope_chain *chain)
{
	const struct scope_service *to = chain->service;
	char *(*name)(struct arena *, uint32_t, const char *, const char *) =
	    chain->is_auto_passthrough ? name_outbound_sni : name_outbound_cluster;
	const char *cluster = name(emit->arena, chain->port, chain->subset, to->service->hostname);
	return filter_tcp_proxy(emit, cluster, &traffic_policy_of(to->policy, chain->subset, chain->port)->pool);
}

envoy_filter *connection_filter(const struct emit *emit, const struct scope_chain *chain)
{
	return chain->route ? filter_tcp_route(emit, chain) : filter_to_service(emit, chain);
}
