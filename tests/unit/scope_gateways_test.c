#include "tests/unit/world.h"

#define PROXY "router~192.0.2.9~gw-1.istio-system~istio-system.svc.cluster.local"
#define LABELS "{'LABELS': {'istio': 'ingressgateway'}}"
#define GATEWAY(metadata, servers)                                                                                     \
	"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {" metadata "}\n"                                \
	"spec: {selector: {istio: ingressgateway}, servers: " servers "}\n---\n"
#define HTTP(port, hosts, more)                                                                                        \
	"{port: {number: " #port ", name: http-" #port ", protocol: HTTP}, hosts: " hosts more "}"
#define RULE(metadata, hosts, spec, match)                                                                             \
	"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {" metadata "}\n"                         \
	"spec: {hosts: " hosts ", " spec " http: [{match: " match ", route: [{destination: {host: b.com}}]}]}\n---\n"

static const struct scope_host *host_of(const struct scope_table *table, const char *hostname)
{
	for (size_t i = 0; i < table->n_hosts; i++)
		if (strcmp(table->hosts[i].hostname, hostname) == 0)
			return &table->hosts[i];
	return NULL;
}

/* "a.com: r1@default/gw; *: -": hosts of the only table with their rules. */
static const char *show(struct arena *arena, const struct scope *scope)
{
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < scope->n_tables; i++) {
		const struct scope_table *table = &scope->tables[i];
		text_printf(&out, "%s%s[", i ? " " : "", table->name);
		for (size_t j = 0; j < table->n_hosts; j++) {
			const struct scope_host *host = &table->hosts[j];
			text_printf(&out, "%s%s:%s", j ? " " : "", host->hostname, host->is_https_redirect ? "S" : "");
			for (size_t k = 0; k < host->n_rules; k++)
				text_printf(&out, "%s%s@%s", k ? "," : "", host->rules[k]->name, host->gateways[k]);
		}
		text_add(&out, "]");
	}
	return arena_strdup(arena, text_get(&out));
}

#define GW "gateways: [gw],"

