#include "tests/unit/world.h"

/* Services with one HTTP port, or one that is sniffed. */
#define SERVICE(name, namespace, ip, port)                                                                             \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name                                                        \
	", namespace: " namespace "}\n"                                                                                \
	                          "spec: {clusterIP: " ip ", ports: [{name: http, port: " #port "}]}\n---\n"
#define SNIFFED(name, ip, port)                                                                                        \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n"                                                  \
	"spec: {clusterIP: " ip ", ports: [{port: " #port "}]}\n---\n"
/* A VirtualService: metadata, hosts, further spec, and what its routes match; they go to b. */
#define RULE(metadata, hosts, spec, match)                                                                             \
	"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {" metadata "}\n"                         \
	"spec: {hosts: " hosts ", " spec "http: [{match: " match ", route: [{destination: {host:"                      \
	" b.default.svc.cluster.local, port: {number: 80}}}]}]}\n---\n"
#define POLICY(metadata, spec)                                                                                         \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {" metadata "}\nspec: " spec "\n---\n"

#define A "a.default.svc.cluster.local"
#define B "b.default.svc.cluster.local"
#define AB SERVICE("a", "default", "10.0.0.1", 80) SERVICE("b", "default", "10.0.0.2", 80)

static const struct scope_table *table_of(const struct scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->n_tables; i++)
		if (strcmp(scope->tables[i].name, name) == 0)
			return &scope->tables[i];
	return NULL;
}

static const struct scope_host *host_of(const struct scope *scope, const char *table, const char *hostname)
{
	const struct scope_table *found = table_of(scope, table);
	for (size_t i = 0; found && i < found->n_hosts; i++)
		if (strcmp(found->hosts[i].hostname, hostname) == 0)
			return &found->hosts[i];
	return NULL;
}

/* "": no such host; "default": no rule. */
static const char *rule_of(const struct scope *scope, const char *table, const char *hostname)
{
	const struct scope_host *host = host_of(scope, table, hostname);
	if (!host)
		return "";
	return host->n_rules ? host->rules[0]->name : "default";
}

