/*
 * Outbound listeners of sidecars: one for each address and port that a service has, and virtualOutbound, to which
 * connections are redirected and which hands them to the others by their original destination.
 */
#include "translator/address.h"
#include "translator/envoy/emit_parts.h"

#include <stdlib.h>
#include <string.h>

/* Listeners of one address and port are one to Envoy: HTTP, and TCP services told apart by their address ranges. */
struct listener_group {
	const struct scope_listener *v;
	size_t n;
};

static bool is_wildcard(const char *bind)
{
	return strcmp(bind, NAME_WILDCARD_IPV4) == 0 || strcmp(bind, NAME_WILDCARD_IPV6) == 0;
}

static envoy_filter *tcp_to_service(const struct emit *emit, const struct scope_listener *listener)
{
	const struct scope_service *service = listener->service;
	const char *cluster = name_outbound_cluster(emit->arena, listener->port, "", service->service->hostname);
	return filter_tcp_proxy(emit, cluster, &traffic_policy_of(service->policy, "", listener->port)->pool);
}

static envoy_filter *http_by_table(const struct emit *emit, const struct scope_listener *listener)
{
	const struct hcm hcm = {
	    .side = HCM_OUTBOUND,
	    .stat_prefix = name_outbound_stat(emit->arena, listener->bind, listener->port),
	    .table = listener->table,
	    .protocol = PROTOCOL_AUTO,
	};
	return filter_hcm(emit, &hcm);
}

/* ---- chains ---- */

/* What is meant for nobody whom the mesh knows. */
static envoy_filter_chain *fallthrough_chain(const struct emit *emit)
{
	envoy_filter_chain *chain = filter_chain_new(emit->arena, NAME_PASSTHROUGH_CHAIN);
	chain->filter_chain_match = envoy_filter_chain_match_new(emit->arena);
	BUILD_ADD(emit->arena, chain, filters, filter_tcp_proxy(emit, unknown_destination_cluster(emit->mesh), NULL));
	return chain;
}

/* HTTP, and beside it what is not: to the service on this port that speaks TCP, else past the mesh. */
static void add_http(const struct emit *emit, envoy_listener *out, const struct scope_listener *listener)
{
	struct arena *arena = emit->arena;
	envoy_filter_chain *http = filter_chain_of(arena, http_by_table(emit, listener));
	BUILD_ADD(arena, out, filter_chains, http);
	if (emit->proxy.interception == INTERCEPT_NONE && listener->type == SCOPE_HTTP)
		return; /* the client dialled this listener: there is no other destination */
	http->filter_chain_match = plaintext_match(arena, 0, true);
	out->default_filter_chain = listener->type == SCOPE_SNIFFED
	                                ? filter_chain_of(arena, tcp_to_service(emit, listener))
	                                : fallthrough_chain(emit);
	BUILD_ADD(arena, out, listener_filters,
	          listener_filter(arena, NAME_HTTP_INSPECTOR, &envoy_http_inspector_new(arena)->base));
}

/* The service's address ranges that no chain of the listener has yet: Envoy refuses two chains for one. */
static envoy_filter_chain_match *range_match(struct arena *arena, const struct service *service, struct map *taken)
{
	envoy_filter_chain_match *match = envoy_filter_chain_match_new(arena);
	for (size_t i = 0; i < service->addresses.n; i++) {
		const char *range = service->addresses.v[i], *slash = strchr(range, '/');
		const char *canonical = slash ? address_canonical_range(arena, range) : NULL;
		if (!canonical || map_put(arena, taken, canonical, match))
			continue;
		BUILD_ADD(arena, match, prefix_ranges, cidr_range(arena, range));
	}
	return match;
}

static bool has_ranges(const struct service *service)
{
	for (size_t i = 0; i < service->addresses.n; i++)
		if (strchr(service->addresses.v[i], '/'))
			return true;
	return false;
}

/*
 * The TCP services of the group: each for its address ranges, which count before what the connection speaks; of those
 * without ranges the oldest takes the rest. Whether there is one of these.
 */
