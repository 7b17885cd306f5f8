#include "tests/unit/world.h"

#include "translator/view.h"

/* ---- node_parse ---- */

START_TEST(a_node_says_who_it_is)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char metadata[] =
	    "{\"NAMESPACE\": \"shop\", \"INSTANCE_IPS\": \"10.0.0.7,FD00::7\", \"SERVICE_ACCOUNT\": \"cart\","
	    " \"CLUSTER_ID\": \"c1\", \"NETWORK\": \"n1\", \"ISTIO_VERSION\": \"1.23.0\", \"UNPRIVILEGED_POD\": "
	    "\"true\","
	    " \"HTTP10\": \"1\", \"INTERCEPTION_MODE\": \"TPROXY\", \"INBOUND_LISTENER_EXACT_BALANCE\": true,"
	    " \"LABELS\": {\"version\": \"v1\", \"app\": \"cart\"}, \"OTHER\": [1]}";
	struct error error;
	struct node node;
	const struct json *tree = json_parse(arena, metadata, strlen(metadata), &error);
	ck_assert_msg(tree != NULL, "%s", error.message);
	ck_assert_msg(node_parse(arena, "sidecar~10.0.0.7~cart.v1-0.shop~shop.svc.cluster.local", tree, &node, &error),
	              "%s", error.message);
	ck_assert_int_eq(node.role, PROXY_SIDECAR);
	ck_assert_str_eq(node.name, "cart.v1-0");
	ck_assert_str_eq(node.namespace, "shop");
	ck_assert_str_eq(node.domain, "shop.svc.cluster.local");
	ck_assert_uint_eq(node.addresses.n, 2);
	ck_assert_str_eq(node.address, "10.0.0.7");
	ck_assert_str_eq(node.addresses.v[1], "fd00::7");
	ck_assert_str_eq(node.service_account, "cart");
	ck_assert_str_eq(node.cluster_id, "c1");
	ck_assert_str_eq(node.network, "n1");
	ck_assert_str_eq(node.version, "1.23.0");
	ck_assert(node.is_mtls_capable && node.is_unprivileged && node.is_http10 && node.is_inbound_exact_balance);
	ck_assert(!node.is_outbound_exact_balance);
	ck_assert_int_eq(node.interception, INTERCEPT_TPROXY);
	ck_assert_uint_eq(node.labels.n, 2);
	ck_assert_str_eq(node.labels.v[0].key, "app"); /* sorted */
}
END_TEST

START_TEST(networks_are_a_set)
{
	struct world world = world_of("");
	const char *metadata[] = {"{'REQUESTED_NETWORK_VIEW': 'b,a,,b'}", "{'REQUESTED_NETWORK_VIEW': 'a,b'}", NULL};
	struct view *views[3];
	for (size_t i = 0; i < 3; i++) {
		struct node node = world_node(&world, WORLD_SIDECAR, metadata[i]);
		views[i] = view_of(world.arena, world.model, &node);
	}
	ck_assert_uint_eq(views[0]->networks.n, 2);
	ck_assert_str_eq(views[0]->networks.v[0], "a");
	ck_assert(digest_equal(views[0]->key, views[1]->key));
	ck_assert(!digest_equal(views[0]->key, views[2]->key));
	world_done(&world);
}
END_TEST

START_TEST(a_namespace_comes_from_metadata_domain_or_id)
{
	static const struct {
		const char *name, *id, *metadata, *want;
	} cases[] = {
	    {"metadata", "router~1.1.1.1~a.x~y.svc.cluster.local", "{'NAMESPACE': 'z'}", "z"},
	    {"domain", "router~1.1.1.1~a.x~y.svc.cluster.local", NULL, "y"},
	    {"id", "router~1.1.1.1~a.x~", NULL, "x"},
	};
	struct world world = world_of("");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct node node = world_node(&world, cases[i].id, cases[i].metadata);
		ck_assert_msg(strcmp(node.namespace, cases[i].want) == 0, "%s: %s", cases[i].name, node.namespace);
		ck_assert_int_eq(node.role, PROXY_GATEWAY);
	}
	world_done(&world);
}
END_TEST

