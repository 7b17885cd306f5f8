#include "tests/unit/world.h"

#define SERVICES                                                                                                       \
	"apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\n"                                                   \
	"spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: http-b, port: 81}]}\n---\n"
#define HOST "reviews.default.svc.cluster.local"

/* A DestinationRule; metadata and spec in flow style. */
#define RULE(metadata, spec)                                                                                           \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: " metadata "\nspec: " spec "\n---\n"

static struct world valid_world(const char *yaml)
{
	struct world world = world_of(yaml);
	for (size_t i = 0; i < world.issues.n; i++) {
		if (!world.issues.v[i].is_warning)
			ck_abort_msg("%s: %s", world.issues.v[i].path, world.issues.v[i].message);
	}
	return world;
}

static const struct traffic_policy *policy_for(const struct world *world, const char *subset, uint32_t port)
{
	const struct destination_subset *found = destination_policy_subset(world->model->policies[0], subset);
	ck_assert_msg(found != NULL, "no subset %s", subset);
	return destination_subset_policy(found, port);
}

START_TEST(test_fields)
{
	struct world world = valid_world(SERVICES RULE(
	    "{name: a}", "{host: reviews, exportTo: [.], trafficPolicy: {"
	                 "connectionPool: {tcp: {maxConnections: 5, connectTimeout: 2s, idleTimeout: 3s,"
	                 " maxConnectionDuration: 4s, tcpKeepalive: {probes: 3, time: 60s, interval: 10s}},"
	                 " http: {http1MaxPendingRequests: 6, http2MaxRequests: 7, maxRequestsPerConnection: 8,"
	                 " maxRetries: 9, idleTimeout: 10s, maxConcurrentStreams: 11, h2UpgradePolicy: UPGRADE}},"
	                 "outlierDetection: {consecutive5xxErrors: 1, consecutiveGatewayErrors: 0, interval: 5s,"
	                 " baseEjectionTime: 6s, maxEjectionPercent: 50, minHealthPercent: 30},"
	                 "loadBalancer: {simple: ROUND_ROBIN}}}"));
	ck_assert_uint_eq(world.model->n_policies, 1);
	const struct destination_policy *policy = world.model->policies[0];
	ck_assert_str_eq(policy->host, HOST);
	ck_assert(!policy->visibility.is_public && visibility_allows(&policy->visibility, "default"));
	const struct traffic_policy *traffic = policy_for(&world, "", 80);
	ck_assert_int_eq(traffic->pool.max_connections, 5);
	ck_assert_int_eq(traffic->pool.connect_timeout_ms, 2000);
	ck_assert_int_eq(traffic->pool.tcp_idle_timeout_ms, 3000);
	ck_assert_int_eq(traffic->pool.max_connection_duration_ms, 4000);
	ck_assert(traffic->pool.keepalive.is_set && !traffic->pool.is_client_protocol_used);
	ck_assert_uint_eq(traffic->pool.keepalive.probes, 3);
	ck_assert_uint_eq(traffic->pool.keepalive.time_s, 60);
	ck_assert_uint_eq(traffic->pool.keepalive.interval_s, 10);
	ck_assert_int_eq(traffic->pool.max_pending_requests, 6);
	ck_assert_int_eq(traffic->pool.max_requests, 7);
	ck_assert_int_eq(traffic->pool.max_requests_per_connection, 8);
	ck_assert_int_eq(traffic->pool.max_retries, 9);
	ck_assert_int_eq(traffic->pool.http_idle_timeout_ms, 10000);
	ck_assert_int_eq(traffic->pool.max_concurrent_streams, 11);
	ck_assert_int_eq(traffic->pool.h2_upgrade, H2_UPGRADE_ALWAYS);
	ck_assert(traffic->outlier.is_set);
	ck_assert_int_eq(traffic->outlier.consecutive_5xx, 1);
	ck_assert_int_eq(traffic->outlier.consecutive_gateway_errors, 0);
	ck_assert_int_eq(traffic->outlier.consecutive_local_origin_failures, -1);
	ck_assert_int_eq(traffic->outlier.interval_ms, 5000);
	ck_assert_int_eq(traffic->outlier.base_ejection_ms, 6000);
	ck_assert_int_eq(traffic->outlier.max_ejection_percent, 50);
	ck_assert_int_eq(traffic->outlier.min_health_percent, 30);
	ck_assert_int_eq(traffic->lb.algorithm, LB_ROUND_ROBIN);
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

START_TEST(test_load_balancer)
{
	static const struct {
		const char *in;
		struct load_balancer want;
	} cases[] = {
	    {"{}", {.algorithm = LB_DEFAULT, .cookie_ttl_ms = -1}},
	    {"{simple: LEAST_CONN}", {.algorithm = LB_LEAST_REQUEST, .cookie_ttl_ms = -1}},
	    {"{simple: PASSTHROUGH}", {.algorithm = LB_PASSTHROUGH, .cookie_ttl_ms = -1}},
	    {"{consistentHash: {httpHeaderName: x}}",
	     {LB_RING_HASH, HASH_HEADER, .hash_name = "x", .cookie_ttl_ms = -1, .minimum_ring_size = 1024}},
	    {"{consistentHash: {useSourceIp: true, minimumRingSize: 10}}",
	     {LB_RING_HASH, HASH_SOURCE_IP, .cookie_ttl_ms = -1, .minimum_ring_size = 10}},
	    {"{consistentHash: {httpQueryParameterName: q, ringHash: {minimumRingSize: 20}}}",
	     {LB_RING_HASH, HASH_QUERY, .hash_name = "q", .cookie_ttl_ms = -1, .minimum_ring_size = 20}},
	    {"{consistentHash: {httpCookie: {name: c, path: /p, ttl: 0s}, maglev: {tableSize: 65537}}}",
	     {LB_MAGLEV, HASH_COOKIE, .hash_name = "c", .cookie_path = "/p", .cookie_ttl_ms = 0, .table_size = 65537}},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = valid_world(arena_printf(
		    arena, SERVICES RULE("{name: a}", "{host: reviews, trafficPolicy: {loadBalancer: %s}}"),
		    cases[i].in));
		const struct load_balancer *lb = &policy_for(&world, "", 80)->lb, *want = &cases[i].want;
		ck_assert_msg(lb->algorithm == want->algorithm && lb->hash_key == want->hash_key, "%s", cases[i].in);
		ck_assert_msg(text_equal(lb->hash_name, want->hash_name), "%s", cases[i].in);
		ck_assert_msg(text_equal(lb->cookie_path, want->cookie_path), "%s", cases[i].in);
		ck_assert_int_eq(lb->cookie_ttl_ms, want->cookie_ttl_ms);
		ck_assert_uint_eq(lb->minimum_ring_size, want->minimum_ring_size);
		ck_assert_uint_eq(lb->table_size, want->table_size);
		world_done(&world);
	}
}
END_TEST

/* max_connections tells where the pool came from, is_set whether outlier detection is there. */
START_TEST(test_inheritance)
{
	struct world world = valid_world(SERVICES RULE(
	    "{name: a}",
	    "{host: reviews, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}},"
	    " outlierDetection: {interval: 1s},"
	    " portLevelSettings: [{port: {number: 81}, connectionPool: {tcp: {maxConnections: 2}}}]},"
	    "subsets: [{name: plain}, {name: own, trafficPolicy: {connectionPool: {tcp: {maxConnections: 3}}}},"
	    " {name: port, trafficPolicy: {connectionPool: {tcp: {maxConnections: 4}},"
	    " portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]}}]}"));
	static const struct {
		const char *subset;
		uint32_t port;
		int64_t max_connections;
		bool has_outlier;
		enum lb_algorithm algorithm;
	} cases[] = {
	    {"", 80, 1, true, LB_DEFAULT},      {"", 81, 2, false, LB_DEFAULT}, /* a port's settings replace all */
	    {"plain", 80, 1, true, LB_DEFAULT}, {"plain", 81, 2, false, LB_DEFAULT}, {"own", 80, 3, true, LB_DEFAULT},
	    {"own", 81, 3, false, LB_DEFAULT}, /* over what the port has */
	    {"port", 80, -1, false, LB_RANDOM}, {"port", 81, 4, false, LB_DEFAULT},  {"port", 82, 4, true, LB_DEFAULT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct traffic_policy *policy = policy_for(&world, cases[i].subset, cases[i].port);
		ck_assert_msg(policy->pool.max_connections == cases[i].max_connections, "%s:%u has %lld",
		              cases[i].subset, cases[i].port, (long long)policy->pool.max_connections);
		ck_assert_msg(policy->outlier.is_set == cases[i].has_outlier, "%s:%u", cases[i].subset, cases[i].port);
		ck_assert_int_eq(policy->lb.algorithm, cases[i].algorithm);
		ck_assert_int_eq(policy->pool.connect_timeout_ms, world.model->mesh.connect_timeout_ms);
	}
	const struct destination_subset *whole = &world.model->policies[0]->whole;
	ck_assert_uint_eq(whole->ports[whole->n_ports - 1].port, 0);
	world_done(&world);
}
END_TEST

START_TEST(test_merge)
{
	struct world world =
	    valid_world(SERVICES RULE("{name: b, creationTimestamp: '2024-01-01T00:00:00Z'}",
	                              "{host: reviews, subsets: [{name: v1, labels: {v: old}}]}")
	                    RULE("{name: a, creationTimestamp: '2024-01-02T00:00:00Z'}",
	                         "{host: " HOST ", trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}},"
	                         " subsets: [{name: v1, labels: {v: new}}, {name: v2}]}")
	                        RULE("{name: c, creationTimestamp: '2024-01-03T00:00:00Z'}",
	                             "{host: reviews, trafficPolicy: {connectionPool: {tcp: {maxConnections: 2}}}}"));
	ck_assert_uint_eq(world.model->n_policies, 1);
	const struct destination_policy *policy = world.model->policies[0];
	ck_assert_uint_eq(policy->n_subsets, 2);
	ck_assert_str_eq(policy->subsets[0].labels.v[0].value, "old");
	ck_assert_str_eq(policy->subsets[1].name, "v2");
	ck_assert_int_eq(policy_for(&world, "v1", 80)->pool.max_connections, 1);
	ck_assert_str_eq(policy->source.path, "/apis/networking.istio.io/v1/namespaces/default/destination-rule/b");
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.subsets[0]"));
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.trafficPolicy"));
	ck_assert_uint_eq(world.model->report.n, 2);
	world_done(&world);
}
END_TEST

START_TEST(test_apart)
{
	static const struct {
		const char *name, *yaml;
		size_t want;
	} cases[] = {
	    {"other namespaces",
	     RULE("{name: a}", "{host: reviews}") RULE("{name: a, namespace: other}", "{host: " HOST "}"), 2},
	    {"other audiences",
	     RULE("{name: a}", "{host: reviews}") RULE("{name: b}", "{host: reviews, exportTo: [.]}"), 2},
	    {"a selector and none",
	     RULE("{name: a}", "{host: reviews}")
	         RULE("{name: b}", "{host: reviews, workloadSelector: {matchLabels: {a: b}}}"),
	     2},
	    {"other selectors",
	     RULE("{name: a}", "{host: reviews, workloadSelector: {matchLabels: {a: a}}}")
	         RULE("{name: b}", "{host: reviews, workloadSelector: {matchLabels: {a: b}}}"),
	     2},
	    {"one selector",
	     RULE("{name: a}", "{host: reviews, workloadSelector: {matchLabels: {a: b}}}")
	         RULE("{name: b}", "{host: reviews, workloadSelector: {matchLabels: {a: b}}}"),
	     1},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = valid_world(arena_printf(arena, "%s%s", SERVICES, cases[i].yaml));
		ck_assert_msg(world.model->n_policies == cases[i].want, "%s: %zu", cases[i].name,
		              world.model->n_policies);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_rows)
{
	static const struct {
		const char *spec;
		enum report_reason reason;
		const char *field;
	} cases[] = {
	    {"{host: nowhere}", REASON_HOST_NOT_FOUND, "spec.host"},
	    {"{host: '*.nowhere'}", REASON_HOST_NOT_FOUND, "spec.host"},
	    {"{host: reviews, subsets: [{name: v1, trafficPolicy: {tls: {mode: SIMPLE, credentialName: c}}}]}",
	     REASON_NO_EFFECT, "spec.subsets[0].trafficPolicy.tls.credentialName"},
	    {"{host: reviews, trafficPolicy: {loadBalancer: {simple: RANDOM, warmup: {duration: 3s}}}}",
	     REASON_NO_EFFECT, "spec.trafficPolicy.loadBalancer.warmup"},
	    {"{host: reviews, trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer:"
	     " {localityLbSetting: {enabled: true}}}]}}",
	     REASON_NOT_SUPPORTED, "spec.trafficPolicy.portLevelSettings[0].loadBalancer.localityLbSetting"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = valid_world(arena_printf(arena, SERVICES RULE("{name: a}", "%s"), cases[i].spec));
		ck_assert_msg(world_has_row(&world, cases[i].reason, cases[i].field), "%s", cases[i].spec);
		ck_assert_uint_eq(world.model->n_policies, 1);
		world_done(&world);
	}
	struct world world =
	    valid_world(SERVICES RULE("{name: a}", "{host: reviews, trafficPolicy: {tls: {mode: DISABLE}}}")
	                    RULE("{name: b}", "{host: '*.svc.cluster.local'}"));
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

/* ---- which policy a client applies ---- */

static const char *chosen(const struct world *world, const char *node, const char *metadata)
{
	const struct scope *scope = world_scope_with(world, node, metadata);
	const struct scope_service *service = map_get(&scope->services_by_host, HOST);
	return service->policy ? service->policy->source.object->name : "none";
}

START_TEST(test_choice)
{
	static const char other[] = WORLD_SIDECAR_OTHER, own[] = WORLD_SIDECAR;
	static const char root[] = "sidecar~192.0.2.3~client.istio-system~istio-system.svc.cluster.local";
	static const struct {
		const char *name, *yaml, *node, *want;
	} cases[] = {
	    {"none", "", other, "none"},
	    {"the service's namespace", RULE("{name: a}", "{host: reviews}"), other, "a"},
	    {"not exported", RULE("{name: a}", "{host: reviews, exportTo: [.]}"), other, "none"},
	    {"exported to one", RULE("{name: a}", "{host: reviews, exportTo: [other]}"), other, "a"},
	    {"the client's namespace first",
	     RULE("{name: a}", "{host: reviews}") RULE("{name: b, namespace: other}", "{host: '*.local'}"), other, "b"},
	    {"not for others", RULE("{name: b, namespace: other}", "{host: " HOST "}"), own, "none"},
	    {"the most specific host",
	     RULE("{name: a}", "{host: '*.local'}") RULE("{name: b}", "{host: reviews}")
	         RULE("{name: c}", "{host: '*.cluster.local'}"),
	     other, "b"},
	    {"the root namespace last", RULE("{name: r, namespace: istio-system}", "{host: '*.local'}"), other, "r"},
	    {"the service before the root",
	     RULE("{name: r, namespace: istio-system}", "{host: " HOST "}") RULE("{name: a}", "{host: '*.local'}"),
	     other, "a"},
	    {"in the root namespace the same",
	     RULE("{name: r, namespace: istio-system}", "{host: " HOST "}") RULE("{name: a}", "{host: '*.local'}"),
	     root, "a"},
	    {"but not what is for the root alone",
	     RULE("{name: r, namespace: istio-system}", "{host: '*.local', exportTo: [.]}")
	         RULE("{name: a}", "{host: reviews}"),
	     root, "r"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = valid_world(arena_printf(arena, "%s%s", SERVICES, cases[i].yaml));
		ck_assert_msg(text_equal(chosen(&world, cases[i].node, NULL), cases[i].want), "%s: %s", cases[i].name,
		              chosen(&world, cases[i].node, NULL));
		world_done(&world);
	}
}
END_TEST

START_TEST(test_choice_by_selector)
{
	struct world world = valid_world(SERVICES RULE("{name: a}", "{host: reviews}") RULE(
	    "{name: b}", "{host: reviews, workloadSelector: {matchLabels: {app: web}}}"));
	ck_assert_str_eq(chosen(&world, WORLD_SIDECAR, NULL), "a");
	ck_assert_str_eq(chosen(&world, WORLD_SIDECAR, "{'LABELS': {'app': 'web', 'x': 'y'}}"), "b");
	ck_assert_str_eq(chosen(&world, WORLD_SIDECAR_OTHER, "{'LABELS': {'app': 'web'}}"), "a");
	world_done(&world);
}
END_TEST

UNIT_MAIN("resolve_destination_rules", test_fields, test_load_balancer, test_inheritance, test_merge, test_apart,
          test_rows, test_choice, test_choice_by_selector)
