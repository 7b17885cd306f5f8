#include "tests/unit/world.h"

/* "web", of the route "r:b.com" or "r:b.com/10,c.com/90". */
static const char *target_of(struct arena *arena, const struct scope_chain *chain)
{
	CLEANUP(text_done) struct text out = {0};
	if (chain->service)
		return chain->service->service->name;
	text_printf(&out, "%s", chain->rule->name);
	for (size_t i = 0; i < chain->route->n_destinations; i++) {
		const struct weighted_destination *to = &chain->route->destinations[i];
		text_printf(&out, "%s%s", i ? "," : ":", to->destination.host);
		if (chain->route->n_destinations > 1)
			text_printf(&out, "/%u", to->weight);
	}
	return arena_strdup(arena, text_get(&out));
}

static void show_strings(struct text *out, const struct strings *strings, char mark)
{
	for (size_t i = 0; i < strings->n; i++)
		text_printf(out, "%c%s", i ? ',' : mark, strings->v[i]);
}

/* The chains of the listener: "r:b.com~a.com@10.0.0.0/8 …": where to, by which names and subnets. */
static const char *chains_of(struct world *world, const struct scope *scope, const char *bind)
{
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < scope->n_listeners; i++) {
		const struct scope_listener *listener = &scope->listeners[i];
		for (size_t j = 0; strcmp(listener->bind, bind) == 0 && j < listener->n_chains; j++) {
			text_printf(&out, "%s%s", out.n ? " " : "", target_of(world->arena, &listener->chains[j]));
			show_strings(&out, &listener->chains[j].server_names, '~');
			show_strings(&out, &listener->chains[j].subnets, '@');
		}
	}
	return arena_strdup(world->arena, text_get(&out));
}

#define OBJECT(kind, name, created, spec)                                                                              \
	"apiVersion: networking.istio.io/v1\nkind: " kind "\n"                                                         \
	"metadata: {name: " name ", creationTimestamp: '2024-01-0" created "T00:00:00Z'}\nspec: {" spec "}\n---\n"
#define ENTRY(name, created, protocol, more)                                                                           \
	OBJECT("ServiceEntry", name, created,                                                                          \
	       "hosts: [" name ".com], ports: [{number: 90, name: p, protocol: " protocol "}], " more)
#define WEB(protocol)                                                                                                  \
	"apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"                                                       \
	"spec: {clusterIP: 10.9.0.1, ports: [{name: " protocol ", port: 90}]}\n---\n"
#define RULE(name, created, spec) OBJECT("VirtualService", name, created, spec)
#define TO(host) "route: [{destination: {host: " host "}}]"
#define TCP(spec) "hosts: [web], tcp: [" spec "]"
#define TLS(spec) "hosts: [web, '*.com'], tls: [" spec "]"

#define VIP "10.9.0.1"
#define ANY "0.0.0.0"

START_TEST(tcp_routes)
{
	static const struct {
		const char *name, *yaml, *want;
	} cases[] = {
	    {"a route for all", RULE("r", "1", TCP("{" TO("b.com") "}")), "r:b.com"},
	    {"weights",
	     RULE("r", "1",
	          TCP("{route: [{destination: {host: b.com}, weight: 10}, {destination: {host: c.com}, weight: 90}]}")),
	     "r:b.com/10,c.com/90"},
	    {"for others only", RULE("r", "1", "hosts: [other], tcp: [{" TO("b.com") "}]"), "web"},
	    {"of a wildcard", RULE("r", "1", "hosts: ['*.svc.cluster.local'], tcp: [{" TO("b.com") "}]"), "r:b.com"},
	    {"for a gateway", RULE("r", "1", "gateways: [gw], " TCP("{" TO("b.com") "}")), "web"},
	    {"a match for a gateway",
	     RULE("r", "1", "gateways: [gw, mesh], " TCP("{match: [{gateways: [gw]}], " TO("b.com") "}")), "web"},
	    {"a match for sidecars, and for no gateway",
	     RULE("r", "1", "gateways: [gw, mesh], " TCP("{match: [{gateways: [mesh]}], " TO("b.com") "}")), "r:b.com"},
	    {"another port", RULE("r", "1", TCP("{match: [{port: 91}], " TO("b.com") "}")), "web"},
	    {"this port", RULE("r", "1", TCP("{match: [{port: 91}, {port: 90}], " TO("b.com") "}")), "r:b.com"},
	    {"another namespace", RULE("r", "1", TCP("{match: [{sourceNamespace: x}], " TO("b.com") "}")), "web"},
	    {"another client", RULE("r", "1", TCP("{match: [{sourceLabels: {app: x}}], " TO("b.com") "}")), "web"},
	    {"this client", RULE("r", "1", TCP("{match: [{sourceLabels: {app: client}}], " TO("b.com") "}")),
	     "r:b.com"},
	    {"another client of sidecars",
	     RULE("r", "1", TCP("{match: [{gateways: [mesh], sourceLabels: {app: x}}], " TO("b.com") "}")), "web"},
	    {"the first for all ends the list",
	     RULE("r", "1", TCP("{match: [{port: 91}], " TO("b.com") "}, {" TO("c.com") "}, {" TO("d.com") "}")),
	     "r:c.com"},
	    {"subnets, then the service",
	     RULE("r", "1", TCP("{match: [{destinationSubnets: [10.0.0.1/8, 11.0.0.0/8]}], " TO("b.com") "}")),
	     "r:b.com@10.0.0.0/8,11.0.0.0/8 web"},
	    {"subnets that others take",
	     RULE("r", "1",
	          TCP("{match: [{destinationSubnets: [10.0.0.0/8]}], " TO(
	              "b.com") "}, {match: [{destinationSubnets: [10.0.0.0/8, 11.0.0.0/8]}], " TO("c.com") "}")),
	     "r:b.com@10.0.0.0/8 r:c.com@11.0.0.0/8 web"},
	    {"the oldest rule first",
	     RULE("young", "2", TCP("{" TO("b.com") "}")) RULE("old", "1", TCP("{" TO("c.com") "}")), "old:c.com"},
	    {"the next rule, where the first has nothing for the port",
	     RULE("young", "2", TCP("{" TO("b.com") "}"))
	         RULE("old", "1", TCP("{match: [{port: 91}], " TO("c.com") "}")),
	     "young:b.com"},
	    {"what one does not see", RULE("r", "1", "exportTo: [other], " TCP("{" TO("b.com") "}")), "web"},
	    {"TLS routes are not for TCP", RULE("r", "1", TLS("{match: [{sniHosts: [a.com]}], " TO("b.com") "}")),
	     "web"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world = world_of(arena_printf(arena, "%s%s", cases[i].yaml, WEB("tcp")));
		for (size_t j = 0; j < world.issues.n; j++)
			ck_assert_msg(world.issues.v[j].is_warning, "%s: %s", cases[i].name, world.issues.v[j].message);
		const char *got =
		    chains_of(&world, world_scope_with(&world, WORLD_SIDECAR, "{'LABELS': {'app': 'client'}}"), VIP);
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s:\n got %s\nwant %s", cases[i].name, got,
		              cases[i].want);
		world_done(&world);
	}
}
END_TEST

