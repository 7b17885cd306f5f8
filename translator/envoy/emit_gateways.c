/* Listeners of gateways: plaintext HTTP by route table. */
#include "translator/envoy/emit_parts.h"

static envoy_filter_chain *gateway_chain(const struct emit *emit, const struct scope_listener *listener)
{
	struct arena *arena = emit->arena;
	const struct hcm hcm = {
	    .side = HCM_GATEWAY,
	    .stat_prefix = name_outbound_stat(arena, listener->bind, listener->port),
	    .table = listener->table,
	    .protocol = PROTOCOL_AUTO,
	};
	return filter_chain_of(arena, filter_hcm(emit, &hcm));
}

static envoy_listener *build_gateway(const struct emit *emit, const struct scope_listener *listener, const char *name)
{
	envoy_listener *out = listener_new(emit, name, listener->bind, listener->port);
	BUILD_ADD(emit->arena, out, filter_chains, gateway_chain(emit, listener));
	out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
	access_log_listener(emit, out);
	listener_set_binding(emit->arena, out, true);
	return out;
}

void emit_gateway_listeners(struct emit *emit)
{
	for (size_t i = 0; i < emit->scope->n_listeners; i++) {
		const struct scope_listener *listener = &emit->scope->listeners[i];
		struct digest_state state;
		emit_key_init(&state, UNIT_GATEWAY_LISTENER, emit->listener_base);
		digest_add_digest(&state, listener->digest);
		struct digest key = digest_final(&state);
		const struct cache_unit *unit = cache_get(emit->cache, key);
		if (!unit) {
			const char *name = name_listener(emit->arena, listener->bind, listener->port);
			unit = emit_put(emit, key, RESOURCE_LISTENER, name, &build_gateway(emit, listener, name)->base);
		}
		emit_collect(emit, unit);
	}
}
