#include "tests/unit/emitted.h"
#include "translator/envoy/emit_parts.h"

#define A "a.default.svc.cluster.local"
#define SERVICE_A                                                                                                      \
	"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: default}\n"                                     \
	"spec:\n  clusterIP: 10.0.0.1\n  ports: [{name: http, port: 80}, {name: grpc-x, port: 81}, {name: x, port: "   \
	"82}]\n---\n"
#define SLICE_A                                                                                                        \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                                                       \
	"metadata: {name: a-1, namespace: default, labels: {kubernetes.io/service-name: a}}\n"                         \
	"addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints:\n"                                           \
	"- {addresses: [10.1.0.1]}\n- {addresses: [10.1.0.2], conditions: {ready: false, serving: false}}\n"           \
	"- {addresses: [10.1.0.3]}\n---\n"
#define RULE(policy)                                                                                                   \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: default}\n"         \
	"spec: {host: a, trafficPolicy: " policy ", subsets: [{name: v1, labels: {version: v1}}]}\n---\n"

static const envoy_upstreams_http_protocol_options *options_of(const struct emitted_config *sent, const char *name)
{
	const envoy_cluster *cluster = EMITTED(sent, envoy_cluster, RESOURCE_CLUSTER, name);
	if (!cluster->n_typed_extension_protocol_options)
		return NULL;
	return EMITTED_ANY(sent->arena, envoy_upstreams_http_protocol_options,
	                   cluster->typed_extension_protocol_options[0]->value);
}

START_TEST(defaults)
{
	struct world world = world_of(SERVICE_A SLICE_A);
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "outbound|80||" A);
	ck_assert_int_eq(cluster->type, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS);
	ck_assert_str_eq(cluster->eds_cluster_config->service_name, "outbound|80||" A);
	ck_assert_int_eq(cluster->lb_policy, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__LEAST_REQUEST);
	ck_assert_uint_eq(cluster->circuit_breakers->thresholds[0]->max_retries->value, UINT32_MAX);
	ck_assert_int_eq(cluster->connect_timeout->seconds, 10);
	ck_assert_ptr_nonnull(cluster->common_lb_config->healthy_panic_threshold);
	ck_assert_ptr_null(cluster->outlier_detection);
	ck_assert_ptr_null(options_of(&sent, "outbound|80||" A));
	ck_assert_int_eq(
	    options_of(&sent, "outbound|81||" A)->upstream_protocol_options_case,
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG);
	ck_assert_int_eq(
	    options_of(&sent, "outbound|82||" A)->upstream_protocol_options_case,
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_USE_DOWNSTREAM_PROTOCOL_CONFIG);
	EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "BlackHoleCluster");
	EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "PassthroughCluster");
	EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "InboundPassthroughCluster");
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(endpoints_by_locality)
{
	struct world world = world_of(SERVICE_A SLICE_A RULE("{loadBalancer: {simple: RANDOM}}"));
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_cluster_load_assignment *all =
	    EMITTED(&sent, envoy_cluster_load_assignment, RESOURCE_ENDPOINTS, "outbound|80||" A);
	ck_assert_uint_eq(all->n_endpoints, 1);
	ck_assert_uint_eq(all->endpoints[0]->n_lb_endpoints, 2); /* the one that is not ready is left out */
	ck_assert_uint_eq(all->endpoints[0]->load_balancing_weight->value, 2);
	/* nobody carries the subset's labels, and nothing listens on 81: the assignments are there all the same */
	static const char *const empty[] = {"outbound|80|v1|" A, "outbound|81||" A, "outbound|82|v1|" A};
	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
		ck_assert_uint_eq(
		    EMITTED(&sent, envoy_cluster_load_assignment, RESOURCE_ENDPOINTS, empty[i])->n_endpoints, 0);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(every_eds_cluster_has_an_assignment)
{
	struct world world = world_of(SERVICE_A RULE("{loadBalancer: {simple: RANDOM}}"));
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	size_t n_eds = 0;
	for (size_t i = 0; i < sent.view[RESOURCE_CLUSTER]->n; i++) {
		const char *name = sent.view[RESOURCE_CLUSTER]->v[i]->name;
		const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, name);
		if (cluster->type != ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS)
			continue;
		n_eds++;
		ck_assert_ptr_nonnull(resource_set_get(sent.view[RESOURCE_ENDPOINTS], name));
	}
	ck_assert_uint_eq(n_eds, 6);
	ck_assert_uint_eq(sent.view[RESOURCE_ENDPOINTS]->n, n_eds);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(balancers)
{
	static const struct {
		const char *yaml;
		int policy, type;
		uint64_t ring_size, table_size;
	} rows[] = {
	    {SERVICE_A RULE("{loadBalancer: {simple: ROUND_ROBIN}}"),
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__ROUND_ROBIN,
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS, 0, 0},
	    {SERVICE_A RULE("{loadBalancer: {simple: RANDOM}}"), ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__RANDOM,
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS, 0, 0},
	    {SERVICE_A RULE("{loadBalancer: {simple: PASSTHROUGH}}"),
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED,
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST, 0, 0},
	    {SERVICE_A RULE("{loadBalancer: {consistentHash: {useSourceIp: true}}}"),
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__RING_HASH,
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS, 1024, 0},
	    {SERVICE_A RULE("{loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 1009}}}}"),
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__MAGLEV,
	     ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS, 0, 1009},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world world = world_of(rows[i].yaml);
		struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
		const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "outbound|80|v1|" A);
		ck_assert_int_eq(cluster->lb_policy, rows[i].policy);
		ck_assert_int_eq(cluster->type, rows[i].type);
		if (rows[i].ring_size)
			ck_assert_uint_eq(cluster->ring_hash_lb_config->minimum_ring_size->value, rows[i].ring_size);
		if (rows[i].table_size)
			ck_assert_uint_eq(cluster->maglev_lb_config->table_size->value, rows[i].table_size);
		emitted_done(&sent);
		world_done(&world);
	}
}
END_TEST

