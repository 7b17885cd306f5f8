/* Listeners of gateways: HTTP by route tables, in plaintext or behind TLS; connections passed on as they are. */
#include "translator/envoy/tls_context.h"

static const char *const alpn_http[] = {"h2", "http/1.1"};

/* ---- TLS ---- */

static struct tls_secret secret_of(struct arena *arena, const struct credential *credential, bool is_validation)
{
	if (credential->secret)
		return (struct tls_secret){
		    TLS_FROM_SERVER,
		    name_secret(arena, credential->namespace, credential->secret, is_validation),
		};
	if (!credential->file)
		return (struct tls_secret){0};
	const char *name = is_validation
	                       ? arena_printf(arena, "file-root:%s", credential->file)
	                       : arena_printf(arena, "file-cert:%s~%s", credential->file, credential->key_file);
	return (struct tls_secret){TLS_FROM_AGENT, name};
}

static struct tls_parts parts_of(struct arena *arena, const struct gateway_tls *tls)
{
	struct tls_secret *certificates = ARENA_NEW_N(arena, struct tls_secret, tls->n_certificates);
	for (size_t i = 0; i < tls->n_certificates; i++)
		certificates[i] = secret_of(arena, &tls->certificates[i], false);
	struct string_match *sans = ARENA_NEW_N(arena, struct string_match, tls->names.n);
	for (size_t i = 0; i < tls->names.n; i++)
		sans[i] = (struct string_match){.type = MATCH_EXACT, .value = tls->names.v[i]};
	return (struct tls_parts){
	    .certificates = certificates,
	    .n_certificates = tls->n_certificates,
	    .root = secret_of(arena, &tls->ca, true),
	    .sans = sans,
	    .n_sans = tls->names.n,
	    .hashes = tls->hashes,
	    .spki = tls->spki,
	    .crl_file = tls->crl_file,
	    .cipher_suites = tls->cipher_suites,
	    /* the numbers are Envoy's */
	    .min = (Envoy__Extensions__TransportSockets__Tls__V3__TlsParameters__TlsProtocol)tls->min_version,
	    .max = (Envoy__Extensions__TransportSockets__Tls__V3__TlsParameters__TlsProtocol)tls->max_version,
	};
}

static envoy_transport_socket *socket_of(const struct emit *emit, const struct scope_chain *chain)
{
	struct arena *arena = emit->arena;
	if (chain->tls->mode == GATEWAY_TLS_MESH)
		return tls_socket_inbound(emit);
	struct tls_parts parts = parts_of(arena, chain->tls);
	if (chain->table)
		parts.alpn = (struct strings){alpn_http, sizeof alpn_http / sizeof alpn_http[0]};
	envoy_downstream_tls_context *context = envoy_downstream_tls_context_new(arena);
	context->common_tls_context = tls_common(arena, &parts);
	context->require_client_certificate = build_bool(arena, chain->tls->mode == GATEWAY_TLS_MUTUAL);
	return tls_socket(arena, &context->base);
}

/* ---- chains ---- */

static envoy_filter *hcm_of(const struct emit *emit, const struct scope_listener *listener,
                            const struct scope_chain *chain)
{
	const struct hcm hcm = {
	    .side = HCM_GATEWAY,
	    .stat_prefix = name_outbound_stat(emit->arena, listener->bind, listener->port),
	    .table = chain->table,
	    .protocol = PROTOCOL_AUTO,
	};
	return filter_hcm(emit, &hcm);
}

static envoy_filter_chain *chain_of(const struct emit *emit, const struct scope_listener *listener,
                                    const struct scope_chain *chain)
{
	envoy_filter_chain *out = filter_chain_nameless(emit->arena);
	if (!chain->table)
		filter_chain_add_rbac(emit, out);
	BUILD_ADD(emit->arena, out, filters,
	          chain->table ? hcm_of(emit, listener, chain) : connection_filter(emit, chain));
	out->filter_chain_match = connection_match(emit->arena, chain);
	if (chain->tls)
		out->transport_socket = socket_of(emit, chain);
	return out;
}

static envoy_listener *build_gateway(const struct emit *emit, const struct scope_listener *listener, const char *name)
{
	envoy_listener *out = listener_new(emit, name, listener->bind, listener->port);
	for (size_t i = 0; i < listener->n_chains; i++)
		BUILD_ADD(emit->arena, out, filter_chains, chain_of(emit, listener, &listener->chains[i]));
	if (listener->is_tls)
		BUILD_ADD(emit->arena, out, listener_filters, tls_inspector(emit->arena));
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
