#include "tests/unit/world.h"

/* "0.0.0.0_80 http 80; 10.9.0.2_90 >db; …": by a table, and by chains >TO@SUBNET,SUBNET. */
static const char *listeners_of(struct world *world, const struct scope *scope)
{
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < scope->n_listeners; i++) {
		const struct scope_listener *listener = &scope->listeners[i];
		text_printf(&out, "%s%s_%u", i ? "; " : "", listener->bind, listener->port);
		if (listener->table)
			text_printf(&out, " http %s", listener->table);
		for (size_t j = 0; j < listener->n_chains; j++) {
			const struct strings *subnets = &listener->chains[j].subnets;
			text_printf(&out, " >%s", listener->chains[j].service->service->name);
			for (size_t k = 0; k < subnets->n; k++)
				text_printf(&out, "%c%s", k ? ',' : '@', subnets->v[k]);
		}
	}
	return arena_strdup(world->arena, text_get(&out));
}

#define SERVICE(name, ip, created, ports)                                                                              \
	"apiVersion: v1\nkind: Service\n"                                                                              \
	"metadata: {name: " name ", creationTimestamp: '2024-01-0" created "T00:00:00Z'}\n"                            \
	"spec: {clusterIP: " ip ", ports: [" ports "]}\n---\n"
#define ENDPOINTS(name, port_name, port)                                                                               \
	"apiVersion: v1\nkind: Endpoints\nmetadata: {name: " name "}\n"                                                \
	"subsets: [{addresses: [{ip: 10.0.0.2}, {ip: 10.0.0.1}], ports: [{name: " port_name ", port: " port            \
	"}]}]\n---\n"
#define ENTRY(name, created, spec)                                                                                     \
	"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"                                                     \
	"metadata: {name: " name ", creationTimestamp: '2024-01-0" created "T00:00:00Z'}\n"                            \
	"spec: {hosts: [" name ".example.com], " spec "}\n---\n"

