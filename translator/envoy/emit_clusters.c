/* Outbound clusters: one for each port of each visible service and each subset of it, and those for unknown traffic. */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"

/* Envoy spreads the look-ups of names that expire together over this time. */
#define DNS_JITTER_MS 100
/* After so many look-ups the resolver takes another UDP port. */
#define DNS_UDP_QUERIES_MAX 100
/* Connections to unknown destinations are closed after this time without a request. */
#define PASSTHROUGH_IDLE_MS 300000

/* What holds where no policy is given. */
static const struct traffic_policy no_policy = {
    .pool =
        {
            .max_connections = -1,
            .connect_timeout_ms = -1,
            .tcp_idle_timeout_ms = -1,
            .max_connection_duration_ms = -1,
            .max_pending_requests = -1,
            .max_requests = -1,
            .max_requests_per_connection = -1,
            .max_retries = -1,
            .http_idle_timeout_ms = -1,
            .max_concurrent_streams = -1,
        },
    .lb = {.cookie_ttl_ms = -1, .warmup_percent = -1},
};

const struct traffic_policy *traffic_policy_of(const struct destination_policy *policy, const char *subset,
                                               uint32_t port)
{
	if (!policy)
		return &no_policy;
	const struct destination_subset *found =
	    text_is_empty(subset) ? &policy->whole : destination_policy_subset(policy, subset);
	const struct traffic_policy *traffic = found ? destination_subset_policy(found, port) : NULL;
	return traffic ? traffic : &no_policy;
}

const struct destination_subset *cluster_subset(const struct scope_service *service, size_t i)
{
	static const struct destination_subset whole = {.name = ""};
	const struct destination_policy *policy = service->policy;
	if (i == 0)
		return policy ? &policy->whole : &whole;
	return policy && i <= policy->n_subsets ? &policy->subsets[i - 1] : NULL;
}

/* A gateway's connections carry no destination that one could go back to, so it balances over what is known. */
enum cluster_kind cluster_kind(const struct emit *emit, const struct service *service,
                               const struct traffic_policy *policy)
{
	if (policy->lb.algorithm == LB_PASSTHROUGH)
		return CLUSTER_ORIGINAL_DST;
	switch (service->resolution) {
	case SERVICE_DNS:
	case SERVICE_DNS_LOGICAL:
		return CLUSTER_DNS;
	case SERVICE_ORIGINAL_DST:
		return emit->proxy.role == PROXY_GATEWAY ? CLUSTER_EDS : CLUSTER_ORIGINAL_DST;
	case SERVICE_STATIC:
	case SERVICE_ALIAS:
		break;
	}
	return CLUSTER_EDS;
}

enum cluster_kind auto_passthrough_kind(const struct emit *emit, const struct service *service)
{
	return cluster_kind(emit, service, &no_policy);
}

envoy_cluster *cluster_new(struct arena *arena, const char *name,
                           Envoy__Config__Cluster__V3__Cluster__DiscoveryType type)
{
	envoy_cluster *cluster = envoy_cluster_new(arena);
	cluster->name = borrow(name);
	cluster->alt_stat_name = name_stat(arena, name);
	cluster->cluster_discovery_type_case = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
	cluster->type = type;
	return cluster;
}

static void set_eds(struct arena *arena, envoy_cluster *cluster)
{
	cluster->eds_cluster_config = envoy_cluster_eds_cluster_config_new(arena);
	cluster->eds_cluster_config->eds_config = ads_source(arena);
	cluster->eds_cluster_config->service_name = cluster->name;
}

static Envoy__Config__Cluster__V3__Cluster__DnsLookupFamily lookup_family(const struct emit *emit)
{
	if (!emit->proxy.is_ipv6)
		return ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__V4_ONLY;
	if (!emit->proxy.is_ipv4)
		return ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__V6_ONLY;
	return emit->mesh->is_dual_stack ? ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__ALL
	                                 : ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__V4_ONLY;
}