static bool add_tcp(const struct emit *emit, envoy_listener *out, const struct listener_group *group)
{
	struct arena *arena = emit->arena;
	struct map taken = {0};
	bool has_any = false;
	for (size_t i = 0; i < group->n; i++) {
		const struct scope_listener *listener = &group->v[i];
		if (listener->type != SCOPE_TCP)
			continue; /* add_http's */
		bool is_ranged = is_wildcard(listener->bind) && has_ranges(listener->service->service);
		envoy_filter_chain_match *match =
		    is_ranged ? range_match(arena, listener->service->service, &taken) : NULL;
		if (is_ranged ? !match->n_prefix_ranges : has_any)
			continue; /* an older service has it */
		has_any |= !is_ranged;
		envoy_filter_chain *chain = filter_chain_of(arena, tcp_to_service(emit, listener));
		chain->filter_chain_match = match;
		BUILD_ADD(arena, out, filter_chains, chain);
	}
	return has_any;
}

/* ---- listeners ---- */

static envoy_listener *build_outbound(const struct emit *emit, const struct listener_group *group, const char *name)
{
	const struct scope_listener *first = &group->v[0];
	envoy_listener *out = listener_new(emit, name, first->bind, first->port);
	listener_add_other_family(emit, out, first->bind, first->port);
	if (first->type != SCOPE_TCP)
		add_http(emit, out, first);
	if (!add_tcp(emit, out, group) && first->type == SCOPE_TCP)
		out->default_filter_chain = fallthrough_chain(emit);
	listener_set_detection(emit, out);
	out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
	listener_set_binding(emit->arena, out, emit->proxy.interception == INTERCEPT_NONE);
	return out;
}

static void emit_group(struct emit *emit, const struct listener_group *group)
{
	struct digest_state state;
	emit_key_init(&state, UNIT_OUTBOUND_LISTENER, emit->listener_base);
	for (size_t i = 0; i < group->n; i++)
		digest_add_digest(&state, group->v[i].digest);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit) {
		const char *name = name_listener(emit->arena, group->v[0].bind, group->v[0].port);
		unit = emit_put(emit, key, RESOURCE_LISTENER, name, &build_outbound(emit, group, name)->base);
	}
	emit_collect(emit, unit);
}

/* ---- virtualOutbound ---- */

static envoy_listener *build_virtual(const struct emit *emit)
{
	struct arena *arena = emit->arena;
	envoy_listener *out = envoy_listener_new(arena);
	out->name = borrow(NAME_VIRTUAL_OUTBOUND);
	out->address = socket_address(arena, wildcard_address(&emit->proxy), emit->mesh->outbound_port);
	if (emit->mesh->is_dual_stack)
		listener_add_other_family(emit, out, wildcard_address(&emit->proxy), emit->mesh->outbound_port);
	/* Whoever dials this port itself would be sent round in a circle. */
	envoy_filter_chain *black_hole = filter_chain_new(arena, NAME_VIRTUAL_OUTBOUND_BLACK_HOLE);
	black_hole->filter_chain_match = envoy_filter_chain_match_new(arena);
	black_hole->filter_chain_match->destination_port = build_uint32(arena, emit->mesh->outbound_port);
	BUILD_ADD(arena, black_hole, filters, filter_black_hole(emit));
	BUILD_ADD(arena, out, filter_chains, black_hole);
	envoy_filter_chain *catch_all = filter_chain_new(arena, NAME_VIRTUAL_OUTBOUND_CATCH_ALL);
	BUILD_ADD(arena, catch_all, filters, filter_tcp_proxy(emit, unknown_destination_cluster(emit->mesh), NULL));
	BUILD_ADD(arena, out, filter_chains, catch_all);
	out->use_original_dst = build_bool(arena, true);
	if (emit->proxy.interception == INTERCEPT_TPROXY)
		out->transparent = build_bool(arena, true);
	out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
	access_log_listener(emit, out);
	listener_set_binding(arena, out, true);
	return out;
}

static void emit_virtual(struct emit *emit)
{
	struct digest_state state;
	emit_key_init(&state, UNIT_VIRTUAL_OUTBOUND, emit->listener_base);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit)
		unit = emit_put(emit, key, RESOURCE_LISTENER, NAME_VIRTUAL_OUTBOUND, &build_virtual(emit)->base);
	emit_collect(emit, unit);
}

void emit_outbound_listeners(struct emit *emit)
{
	const struct scope *scope = emit->scope;
	for (size_t i = 0; i < scope->n_listeners;) {
		struct listener_group group = {.v = &scope->listeners[i]};
		do {
			group.n++;
		} while (i + group.n < scope->n_listeners && group.v[group.n].port == group.v[0].port &&
		         strcmp(group.v[group.n].bind, group.v[0].bind) == 0);
		emit_group(emit, &group);
		i += group.n;
	}
	if (emit->proxy.interception != INTERCEPT_NONE)
		emit_virtual(emit);
}
