#include "tests/unit/world.h"

#define NODE_AND_POD                                                                                                   \
	"apiVersion: v1\nkind: Node\n"                                                                                 \
	"metadata: {name: n1, labels: {topology.kubernetes.io/region: r1, topology.kubernetes.io/zone: z1}}\n"         \
	"---\n"                                                                                                        \
	"apiVersion: v1\nkind: Pod\n"                                                                                  \
	"metadata: {name: a-7d9-x1, labels: {app: a, pod-template-hash: 7d9}}\n"                                       \
	"spec: {nodeName: n1, serviceAccountName: sa-a}\n"                                                             \
	"status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}\n"                                                        \
	"---\n"
#define SERVICE_A                                                                                                      \
	"apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"                                                         \
	"spec: {clusterIP: 10.9.0.1, selector: {app: a}, ports: [{port: 80, name: http, targetPort: web},"             \
	" {port: 53, name: dns, protocol: UDP}]}\n---\n"
#define SLICE_OF_A "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"

static const char host_a[] = "a.default.svc.cluster.local";

START_TEST(a_service_with_its_pods)
{
	struct world world = world_of(NODE_AND_POD SERVICE_A SLICE_OF_A
	                              "metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\n"
	                              "endpoints: [{addresses: [10.0.0.1], targetRef: {kind: Pod, name: a-7d9-x1}}]\n"
	                              "ports: [{name: http, port: 8080}]\n");
	ck_assert_uint_eq(world.issues.n, 0);
	const struct service *service = world_service(&world, host_a);
	ck_assert(service->is_kubernetes && !service->is_external && !service->is_headless);
	ck_assert_int_eq(service->resolution, SERVICE_STATIC);
	ck_assert(service->visibility.is_public);
	ck_assert_str_eq(service->addresses.v[0], "10.9.0.1");
	ck_assert_uint_eq(service->n_ports, 1); /* UDP is not ours */
	const struct service_port *port = world_port(&world, host_a, 80);
	ck_assert_int_eq(port->protocol, PROTOCOL_HTTP);
	ck_assert_uint_eq(port->n_endpoints, 1);
	const struct endpoint *endpoint = &port->endpoints[0];
	ck_assert_str_eq(endpoint->address, "10.0.0.1");
	ck_assert_uint_eq(endpoint->port, 8080);
	ck_assert_str_eq(endpoint->locality.region, "r1");
	ck_assert_str_eq(endpoint->locality.zone, "z1");
	ck_assert_str_eq(endpoint->locality.sub_zone, "");
	ck_assert_str_eq(endpoint->workload, "a"); /* the Deployment's name */
	ck_assert_str_eq(endpoint->namespace, "default");
	ck_assert_str_eq(endpoint->service_account, "sa-a");
	static const struct label labels[] = {
	    {"app", "a"},
	    {"kubernetes.io/hostname", "n1"},
	    {"pod-template-hash", "7d9"},
	    {"topology.kubernetes.io/region", "r1"},
	    {"topology.kubernetes.io/zone", "z1"},
	};
	ck_assert_uint_eq(endpoint->labels.n, sizeof labels / sizeof labels[0]);
	for (size_t i = 0; i < endpoint->labels.n; i++) {
		ck_assert_str_eq(endpoint->labels.v[i].key, labels[i].key);
		ck_assert_str_eq(endpoint->labels.v[i].value, labels[i].value);
	}
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

START_TEST(endpoints_are_labelled_with_their_place)
{
	struct world world = world_of(
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e}\n"
	    "spec: {hosts: [e.example.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],"
	    " endpoints: [{address: 10.3.0.1, locality: r/z/s, network: net, labels: {topology.kubernetes.io/zone: own,"
	    " version: v1}}, {address: 10.3.0.2, labels: {a: b}}]}\n");
	const struct service_port *port = world_port(&world, "e.example.com", 80);
	ck_assert_uint_eq(port->n_endpoints, 2);
	ck_assert_uint_eq(port->endpoints[0].labels.n, 1); /* no place is known */
	static const struct label labels[] = {
	    {"topology.istio.io/network", "net"},
	    {"topology.istio.io/subzone", "s"},
	    {"topology.kubernetes.io/region", "r"},
	    {"topology.kubernetes.io/zone", "z"}, /* not what it says itself */
	    {"version", "v1"},
	};
	const struct labels *got = &port->endpoints[1].labels;
	ck_assert_uint_eq(got->n, sizeof labels / sizeof labels[0]);
	for (size_t i = 0; i < got->n; i++) {
		ck_assert_str_eq(got->v[i].key, labels[i].key);
		ck_assert_str_eq(got->v[i].value, labels[i].value);
	}
	world_done(&world);
}
END_TEST