/* Which rule a host of the table "80" follows. */
START_TEST(test_rule_of_a_host)
{
	static const struct {
		const char *name, *yaml, *host, *want;
	} cases[] = {
	    {"none", "", A, "default"},
	    {"by name", RULE("name: r", "[a]", "", "[{}]"), A, "r"},
	    {"for others only", RULE("name: r", "[a]", "", "[{}]"), B, "default"},
	    {"the oldest",
	     RULE("name: young, creationTimestamp: '2024-01-02T00:00:00Z'", "[a]", "", "[{}]")
	         RULE("name: zold, creationTimestamp: '2024-01-01T00:00:00Z'", "[a]", "", "[{}]"),
	     A, "zold"},
	    {"of one age, by name", RULE("name: z", "[a]", "", "[{}]") RULE("name: x", "[a]", "", "[{}]"), A, "x"},
	    {"its namespace's own before public ones",
	     RULE("name: x", "[a]", "", "[{}]") RULE("name: z", "[a]", "exportTo: [.], ", "[{}]"), A, "z"},
	    {"not exported", RULE("name: r, namespace: other", "[" A "]", "exportTo: [.], ", "[{}]"), A, "default"},
	    {"exported to the view", RULE("name: r, namespace: other", "[" A "]", "exportTo: [default], ", "[{}]"), A,
	     "r"},
	    {"a wildcard", RULE("name: w", "['*.default.svc.cluster.local']", "", "[{}]"), A, "w"},
	    {"the longer wildcard, younger or not",
	     RULE("name: a", "['*.cluster.local']", "", "[{}]")
	         RULE("name: b", "['*.default.svc.cluster.local']", "", "[{}]"),
	     A, "b"},
	    {"a name before any wildcard",
	     RULE("name: a", "['*.default.svc.cluster.local']", "", "[{}]") RULE("name: b", "[a]", "", "[{}]"), A, "b"},
	    {"only for gateways", RULE("name: r", "[a]", "gateways: [gw], ", "[{}]"), A, "default"},
	    {"for gateways and mesh", RULE("name: r", "[a]", "gateways: [gw, mesh], ", "[{}]"), A, "r"},
	    {"its match names a gateway", RULE("name: r", "[a]", "gateways: [gw, mesh], ", "[{gateways: [gw]}]"), A,
	     "default"},
	    {"its match is for another port", RULE("name: r", "[a]", "", "[{port: 81}]"), A, "default"},
	    {"its match is for this port", RULE("name: r", "[a]", "", "[{port: 81}, {port: 80}]"), A, "r"},
	    {"for clients elsewhere", RULE("name: r", "[a]", "", "[{sourceNamespace: other}]"), A, "default"},
	    {"for other clients", RULE("name: r", "[a]", "", "[{sourceLabels: {app: other}}]"), A, "default"},
	    {"for this client", RULE("name: r", "[a]", "", "[{sourceLabels: {app: web}}]"), A, "r"},
	    {"a gateway is looked at before the client",
	     RULE("name: r", "[a]", "", "[{sourceLabels: {app: other}, gateways: [mesh]}]"), A, "r"},
	    {"the next one when the first does not concern the client",
	     RULE("name: a", "[a]", "", "[{sourceNamespace: other}]") RULE("name: b", "[a]", "", "[{}]"), A, "b"},
	    {"but not a wildcard",
	     RULE("name: a", "[a]", "", "[{sourceNamespace: other}]")
	         RULE("name: w", "['*']", "gateways: [mesh], ", "[{}]"),
	     A, "default"},
	    {"a host of the rule alone", RULE("name: r", "[bookinfo.com]", "", "[{}]"), "bookinfo.com", "r"},
	    {"a wildcard that no service is", RULE("name: r", "['*.bookinfo.com']", "", "[{}]"), "*.bookinfo.com", "r"},
	    {"a wildcard that services are is no host", RULE("name: r", "['*.svc.cluster.local']", "", "[{}]"),
	     "*.svc.cluster.local", ""},
	    {"two rules for a host of rules",
	     RULE("name: z", "[x.com]", "", "[{}]") RULE("name: x", "[x.com]", "", "[{}]"), "x.com", "x"},
	    {"a host that is not for this client", RULE("name: r", "[x.com]", "", "[{sourceNamespace: other}]"),
	     "x.com", ""},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(arena_printf(arena, "%s%s", AB, cases[i].yaml));
		const struct scope *scope = world_scope_with(&world, WORLD_SIDECAR, "{'LABELS': {'app': 'web'}}");
		ck_assert_msg(text_equal(rule_of(scope, "80", cases[i].host), cases[i].want),
		              "%s: got \"%s\", want \"%s\"", cases[i].name, rule_of(scope, "80", cases[i].host),
		              cases[i].want);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_tables)
{
	struct world world = world_of(AB SERVICE("c", "other", "10.0.0.3", 81) SNIFFED("s", "10.0.0.4", 90));
	const struct scope *scope = world_scope(&world, WORLD_SIDECAR);
	const struct scope_table *table = table_of(scope, "80");
	ck_assert_ptr_nonnull(table);
	ck_assert(!table->is_single);
	ck_assert_uint_eq(table->port, 80);
	ck_assert_uint_eq(table->n_hosts, 2);
	ck_assert_str_eq(table->hosts[0].hostname, A); /* sorted */
	ck_assert_str_eq(table->hosts[1].hostname, B);
	ck_assert_str_eq(table->hosts[0].service->service->name, "a");
	ck_assert_uint_eq(table_of(scope, "81")->n_hosts, 1);
	table = table_of(scope, "s.default.svc.cluster.local:90");
	ck_assert_ptr_nonnull(table);
	ck_assert(table->is_single);
	ck_assert_uint_eq(table->n_hosts, 1);
	ck_assert_uint_eq(table->hosts[0].port, 90);
	ck_assert_ptr_null(table_of(scope, "90"));
	world_done(&world);
}
END_TEST

/* Hosts of rules are on port 80 whatever the rule's services; elsewhere only beside a service of the port. */
START_TEST(test_hosts_of_rules_by_port)
{
	struct world world = world_of(AB SERVICE("c", "default", "10.0.0.3", 81) RULE(
	    "name: both", "[c, beside.com]", "", "[{}]") RULE("name: lone", "[lone.com]", "", "[{}]"));
	const struct scope *scope = world_scope(&world, WORLD_SIDECAR);
	ck_assert_str_eq(rule_of(scope, "80", "lone.com"), "lone");
	ck_assert_str_eq(rule_of(scope, "80", "beside.com"), "both");
	ck_assert_str_eq(rule_of(scope, "80", "c.default.svc.cluster.local"), "both"); /* no service of this port */
	ck_assert_ptr_null(host_of(scope, "80", "c.default.svc.cluster.local")->service);
	ck_assert_str_eq(rule_of(scope, "81", "lone.com"), "");
	ck_assert_str_eq(rule_of(scope, "81", "beside.com"), "both");
	ck_assert_str_eq(rule_of(scope, "81", "c.default.svc.cluster.local"), "both");
	world_done(&world);
}
END_TEST

START_TEST(test_alias)
{
	const char *alias = "apiVersion: v1\nkind: Service\nmetadata: {name: e}\n"
	                    "spec: {type: ExternalName, externalName: " A ", ports: [{name: http, port: 80}]}\n---\n";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct world world = world_of(arena_printf(arena, "%s%s", AB, alias));
	const struct scope *scope = world_scope(&world, WORLD_SIDECAR);
	ck_assert_str_eq(rule_of(scope, "80", "e.default.svc.cluster.local"), ""); /* it is a name of a */
	struct destination destination = {.host = "e.default.svc.cluster.local", .subset = ""};
	uint32_t port;
	const struct scope_service *meant = scope_destination(scope, &destination, 1234, &port);
	ck_assert_str_eq(meant->service->hostname, A);
	world_done(&world);
	world = world_of(arena_printf(arena, "%s%s%s", AB, alias, RULE("name: r", "[e]", "", "[{}]")));
	ck_assert_str_eq(rule_of(world_scope(&world, WORLD_SIDECAR), "80", "e.default.svc.cluster.local"), "r");
	world_done(&world);
}
END_TEST

START_TEST(test_destination)
{
	struct world world =
	    world_of(AB "apiVersion: v1\nkind: Service\nmetadata: {name: two}\nspec: {clusterIP: 10.0.0.5,"
	                " ports: [{name: http-a, port: 80}, {name: http-b, port: 81}]}\n---\n");
	const struct scope *scope = world_scope(&world, WORLD_SIDECAR);
	static const struct {
		const char *host;
		uint32_t port, want;
		bool is_found;
	} cases[] = {
	    {A, 0, 80, true},
	    {A, 7, 7, true},
	    {"two.default.svc.cluster.local", 0, 9080, true},
	    {"two.default.svc.cluster.local", 81, 81, true},
	    {"nowhere.com", 0, 9080, false},
	    {"nowhere.com", 7, 7, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct destination destination = {.host = cases[i].host, .subset = "", .port = cases[i].port};
		uint32_t port = 0;
		ck_assert_int_eq(scope_destination(scope, &destination, 9080, &port) != NULL, cases[i].is_found);
		ck_assert_msg(port == cases[i].want, "%s:%u gave %u", cases[i].host, cases[i].port, port);
	}
	world_done(&world);
}
END_TEST

/* ---- digests: what they must and must not depend on ---- */

#define ROUTED AB RULE("name: r", "[a]", "", "[{}]")

START_TEST(test_digest_changes)
{
	static const struct {
		const char *name, *before, *after;
		bool is_a_changed, is_b_changed;
	} cases[] = {
	    {"nothing", ROUTED, ROUTED, false, false},
	    {"the rule", ROUTED, AB RULE("name: r", "[a]", "", "[{uri: {prefix: /x}}]"), true, false},
	    {"the rule goes", ROUTED, AB, true, false},
	    {"another service comes", ROUTED, ROUTED SERVICE("z", "default", "10.0.0.9", 80), false, false},
	    {"a rule for others comes", ROUTED, ROUTED RULE("name: s", "[x.com]", "", "[{}]"), false, false},
	    /* a's route goes to b: the policy of b is a's hash policy */
	    {"a policy of where the rule leads", ROUTED,
	     ROUTED POLICY("name: p",
	                   "{host: b, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}}"),
	     true, true},
	    {"a policy of a host that b's default route does not name", AB,
	     AB POLICY("name: p", "{host: b, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}}"),
	     false, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world before = world_of(cases[i].before), after = world_of(cases[i].after);
		const struct scope *x = world_scope(&before, WORLD_SIDECAR), *y = world_scope(&after, WORLD_SIDECAR);
		bool is_a_changed = !digest_equal(host_of(x, "80", A)->digest, host_of(y, "80", A)->digest);
		bool is_b_changed = !digest_equal(host_of(x, "80", B)->digest, host_of(y, "80", B)->digest);
		ck_assert_msg(is_a_changed == cases[i].is_a_changed, "%s: a", cases[i].name);
		ck_assert_msg(is_b_changed == cases[i].is_b_changed, "%s: b", cases[i].name);
		bool is_same = strcmp(cases[i].before, cases[i].after) == 0;
		ck_assert_int_eq(digest_equal(table_of(x, "80")->digest, table_of(y, "80")->digest), is_same);
		world_done(&before);
		world_done(&after);
	}
}
END_TEST

/* A host is one unit for all namespaces but its own, where it has its short name. */
START_TEST(test_digest_is_shared_by_views)
{
	struct world world = world_of(ROUTED);
	const struct scope *own = world_scope(&world, WORLD_SIDECAR), *other = world_scope(&world, WORLD_SIDECAR_OTHER);
	const struct scope *third = world_scope(&world, "sidecar~192.0.2.4~c.third~third.svc.cluster.local");
	ck_assert(digest_equal(host_of(other, "80", A)->digest, host_of(third, "80", A)->digest));
	ck_assert(!digest_equal(host_of(own, "80", A)->digest, host_of(third, "80", A)->digest));
	ck_assert(!digest_equal(table_of(other, "80")->digest, table_of(third, "80")->digest));
	world_done(&world);
	world = world_of(AB RULE("name: r", "[a]", "", "[{sourceNamespace: third, uri: {prefix: /x}}, {}]"));
	other = world_scope(&world, WORLD_SIDECAR_OTHER);
	third = world_scope(&world, "sidecar~192.0.2.4~c.third~third.svc.cluster.local");
	ck_assert(!digest_equal(host_of(other, "80", A)->digest, host_of(third, "80", A)->digest));
	world_done(&world);
}
END_TEST

UNIT_MAIN("scope_tables", test_rule_of_a_host, test_tables, test_hosts_of_rules_by_port, test_alias, test_destination,
          test_digest_changes, test_digest_is_shared_by_views)
