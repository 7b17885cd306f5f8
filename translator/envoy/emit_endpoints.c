/* Load assignments: one for each cluster that asks this server for its endpoints, empty ones too. */
#include "translator/envoy/emit_parts.h"

#include <string.h>

static bool locality_equal(const struct locality *a, const struct locality *b)
{
	return strcmp(a->region, b->region) == 0 && strcmp(a->zone, b->zone) == 0 &&
	       strcmp(a->sub_zone, b->sub_zone) == 0;
}

static envoy_lb_endpoint *lb_endpoint(struct arena *arena, const struct endpoint *endpoint, uint32_t most_weight)
{
	uint32_t weight = endpoint->weight ? endpoint->weight : 1;
	envoy_lb_endpoint *message = envoy_lb_endpoint_new(arena);
	message->host_identifier_case = ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
	message->endpoint = envoy_endpoint_new(arena);
	message->endpoint->address = socket_address(arena, endpoint->address, endpoint->port);
	message->health_status = endpoint->health == ENDPOINT_DRAINING
	                             ? ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__DRAINING
	                             : ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__HEALTHY;
	message->load_balancing_weight = build_uint32(arena, weight < most_weight ? weight : most_weight);
	if (endpoint->is_mtls)
		message->metadata = metadata_mtls(arena);
	return message;
}

static envoy_locality_lb_endpoints *locality_endpoints(struct arena *arena, const struct locality *locality)
{
	envoy_locality_lb_endpoints *message = envoy_locality_lb_endpoints_new(arena);
	message->locality = envoy_locality_new(arena);
	message->locality->region = borrow(locality->region);
	message->locality->zone = borrow(locality->zone);
	message->locality->sub_zone = borrow(locality->sub_zone);
	message->load_balancing_weight = build_uint32(arena, 0);
	return message;
}

static bool is_of_networks(const struct strings *networks, const char *network)
{
	for (size_t i = 0; i < networks->n; i++)
		if (strcmp(networks->v[i], network) == 0)
			return true;
	return networks->n == 0 || *network == '\0';
}

static bool is_assigned(const struct assignment *in, const struct endpoint *endpoint)
{
	return endpoint->health != ENDPOINT_UNHEALTHY && labels_match(in->labels, &endpoint->labels) &&
	       (endpoint->is_mtls || !in->is_mtls_only) && is_of_networks(in->networks, endpoint->network);
}

envoy_cluster_load_assignment *load_assignment(struct arena *arena, const struct assignment *in)
{
	const struct service_port *port = in->port;
	envoy_cluster_load_assignment *assignment = envoy_cluster_load_assignment_new(arena);
	assignment->cluster_name = borrow(in->name);
	envoy_locality_lb_endpoints *group = NULL;
	const struct locality *locality = NULL;
	/* A locality weighs what its endpoints weigh together, and Envoy refuses sums beyond 32 bits. */
	uint32_t most_weight = port->n_endpoints ? (uint32_t)(UINT32_MAX / port->n_endpoints) : UINT32_MAX;
	size_t n = 0;
	for (size_t i = 0; i < port->n_endpoints && n < in->most; i++) {
		const struct endpoint *endpoint = &port->endpoints[i];
		if (!is_assigned(in, endpoint))
			continue;
		if (!locality || !locality_equal(locality, &endpoint->locality)) {
			locality = &endpoint->locality;
			group = locality_endpoints(arena, locality);
			BUILD_ADD(arena, assignment, endpoints, group);
		}
		envoy_lb_endpoint *lb = lb_endpoint(arena, endpoint, most_weight);
		group->load_balancing_weight->value += lb->load_balancing_weight->value;
		BUILD_ADD(arena, group, lb_endpoints, lb);
		n++;
	}
	return assignment;
}

/* Of one port of a service, its subset: for the cluster, or for that of AUTO_PASSTHROUGH. */
static void emit_assignment(struct emit *emit, const struct service *service, const struct service_port *port,
                            const struct destination_subset *subset, bool is_auto_passthrough)
{
	struct digest_state state;
	digest_init(&state); /* no base: endpoints are the same for all who see the same networks */
	digest_add_u64(&state, UNIT_ENDPOINTS);
	digest_add_str(&state, service->hostname);
	digest_add_u64(&state, port->number);
	digest_add_str(&state, subset->name);
	digest_add_u64(&state, is_auto_passthrough);
	emit_add_networks(&state, &emit->proxy);
	for (size_t i = 0; i < subset->labels.n; i++) {
		digest_add_str(&state, subset->labels.v[i].key);
		digest_add_str(&state, subset->labels.v[i].value);
	}
	digest_add_digest(&state, port->endpoints_digest);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit) {
		const struct assignment in = {
		    .name = is_auto_passthrough
		                ? name_outbound_sni(emit->arena, port->number, subset->name, service->hostname)
		                : name_outbound_cluster(emit->arena, port->number, subset->name, service->hostname),
		    .port = port,
		    .labels = &subset->labels,
		    .most = SIZE_MAX,
		    .is_mtls_only = is_auto_passthrough,
		    .networks = &emit->proxy.networks,
		};
		unit = emit_put(emit, key, RESOURCE_ENDPOINTS, in.name, &load_assignment(emit->arena, &in)->base);
	}
	emit_collect(emit, unit);
}

static void emit_port(struct emit *emit, const struct scope_service *service, const struct service_port *port)
{
	bool is_auto_passthrough = emit->scope->has_auto_passthrough && service_is_auto_passthrough(service->service) &&
	                           auto_passthrough_kind(emit, service->service) == CLUSTER_EDS;
	const struct destination_subset *subset;
	for (size_t i = 0; (subset = cluster_subset(service, i)) != NULL; i++) {
		const struct traffic_policy *policy = traffic_policy_of(service->policy, subset->name, port->number);
		if (cluster_kind(emit, service->service, policy) == CLUSTER_EDS)
			emit_assignment(emit, service->service, port, subset, false);
		if (is_auto_passthrough)
			emit_assignment(emit, service->service, port, subset, true);
	}
}

void emit_endpoints(struct emit *emit)
{
	for (size_t i = 0; i < emit->scope->n_services; i++) {
		const struct scope_service *service = &emit->scope->services[i];
		if (service->service->resolution == SERVICE_ALIAS)
			continue;
		for (size_t k = 0; k < service->service->n_ports; k++)
			if (protocol_transport(service->service->ports[k].protocol) != TRANSPORT_NONE)
				emit_port(emit, service, &service->service->ports[k]);
	}
}
