/*
 * Outbound listeners of sidecars: one for each address and port that a service has, and virtualOutbound, to which
 * connections are redirected and which hands them to the others by their original destination.
 */
#include "translator/envoy/emit_parts.h"

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

/* HTTP by the table. What only the listener's own clients reach is nothing else: there is no other destination. */
static void add_http(const struct emit *emit, envoy_listener *out, const struct scope_listener *listener)
{
	envoy_filter_chain *http = filter_chain_of(emit->arena, http_by_table(emit, listener));
	BUILD_ADD(emit->arena, out, filter_chains, http);
	if (emit->proxy.interception != INTERCEPT_NONE || listener->n_chains > 0)
		http->filter_chain_match = plaintext_match(emit->arena, 0, true);
}

static envoy_filter_chain *connection_chain(const struct emit *emit, const struct scope_chain *chain)
{
	envoy_filter_chain *out = filter_chain_of(emit->arena, connection_filter(emit, chain));
	out->filter_chain_match = connection_match(emit->arena, chain);
	if (chain->rule)
		out->metadata =
		    metadata_build(emit->arena, &(struct istio_metadata){.config = chain->rule->source.path});
	return out;
}

/* What takes all that is left is asked last, so that nothing gets lost between the others. */
static void add_connections(const struct emit *emit, envoy_listener *out, const struct scope_listener *listener)
{
	bool is_alone = !listener->table && listener->n_chains == 1;
	for (size_t i = 0; i < listener->n_chains; i++) {
		const struct scope_chain *chain = &listener->chains[i];
		if (!scope_chain_is_catch_all(chain) || is_alone)
			BUILD_ADD(emit->arena, out, filter_chains, connection_chain(emit, chain));
		else
			out->default_filter_chain = connection_chain(emit, chain);
	}
}

static bool has_catch_all(const struct scope_listener *listener)
{
	for (size_t i = 0; i < listener->n_chains; i++)
		if (scope_chain_is_catch_all(&listener->chains[i]))
			return true;
	return false;
}

static bool is_looking_at_names(const struct scope_listener *listener)
{
	for (size_t i = 0; i < listener->n_chains; i++)
		if (listener->chains[i].server_names.n > 0)
			return true;
	return false;
}

/* TLS first: the HTTP inspector leaves it alone then. */
static void add_inspectors(struct arena *arena, envoy_listener *out, const struct scope_listener *listener)
{
	if (is_looking_at_names(listener))
		BUILD_ADD(arena, out, listener_filters, tls_inspector(arena));
	if (listener->table && out->filter_chains[0]->filter_chain_match)
		BUILD_ADD(arena, out, listener_filters,
		          listener_filter(arena, NAME_HTTP_INSPECTOR, &envoy_http_inspector_new(arena)->base));
}

/* ---- listeners ---- */

static envoy_listener *build_outbound(const struct emit *emit, const struct scope_listener *listener, const char *name)
{
	envoy_listener *out = listener_new(emit, name, listener->bind, listener->port);
	listener_add_other_family(emit, out, listener->bind, listener->port);
	if (listener->table)
		add_http(emit, out, listener);
	add_connections(emit, out, listener);
	if (emit->proxy.interception != INTERCEPT_NONE && !has_catch_all(listener))
		out->default_filter_chain = fallthrough_chain(emit);
	add_inspectors(emit->arena, out, listener);
	listener_set_detection(emit, out);
	out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
	listener_set_binding(emit->arena, out, emit->proxy.interception == INTERCEPT_NONE);
	return out;
}

static void emit_outbound(struct emit *emit, const struct scope_listener *listener)
{
	struct digest_state state;
	emit_key_init(&state, UNIT_OUTBOUND_LISTENER, emit->listener_base);
	digest_add_digest(&state, listener->digest);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit) {
		const char *name = name_listener(emit->arena, listener->bind, listener->port);
		unit = emit_put(emit, key, RESOURCE_LISTENER, name, &build_outbound(emit, listener, name)->base);
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
	for (size_t i = 0; i < scope->n_listeners; i++)
		emit_outbound(emit, &scope->listeners[i]);
	if (emit->proxy.interception != INTERCEPT_NONE)
		emit_virtual(emit);
}