/* Which addresses get traffic. */
static const char *addresses_of(struct world *world, const struct service_port *port)
{
	const char *all = "";
	for (size_t i = 0; i < port->n_endpoints; i++)
		all = arena_printf(world->arena, "%s%s%s:%u%s", all, *all ? " " : "", port->endpoints[i].address,
		                   port->endpoints[i].port, port->endpoints[i].health == ENDPOINT_HEALTHY ? "" : "!");
	return all;
}

START_TEST(conditions_decide_who_gets_traffic)
{
	static const struct {
		const char *name, *spec, *labels, *conditions, *want;
	} cases[] = {
	    {"ready", "", "", "ready: true", "10.0.0.1:8080"},
	    {"unsaid is ready", "", "", "", "10.0.0.1:8080"},
	    {"not ready", "", "", "ready: false", ""},
	    {"not ready but published", ", publishNotReadyAddresses: true", "", "ready: false", "10.0.0.1:8080"},
	    {"terminating", "", "", "ready: false, serving: true, terminating: true", ""},
	    {"terminating with sessions", "", "istio.io/persistent-session: c",
	     "ready: false, serving: true, terminating: true", "10.0.0.1:8080!"},
	    {"failed with sessions", "", "istio.io/persistent-session: c",
	     "ready: false, serving: false, terminating: true", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(text_done) struct text yaml = {0};
		text_printf(
		    &yaml,
		    "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {%s}}\n"
		    "spec: {clusterIP: 10.9.0.1, ports: [{port: 80, name: http}]%s}\n---\n" SLICE_OF_A
		    "metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\n"
		    "endpoints: [{addresses: [10.0.0.1], conditions: {%s}}]\nports: [{name: http, port: 8080}]\n",
		    cases[i].labels, cases[i].spec, cases[i].conditions);
		struct world world = world_of(text_get(&yaml));
		const char *got = addresses_of(&world, world_port(&world, host_a, 80));
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s: \"%s\"", cases[i].name, got);
		/* whoever serves knows it */
		ck_assert_uint_eq(
		    world_workload(&world, "sidecar~10.0.0.1~a.default~default.svc.cluster.local")->n_ports, 1);
		world_done(&world);
	}
}
END_TEST

START_TEST(endpoints_of_several_slices_are_one_sorted_list)
{
	struct world world = world_of(
	    SERVICE_A SLICE_OF_A "metadata: {name: a-2, labels: {kubernetes.io/service-name: a}}\n"
	                         "endpoints: [{addresses: [10.0.0.3, 10.0.0.1]}]\nports: [{name: http, port: 9090}]\n"
	                         "---\n" SLICE_OF_A "metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\n"
	                         "endpoints: [{addresses: [10.0.0.2]}, {addresses: [10.0.0.1]}]\n"
	                         "ports: [{name: http, port: 9090}, {name: other, port: 1}, {name: dns, port: 53, "
	                         "protocol: UDP}]\n---\n" SLICE_OF_A
	                         "metadata: {name: b, namespace: x, labels: {kubernetes.io/service-name: a}}\n"
	                         "endpoints: [{addresses: [10.0.0.9]}]\nports: [{name: http, port: 9090}]\n");
	ck_assert_str_eq(addresses_of(&world, world_port(&world, host_a, 80)),
	                 "10.0.0.1:9090 10.0.0.2:9090 10.0.0.3:9090");
	world_done(&world);
}
END_TEST

START_TEST(endpoints_objects_count_only_without_slices)
{
	static const char endpoints[] = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n"
	                                "subsets: [{addresses: [{ip: 10.0.0.5}], notReadyAddresses: [{ip: 10.0.0.6}],"
	                                " ports: [{name: http, port: 8080}]}]\n";
	CLEANUP(text_done) struct text no_slice = {0};
	text_printf(&no_slice, "%s%s", SERVICE_A, endpoints);
	struct world without = world_of(text_get(&no_slice));
	ck_assert_str_eq(addresses_of(&without, world_port(&without, host_a, 80)), "10.0.0.5:8080");
	world_done(&without);
	CLEANUP(text_done) struct text yaml = {0};
	text_printf(&yaml, "%s%s---\n%s", SERVICE_A, endpoints,
	            SLICE_OF_A "metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\n"
	                       "endpoints: [{addresses: [10.0.0.1]}]\nports: [{name: http, port: 8080}]\n");
	struct world with = world_of(text_get(&yaml));
	ck_assert_str_eq(addresses_of(&with, world_port(&with, host_a, 80)), "10.0.0.1:8080");
	world_done(&with);
}
END_TEST

