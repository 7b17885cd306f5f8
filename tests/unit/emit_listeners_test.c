#include "tests/unit/emitted.h"

#define MESH                                                                                                           \
	"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: default}\nspec:\n  clusterIP: 10.0.0.1\n"       \
	"  selector: {app: a}\n  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 90}, {name: "     \
	"any, port: 91}]\n---\n"                                                                                       \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: a-1, namespace: default, labels: {app: a}}\n"                     \
	"status: {podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}]}\n---\n"                                                   \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                                                       \
	"metadata: {name: a-1, namespace: default, labels: {kubernetes.io/service-name: a}}\naddressType: IPv4\n"      \
	"ports: [{name: http, port: 8080}, {name: tcp, port: 90}, {name: any, port: 91}]\n"                            \
	"endpoints: [{addresses: [10.1.0.1], targetRef: {kind: Pod, name: a-1, namespace: default}}]\n---\n"
#define NODE_A "sidecar~10.1.0.1~a-1.default~default.svc.cluster.local"

static const char *filter_of(const envoy_filter_chain *chain)
{
	return strrchr(chain->filters[chain->n_filters - 1]->name, '.') + 1;
}

START_TEST(outbound)
{
	struct world world = world_of(MESH);
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_listener *http = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "0.0.0.0_80");
	ck_assert_str_eq(filter_of(http->filter_chains[0]), "http_connection_manager");
	ck_assert_str_eq(http->filter_chains[0]->filter_chain_match->application_protocols[0], "http/1.1");
	ck_assert_str_eq(http->default_filter_chain->name, "PassthroughFilterChain");
	ck_assert(!http->bind_to_port->value);
	ck_assert(http->continue_on_listener_filters_timeout);
	const envoy_http_connection_manager *hcm =
	    EMITTED_ANY(world.arena, envoy_http_connection_manager, http->filter_chains[0]->filters[0]->typed_config);
	ck_assert_str_eq(hcm->stat_prefix, "outbound_0.0.0.0_80;");
	ck_assert_str_eq(hcm->rds->route_config_name, "80");
	ck_assert_str_eq(hcm->http_filters[hcm->n_http_filters - 1]->name, "envoy.filters.http.router");

	const envoy_listener *tcp = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "10.0.0.1_90");
	ck_assert_str_eq(filter_of(tcp->filter_chains[0]), "tcp_proxy");
	ck_assert_ptr_null(tcp->filter_chains[0]->filter_chain_match);
	ck_assert_ptr_null(tcp->default_filter_chain);
	ck_assert_uint_eq(tcp->n_listener_filters, 0); /* nothing waits where the server may speak first */

	const envoy_listener *any = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "10.0.0.1_91");
	ck_assert_str_eq(filter_of(any->filter_chains[0]), "http_connection_manager");
	ck_assert_str_eq(filter_of(any->default_filter_chain), "tcp_proxy");

	const envoy_listener *all = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "virtualOutbound");
	ck_assert(all->use_original_dst->value);
	ck_assert_uint_eq(all->filter_chains[0]->filter_chain_match->destination_port->value, 15001);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(inbound)
{
	struct world world = world_of(MESH);
	struct emitted_config sent = emitted_of(&world, NODE_A, NULL, NULL);
	const envoy_listener *listener = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "virtualInbound");
	static const struct {
		const char *name, *filter;
		uint32_t port;
		bool is_sniffed;
	} chains[] = {
	    {"virtualInbound-blackhole", "tcp_proxy", 15006, false},
	    {"virtualInbound-catchall-http", "http_connection_manager", 0, true},
	    {"virtualInbound", "tcp_proxy", 0, false},
	    {"0.0.0.0_90", "tcp_proxy", 90, false},
	    {"0.0.0.0_91", "http_connection_manager", 91, true},
	    {"0.0.0.0_91", "tcp_proxy", 91, false},
	    {"0.0.0.0_8080", "http_connection_manager", 8080, false},
	};
	ck_assert_uint_eq(listener->n_filter_chains, sizeof chains / sizeof chains[0]);
	for (size_t i = 0; i < listener->n_filter_chains; i++) {
		const envoy_filter_chain *chain = listener->filter_chains[i];
		ck_assert_str_eq(chain->name, chains[i].name);
		ck_assert_str_eq(filter_of(chain), chains[i].filter);
		const envoy_filter_chain_match *match = chain->filter_chain_match;
		ck_assert_uint_eq(match->destination_port ? match->destination_port->value : 0, chains[i].port);
		ck_assert_int_eq(match->n_application_protocols > 0, chains[i].is_sniffed);
	}
	const envoy_listener_filter *inspector = listener->listener_filters[listener->n_listener_filters - 1];
	ck_assert_str_eq(inspector->name, "envoy.filters.listener.http_inspector");
	ck_assert_uint_eq(inspector->filter_disabled->or_match->n_rules, 3); /* 90, 8080 and 15006, but not 91 */
	const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "inbound|8080||");
	ck_assert_str_eq(cluster->upstream_bind_config->source_address->address, "127.0.0.6");
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(interception_modes)
{
	struct world world = world_of(MESH);
	struct emitted_config none = emitted_of(&world, NODE_A, "{'INTERCEPTION_MODE': 'NONE'}", NULL);
	ck_assert_ptr_null(emitted_resource(&none, RESOURCE_LISTENER, "virtualOutbound"));
	ck_assert_ptr_null(emitted_resource(&none, RESOURCE_LISTENER, "virtualInbound"));
	ck_assert_ptr_null(emitted_resource(&none, RESOURCE_CLUSTER, "inbound|8080||"));
	const envoy_listener *bound = EMITTED(&none, envoy_listener, RESOURCE_LISTENER, "127.0.0.1_80");
	ck_assert_ptr_null(bound->bind_to_port);
	ck_assert_ptr_null(bound->filter_chains[0]->filter_chain_match);
	struct emitted_config tproxy = emitted_of(&world, NODE_A, "{'INTERCEPTION_MODE': 'TPROXY'}", NULL);
	const envoy_listener *virtual = EMITTED(&tproxy, envoy_listener, RESOURCE_LISTENER, "virtualInbound");
	ck_assert(virtual->transparent->value);
	ck_assert_str_eq(virtual->listener_filters[1]->name, "envoy.filters.listener.original_src");
	emitted_done(&none);
	emitted_done(&tproxy);
	world_done(&world);
}
END_TEST