/* A resolver that keeps its UDP port for ever is deaf once the name server behind it has gone. */
static envoy_typed_extension_config *resolver(struct arena *arena)
{
	envoy_cares_dns_resolver_config *cares = envoy_cares_dns_resolver_config_new(arena);
	cares->udp_max_queries = build_uint32(arena, DNS_UDP_QUERIES_MAX);
	envoy_typed_extension_config *config = envoy_typed_extension_config_new(arena);
	config->name = borrow(NAME_CARES_RESOLVER);
	config->typed_config = pack_any(arena, &cares->base);
	return config;
}

static void set_dns(const struct emit *emit, envoy_cluster *cluster, const struct outbound *out)
{
	/* A logical cluster is one name; Envoy refuses it with more, and with none. */
	bool is_logical = out->service->service->resolution == SERVICE_DNS_LOGICAL;
	cluster->load_assignment = load_assignment(emit->arena, &(struct assignment){
	                                                            .name = cluster->name,
	                                                            .port = out->port,
	                                                            .labels = &out->subset->labels,
	                                                            .most = is_logical ? 1 : SIZE_MAX,
	                                                            .is_mtls_only = out->is_auto_passthrough,
	                                                            .networks = &emit->proxy.networks,
	                                                        });
	if (is_logical && cluster->load_assignment->n_endpoints == 1)
		cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__LOGICAL_DNS;
	if (emit->mesh->dns_refresh_ms > 0)
		cluster->dns_refresh_rate = build_duration_ms(emit->arena, emit->mesh->dns_refresh_ms);
	cluster->dns_jitter = build_duration_ms(emit->arena, DNS_JITTER_MS);
	cluster->respect_dns_ttl = true;
	cluster->dns_lookup_family = lookup_family(emit);
	cluster->typed_dns_resolver_config = resolver(emit->arena);
}

static void set_balancer(struct arena *arena, envoy_cluster *cluster, const struct outbound *out)
{
	struct load_balancer lb = out->policy->lb;
	if (out->kind == CLUSTER_ORIGINAL_DST)
		lb.algorithm = LB_PASSTHROUGH;
	else if (lb.algorithm == LB_PASSTHROUGH)
		lb.algorithm = LB_DEFAULT;
	cluster_set_balancer(arena, cluster, &lb);
}

static envoy_cluster *build_outbound(const struct emit *emit, struct outbound *out, const char *name)
{
	static const Envoy__Config__Cluster__V3__Cluster__DiscoveryType types[] = {
	    [CLUSTER_EDS] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS,
	    [CLUSTER_DNS] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STRICT_DNS,
	    [CLUSTER_ORIGINAL_DST] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST,
	};
	struct arena *arena = emit->arena;
	const struct service *service = out->service->service;
	enum cluster_kind kind = out->kind;
	envoy_cluster *cluster = cluster_new(arena, name, types[kind]);
	cluster->common_lb_config = envoy_cluster_common_lb_config_new(arena);
	cluster->common_lb_config->healthy_panic_threshold = envoy_percent_new(arena); /* 0: never panic */
	if (kind == CLUSTER_EDS)
		set_eds(arena, cluster);
	else if (kind == CLUSTER_DNS)
		set_dns(emit, cluster, out);
	cluster_set_pool(arena, cluster, emit->mesh, &out->policy->pool);
	cluster_set_outlier(arena, cluster, &out->policy->outlier);
	set_balancer(arena, cluster, out);
	const struct destination_policy *policy = out->service->policy;
	cluster->metadata =
	    metadata_build(arena, &(struct istio_metadata){.config = policy ? policy->source.path : NULL,
	                                                   .services = &service,
	                                                   .n_services = 1,
	                                                   .subset = out->subset->name});
	if (!out->is_auto_passthrough)
		cluster_set_tls(emit, cluster, out);
	cluster_set_protocol(arena, cluster, &out->protocol);
	return cluster;
}

static struct digest outbound_key(const struct emit *emit, const struct outbound *out)
{
	const struct service *service = out->service->service;
	struct digest_state state;
	emit_key_init(&state, UNIT_OUTBOUND_CLUSTER, emit->cluster_base);
	digest_add_digest(&state, service->digest);
	digest_add_u64(&state, out->port->number);
	digest_add_str(&state, out->subset->name);
	digest_add_u64(&state, out->is_auto_passthrough);
	if (out->service->policy)
		digest_add_digest(&state, out->service->policy->digest);
	digest_add_digest(&state, service->peers_digest);
	if (out->kind == CLUSTER_DNS)
		digest_add_digest(&state, out->port->endpoints_digest);
	return digest_final(&state);
}