START_TEST(test_hosts)
{
	static const struct {
		const char *name, *yaml, *want;
	} cases[] = {
	    {"no gateway", RULE("name: r", "[a.com]", GW, "[{}]"), ""},
	    {"no rule", GATEWAY("name: gw", "[" HTTP(80, "['*']", "") "]"), "http.80[]"},
	    {"the rule's host",
	     GATEWAY("name: gw", "[" HTTP(80, "['*']", "") "]") RULE("name: r", "[A.com]", GW, "[{}]"),
	     "http.80[a.com:r@default/gw]"},
	    {"the server's host",
	     GATEWAY("name: gw", "[" HTTP(80, "[x.a.com, y.b.com]", "") "]") RULE("name: r", "['*.a.com']", GW, "[{}]"),
	     "http.80[x.a.com:r@default/gw]"},
	    {"two wildcards",
	     GATEWAY("name: gw", "[" HTTP(80, "['*.x.a.com']", "") "]") RULE("name: r", "['*.a.com']", GW, "[{}]"),
	     "http.80[*.x.a.com:r@default/gw]"},
	    {"wider and narrower rules",
	     GATEWAY("name: gw", "[" HTTP(80, "['*.a.com', z.com]", "") "]") RULE("name: r", "['*']", GW, "[{}]")
	         RULE("name: s", "[x.a.com, y.b.com, '*.c.a.com']", GW, "[{}]")
	             RULE("name: t", "[a.com, z.com]", GW, "[{}]"),
	     "http.80[*.a.com:r@default/gw *.c.a.com:s@default/gw x.a.com:s@default/gw "
	     "z.com:r@default/gw,t@default/gw]"},
	    {"nothing in common",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com]", "") "]") RULE("name: r", "[b.com]", GW, "[{}]"), "http.80[]"},
	    {"another gateway",
	     GATEWAY("name: gw", "[" HTTP(80, "['*']", "") "]") RULE("name: r", "[a.com]", "gateways: [mesh],", "[{}]"),
	     "http.80[]"},
	    {"hosts for its own namespace",
	     GATEWAY("name: gw", "[" HTTP(80, "['./*']", "") "]") RULE("name: r", "[a.com]", GW, "[{}]")
	         RULE("name: s, namespace: other", "[b.com]", "gateways: [default/gw],", "[{}]"),
	     "http.80[a.com:r@default/gw]"},
	    {"hosts for another namespace",
	     GATEWAY("name: gw", "[" HTTP(80, "['other/*']", "") "]") RULE("name: r", "[a.com]", GW, "[{}]")
	         RULE("name: s, namespace: other", "[b.com]", "gateways: [default/gw],", "[{}]"),
	     "http.80[b.com:s@default/gw]"},
	    {"several rules of a host, oldest first",
	     GATEWAY("name: gw", "[" HTTP(80, "['*']", "") "]")
	         RULE("name: young, creationTimestamp: '2024-01-02T00:00:00Z'", "[a.com]", GW, "[{}]")
	             RULE("name: old, creationTimestamp: '2024-01-01T00:00:00Z'", "[a.com]", GW, "[{}]"),
	     "http.80[a.com:old@default/gw,young@default/gw]"},
	    {"rules that the proxy does not see",
	     GATEWAY("name: gw", "[" HTTP(80, "['*']", "") "]") RULE("name: r", "[a.com]", "exportTo: [.]," GW, "[{}]"),
	     "http.80[]"},
	    {"two gateways on one port",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com]", "") "]") GATEWAY("name: gw2", "[" HTTP(80, "['*']", "") "]")
	         RULE("name: r", "[a.com]", "gateways: [gw, gw2],", "[{}]"),
	     "http.80[a.com:r@default/gw,r@default/gw2]"},
	    {"a match for the other gateway",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com]", "") "]") GATEWAY("name: gw2", "[" HTTP(80, "['*']", "") "]")
	         RULE("name: r", "[a.com]", "gateways: [gw, gw2],", "[{gateways: [gw2]}]"),
	     "http.80[a.com:r@default/gw2]"},
	    {"a match for another port",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com]", "") "]") RULE("name: r", "[a.com]", GW, "[{port: 81}]"),
	     "http.80[]"},
	    {"ports and addresses of their own",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com]", "") ", " HTTP(81, "[a.com]", "") "]")
	         GATEWAY("name: gw2", "[" HTTP(80, "[b.com]", ", bind: 10.1.1.1") "]")
	             RULE("name: r", "[a.com, b.com]", "gateways: [gw, gw2],", "[{}]"),
	     "http.80[a.com:r@default/gw] http.80.10.1.1.1[b.com:r@default/gw2] http.81[a.com:r@default/gw]"},
	    {"a redirect without rules",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com, ./b.com]", ", tls: {httpsRedirect: true}") "]"),
	     "http.80[a.com:S b.com:S]"},
	    {"a redirect with rules",
	     GATEWAY("name: gw", "[" HTTP(80, "[a.com]", ", tls: {httpsRedirect: true}") "]")
	         RULE("name: r", "[a.com]", GW, "[{}]"),
	     "http.80[a.com:Sr@default/gw]"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		const char *got = show(arena, world_scope_with(&world, PROXY, LABELS));
		ck_assert_msg(text_equal(got, cases[i].want), "%s: got \"%s\", want \"%s\"", cases[i].name, got,
		              cases[i].want);
		world_done(&world);
	}
}
END_TEST

/* "80 v1 a.default.svc.cluster.local": where TLS of the mesh is led on. */
static const char *passed_on(struct arena *arena, const struct scope *scope)
{
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < scope->n_listeners; i++) {
		for (size_t j = 0; j < scope->listeners[i].n_chains; j++) {
			const struct scope_chain *chain = &scope->listeners[i].chains[j];
			if (chain->is_auto_passthrough)
				text_printf(&out, "%s%u %s %s", out.n ? "; " : "", chain->port, chain->subset,
				            chain->service->service->hostname);
		}
	}
	return arena_strdup(arena, text_get(&out));
}

#define ACROSS(name, hosts)                                                                                            \
	GATEWAY("name: " name,                                                                                         \
	        "[{port: {number: 15443, name: x, protocol: TLS}, hosts: " hosts ", tls: {mode: AUTO_PASSTHROUGH}}]")
#define KUBERNETES(name, ports) "apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec: {" ports "}\n---\n"
#define ENTRY(host, spec)                                                                                              \
	"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e}\n"                                \
	"spec: {hosts: ['" host "'], ports: [{number: 90, name: t, protocol: TLS}], resolution: STATIC, " spec         \
	"}\n---\n"
#define SUBSETS                                                                                                        \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d}\n"                             \
	"spec: {host: a, subsets: [{name: v1}, {name: v2}]}\n---\n"