START_TEST(an_endpoint_change_leaves_the_service_digest)
{
	static const char slice[] = SLICE_OF_A "metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\n"
	                                       "endpoints: [{addresses: [%s]}]\nports: [{name: http, port: 8080}]\n";
	struct service services[2];
	struct service_port ports[2];
	struct world worlds[2];
	static const char *const addresses[] = {"10.0.0.1", "10.0.0.2"};
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(text_done) struct text yaml = {0};
		text_add(&yaml, SERVICE_A);
		text_printf(&yaml, slice, addresses[i]);
		worlds[i] = world_of(text_get(&yaml));
		services[i] = *world_service(&worlds[i], host_a);
		ports[i] = *world_port(&worlds[i], host_a, 80);
	}
	ck_assert(digest_equal(services[0].digest, services[1].digest));
	ck_assert(!digest_equal(ports[0].endpoints_digest, ports[1].endpoints_digest));
	world_done(&worlds[0]);
	world_done(&worlds[1]);
}
END_TEST

START_TEST(kinds_of_services)
{
	struct world world =
	    world_of("apiVersion: v1\nkind: Service\nmetadata: {name: headless}\n"
	             "spec: {clusterIP: None, ports: [{port: 80, name: http}]}\n---\n"
	             "apiVersion: v1\nkind: Service\nmetadata: {name: alias}\n"
	             "spec: {type: ExternalName, externalName: Example.com, ports: [{port: 80}]}\n---\n"
	             "apiVersion: v1\nkind: Service\n"
	             "metadata: {name: private, annotations: {networking.istio.io/exportTo: '., team'}}\n"
	             "spec: {clusterIPs: [10.9.0.1, 'FD00::1'], ports: [{port: 80, name: http}]}\n");
	const struct service *headless = world_service(&world, "headless.default.svc.cluster.local");
	ck_assert(headless->is_headless);
	ck_assert_int_eq(headless->resolution, SERVICE_ORIGINAL_DST);
	ck_assert_uint_eq(headless->addresses.n, 0);
	const struct service *alias = world_service(&world, "alias.default.svc.cluster.local");
	ck_assert_int_eq(alias->resolution, SERVICE_ALIAS);
	ck_assert_str_eq(alias->alias, "example.com");
	const struct service *hidden = world_service(&world, "private.default.svc.cluster.local");
	ck_assert_uint_eq(hidden->addresses.n, 2);
	ck_assert_str_eq(hidden->addresses.v[1], "fd00::1");
	ck_assert(!hidden->visibility.is_public);
	ck_assert(visibility_allows(&hidden->visibility, "default"));
	ck_assert(visibility_allows(&hidden->visibility, "team"));
	ck_assert(!visibility_allows(&hidden->visibility, "other"));
	world_done(&world);
}
END_TEST

START_TEST(a_pod_that_ended_gives_nothing)
{
	struct world world =
	    world_of(SERVICE_A "apiVersion: v1\nkind: Pod\nmetadata: {name: old, labels: {app: old}}\n"
	                       "status: {phase: Succeeded, podIP: 10.0.0.1}\n---\n" SLICE_OF_A
	                       "metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\n"
	                       "endpoints: [{addresses: [10.0.0.1]}]\nports: [{name: http, port: 8080}]\n");
	ck_assert_uint_eq(world_port(&world, host_a, 80)->endpoints[0].labels.n, 0);
	ck_assert_uint_eq(world.model->n_workloads, 0);
	world_done(&world);
}
END_TEST

/* ---- service entries ---- */

#define ENTRY(name) "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " name "}\n"