START_TEST(new_endpoints_warm_up)
{
	static const struct {
		const char *name, *balancer;
		bool is_round_robin;
		int64_t window_s;           /* -1: none */
		double aggression, percent; /* -1: the proxy's */
	} cases[] = {
	    {"defaults", "{simple: ROUND_ROBIN, warmup: {duration: 60s}}", true, 60, 1, 10},
	    {"all said", "{simple: ROUND_ROBIN, warmup: {duration: 5s, aggression: 5.5, minimumPercent: 0}}", true, 5,
	     5.5, 0},
	    {"the default balancer", "{warmup: {duration: 60s}}", false, 60, 1, 10},
	    {"the older field", "{simple: LEAST_REQUEST, warmupDurationSecs: 15s}", false, 15, -1, -1},
	    {"none", "{simple: ROUND_ROBIN}", true, -1, -1, -1},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world =
		    world_of(arena_printf(arena, SERVICE_A RULE("{loadBalancer: %s}"), cases[i].balancer));
		struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
		const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "outbound|80||" A);
		const envoy_cluster_slow_start_config *start = NULL;
		if (cluster->lb_config_case == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_CONFIG_ROUND_ROBIN_LB_CONFIG)
			start = cluster->round_robin_lb_config->slow_start_config;
		else if (cluster->lb_config_case ==
		         ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_CONFIG_LEAST_REQUEST_LB_CONFIG)
			start = cluster->least_request_lb_config->slow_start_config;
		bool is_round_robin = cluster->lb_policy == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__ROUND_ROBIN;
		ck_assert_msg(is_round_robin == cases[i].is_round_robin, "%s", cases[i].name);
		ck_assert_msg((start ? start->slow_start_window->seconds : -1) == cases[i].window_s, "%s",
		              cases[i].name);
		ck_assert_msg((start && start->aggression ? start->aggression->default_value : -1) ==
		                  cases[i].aggression,
		              "%s", cases[i].name);
		ck_assert_msg((start && start->min_weight_percent ? start->min_weight_percent->value : -1) ==
		                  cases[i].percent,
		              "%s", cases[i].name);
		emitted_done(&sent);
		world_done(&world);
	}
}
END_TEST