START_TEST(a_node_that_makes_no_sense_is_refused_with_its_reason)
{
	static const struct {
		const char *id, *metadata, *want;
	} cases[] = {
	    {"", NULL, "is not ROLE~IP~NAME.NAMESPACE~DOMAIN"},
	    {"sidecar~1.1.1.1~a.b", NULL, "is not ROLE~IP~NAME.NAMESPACE~DOMAIN"},
	    {"sidecar~1.1.1.1~a.b~c~d", NULL, "is not ROLE~IP~NAME.NAMESPACE~DOMAIN"},
	    {"waypoint~1.1.1.1~a.b~c.d", NULL, "\"waypoint\" are not served"},
	    {"sidecar~nowhere~a.b~c.d", NULL, "\"nowhere\" is no IP address"},
	    {"sidecar~1.1.1.1~a~", NULL, "names a namespace"},
	    {"sidecar~1.1.1.1~a.b~c.d", "{\"LABELS\": 1}", "LABELS: expected an object"},
	    {"sidecar~1.1.1.1~a.b~c.d", "{\"LABELS\": {\"a\": 1}}", "LABELS[a]: expected a string"},
	    {"sidecar~1.1.1.1~a.b~c.d", "{\"NAMESPACE\": 1}", "NAMESPACE: expected a string"},
	    {"sidecar~1.1.1.1~a.b~c.d", "{\"HTTP10\": 1}", "HTTP10: expected a string"},
	    {"sidecar~1.1.1.1~a.b~c.d", "{\"ENVOY_STATUS_PORT\": 65536}", "ENVOY_STATUS_PORT: expected a port"},
	    {"sidecar~1.1.1.1~a.b~c.d", "{\"ENVOY_STATUS_PORT\": \"x\"}", "ENVOY_STATUS_PORT: expected a port"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error;
		struct node node;
		const struct json *tree = NULL;
		if (cases[i].metadata)
			tree = json_parse(arena, cases[i].metadata, strlen(cases[i].metadata), &error);
		ck_assert_msg(!node_parse(arena, cases[i].id, tree, &node, &error), "%s", cases[i].id);
		ck_assert_msg(strstr(error.message, cases[i].want) != NULL, "%s: %s", cases[i].id, error.message);
	}
}
END_TEST

/* ---- keys ---- */

static const char two_pods[] = "apiVersion: v1\n"
                               "kind: Pod\n"
                               "metadata: {name: a-1, namespace: shop, labels: {app: a, rev: x}}\n"
                               "status: {podIP: 10.0.0.1}\n"
                               "---\n"
                               "apiVersion: v1\n"
                               "kind: Pod\n"
                               "metadata: {name: a-2, namespace: shop, labels: {app: a, rev: x}}\n"
                               "status: {podIP: 10.0.0.2}\n"
                               "---\n"
                               "apiVersion: v1\n"
                               "kind: Service\n"
                               "metadata: {name: a, namespace: shop}\n"
                               "spec: {clusterIP: 10.9.0.1, ports: [{port: 80, name: http}]}\n"
                               "---\n"
                               "apiVersion: discovery.k8s.io/v1\n"
                               "kind: EndpointSlice\n"
                               "metadata: {name: a-x, namespace: shop, labels: {kubernetes.io/service-name: a}}\n"
                               "addressType: IPv4\n"
                               "endpoints:\n"
                               "- {addresses: [10.0.0.1], conditions: {ready: true}}\n"
                               "- {addresses: [10.0.0.2], conditions: {ready: false}}\n"
                               "ports: [{name: http, port: 8080}]\n";

static struct digest view_key(const struct world *world, const char *id, const char *metadata)
{
	struct node node = world_node(world, id, metadata);
	return view_of(world->arena, world->model, &node)->key;
}

START_TEST(sidecars_of_a_namespace_share_a_view)
{
	struct world world = world_of(two_pods);
	struct digest key = view_key(&world, "sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local", NULL);
	static const struct {
		const char *name, *id, *metadata;
		bool is_shared;
	} cases[] = {
	    {"another pod", "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local", "{'LABELS': {'x': 'y'}}", true},
	    {"another namespace", "sidecar~10.0.0.2~a-2.b~b.svc.cluster.local", NULL, false},
	    {"a gateway", "router~10.0.0.2~a-2.shop~shop.svc.cluster.local", NULL, false},
	    {"a status port", "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local", "{'ENVOY_STATUS_PORT': 15021}",
	     false},
	    {"another family", "sidecar~fd00::1~a-2.shop~shop.svc.cluster.local", NULL, false},
	    {"unprivileged", "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local", "{'UNPRIVILEGED_POD': 'true'}", false},
	    {"no redirection", "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local", "{'INTERCEPTION_MODE': 'NONE'}",
	     false},
	    {"HTTP/1.0", "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local", "{'HTTP10': '1'}", false},
	    {"balance", "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local",
	     "{'OUTBOUND_LISTENER_EXACT_BALANCE': 'true'}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(digest_equal(view_key(&world, cases[i].id, cases[i].metadata), key) == cases[i].is_shared,
		              "%s", cases[i].name);
	world_done(&world);
}
END_TEST

START_TEST(replicas_share_a_workload_class_ready_or_not)
{
	struct world world = world_of(two_pods);
	const struct workload_class *one = world_workload(&world, "sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local");
	const struct workload_class *two = world_workload(&world, "sidecar~10.0.0.2~a-2.shop~shop.svc.cluster.local");
	ck_assert(digest_equal(one->key, two->key));
	ck_assert_uint_eq(one->n_ports, 1);
	ck_assert_uint_eq(one->ports[0].port, 8080);
	ck_assert_int_eq(one->ports[0].protocol, PROTOCOL_HTTP);
	ck_assert_str_eq(one->ports[0].service->hostname, "a.shop.svc.cluster.local");
	ck_assert_uint_eq(one->ports[0].service_port->number, 80);
	const struct workload_class *other = world_workload(&world, "sidecar~10.0.0.9~z.shop~shop.svc.cluster.local");
	ck_assert_uint_eq(other->n_ports, 0);
	ck_assert(!digest_equal(one->key, other->key));
	world_done(&world);
}
END_TEST

START_TEST(labels_come_from_the_registry_before_the_proxy)
{
	struct world world = world_of(two_pods);
	struct node node =
	    world_node(&world, "router~10.0.0.1~a-1.shop~shop.svc.cluster.local", "{'LABELS': {'app': 'old'}}");
	const struct view *view = view_of(world.arena, world.model, &node);
	ck_assert_uint_eq(view->labels.n, 2);
	ck_assert_str_eq(view->labels.v[0].value, "a");
	ck_assert_uint_eq(view->n_gateway_ports, 1);
	ck_assert_uint_eq(view->gateway_ports[0].number, 80);
	ck_assert_uint_eq(view->gateway_ports[0].target, 8080);
	/* an address of another namespace's pod proves nothing */
	node = world_node(&world, "router~10.0.0.1~a-1.other~other.svc.cluster.local", "{'LABELS': {'app': 'mine'}}");
	view = view_of(world.arena, world.model, &node);
	ck_assert_uint_eq(view->labels.n, 1);
	ck_assert_str_eq(view->labels.v[0].value, "mine");
	world_done(&world);
}
END_TEST

START_TEST(the_oldest_service_names_an_inbound_port)
{
	struct world world =
	    world_of("apiVersion: v1\nkind: Service\n"
	             "metadata: {name: a-young, creationTimestamp: '2024-01-02T00:00:00Z'}\n"
	             "spec: {clusterIP: 10.9.0.1, ports: [{port: 80, name: http}]}\n"
	             "---\n"
	             "apiVersion: v1\nkind: Service\n"
	             "metadata: {name: z-old, creationTimestamp: '2024-01-01T00:00:00Z'}\n"
	             "spec: {clusterIP: 10.9.0.2, ports: [{port: 90, name: tcp}, {port: 91, name: tcp-b}]}\n"
	             "---\n"
	             "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a-young}\n"
	             "subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{name: http, port: 8080}]}]\n"
	             "---\n"
	             "apiVersion: v1\nkind: Endpoints\nmetadata: {name: z-old}\n"
	             "subsets: [{addresses: [{ip: 10.0.0.1}],"
	             " ports: [{name: tcp, port: 8080}, {name: tcp-b, port: 8081}]}]\n");
	const struct workload_class *workload =
	    world_workload(&world, "sidecar~10.0.0.1~a.default~default.svc.cluster.local");
	ck_assert_uint_eq(workload->n_ports, 2);
	ck_assert_uint_eq(workload->ports[0].port, 8080);
	ck_assert_int_eq(workload->ports[0].protocol, PROTOCOL_TCP);
	ck_assert_str_eq(workload->ports[0].service->name, "z-old");
	ck_assert_uint_eq(workload->ports[0].n_services, 2);
	ck_assert_ptr_eq(workload->ports[0].services[0], workload->ports[0].service);
	ck_assert_str_eq(workload->ports[0].services[1]->name, "a-young");
	ck_assert_uint_eq(workload->ports[1].port, 8081);
	ck_assert_uint_eq(workload->ports[1].n_services, 1);
	world_done(&world);
}
END_TEST

START_TEST(an_agent_makes_a_view_of_its_own)
{
	static const char id[] = "sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local";
	struct world world = world_of(two_pods);
	struct node without = world_node(&world, id, NULL), with = world_node(&world, id, "{'ISTIO_VERSION': '1.0.0'}");
	const struct view *plain = view_of(world.arena, world.model, &without);
	const struct view *capable = view_of(world.arena, world.model, &with);
	ck_assert(!plain->is_mtls_capable && capable->is_mtls_capable);
	ck_assert(!digest_equal(plain->key, capable->key));
	ck_assert(workload_class_of(world.arena, world.model, &with)->is_mtls_capable);
	ck_assert(!digest_equal(workload_class_of(world.arena, world.model, &without)->key,
	                        workload_class_of(world.arena, world.model, &with)->key));
	world_done(&world);
}
END_TEST

/* Of the pods above. */
#define POLICY                                                                                                         \
	"---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, namespace: shop}\n"      \
	"spec: {selector: {matchLabels: {app: a}}, %s}\n"

static struct world world_with_policy(const char *spec)
{
	CLEANUP(text_done) struct text yaml = {0};
	text_printf(&yaml, "%s" POLICY, two_pods, spec);
	return world_of(text_get(&yaml));
}

START_TEST(a_workload_class_knows_the_modes_of_its_ports)
{
	struct world world = world_with_policy("mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}, "
	                                       "9000: {mode: PERMISSIVE}, 9001: {mode: STRICT}, 9002: {}}");
	ck_assert_uint_eq(world.issues.n, 0);
	const struct workload_class *workload =
	    world_workload(&world, "sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local");
	ck_assert_int_eq(workload->mtls_mode, MTLS_STRICT);
	ck_assert_uint_eq(workload->n_ports, 1);
	ck_assert_int_eq(workload->ports[0].mtls_mode, MTLS_DISABLE);
	ck_assert_uint_eq(workload->n_other_ports, 1); /* the others are as all */
	ck_assert_uint_eq(workload->other_ports[0].port, 9000);
	ck_assert_int_eq(workload->other_ports[0].mode, MTLS_PERMISSIVE);
	world_done(&world);
}
END_TEST

START_TEST(each_mode_is_part_of_the_key)
{
	static const char *const specs[] = {
	    "mtls: {}",
	    "mtls: {mode: STRICT}",
	    "portLevelMtls: {8080: {mode: STRICT}}",
	    "portLevelMtls: {9000: {mode: STRICT}}",
	    "portLevelMtls: {9000: {mode: DISABLE}}",
	    "portLevelMtls: {9001: {mode: DISABLE}}",
	};
	struct digest keys[sizeof specs / sizeof specs[0]];
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
		struct world world = world_with_policy(specs[i]);
		keys[i] = world_workload(&world, "sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local")->key;
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(!digest_equal(keys[i], keys[j]), "%s, %s", specs[j], specs[i]);
		world_done(&world);
	}
}
END_TEST

UNIT_MAIN("view", a_node_says_who_it_is, networks_are_a_set, a_namespace_comes_from_metadata_domain_or_id,
          a_node_that_makes_no_sense_is_refused_with_its_reason, sidecars_of_a_namespace_share_a_view,
          replicas_share_a_workload_class_ready_or_not, labels_come_from_the_registry_before_the_proxy,
          the_oldest_service_names_an_inbound_port, an_agent_makes_a_view_of_its_own,
          a_workload_class_knows_the_modes_of_its_ports, each_mode_is_part_of_the_key)