START_TEST(service_entries_by_resolution)
{
	static const struct {
		const char *name, *spec;
		enum service_resolution resolution;
		bool is_external;
		const char *want;
	} cases[] = {
	    {"static", "resolution: STATIC, endpoints: [{address: 10.1.0.1}, {address: 10.1.0.2, ports: {http: 81}}]",
	     SERVICE_STATIC, true, "10.1.0.1:80 10.1.0.2:81"},
	    {"static with a target port",
	     "resolution: STATIC, location: MESH_INTERNAL, endpoints: [{address: 10.1.0.1}]", SERVICE_STATIC, false,
	     "10.1.0.1:80"},
	    {"a Unix socket", "resolution: STATIC, endpoints: [{address: 'unix:///run/x.sock'}]", SERVICE_STATIC, true,
	     "/run/x.sock:0"},
	    {"DNS of its own name", "resolution: DNS", SERVICE_DNS, true, "api.example.com:80"},
	    {"DNS of other names", "resolution: DNS, endpoints: [{address: b.example.com}, {address: a.example.com}]",
	     SERVICE_DNS, true, "a.example.com:80 b.example.com:80"},
	    {"round robin", "resolution: DNS_ROUND_ROBIN", SERVICE_DNS_LOGICAL, true, "api.example.com:80"},
	    {"none", "resolution: NONE", SERVICE_ORIGINAL_DST, true, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(text_done) struct text yaml = {0};
		text_printf(
		    &yaml,
		    ENTRY("e") "spec: {hosts: [API.example.com], ports: [{number: 80, name: http, protocol: HTTP}],"
		               " %s}\n",
		    cases[i].spec);
		struct world world = world_of(text_get(&yaml));
		const struct service *service = world_service(&world, "api.example.com");
		ck_assert_msg(service->resolution == cases[i].resolution, "%s", cases[i].name);
		ck_assert_msg(service->is_external == cases[i].is_external, "%s", cases[i].name);
		const char *got = addresses_of(&world, world_port(&world, "api.example.com", 80));
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s: \"%s\"", cases[i].name, got);
		world_done(&world);
	}
}
END_TEST

START_TEST(a_service_entry_selects_workload_entries_and_ready_pods)
{
	struct world world = world_of(
	    ENTRY("e") "spec: {hosts: [db.internal], location: MESH_INTERNAL, resolution: STATIC,"
	               " workloadSelector: {labels: {app: db}},"
	               " ports: [{number: 3306, name: tcp, protocol: TCP, targetPort: 3307}]}\n---\n"
	               "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: vm}\n"
	               "spec: {address: 10.2.0.1, labels: {app: db}, ports: {tcp: 3308}, weight: 5, serviceAccount: sa,"
	               " locality: r/z/s}\n---\n"
	               "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: vm2}\n"
	               "spec: {address: 10.2.0.2, labels: {app: web}}\n---\n"
	               "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: vm, namespace: far}\n"
	               "spec: {address: 10.2.0.3, labels: {app: db}}\n---\n"
	               "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: db}}\n"
	               "status: {podIP: 10.2.0.4, conditions: [{type: Ready, status: 'True'}]}\n---\n"
	               "apiVersion: v1\nkind: Pod\nmetadata: {name: q, labels: {app: db}}\n"
	               "status: {podIP: 10.2.0.5, conditions: [{type: Ready, status: 'False'}]}\n");
	const struct service_port *port = world_port(&world, "db.internal", 3306);
	ck_assert_str_eq(addresses_of(&world, port), "10.2.0.4:3307 10.2.0.1:3308"); /* by locality first */
	const struct endpoint *vm = &port->endpoints[1];
	ck_assert_uint_eq(vm->weight, 5);
	ck_assert_str_eq(vm->service_account, "sa");
	ck_assert_str_eq(vm->locality.sub_zone, "s");
	ck_assert_str_eq(vm->workload, "vm");
	const struct workload_class *served =
	    world_workload(&world, "sidecar~10.2.0.1~vm.default~default.svc.cluster.local");
	ck_assert_uint_eq(served->n_ports, 1);
	ck_assert_uint_eq(served->ports[0].port, 3308);
	ck_assert_uint_eq(served->labels.n, 1);
	world_done(&world);
}
END_TEST

START_TEST(a_kubernetes_service_selects_workload_entries)
{
	struct world world =
	    world_of(SERVICE_A "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: vm}\n"
	                       "spec: {address: 10.2.0.1, labels: {app: a}, ports: {http: 8081}}\n---\n"
	                       "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: vm2}\n"
	                       "spec: {address: 10.2.0.2, labels: {app: a}, ports: {web: 8082}}\n---\n"
	                       "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: vm3}\n"
	                       "spec: {address: 10.2.0.3, labels: {app: a}}\n");
	/* vm3 does not say where "web" is */
	ck_assert_str_eq(addresses_of(&world, world_port(&world, host_a, 80)), "10.2.0.1:8081 10.2.0.2:8082");
	world_done(&world);
}
END_TEST

