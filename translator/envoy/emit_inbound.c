/*
 * virtualInbound: the one listener to which connections to the workload are redirected. Its filter chains are a matrix:
 * a row for all ports, a row for each port of which a policy speaks but no service, a row for each served port; and for
 * each row the chains that inbound_chains.h wants, by what the port speaks and what the workload takes there. The
 * inspectors look where a chain depends on what they find.
 *
 * A proxy without the mesh's certificate can end no TLS: its ports take plaintext, and those that must take nothing but
 * mutual TLS refuse all connections.
 */
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/inbound_chains.h"
#include "translator/envoy/inspectors.h"
#include "translator/envoy/tls_context.h"

/* Packets of the proxy itself carry this mark, so that they are not redirected again. */
#define TPROXY_MARK 1337

/* A row of the matrix. */
struct inbound_row {
	uint32_t port; /* 0: all that have no row of their own */
	uint32_t service_port;
	enum protocol protocol;
	enum mtls_mode mtls_mode;
	const char *cluster, *chain_http, *chain_tcp, *stat_http;
	const char *routes;    /* name of the inline route table */
	const char *operation; /* what a trace calls requests */
};

/* The listener while it is being made. */
struct inbound {
	const struct emit *emit;
	envoy_listener *listener;
	envoy_transport_socket *tls; /* of all chains that end mutual TLS; NULL: none can */
	struct inspected inspected;
};

/* ---- chains ---- */

static envoy_route_configuration *inbound_routes(const struct emit *emit, const struct inbound_row *row)
{
	struct arena *arena = emit->arena;
	envoy_route *route = route_to_cluster(arena, NAME_DEFAULT_ROUTE, row->cluster, row->operation);
	route->route->max_stream_duration = envoy_route_action_max_stream_duration_new(arena);
	route->route->max_stream_duration->max_stream_duration = google_duration_new(arena); /* 0: no limit */
	route->route->max_stream_duration->grpc_timeout_header_max = google_duration_new(arena);
	if (row->protocol != PROTOCOL_GRPC) /* whose clients retry themselves */
		route->route->retry_policy = retry_policy_inbound(arena);
	envoy_virtual_host *host = envoy_virtual_host_new(arena);
	host->name = name_inbound_host(arena, row->service_port);
	BUILD_ADD(arena, host, domains, borrow("*"));
	BUILD_ADD(arena, host, routes, route);
	envoy_route_configuration *routes = envoy_route_configuration_new(arena);
	routes->name = borrow(row->routes);
	BUILD_ADD(arena, routes, virtual_hosts, host);
	routes->validate_clusters = build_bool(arena, false);
	return routes;
}

static envoy_filter_chain_match *chain_match(struct arena *arena, const struct inbound_row *row,
                                             const struct chain_kind *kind)
{
	envoy_filter_chain_match *match = envoy_filter_chain_match_new(arena);
	if (row->port)
		match->destination_port = build_uint32(arena, row->port);
	match->transport_protocol = borrow(kind->is_tls ? "tls" : "raw_buffer");
	for (size_t i = 0; i < kind->alpn.n; i++)
		BUILD_ADD(arena, match, application_protocols, borrow(kind->alpn.v[i]));
	return match;
}

static void add_chain(struct inbound *inbound, const struct inbound_row *row, const struct chain_kind *kind)
{
	const struct emit *emit = inbound->emit;
	struct arena *arena = emit->arena;
	envoy_filter_chain *chain = filter_chain_new(arena, kind->is_http ? row->chain_http : row->chain_tcp);
	chain->filter_chain_match = chain_match(arena, row, kind);
	if (kind->is_mtls)
		chain->transport_socket = inbound->tls;
	if (kind->is_http) {
		const struct hcm hcm = {.side = HCM_INBOUND,
		                        .stat_prefix = row->stat_http,
		                        .routes = inbound_routes(emit, row),
		                        .protocol = row->protocol};
		BUILD_ADD(arena, chain, filters, filter_hcm(emit, &hcm));
	} else {
		filter_chain_add_rbac(emit, chain);
		BUILD_ADD(arena, chain, filters, filter_tcp_proxy(emit, row->cluster, NULL));
	}
	BUILD_ADD(arena, inbound->listener, filter_chains, chain);
	inspected_add(arena, &inbound->inspected, row->port, kind->is_tls, chain_kind_is_sniffed(kind));
}

/* Takes nothing on the port (0: on none that has no row of its own). */
static void add_refusal(struct inbound *inbound, const char *name, uint32_t port)
{
	struct arena *arena = inbound->emit->arena;
	envoy_filter_chain *chain = filter_chain_new(arena, name);
	if (port) {
		chain->filter_chain_match = envoy_filter_chain_match_new(arena);
		chain->filter_chain_match->destination_port = build_uint32(arena, port);
	}
	BUILD_ADD(arena, chain, filters, filter_black_hole(inbound->emit));
	BUILD_ADD(arena, inbound->listener, filter_chains, chain);
	inspected_add(arena, &inbound->inspected, port, false, false);
}

static void add_row(struct inbound *inbound, const struct inbound_row *row)
{
	if (row->mtls_mode == MTLS_STRICT && !inbound->tls) {
		add_refusal(inbound, row->chain_tcp, row->port);
		return;
	}
	const struct chain_kinds *wanted =
	    inbound_chain_kinds(inbound->tls ? row->mtls_mode : MTLS_DISABLE, protocol_transport(row->protocol));
	for (size_t i = 0; i < wanted->n; i++)
		add_chain(inbound, row, wanted->v[i]);
}