START_TEST(tls_routes)
{
	static const struct {
		const char *name, *yaml, *bind, *want;
	} cases[] = {
	    {"none, at an address", WEB("tls"), VIP, "web"},
	    {"by name, at an address",
	     WEB("https") RULE("r", "1", TLS("{match: [{sniHosts: [a.com]}], " TO("b.com") "}")), VIP, "r:b.com~a.com"},
	    {"TCP routes are not for TLS", WEB("tls") RULE("r", "1", TCP("{" TO("b.com") "}")), VIP, "web"},
	    {"all rules count, the oldest first",
	     WEB("tls") RULE(
	         "young", "2",
	         TLS("{match: [{sniHosts: [a.com, b.com]}], " TO(
	             "b.com") "}, "
	                      "{match: [{sniHosts: ['*.com'], destinationSubnets: [10.9.0.0/16]}], " TO("c.com") "}"))
	         RULE("old", "1", TLS("{match: [{sniHosts: [a.com]}], " TO("d.com") "}")),
	     VIP, "old:d.com~a.com young:b.com~b.com young:c.com~*.com@10.9.0.0/16"},
	    {"for nobody here",
	     WEB("tls") RULE("r", "1", TLS("{match: [{sniHosts: [a.com], port: 91}], " TO("b.com") "}")), VIP, "web"},
	    {"without addresses by their names",
	     ENTRY("a", "1", "TLS", "resolution: DNS") ENTRY("b", "2", "HTTPS", "resolution: DNS")
	         ENTRY("c", "3", "TCP", "resolution: DNS"),
	     ANY, "a.com~a.com b.com~b.com c.com"},
	    {"a wildcard",
	     OBJECT("ServiceEntry", "all", "1",
	            "hosts: ['*.all.com'], resolution: NONE, ports: [{number: 90, name: p, protocol: TLS}]"),
	     ANY, "*.all.com~*.all.com"},
	    {"ranges and names",
	     ENTRY("a", "1", "TLS", "resolution: NONE, addresses: [10.8.0.0/16]")
	         ENTRY("b", "2", "TLS", "resolution: NONE, addresses: [10.8.0.0/16, 10.7.0.0/16]")
	             RULE("r", "1",
	                  "hosts: [b.com, x.b.com], tls: [{match: [{sniHosts: [x.b.com, b.com]}], " TO("c.com") "}]"),
	     ANY, "a.com~a.com@10.8.0.0/16 r:c.com~x.b.com,b.com@10.8.0.0/16,10.7.0.0/16"},
	    {"without an address, by rules",
	     ENTRY("a", "1", "TLS", "resolution: DNS") ENTRY("b", "2", "TLS", "resolution: DNS")
	         RULE("r", "1", "hosts: [a.com], tls: [{match: [{sniHosts: [a.com]}], " TO("b.com") "}]"),
	     ANY, "r:b.com~a.com b.com~b.com"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		const char *got = chains_of(&world, world_scope(&world, WORLD_SIDECAR), cases[i].bind);
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s:\n got %s\nwant %s", cases[i].name, got,
		              cases[i].want);
		world_done(&world);
	}
}
END_TEST

UNIT_MAIN("outbound_chains", tcp_routes, tls_routes)
