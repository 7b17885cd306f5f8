/*
 * Inbound clusters: from the proxy to the application beside it, at the address that the client dialled.
 */
#include "translator/envoy/emit_parts.h"
#include "translator/scope_parts.h"

/* Connections to the application come from here, so that the redirection leaves them alone. */
#define INBOUND_SOURCE_IPV4 "127.0.0.6"
#define INBOUND_SOURCE_IPV6 "::6"
/* Idle connections to the application stay: the longest time that fits in nanoseconds. */
#define INBOUND_CLEANUP_S 9223372035

static envoy_socket_address *source_address(struct arena *arena, const char *address)
{
	envoy_socket_address *message = envoy_socket_address_new(arena);
	message->address = borrow(address);
	message->port_specifier_case = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
	return message;
}

static void set_source(const struct emit *emit, envoy_cluster *cluster, bool is_every_family)
{
	struct arena *arena = emit->arena;
	bool is_ipv6_only = emit->proxy.is_ipv6 && !emit->proxy.is_ipv4;
	envoy_bind_config *bind = envoy_bind_config_new(arena);
	bind->source_address = source_address(arena, is_ipv6_only ? INBOUND_SOURCE_IPV6 : INBOUND_SOURCE_IPV4);
	if (is_every_family && emit->proxy.is_ipv6 && emit->proxy.is_ipv4) {
		envoy_extra_source_address *extra = envoy_extra_source_address_new(arena);
		extra->address = source_address(arena, INBOUND_SOURCE_IPV6);
		BUILD_ADD(arena, bind, extra_source_addresses, extra);
	}
	cluster->upstream_bind_config = bind;
}

static envoy_cluster *build_inbound_passthrough(const struct emit *emit)
{
	envoy_cluster *cluster = cluster_passthrough(emit);
	cluster->name = borrow(NAME_INBOUND_PASSTHROUGH_CLUSTER); /* alt_stat_name stays: both count as one */
	set_source(emit, cluster, true);
	return cluster;
}

/* The policy that the workload's own namespace sees: pools protect the application as they do its clients. */
static const struct destination_policy *inbound_policy(const struct emit *emit, const struct workload_class *workload,
                                                       const struct service *service)
{
	const struct view view = {.role = PROXY_SIDECAR, .namespace = workload->namespace, .labels = workload->labels};
	return scope_policy(emit->model, &view, service);
}

static envoy_cluster *build_inbound(const struct emit *emit, const struct inbound_port *port,
                                    const struct destination_policy *policy, const char *name)
{
	struct arena *arena = emit->arena;
	const struct connection_pool *pool = &traffic_policy_of(policy, "", port->service_port->number)->pool;
	envoy_cluster *cluster =
	    cluster_new(arena, name, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST);
	cluster->lb_policy = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED;
	cluster->common_lb_config = envoy_cluster_common_lb_config_new(arena);
	cluster->cleanup_interval = google_duration_new(arena);
	cluster->cleanup_interval->seconds = INBOUND_CLEANUP_S;
	cluster_set_pool(arena, cluster, emit->mesh, pool);
	cluster_set_protocol(arena, cluster, port->protocol, pool);
	set_source(emit, cluster, false);
	cluster->metadata = metadata_build(
	    arena, &(struct istio_metadata){.config = policy ? policy->source.path : NULL, .service = port->service});
	return cluster;
}

static void emit_inbound(struct emit *emit, const struct workload_class *workload, const struct inbound_port *port)
{
	const struct destination_policy *policy = inbound_policy(emit, workload, port->service);
	struct digest_state state;
	emit_key_init(&state, UNIT_INBOUND_CLUSTER, emit->cluster_base);
	digest_add_u64(&state, port->port);
	digest_add_u64(&state, port->protocol);
	digest_add_u64(&state, port->service_port->number);
	digest_add_digest(&state, port->service->digest);
	if (policy)
		digest_add_digest(&state, policy->digest);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit) {
		const char *name = name_inbound_cluster(emit->arena, port->port);
		unit = emit_put(emit, key, RESOURCE_CLUSTER, name, &build_inbound(emit, port, policy, name)->base);
	}
	emit_collect(emit, unit);
}

void emit_inbound_clusters(struct emit *emit, const struct workload_class *workload)
{
	emit_fixed_cluster(emit, NAME_INBOUND_PASSTHROUGH_CLUSTER, build_inbound_passthrough);
	for (size_t i = 0; i < workload->n_ports; i++)
		if (protocol_transport(workload->ports[i].protocol) != TRANSPORT_NONE)
			emit_inbound(emit, workload, &workload->ports[i]);
}