START_TEST(entries_with_one_host_make_one_service)
{
	struct world world = world_of(
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: young, creationTimestamp: '2024-01-02T00:00:00Z'}\n"
	    "spec: {hosts: [x.example.com], resolution: STATIC, addresses: [10.8.0.2],"
	    " ports: [{number: 80, name: http, protocol: TCP}, {number: 81, name: b, protocol: TCP}],"
	    " endpoints: [{address: 10.1.0.2}]}\n---\n"
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: old, creationTimestamp: '2024-01-01T00:00:00Z'}\n"
	    "spec: {hosts: [x.example.com], resolution: STATIC, addresses: [10.8.0.1],"
	    " ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.1.0.1}]}\n---\n"
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: zother, creationTimestamp: '2024-01-03T00:00:00Z'}\n"
	    "spec: {hosts: [x.example.com], resolution: DNS, ports: [{number: 82, name: http, protocol: HTTP}]}\n");
	const struct service *service = world_service(&world, "x.example.com");
	ck_assert_uint_eq(world.model->n_services, 1);
	ck_assert_uint_eq(service->n_ports, 2);
	ck_assert_uint_eq(service->addresses.n, 2);
	ck_assert_str_eq(service->addresses.v[0], "10.8.0.1");
	ck_assert_int_eq(world_port(&world, "x.example.com", 80)->protocol, PROTOCOL_HTTP);
	ck_assert_str_eq(addresses_of(&world, world_port(&world, "x.example.com", 80)), "10.1.0.1:80 10.1.0.2:80");
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.ports[0].protocol"));
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.hosts[0]"));
	world_done(&world);
}
END_TEST

START_TEST(a_service_entry_does_not_take_a_kubernetes_name)
{
	struct world world =
	    world_of(SERVICE_A ENTRY("e") "spec: {hosts: [a.default.svc.cluster.local],"
	                                  " ports: [{number: 80, name: http, protocol: HTTP}],"
	                                  " resolution: STATIC, endpoints: [{address: 10.1.0.1}]}\n---\n"
	                                  "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	                                  "metadata: {name: squatter, namespace: evil}\n"
	                                  "spec: {hosts: [a.default.svc.cluster.local],"
	                                  " ports: [{number: 80, name: http, protocol: HTTP}],"
	                                  " resolution: STATIC, endpoints: [{address: 10.1.0.1}]}\n");
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.hosts[0]"));
	ck_assert(world_service(&world, host_a)->is_kubernetes);
	const struct scope *other = world_scope(&world, WORLD_SIDECAR_OTHER);
	const struct scope_service *seen = map_get(&other->services_by_host, host_a);
	ck_assert(seen && seen->service->is_kubernetes);
	const struct scope *evil = world_scope(&world, "sidecar~192.0.2.3~x.evil~evil.svc.cluster.local");
	seen = map_get(&evil->services_by_host, host_a);
	ck_assert(seen && !seen->service->is_kubernetes);
	world_done(&world);
}
END_TEST

/* ---- the mesh ---- */

#define MESH(text)                                                                                                     \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n" text