START_TEST(outbound_listeners)
{
	static const struct {
		const char *name, *yaml, *want;
	} cases[] = {
	    {"HTTP services share a port",
	     SERVICE("a", "10.9.0.1", "1", "{port: 80, name: http}")
	         SERVICE("b", "10.9.0.2", "2", "{port: 80, name: grpc}"),
	     "0.0.0.0_80 http 80"},
	    {"TCP services have their own",
	     SERVICE("a", "10.9.0.1", "1", "{port: 90, name: tcp}")
	         SERVICE("b", "10.9.0.2", "2", "{port: 90, name: tls}"),
	     "10.9.0.1_90 >a; 10.9.0.2_90 >b"},
	    {"sniffed services have tables of their own", SERVICE("a", "10.9.0.1", "1", "{port: 90, name: x}"),
	     "10.9.0.1_90 http a.default.svc.cluster.local:90 >a"},
	    {"headless TCP: an endpoint each",
	     SERVICE("a", "None", "1", "{port: 90, name: tcp}") ENDPOINTS("a", "tcp", "9090"),
	     "10.0.0.1_90 >a; 10.0.0.2_90 >a"},
	    {"headless TCP without endpoints", SERVICE("a", "None", "1", "{port: 90, name: tcp}"), ""},
	    {"headless sniffed", SERVICE("a", "None", "1", "{port: 90, name: x}") ENDPOINTS("a", "x", "9090"),
	     "10.0.0.1_90 http a.default.svc.cluster.local:90 >a; "
	     "10.0.0.2_90 http a.default.svc.cluster.local:90 >a"},
	    {"headless HTTP", SERVICE("a", "None", "1", "{port: 90, name: http}") ENDPOINTS("a", "http", "9090"),
	     "0.0.0.0_90 http 90"},
	    {"an alias has none",
	     "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	     "spec: {type: ExternalName, externalName: x.example.com, ports: [{port: 80, name: http}]}\n",
	     ""},
	    {"TCP without an address",
	     ENTRY("e", "1", "resolution: DNS, ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "0.0.0.0_90 >e.example.com"},
	    {"passed through without an address",
	     ENTRY("e", "1", "resolution: NONE, ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "0.0.0.0_90 >e.example.com"},
	    {"an unknown protocol without an address",
	     ENTRY("e", "1", "resolution: DNS, ports: [{number: 90, name: tcp}]"), "0.0.0.0_90 http 90 >e.example.com"},
	    {"several addresses",
	     ENTRY("e", "1",
	           "resolution: DNS, addresses: [10.8.0.1, 10.8.0.2, 'fd00::1'],"
	           " ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "10.8.0.1_90 >e.example.com; 10.8.0.2_90 >e.example.com"},
	    {"address ranges share the wildcard, oldest first",
	     ENTRY("a", "2",
	           "resolution: NONE, addresses: [10.8.0.0/16, 10.7.0.1],"
	           " ports: [{number: 90, name: tcp, protocol: TCP}]")
	         ENTRY("b", "1",
	               "resolution: NONE, addresses: [10.6.0.0/16], ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "0.0.0.0_90 >b.example.com@10.6.0.0/16 >a.example.com@10.8.0.0/16; 10.7.0.1_90 >a.example.com"},
	    {"an address range beside HTTP",
	     ENTRY("a", "1",
	           "resolution: NONE, addresses: [10.8.0.0/16], ports: [{number: 90, name: tcp, protocol: TCP}]")
	         SERVICE("s", "10.9.0.1", "2", "{port: 90, name: http}"),
	     "0.0.0.0_90 http 90 >a.example.com@10.8.0.0/16"},
	    {"one address twice: the oldest",
	     ENTRY("a", "2", "resolution: DNS, addresses: [10.8.0.1], ports: [{number: 90, name: tcp, protocol: TCP}]")
	         ENTRY("b", "1",
	               "resolution: NONE, addresses: [10.8.0.1/32], ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "10.8.0.1_90 >b.example.com"},
	    {"HTTP and TCP on one address",
	     SERVICE("a", "10.9.0.1", "1", "{port: 90, name: http}")
	         ENTRY("e", "2", "resolution: DNS, ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "0.0.0.0_90 http 90 >e.example.com"},
	    {"TCP and HTTP on one address",
	     SERVICE("a", "10.9.0.1", "2", "{port: 90, name: http}")
	         ENTRY("e", "1", "resolution: DNS, ports: [{number: 90, name: tcp, protocol: TCP}]"),
	     "0.0.0.0_90 http 90 >e.example.com"},
	    {"an unknown protocol where HTTP is at home",
	     SERVICE("a", "10.9.0.1", "1", "{port: 90, name: http}")
	         ENTRY("e", "2", "resolution: DNS, ports: [{number: 90, name: x}]"),
	     "0.0.0.0_90 http 90"},
	    {"HTTP where an unknown protocol was first",
	     SERVICE("a", "10.9.0.1", "2", "{port: 90, name: http}")
	         ENTRY("e", "1", "resolution: DNS, ports: [{number: 90, name: x}]"),
	     "0.0.0.0_90 http 90 >e.example.com"},
	    {"a server that speaks first shares with nobody",
	     SERVICE("a", "10.9.0.1", "2", "{port: 90, name: http}")
	         ENTRY("e", "1", "resolution: DNS, ports: [{number: 90, name: tcp, protocol: MySQL}]"),
	     "0.0.0.0_90 >e.example.com"},
	    {"nobody shares with a server that speaks first",
	     SERVICE("a", "10.9.0.1", "1", "{port: 90, name: http}")
	         ENTRY("e", "2", "resolution: DNS, ports: [{number: 90, name: tcp, protocol: Mongo}]"),
	     "0.0.0.0_90 http 90"},
	    {"the proxy's own ports",
	     SERVICE("a", "10.9.0.1", "1",
	             "{port: 15001, name: http-a}, {port: 15006, name: http-b},"
	             " {port: 15006, name: tcp}, {port: 15007, name: tcp-b}"),
	     "10.9.0.1_15007 >a"},
	    {"UDP has none", SERVICE("a", "10.9.0.1", "1", "{port: 53, name: dns, protocol: UDP}"), ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		const char *got = listeners_of(&world, world_scope(&world, WORLD_SIDECAR));
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s:\n got %s\nwant %s", cases[i].name, got,
		              cases[i].want);
		world_done(&world);
	}
}
END_TEST

START_TEST(the_proxy_decides_where_it_can_listen)
{
	static const char yaml[] = SERVICE("a", "10.9.0.1", "1", "{port: 80, name: http}")
	    SERVICE("b", "10.9.0.2", "2", "{port: 9000, name: tcp}")
	        SERVICE("c", "'fd00::1'", "3", "{port: 9000, name: tcp}");
	static const struct {
		const char *name, *id, *metadata, *want;
	} cases[] = {
	    {"IPv4", WORLD_SIDECAR, NULL, "0.0.0.0_80 http 80; 10.9.0.2_9000 >b"},
	    {"IPv6", "sidecar~2001:db8::1~x.default~default.svc.cluster.local", NULL, "::_80 http 80; fd00::1_9000 >c"},
	    {"both", WORLD_SIDECAR, "{'INSTANCE_IPS': '192.0.2.1,2001:db8::1'}",
	     "0.0.0.0_80 http 80; 10.9.0.2_9000 >b; fd00::1_9000 >c"},
	    {"no redirection", WORLD_SIDECAR, "{'INTERCEPTION_MODE': 'NONE'}",
	     "127.0.0.1_80 http 80; 127.0.0.1_9000 >b"},
	    {"no redirection, no privilege", WORLD_SIDECAR, "{'INTERCEPTION_MODE': 'NONE', 'UNPRIVILEGED_POD': 'true'}",
	     "127.0.0.1_9000 >b"},
	    {"the proxy's own status port", WORLD_SIDECAR, "{'ENVOY_STATUS_PORT': 80}", "10.9.0.2_9000 >b"},
	    {"the proxy's own metrics port", WORLD_SIDECAR, "{'ENVOY_PROMETHEUS_PORT': '80'}", "10.9.0.2_9000 >b"},
	    {"redirection needs no privilege", WORLD_SIDECAR, "{'UNPRIVILEGED_POD': 'true'}",
	     "0.0.0.0_80 http 80; 10.9.0.2_9000 >b"},
	};
	struct world world = world_of(yaml);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *got = listeners_of(&world, world_scope_with(&world, cases[i].id, cases[i].metadata));
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s:\n got %s\nwant %s", cases[i].name, got,
		              cases[i].want);
	}
	world_done(&world);
}
END_TEST

START_TEST(a_view_sees_what_is_exported_to_it)
{
	struct world world = world_of("apiVersion: v1\nkind: Service\nmetadata: {name: open}\n"
	                              "spec: {clusterIP: 10.9.0.1, ports: [{port: 90, name: tcp}]}\n---\n"
	                              "apiVersion: v1\nkind: Service\n"
	                              "metadata: {name: own, annotations: {networking.istio.io/exportTo: .}}\n"
	                              "spec: {clusterIP: 10.9.0.2, ports: [{port: 90, name: tcp}]}\n---\n"
	                              "apiVersion: v1\nkind: Service\n"
	                              "metadata: {name: nobody, annotations: {networking.istio.io/exportTo: '~'}}\n"
	                              "spec: {clusterIP: 10.9.0.3, ports: [{port: 90, name: tcp}]}\n---\n"
	                              "apiVersion: v1\nkind: Service\n"
	                              "metadata: {name: other, annotations: {networking.istio.io/exportTo: other}}\n"
	                              "spec: {clusterIP: 10.9.0.4, ports: [{port: 90, name: tcp}]}\n");
	ck_assert_str_eq(listeners_of(&world, world_scope(&world, WORLD_SIDECAR)),
	                 "10.9.0.1_90 >open; 10.9.0.2_90 >own");
	ck_assert_str_eq(listeners_of(&world, world_scope(&world, WORLD_SIDECAR_OTHER)),
	                 "10.9.0.1_90 >open; 10.9.0.4_90 >other");
	world_done(&world);
}
END_TEST

START_TEST(the_order_of_documents_changes_nothing)
{
	struct world one = world_of(SERVICE("a", "10.9.0.1", "1", "{port: 90, name: tcp}, {port: 80, name: http}")
	                                SERVICE("b", "10.9.0.1", "1", "{port: 90, name: tcp}"));
	struct world two = world_of(SERVICE("b", "10.9.0.1", "1", "{port: 90, name: tcp}")
	                                SERVICE("a", "10.9.0.1", "1", "{port: 80, name: http}, {port: 90, name: tcp}"));
	const struct scope *a = world_scope(&one, WORLD_SIDECAR), *b = world_scope(&two, WORLD_SIDECAR);
	ck_assert_str_eq(listeners_of(&one, a), "0.0.0.0_80 http 80; 10.9.0.1_90 >a");
	ck_assert(digest_equal(a->digest, b->digest));
	world_done(&one);
	world_done(&two);
}
END_TEST

START_TEST(endpoints_move_no_listener_but_headless_ones)
{
	static const char service[] = SERVICE("a", "10.9.0.1", "1", "{port: 90, name: tcp}, {port: 80, name: http}");
	struct world before = world_of(service);
	CLEANUP(text_done) struct text yaml = {0};
	text_printf(&yaml, "%s%s", service, ENDPOINTS("a", "tcp", "9090"));
	struct world after = world_of(text_get(&yaml));
	ck_assert(
	    digest_equal(world_scope(&before, WORLD_SIDECAR)->digest, world_scope(&after, WORLD_SIDECAR)->digest));
	world_done(&before);
	world_done(&after);
}
END_TEST

UNIT_MAIN("scope_listeners", outbound_listeners, the_proxy_decides_where_it_can_listen,
          a_view_sees_what_is_exported_to_it, the_order_of_documents_changes_nothing,
          endpoints_move_no_listener_but_headless_ones)
