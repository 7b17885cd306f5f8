/*
 * virtualInbound: the one listener to which connections to the workload are redirected. Its filter chains are a matrix:
 * a row a served port (and one for all other ports), and for each row the chains of the table below, by what the port
 * speaks. Everything is plaintext so far. Encryption has its place in that table: a chain kind more for each protocol
 * (its match on "tls" and ALPN, its transport socket), the rows that the port's peer authentication wants, and a TLS
 * inspector beside the HTTP inspector.
 */
#include "translator/envoy/emit_parts.h"

/* Packets of the proxy itself carry this mark, so that they are not redirected again. */
#define TPROXY_MARK 1337

/* A row of the matrix. */
struct inbound_row {
	uint32_t port; /* 0: all that have no row of their own */
	uint32_t service_port;
	enum protocol protocol;
	const char *cluster, *chain_http, *chain_tcp, *stat_http;
	const char *routes;    /* name of the inline route table */
	const char *operation; /* what a trace calls requests */
};

enum chain_kind { CHAIN_HTTP, CHAIN_HTTP_SNIFFED, CHAIN_TCP };

/* Which chains a port gets. Where there are two, the first takes what the inspector found to be HTTP. */
static const struct {
	enum chain_kind v[2];
	size_t n;
} chains[] = {
    [TRANSPORT_AUTO] = {{CHAIN_HTTP_SNIFFED, CHAIN_TCP}, 2},
    [TRANSPORT_HTTP] = {{CHAIN_HTTP}, 1},
    [TRANSPORT_TCP] = {{CHAIN_TCP}, 1},
    [TRANSPORT_NONE] = {{CHAIN_TCP}, 0},
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

static envoy_filter_chain *inbound_chain(const struct emit *emit, const struct inbound_row *row, enum chain_kind kind)
{
	struct arena *arena = emit->arena;
	bool is_http = kind != CHAIN_TCP;
	envoy_filter_chain *chain = filter_chain_new(arena, is_http ? row->chain_http : row->chain_tcp);
	chain->filter_chain_match = plaintext_match(arena, row->port, kind == CHAIN_HTTP_SNIFFED);
	if (is_http) {
		const struct hcm hcm = {.side = HCM_INBOUND,
		                        .stat_prefix = row->stat_http,
		                        .routes = inbound_routes(emit, row),
		                        .protocol = row->protocol};
		BUILD_ADD(arena, chain, filters, filter_hcm(emit, &hcm));
	} else {
		BUILD_ADD(arena, chain, filters, filter_tcp_proxy(emit, row->cluster, NULL));
	}
	return chain;
}

static void add_row(const struct emit *emit, envoy_listener *out, const struct inbound_row *row)
{
	enum transport transport = protocol_transport(row->protocol);
	for (size_t i = 0; i < chains[transport].n; i++)
		BUILD_ADD(emit->arena, out, filter_chains, inbound_chain(emit, row, chains[transport].v[i]));
}

/* Whoever dials the listener's own port would be sent round in a circle. */
static envoy_filter_chain *black_hole_chain(const struct emit *emit)
{
	struct arena *arena = emit->arena;
	envoy_filter_chain *chain = filter_chain_new(arena, NAME_VIRTUAL_INBOUND_BLACK_HOLE);
	chain->filter_chain_match = envoy_filter_chain_match_new(arena);
	chain->filter_chain_match->destination_port = build_uint32(arena, emit->mesh->inbound_port);
	BUILD_ADD(arena, chain, filters, filter_black_hole(emit));
	return chain;
}

/* ---- rows ---- */

static struct inbound_row passthrough_row(struct arena *arena)
{
	return (struct inbound_row){
	    .protocol = PROTOCOL_AUTO,
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
	    .cluster = cluster,
	    .chain_http = chain,
	    .chain_tcp = chain,
	    .stat_http = name_inbound_stat(arena, bind, port->port),
	    .routes = cluster,
	    .operation = arena_printf(arena, "%s:%u/*", port->service->hostname, port->service_port->number),
	};
}

/* ---- listener filters ---- */

static envoy_listener_filter_chain_match_predicate *port_predicate(struct arena *arena, uint32_t port)
{
	envoy_listener_filter_chain_match_predicate *predicate = envoy_listener_filter_chain_match_predicate_new(arena);
	predicate->rule_case =
	    ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER_CHAIN_MATCH_PREDICATE__RULE_DESTINATION_PORT_RANGE;
	predicate->destination_port_range = envoy_int32_range_new(arena);
	predicate->destination_port_range->start = (int32_t)port;
	predicate->destination_port_range->end = (int32_t)port + 1;
	return predicate;
}

/* The ports on which there is nothing to find out, and where a server that speaks first must not wait. */
static envoy_listener_filter_chain_match_predicate *declared_ports(const struct emit *emit,
                                                                   const struct workload_class *workload)
{
	struct arena *arena = emit->arena;
	envoy_listener_filter_chain_match_predicate_match_set *set =
	    envoy_listener_filter_chain_match_predicate_match_set_new(arena);
	for (size_t i = 0; i < workload->n_ports; i++)
		if (protocol_transport(workload->ports[i].protocol) != TRANSPORT_AUTO)
			BUILD_ADD(arena, set, rules, port_predicate(arena, workload->ports[i].port));
	envoy_listener_filter_chain_match_predicate *own = port_predicate(arena, emit->mesh->inbound_port);
	if (!set->n_rules)
		return own; /* Envoy wants two rules at least in a set */
	BUILD_ADD(arena, set, rules, own);
	envoy_listener_filter_chain_match_predicate *any = envoy_listener_filter_chain_match_predicate_new(arena);
	any->rule_case = ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER_CHAIN_MATCH_PREDICATE__RULE_OR_MATCH;
	any->or_match = set;
	return any;
}

static void add_listener_filters(const struct emit *emit, envoy_listener *out, const struct workload_class *workload)
{
	struct arena *arena = emit->arena;
	BUILD_ADD(arena, out, listener_filters,
	          listener_filter(arena, NAME_ORIGINAL_DST, &envoy_original_dst_new(arena)->base));
	if (emit->proxy.interception == INTERCEPT_TPROXY) {
		envoy_original_src *source = envoy_original_src_new(arena);
		source->mark = TPROXY_MARK;
		BUILD_ADD(arena, out, listener_filters, listener_filter(arena, NAME_ORIGINAL_SRC, &source->base));
	}
	envoy_listener_filter *inspector =
	    listener_filter(arena, NAME_HTTP_INSPECTOR, &envoy_http_inspector_new(arena)->base);
	inspector->filter_disabled = declared_ports(emit, workload);
	BUILD_ADD(arena, out, listener_filters, inspector);
}

/* ---- the listener ---- */

static envoy_listener *build_virtual(const struct emit *emit, const struct workload_class *workload)
{
	struct arena *arena = emit->arena;
	envoy_listener *out =
	    listener_new(emit, NAME_VIRTUAL_INBOUND, wildcard_address(&emit->proxy), emit->mesh->inbound_port);
	if (emit->mesh->is_dual_stack)
		listener_add_other_family(emit, out, wildcard_address(&emit->proxy), emit->mesh->inbound_port);
	BUILD_ADD(arena, out, filter_chains, black_hole_chain(emit));
	struct inbound_row row = passthrough_row(arena);
	add_row(emit, out, &row);
	for (size_t i = 0; i < workload->n_ports; i++) {
		row = port_row(emit, &workload->ports[i]);
		if (row.port != emit->mesh->inbound_port)
			add_row(emit, out, &row);
	}
	add_listener_filters(emit, out, workload);
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
	for (size_t i = 0; i < workload->n_ports; i++) {
		const struct inbound_port *port = &workload->ports[i];
		digest_add_u64(&state, port->port);
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