/* What Envoy would refuse when it makes the balancer, whatever lets it through before. */
START_TEST(balancers_stay_within_envoys_bounds)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	envoy_cluster *ring = envoy_cluster_new(arena), *table = envoy_cluster_new(arena);
	const struct load_balancer too_large = {.algorithm = LB_RING_HASH, .minimum_ring_size = UINT64_MAX};
	const struct load_balancer not_prime = {.algorithm = LB_MAGLEV, .table_size = 1000};
	cluster_set_balancer(arena, ring, &too_large);
	cluster_set_balancer(arena, table, &not_prime);
	ck_assert_uint_eq(ring->ring_hash_lb_config->minimum_ring_size->value, 8388608);
	ck_assert_uint_eq(table->maglev_lb_config->table_size->value, 1009);
}
END_TEST

START_TEST(pools_and_outliers)
{
	struct world world = world_of(SERVICE_A RULE("{connectionPool: {tcp: {maxConnections: 7, connectTimeout: 2s, "
	                                             "tcpKeepalive: {time: 3s}}, http: {http2MaxRequests: 5, "
	                                             "idleTimeout: 4s}}, outlierDetection: {consecutive5xxErrors: 0, "
	                                             "consecutiveGatewayErrors: 6, minHealthPercent: 20}}"));
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "outbound|80||" A);
	ck_assert_uint_eq(cluster->circuit_breakers->thresholds[0]->max_connections->value, 7);
	ck_assert_uint_eq(cluster->circuit_breakers->thresholds[0]->max_requests->value, 5);
	ck_assert_uint_eq(cluster->circuit_breakers->thresholds[0]->max_pending_requests->value, UINT32_MAX);
	ck_assert_int_eq(cluster->connect_timeout->seconds, 2);
	ck_assert_uint_eq(cluster->upstream_connection_options->tcp_keepalive->keepalive_time->value, 3);
	ck_assert_ptr_null(cluster->upstream_connection_options->tcp_keepalive->keepalive_probes);
	ck_assert_int_eq(options_of(&sent, "outbound|80||" A)->common_http_protocol_options->idle_timeout->seconds, 4);
	ck_assert_uint_eq(cluster->outlier_detection->enforcing_consecutive_5xx->value, 0);
	ck_assert_uint_eq(cluster->outlier_detection->consecutive_gateway_failure->value, 6);
	ck_assert_uint_eq(cluster->outlier_detection->enforcing_consecutive_gateway_failure->value, 100);
	ck_assert_uint_eq(cluster->outlier_detection->enforcing_success_rate->value, 0);
	ck_assert(cluster->common_lb_config->healthy_panic_threshold->value == 20);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(names_are_resolved_by_the_proxy)
{
	struct world world = world_of(
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: d, namespace: default}\n"
	    "spec: {hosts: [dns.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}], "
	    "endpoints: [{address: one.example.com}, {address: two.example.com}]}\n---\n"
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: r, namespace: default}\n"
	    "spec: {hosts: [rr.example.com], resolution: DNS_ROUND_ROBIN, ports: [{number: 80, name: http, protocol: "
	    "HTTP}]}\n");
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_cluster *strict = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "outbound|80||dns.example.com");
	ck_assert_int_eq(strict->type, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STRICT_DNS);
	ck_assert_uint_eq(strict->load_assignment->endpoints[0]->n_lb_endpoints, 2);
	const envoy_cares_dns_resolver_config *resolver =
	    EMITTED_ANY(world.arena, envoy_cares_dns_resolver_config, strict->typed_dns_resolver_config->typed_config);
	ck_assert_uint_eq(resolver->udp_max_queries->value, 100);
	const envoy_cluster *logical = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "outbound|80||rr.example.com");
	ck_assert_int_eq(logical->type, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__LOGICAL_DNS);
	ck_assert_uint_eq(logical->load_assignment->endpoints[0]->n_lb_endpoints, 1);
	ck_assert_uint_eq(sent.view[RESOURCE_ENDPOINTS]->n, 0);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

UNIT_MAIN("emit_clusters", defaults, endpoints_by_locality, every_eds_cluster_has_an_assignment, balancers,
          new_endpoints_warm_up, balancers_stay_within_envoys_bounds, pools_and_outliers,
          names_are_resolved_by_the_proxy)