#define MESH_CONFIG(text)                                                                                              \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n"        \
	"    " text "\n---\n"

START_TEST(dual_stack_listens_on_both_families)
{
	static const struct {
		const char *name, *yaml, *addresses;
		size_t want;
	} cases[] = {
	    {"both, and the mesh says so",
	     MESH_CONFIG("defaultConfig: {proxyMetadata: {ISTIO_DUAL_STACK: 'true'}}") MESH,
	     "{'INSTANCE_IPS': '10.1.0.1,fd00::1'}", 1},
	    {"both, and the mesh does not", MESH, "{'INSTANCE_IPS': '10.1.0.1,fd00::1'}", 0},
	    {"one", MESH_CONFIG("defaultConfig: {proxyMetadata: {ISTIO_DUAL_STACK: 'true'}}") MESH, NULL, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		struct emitted_config sent = emitted_of(&world, NODE_A, cases[i].addresses, NULL);
		const envoy_listener *in = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "virtualInbound");
		const envoy_listener *out = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "virtualOutbound");
		const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "inbound|8080||");
		ck_assert_msg(in->n_additional_addresses == cases[i].want, "%s", cases[i].name);
		ck_assert_msg(out->n_additional_addresses == cases[i].want, "%s", cases[i].name);
		ck_assert_msg(cluster->upstream_bind_config->n_extra_source_addresses == cases[i].want, "%s",
		              cases[i].name);
		emitted_done(&sent);
		world_done(&world);
	}
}
END_TEST