START_TEST(test_auto_passthrough)
{
	static const struct {
		const char *name, *yaml, *want;
	} cases[] = {
	    {"ports, subsets",
	     ACROSS("gw", "['*.local']") SUBSETS KUBERNETES(
	         "a", "ports: [{name: http, port: 80}, {name: tcp, port: 90}, {name: u, port: 53, protocol: UDP}]"),
	     "80  a.default.svc.cluster.local; 80 v1 a.default.svc.cluster.local; 80 v2 a.default.svc.cluster.local; "
	     "90  a.default.svc.cluster.local; 90 v1 a.default.svc.cluster.local; 90 v2 a.default.svc.cluster.local"},
	    {"the server's hosts",
	     ACROSS("gw", "[other/a.default.svc.cluster.local]") KUBERNETES("a", "ports: [{name: http, port: 80}]")
	         KUBERNETES("b", "ports: [{name: http, port: 80}]"),
	     "80  a.default.svc.cluster.local"},
	    {"two servers",
	     ACROSS("gw", "['*']") ACROSS("gw2", "['*']") KUBERNETES("a", "ports: [{name: x, port: 80}]"),
	     "80  a.default.svc.cluster.local"},
	    {"an alias",
	     ACROSS("gw", "['*']")
	         KUBERNETES("a", "type: ExternalName, externalName: x.com, ports: [{name: x, port: 80}]"),
	     ""},
	    {"inside", ACROSS("gw", "['*']") ENTRY("e.com", "location: MESH_INTERNAL"), "90  e.com"},
	    {"outside", ACROSS("gw", "['*']") ENTRY("e.com", "location: MESH_EXTERNAL"), ""},
	    {"a wildcard", ACROSS("gw", "['*']") ENTRY("*.e.com", "location: MESH_INTERNAL"), ""},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		ck_assert_uint_eq(world.issues.n, 0);
		const struct scope *scope = world_scope_with(&world, PROXY, LABELS);
		ck_assert_str_eq(passed_on(arena, scope), cases[i].want);
		ck_assert(scope->has_auto_passthrough);
		ck_assert(!world_scope_with(&world, PROXY, "{'LABELS': {'istio': 'other'}}")->has_auto_passthrough);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_selector)
{
	struct world world = world_of(GATEWAY(
	    "name: gw",
	    "[" HTTP(
	        80, "['*']",
	        "") "]") "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: all}\nspec: {servers:"
	                 " [" HTTP(81, "['*']", "") "]}\n---\n");
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ck_assert_str_eq(show(arena, world_scope_with(&world, PROXY, LABELS)), "http.80[] http.81[]");
	ck_assert_str_eq(show(arena, world_scope_with(&world, PROXY, "{'LABELS': {'istio': 'egress'}}")), "http.81[]");
	world_done(&world);
}
END_TEST

/* The Service's port 80 leads to 8080 of the proxy: there it listens, but hosts are still called by the server's port.
 */
START_TEST(test_target_port)
{
	struct world world = world_of(GATEWAY("name: gw", "[" HTTP(80, "['*']", "") "]") RULE(
	    "name: r", "[a.com]", GW,
	    "[{port: 80}]") "apiVersion: v1\nkind: Service\nmetadata: {name: gw, namespace: istio-system}\n"
	                    "spec: {clusterIP: 10.0.0.1, selector: {istio: ingressgateway}, ports: [{name: http, port: "
	                    "80, targetPort: 8080}]}\n"
	                    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
	                    "metadata: {name: gw-1, namespace: istio-system, labels: {kubernetes.io/service-name: "
	                    "gw}}\n"
	                    "endpoints: [{addresses: [192.0.2.9], conditions: {ready: true}}]\nports: [{name: http, "
	                    "port: 8080}]\n");
	const struct scope *scope = world_scope_with(&world, PROXY, LABELS);
	ck_assert_uint_eq(scope->n_listeners, 1);
	ck_assert_uint_eq(scope->listeners[0].port, 8080);
	ck_assert_str_eq(scope->listeners[0].bind, "0.0.0.0");
	ck_assert_str_eq(scope->listeners[0].table, "http.8080");
	ck_assert_str_eq(scope->tables[0].name, "http.8080");
	const struct scope_host *host = host_of(&scope->tables[0], "a.com");
	ck_assert_ptr_nonnull(host);
	ck_assert_uint_eq(host->port, 80);
	world_done(&world);
}
END_TEST

START_TEST(test_privileged_port)
{
	struct world world = world_of(GATEWAY("name: gw", "[" HTTP(80, "['*']", "") ", " HTTP(8080, "['*']", "") "]"));
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *metadata = "{'LABELS': {'istio': 'ingressgateway'}, 'UNPRIVILEGED_POD': 'true'}";
	ck_assert_str_eq(show(arena, world_scope_with(&world, PROXY, metadata)), "http.8080[]");
	world_done(&world);
}
END_TEST

UNIT_MAIN("scope_gateways", test_hosts, test_auto_passthrough, test_selector, test_target_port, test_privileged_port)