START_TEST(a_mesh_has_defaults)
{
	struct world world = world_of("");
	const struct mesh *mesh = &world.model->mesh;
	ck_assert_str_eq(mesh->root_namespace, WORLD_ROOT_NAMESPACE);
	ck_assert_str_eq(mesh->trust_domain, "cluster.local");
	ck_assert_uint_eq(mesh->trust_domains.n, 1);
	ck_assert_str_eq(mesh->trust_domains.v[0], "cluster.local");
	ck_assert(mesh->is_outbound_allowed && mesh->is_path_normalized && mesh->has_retry_default);
	ck_assert(!mesh->is_merge_slashes && !mesh->access_log_file);
	ck_assert(!mesh->is_inbound_loopback && !mesh->is_dual_stack && !mesh->keepalive.is_set);
	ck_assert_int_eq(mesh->connect_timeout_ms, 10000);
	ck_assert_int_eq(mesh->dns_refresh_ms, 60000);
	ck_assert_uint_eq(mesh->outbound_port, 15001);
	ck_assert_uint_eq(mesh->inbound_port, 15006);
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

START_TEST(mesh_config_changes_them)
{
	struct world world = world_of(MESH("    outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n"
	                                   "    connectTimeout: 3s\n"
	                                   "    accessLogFile: /dev/stdout\n"
	                                   "    accessLogEncoding: JSON\n"
	                                   "    trustDomain: example.org\n"
	                                   "    meshMTLS: {minProtocolVersion: TLSV1_3}\n"
	                                   "    trustDomainAliases: [example.org, old.example.org]\n"
	                                   "    pathNormalization: {normalization: MERGE_SLASHES}\n"
	                                   "    defaultHttpRetryPolicy: {attempts: 0}\n"
	                                   "    defaultServiceExportTo: ['.']\n"
	                                   "    inboundTrafficPolicy: {mode: LOCALHOST}\n"
	                                   "    tcpKeepalive: {time: 11s, probes: 3}\n"
	                                   "    defaultConfig: {proxyMetadata: {ISTIO_DUAL_STACK: 'true'}}\n"
	                                   "    rootNamespace: root\n") "---\n" SERVICE_A);
	const struct mesh *mesh = &world.model->mesh;
	ck_assert(!mesh->is_outbound_allowed && !mesh->has_retry_default && mesh->is_merge_slashes);
	ck_assert_int_eq(mesh->connect_timeout_ms, 3000);
	ck_assert_str_eq(mesh->access_log_file, "/dev/stdout");
	ck_assert(mesh->is_access_log_json);
	ck_assert(mesh->is_inbound_loopback && mesh->is_dual_stack && mesh->keepalive.is_set);
	ck_assert_uint_eq(mesh->keepalive.time_s, 11);
	ck_assert_uint_eq(mesh->keepalive.probes, 3);
	ck_assert_uint_eq(mesh->keepalive.interval_s, 0);
	ck_assert_str_eq(mesh->trust_domain, "example.org");
	ck_assert(mesh->is_tls13_only);
	ck_assert_uint_eq(mesh->trust_domains.n, 2);
	ck_assert_str_eq(mesh->trust_domains.v[0], "example.org");
	ck_assert_str_eq(mesh->trust_domains.v[1], "old.example.org");
	ck_assert_str_eq(mesh->root_namespace, "root");
	ck_assert(!visibility_allows(&world_service(&world, host_a)->visibility, "other"));
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

START_TEST(mistakes_in_mesh_config_keep_the_defaults)
{
	static const struct {
		const char *name, *yaml;
		enum report_reason reason;
		const char *field;
	} cases[] = {
	    {"unknown field", "    nonsense: 1\n", REASON_UNKNOWN_FIELD, "data.mesh.nonsense"},
	    {"wrong type", "    connectTimeout: [1]\n", REASON_INVALID_VALUE, "data.mesh.connectTimeout"},
	    {"out of range", "    connectTimeout: 0s\n", REASON_INVALID_VALUE, "data.mesh.connectTimeout"},
	    {"no port", "    proxyListenPort: 70000\n", REASON_INVALID_VALUE, "data.mesh.proxyListenPort"},
	    {"no effect yet", "    enableTracing: true\n", REASON_NOT_SUPPORTED, "data.mesh.enableTracing"},
	    {"no trust domain", "    trustDomain: 'A B'\n", REASON_INVALID_VALUE, "data.mesh.trustDomain"},
	    {"no trust domain alias", "    trustDomainAliases: [a, 'a/b']\n", REASON_INVALID_VALUE,
	     "data.mesh.trustDomainAliases[1]"},
	    {"no namespace", "    defaultServiceExportTo: ['A B']\n", REASON_INVALID_VALUE,
	     "data.mesh.defaultServiceExportTo[0]"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(text_done) struct text yaml = {0};
		text_printf(&yaml, MESH("%s"), cases[i].yaml);
		struct world world = world_of(text_get(&yaml));
		ck_assert_msg(world_has_row(&world, cases[i].reason, cases[i].field), "%s", cases[i].name);
		ck_assert_int_eq(world.model->mesh.connect_timeout_ms, 10000);
		ck_assert_uint_eq(world.model->mesh.outbound_port, 15001);
		ck_assert_str_eq(world.model->mesh.trust_domain, "cluster.local");
		world_done(&world);
	}
}
END_TEST

UNIT_MAIN("resolve_services", a_service_with_its_pods, endpoints_are_labelled_with_their_place,
          conditions_decide_who_gets_traffic, endpoints_of_several_slices_are_one_sorted_list,
          endpoints_objects_count_only_without_slices, an_endpoint_change_leaves_the_service_digest, kinds_of_services,
          a_pod_that_ended_gives_nothing, service_entries_by_resolution,
          a_service_entry_selects_workload_entries_and_ready_pods, a_kubernetes_service_selects_workload_entries,
          entries_with_one_host_make_one_service, a_service_entry_does_not_take_a_kubernetes_name, a_mesh_has_defaults,
          mesh_config_changes_them, mistakes_in_mesh_config_keep_the_defaults)