START_TEST(inbound_traffic_to_the_loopback_address)
{
	struct world world = world_of(MESH_CONFIG("inboundTrafficPolicy: {mode: LOCALHOST}") MESH);
	struct emitted_config sent = emitted_of(&world, NODE_A, NULL, NULL);
	const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER, "inbound|8080||");
	ck_assert_int_eq(cluster->type, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC);
	ck_assert_ptr_null(cluster->upstream_bind_config);
	const envoy_socket_address *address =
	    cluster->load_assignment->endpoints[0]->lb_endpoints[0]->endpoint->address->socket_address;
	ck_assert_str_eq(address->address, "127.0.0.1");
	ck_assert_uint_eq(address->port_value, 8080);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(what_goes_round_in_a_circle_is_not_logged)
{
	struct world world =
	    world_of(MESH_CONFIG("accessLogFile: /dev/stdout\n    accessLogFormat: '%DURATION%'") MESH);
	struct emitted_config sent = emitted_of(&world, NODE_A, NULL, NULL);
	const envoy_listener *out = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "virtualOutbound");
	const envoy_tcp_proxy *black_hole =
	    EMITTED_ANY(world.arena, envoy_tcp_proxy, out->filter_chains[0]->filters[0]->typed_config);
	const envoy_tcp_proxy *catch_all =
	    EMITTED_ANY(world.arena, envoy_tcp_proxy, out->filter_chains[1]->filters[0]->typed_config);
	ck_assert_uint_eq(black_hole->n_access_log, 0);
	ck_assert_uint_eq(catch_all->n_access_log, 1);
	const envoy_stdout_access_log *log =
	    EMITTED_ANY(world.arena, envoy_stdout_access_log, catch_all->access_log[0]->typed_config);
	ck_assert_str_eq(log->log_format->text_format_source->inline_string, "%DURATION%\n");
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(address_ranges_go_beside_http)
{
	struct world world = world_of(
	    MESH "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: r, namespace: default}\n"
	         "spec: {hosts: [ranged.example.com], addresses: [192.0.2.0/24, 198.51.100.7], resolution: NONE,"
	         " ports: [{number: 80, name: tcp, protocol: TCP}]}\n");
	struct emitted_config sent = emitted_of(&world, NODE_A, NULL, NULL);
	const envoy_listener *out = EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "0.0.0.0_80");
	ck_assert_uint_eq(out->n_filter_chains, 2);
	ck_assert_str_eq(filter_of(out->filter_chains[0]), "http_connection_manager");
	ck_assert_str_eq(filter_of(out->filter_chains[1]), "tcp_proxy");
	const envoy_filter_chain_match *match = out->filter_chains[1]->filter_chain_match;
	ck_assert_uint_eq(match->n_prefix_ranges, 1);
	ck_assert_str_eq(match->prefix_ranges[0]->address_prefix, "192.0.2.0");
	ck_assert_uint_eq(match->n_application_protocols, 0);
	ck_assert_str_eq(out->default_filter_chain->name, "PassthroughFilterChain");
	EMITTED(&sent, envoy_listener, RESOURCE_LISTENER, "198.51.100.7_80");
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(gateways_have_nothing_inbound)
{
	struct world world = world_of(MESH);
	struct emitted_config sent =
	    emitted_of(&world, "router~10.1.0.1~a-1.default~default.svc.cluster.local", NULL, NULL);
	ck_assert_uint_eq(sent.workload[RESOURCE_LISTENER]->n, 0);
	ck_assert_uint_eq(sent.workload[RESOURCE_CLUSTER]->n, 0);
	ck_assert_ptr_null(sent.workload[RESOURCE_ROUTE]);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

UNIT_MAIN("emit_listeners", outbound, inbound, interception_modes, dual_stack_listens_on_both_families,
          inbound_traffic_to_the_loopback_address, what_goes_round_in_a_circle_is_not_logged,
          address_ranges_go_beside_http, gateways_have_nothing_inbound)