/* ---- rows ---- */

/* Of a port that no service names, or of all of them. */
static struct inbound_row passthrough_row(struct arena *arena, uint32_t port, enum mtls_mode mode)
{
	return (struct inbound_row){
	    .port = port,
	    .protocol = PROTOCOL_AUTO,
	    .mtls_mode = mode,
	    .cluster = NAME_INBOUND_PASSTHROUGH_CLUSTER,
	    .chain_http = NAME_VIRTUAL_INBOUND_CATCH_ALL_HTTP,
	    .chain_tcp = NAME_VIRTUAL_INBOUND,
	    .stat_http = name_stat(arena, NAME_INBOUND_PASSTHROUGH_CLUSTER),
	    .routes = NAME_INBOUND_PASSTHROUGH_CLUSTER,
	    .operation = ":0/*",
	};
}

static struct inbound_row port_row(const struct emit *emit, const struct inbound_port *port)
{
	struct arena *arena = emit->arena;
	const char *bind = wildcard_address(&emit->proxy);
	const char *chain = name_listener(arena, bind, port->port), *cluster = name_inbound_cluster(arena, port->port);
	return (struct inbound_row){
	    .port = port->port,
	    .service_port = port->service_port->number,
	    .protocol = port->protocol,
	    .mtls_mode = port->mtls_mode,
	    .cluster = cluster,
	    .chain_http = chain,
	    .chain_tcp = chain,
	    .stat_http = name_inbound_stat(arena, bind, port->port),
	    .routes = cluster,
	    .operation = arena_printf(arena, "%s:%u/*", port->service->hostname, port->service_port->number),
	};
}

static void add_rows(struct inbound *inbound, const struct workload_class *workload)
{
	const struct emit *emit = inbound->emit;
	struct inbound_row row = passthrough_row(emit->arena, 0, workload->mtls_mode);
	add_row(inbound, &row);
	for (size_t i = 0; i < workload->n_other_ports; i++) {
		const struct mtls_port *port = &workload->other_ports[i];
		row = passthrough_row(emit->arena, port->port, port->mode);
		if (row.port != emit->mesh->inbound_port)
			add_row(inbound, &row);
	}
	for (size_t i = 0; i < workload->n_ports; i++) {
		row = port_row(emit, &workload->ports[i]);
		if (row.port != emit->mesh->inbound_port)
			add_row(inbound, &row);
	}
}

/* ---- the listener ---- */

static void add_listener_filters(struct inbound *inbound)
{
	const struct emit *emit = inbound->emit;
	struct arena *arena = emit->arena;
	envoy_listener *out = inbound->listener;
	BUILD_ADD(arena, out, listener_filters,
	          listener_filter(arena, NAME_ORIGINAL_DST, &envoy_original_dst_new(arena)->base));
	if (emit->proxy.interception == INTERCEPT_TPROXY) {
		envoy_original_src *source = envoy_original_src_new(arena);
		source->mark = TPROXY_MARK;
		BUILD_ADD(arena, out, listener_filters, listener_filter(arena, NAME_ORIGINAL_SRC, &source->base));
	}
	inspectors_add(arena, out, &inbound->inspected);
}

static envoy_listener *build_virtual(const struct emit *emit, const struct workload_class *workload)
{
	struct arena *arena = emit->arena;
	envoy_listener *out =
	    listener_new(emit, NAME_VIRTUAL_INBOUND, wildcard_address(&emit->proxy), emit->mesh->inbound_port);
	if (emit->mesh->is_dual_stack)
		listener_add_other_family(emit, out, wildcard_address(&emit->proxy), emit->mesh->inbound_port);
	struct inbound inbound = {.emit = emit, .listener = out};
	if (emit->proxy.is_mtls_capable)
		inbound.tls = tls_socket_inbound(emit);
	/* whoever dials the listener's own port would be sent round in a circle */
	add_refusal(&inbound, NAME_VIRTUAL_INBOUND_BLACK_HOLE, emit->mesh->inbound_port);
	add_rows(&inbound, workload);
	add_listener_filters(&inbound);
	listener_set_detection(emit, out);
	if (emit->proxy.interception == INTERCEPT_TPROXY)
		out->transparent = build_bool(arena, true);
	out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND;
	access_log_listener(emit, out);
	listener_set_binding(arena, out, true);
	return out;
}

void emit_inbound_listener(struct emit *emit, const struct workload_class *workload)
{
	if (emit->proxy.interception == INTERCEPT_NONE)
		return; /* nobody redirects anything here */
	struct digest_state state;
	emit_key_init(&state, UNIT_VIRTUAL_INBOUND, emit->listener_base);
	digest_add_u64(&state, workload->mtls_mode);
	for (size_t i = 0; i < workload->n_other_ports; i++) {
		digest_add_u64(&state, workload->other_ports[i].port);
		digest_add_u64(&state, workload->other_ports[i].mode);
	}
	digest_add_u64(&state, workload->n_ports);
	for (size_t i = 0; i < workload->n_ports; i++) {
		const struct inbound_port *port = &workload->ports[i];
		digest_add_u64(&state, port->port);
		digest_add_u64(&state, port->mtls_mode);
		digest_add_u64(&state, port->protocol);
		digest_add_str(&state, port->service->hostname);
		digest_add_u64(&state, port->service_port->number);
	}
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit)
		unit =
		    emit_put(emit, key, RESOURCE_LISTENER, NAME_VIRTUAL_INBOUND, &build_virtual(emit, workload)->base);
	emit_collect(emit, unit);
}