static void emit_outbound(struct emit *emit, struct outbound *out)
{
	/* A gateway cannot know that what its client speaks is what the destination speaks. */
	bool is_plain = emit->proxy.role == PROXY_GATEWAY && out->port->protocol == PROTOCOL_AUTO;
	const struct service *service = out->service->service;
	out->kind =
	    out->is_auto_passthrough ? auto_passthrough_kind(emit, service) : cluster_kind(emit, service, out->policy);
	out->protocol = (struct cluster_protocol){.protocol = is_plain ? PROTOCOL_HTTP : out->port->protocol,
	                                          .pool = &out->policy->pool};
	struct digest key = outbound_key(emit, out);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit) {
		uint32_t port = out->port->number;
		const char *subset = out->subset->name;
		const char *name = out->is_auto_passthrough
		                       ? name_outbound_sni(emit->arena, port, subset, service->hostname)
		                       : name_outbound_cluster(emit->arena, port, subset, service->hostname);
		unit = emit_put(emit, key, RESOURCE_CLUSTER, name, &build_outbound(emit, out, name)->base);
	}
	emit_collect(emit, unit);
}

/* ---- clusters that belong to no service ---- */

static envoy_cluster *build_black_hole(const struct emit *emit)
{
	envoy_cluster *cluster = cluster_new(emit->arena, NAME_BLACK_HOLE_CLUSTER,
	                                     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC);
	cluster->connect_timeout = build_duration_ms(emit->arena, emit->mesh->connect_timeout_ms);
	return cluster;
}

envoy_cluster *cluster_passthrough(const struct emit *emit)
{
	struct connection_pool pool = no_policy.pool;
	pool.http_idle_timeout_ms = PASSTHROUGH_IDLE_MS;
	envoy_cluster *cluster = cluster_new(emit->arena, NAME_PASSTHROUGH_CLUSTER,
	                                     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST);
	cluster->lb_policy = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED;
	cluster_set_pool(emit->arena, cluster, emit->mesh, &pool);
	cluster_set_protocol(emit->arena, cluster,
	                     &(struct cluster_protocol){.protocol = PROTOCOL_AUTO, .pool = &pool});
	return cluster;
}

void emit_fixed_cluster(struct emit *emit, const char *name, envoy_cluster *(*build)(const struct emit *emit))
{
	struct digest_state state;
	emit_key_init(&state, UNIT_FIXED_CLUSTER, emit->cluster_base);
	digest_add_str(&state, name);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit)
		unit = emit_put(emit, key, RESOURCE_CLUSTER, name, &build(emit)->base);
	emit_collect(emit, unit);
}

static void emit_port(struct emit *emit, const struct scope_service *service, const struct service_port *port)
{
	struct outbound out = {.service = service, .port = port};
	for (size_t i = 0; (out.subset = cluster_subset(service, i)) != NULL; i++) {
		out.policy = traffic_policy_of(service->policy, out.subset->name, port->number);
		out.is_auto_passthrough = false;
		emit_outbound(emit, &out);
		out.is_auto_passthrough =
		    emit->scope->has_auto_passthrough && service_is_auto_passthrough(service->service);
		if (out.is_auto_passthrough)
			emit_outbound(emit, &out);
	}
}

void emit_outbound_clusters(struct emit *emit)
{
	emit_fixed_cluster(emit, NAME_BLACK_HOLE_CLUSTER, build_black_hole);
	if (emit->proxy.role == PROXY_SIDECAR)
		emit_fixed_cluster(emit, NAME_PASSTHROUGH_CLUSTER, cluster_passthrough);
	for (size_t i = 0; i < emit->scope->n_services; i++) {
		const struct scope_service *service = &emit->scope->services[i];
		if (service->service->resolution == SERVICE_ALIAS)
			continue;
		for (size_t k = 0; k < service->service->n_ports; k++)
			if (protocol_transport(service->service->ports[k].protocol) != TRANSPORT_NONE)
				emit_port(emit, service, &service->service->ports[k]);
	}
}
