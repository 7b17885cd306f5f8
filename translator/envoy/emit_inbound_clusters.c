/*
 * Inbound clusters: from the proxy to the application beside it, at the address that the client dialled; or on the
 * loopback address, for applications that listen only there, where the mesh says so.
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

static bool is_ipv6_only(const struct emit *emit)
{
	return emit->proxy.is_ipv6 && !emit->proxy.is_ipv4;
}

static void set_source(const struct emit *emit, envoy_cluster *cluster, bool is_every_family)
{
	struct arena *arena = emit->arena;
	envoy_bind_config *bind = envoy_bind_config_new(arena);
	bind->source_address = source_address(arena, is_ipv6_only(emit) ? INBOUND_SOURCE_IPV6 : INBOUND_SOURCE_IPV4);
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

/* To the address that the client dialled. */
static void set_dialled(const struct emit *emit, envoy_cluster *cluster)
{
	struct arena *arena = emit->arena;
	cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST;
	cluster->lb_policy = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED;
	cluster->cleanup_interval = google_duration_new(arena);
	cluster->cleanup_interval->seconds = INBOUND_CLEANUP_S;
	set_source(emit, cluster, emit->mesh->is_dual_stack);
}

static void set_loopback(const struct emit *emit, envoy_cluster *cluster, uint32_t port)
{
	struct arena *arena = emit->arena;
	envoy_lb_endpoint *endpoint = envoy_lb_endpoint_new(arena);
	endpoint->host_identifier_case = ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
	endpoint->endpoint = envoy_endpoint_new(arena);
	endpoint->endpoint->address =
	    socket_address(arena, is_ipv6_only(emit) ? NAME_LOOPBACK_IPV6 : NAME_LOOPBACK_IPV4, port);
	envoy_locality_lb_endpoints *group = envoy_locality_lb_endpoints_new(arena);
	BUILD_ADD(arena, group, lb_endpoints, endpoint);
	cluster->load_assignment = envoy_cluster_load_assignment_new(arena);
	cluster->load_assignment->cluster_name = cluster->name;
	BUILD_ADD(arena, cluster->load_assignment, endpoints, group);
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
	envoy_cluster *cluster = cluster_new(arena, name, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC);
	if (emit->mesh->is_inbound_loopback)
		set_loopback(emit, cluster, port->port);
	else
		set_dialled(emit, cluster);
	cluster->common_lb_config = envoy_cluster_common_lb_config_new(arena);
	cluster_set_pool(arena, cluster, emit->mesh, pool);
	cluster_set_protocol(arena, cluster, &(struct cluster_protocol){.protocol = port->protocol, .pool = pool});
	/* a rule about subsets only says nothing about the application */
	const char *config = policy && policy->has_whole_policy ? policy->source.path : NULL;
	cluster->metadata = metadata_build(
	    arena,
	    &(struct istio_metadata){.config = config, .services = port->services, .n_services = port->n_services});
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
	for (size_t i = 0; i < port->n_services; i++)
		digest_add_digest(&state, port->services[i]->digest);
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
	if (emit->proxy.interception == INTERCEPT_NONE)
		return; /* nobody redirects anything here */
	for (size_t i = 0; i < workload->n_ports; i++)
		if (protocol_transport(workload->ports[i].protocol) != TRANSPORT_NONE)
			emit_inbound(emit, workload, &workload->ports[i]);
}
