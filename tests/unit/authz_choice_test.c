#include "tests/unit/world.h"
#include "translator/authz_choice.h"

#define ROOT WORLD_ROOT_NAMESPACE
#define END "---\n"
#define MESH(providers)                                                                                                \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: " ROOT                                    \
	"}\ndata:\n  mesh: |\n    extensionProviders: [" providers "]\n" END
#define GRPC(name, service, port) "{name: " name ", envoyExtAuthzGrpc: {service: " service ", port: " port "}}"
#define SERVICE(name, namespace, exported, spec)                                                                       \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name                                                        \
	", namespace: " namespace ", annotations: {networking.istio.io/exportTo: '" exported "'}}\nspec: {" spec       \
	                          "}\n" END
#define PORTS "clusterIP: 10.96.0.1, ports: [{name: grpc, port: 9000}, {name: dns, port: 53, protocol: UDP}]"
#define ENTRY(host, namespace, exported)                                                                                     \
	"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: entry, namespace: " namespace "}\ns"       \
	                                                                                                        "pec:"       \
	                                                                                                        " {"         \
	                                                                                                        "host"       \
	                                                                                                        "s: "        \
	                                                                                                        "[" host     \
	                                                                                                        "], "        \
	                                                                                                        "expo"       \
	                                                                                                        "rtTo"       \
	                                                                                                        ": "         \
	                                                                                                        "["          \
	                                                                                                        "'" exported \
	                                                                                                        "'], "       \
	                                                                                                        "reso"       \
	                                                                                                        "luti"       \
	                                                                                                        "on: "       \
	                                                                                                        "STAT"       \
	                                                                                                        "IC, "       \
	                                                                                                        "port"       \
	                                                                                                        "s: "        \
	                                                                                                        "[{"         \
	                                                                                                        "numb"       \
	                                                                                                        "er: "       \
	                                                                                                        "9000"       \
	                                                                                                        ", "         \
	                                                                                                        "name"       \
	                                                                                                        ": "         \
	                                                                                                        "grpc"       \
	                                                                                                        ", "         \
	                                                                                                        "prot"       \
	                                                                                                        "ocol"       \
	                                                                                                        ": "         \
	                                                                                                        "GRPC"       \
	                                                                                                        "}], "       \
	                                                                                                        "endp"       \
	                                                                                                        "oint"       \
	                                                                                                        "s: "        \
	                                                                                                        "[{"         \
	                                                                                                        "addr"       \
	                                                                                                        "ess:"       \
	                                                                                                        " "          \
	                                                                                                        "10."        \
	                                                                                                        "5.0."       \
	                                                                                                        "1}]}"       \
	                                                                                                        "\n" END
#define POLICY(name, namespace, provider)                                                                              \
	"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " name                          \
	", namespace: " namespace "}\nspec: {action: CUSTOM, provider: {name: " provider "}, rules: [{}]}\n" END
#define OPA SERVICE("opa", "auth", "*", PORTS)
#define OPA_HOST "opa.auth.svc.cluster.local"

static const struct row {
	const char *name, *yaml;
	enum authz_choice_state want;
	bool is_told; /* by an error at the policy */
} rows[] = {
    {"no policy", MESH(GRPC("opa", OPA_HOST, "9000")) OPA, AUTHZ_NOT_ASKED, false},
    {"by host", MESH(GRPC("opa", OPA_HOST, "9000")) OPA POLICY("p", "shop", "opa"), AUTHZ_CHOSEN, false},
    {"by namespace and host, in other letters",
     MESH(GRPC("opa", "auth/OPA.auth.svc.cluster.local", "9000")) OPA POLICY("p", "shop", "opa"), AUTHZ_CHOSEN, false},
    {"two policies, one provider",
     MESH(GRPC("opa", OPA_HOST, "9000")) OPA POLICY("p", "shop", "opa") POLICY("q", "shop", "opa"), AUTHZ_CHOSEN,
     false},
    {"the mesh's policy and the namespace's",
     MESH(GRPC("opa", OPA_HOST, "9000") ", " GRPC("own", OPA_HOST, "9000")) OPA POLICY("p", ROOT, "opa")
         POLICY("q", "shop", "own"),
     AUTHZ_RIVALS, true},
    {"no settings", OPA POLICY("p", "shop", "opa"), AUTHZ_UNDEFINED, true},
    {"no such provider", MESH(GRPC("opa", OPA_HOST, "9000")) OPA POLICY("p", "shop", "other"), AUTHZ_UNDEFINED, true},
    {"a provider of traces", MESH("{name: opa, zipkin: {service: z, port: 1}}") OPA POLICY("p", "shop", "opa"),
     AUTHZ_UNDEFINED, true},
    {"an invalid provider", MESH(GRPC("opa", OPA_HOST, "0")) OPA POLICY("p", "shop", "opa"), AUTHZ_INVALID, true},
    {"two of the name",
     MESH(GRPC("opa", OPA_HOST, "9000") ", " GRPC("opa", OPA_HOST, "9000")) OPA POLICY("p", "shop", "opa"),
     AUTHZ_INVALID, true},
    {"no service", MESH(GRPC("opa", OPA_HOST, "9000")) POLICY("p", "shop", "opa"), AUTHZ_SERVICE_NOT_FOUND, true},
    {"a short name", MESH(GRPC("opa", "opa", "9000")) OPA POLICY("p", "shop", "opa"), AUTHZ_SERVICE_NOT_FOUND, true},
    {"no service in that namespace", MESH(GRPC("opa", "shop/" OPA_HOST, "9000")) OPA POLICY("p", "shop", "opa"),
     AUTHZ_SERVICE_NOT_FOUND, true},
    {"a host of two namespaces",
     MESH(GRPC("opa", OPA_HOST, "9000")) OPA ENTRY(OPA_HOST, "other", "*") POLICY("p", "shop", "opa"),
     AUTHZ_SERVICE_AMBIGUOUS, true},
    {"a host of two namespaces, one said",
     MESH(GRPC("opa", "auth/" OPA_HOST, "9000")) OPA ENTRY(OPA_HOST, "other", "*") POLICY("p", "shop", "opa"),
     AUTHZ_CHOSEN, false},
    {"the host that another's service hides",
     MESH(GRPC("opa", "other/" OPA_HOST, "9000")) OPA ENTRY(OPA_HOST, "other", "*") POLICY("p", "shop", "opa"),
     AUTHZ_SERVICE_NOT_SEEN, true},
    {"the host that a service of the workload's namespace hides",
     MESH(GRPC("opa", "auth/" OPA_HOST, "9000")) OPA ENTRY(OPA_HOST, "shop", "*") POLICY("p", "shop", "opa"),
     AUTHZ_SERVICE_NOT_SEEN, true},
    {"a service that is not exported",
     MESH(GRPC("opa", OPA_HOST, "9000")) SERVICE("opa", "auth", ".", PORTS) POLICY("p", "shop", "opa"),
     AUTHZ_SERVICE_NOT_SEEN, true},
    {"a service that is not exported, for a policy of the mesh: no workload is known to miss it",
     MESH(GRPC("opa", OPA_HOST, "9000")) SERVICE("opa", "auth", ".", PORTS) POLICY("p", ROOT, "opa"),
     AUTHZ_SERVICE_NOT_SEEN, false},
    {"no such port", MESH(GRPC("opa", OPA_HOST, "9001")) OPA POLICY("p", "shop", "opa"), AUTHZ_PORT_NOT_FOUND, true},
    {"a port of UDP", MESH(GRPC("opa", OPA_HOST, "53")) OPA POLICY("p", "shop", "opa"), AUTHZ_PORT_NOT_FOUND, true},
    {"a headless service",
     MESH(GRPC("opa", OPA_HOST, "9000"))
         SERVICE("opa", "auth", "*", "clusterIP: None, ports: [{name: grpc, port: 9000}]") POLICY("p", "shop", "opa"),
     AUTHZ_SERVICE_BY_ADDRESS, true},
};

static bool is_told(const struct world *world)
{
	for (size_t i = 0; i < world->model->report.n; i++) {
		const struct report_row *row = &world->model->report.rows[i];
		if (row->severity == REPORT_ERROR && strcmp(row->kind, "AuthorizationPolicy") == 0 &&
		    strcmp(row->field, "spec.provider.name") == 0)
			return true;
	}
	return false;
}

START_TEST(whom_a_workload_asks)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct world world = world_of(row->yaml);
		const struct labels labels = {0};
		ck_assert_msg(world.issues.n == 0, "%s: %s", row->name,
		              world.issues.n ? world.issues.v[0].message : "");
		const struct authz_policies policies = authz_of(world.arena, world.model, "shop", &labels);
		const struct authz_choice choice = authz_choose(world.model, "shop", &policies);
		ck_assert_msg(choice.state == row->want, "%s: state %d, want %d", row->name, choice.state, row->want);
		ck_assert_msg(!choice.provider == (row->want != AUTHZ_CHOSEN), "%s: provider", row->name);
		ck_assert_ptr_eq(choice.provider, policies.provider);
		ck_assert_msg(is_told(&world) == row->is_told, "%s: told %d", row->name, !row->is_told);
		world_done(&world);
	}
}
END_TEST

START_TEST(each_rival_has_a_row_of_its_own)
{
	struct world world =
	    world_of(MESH(GRPC("opa", OPA_HOST, "9000")) OPA POLICY("p", "shop", "opa") POLICY("q", "shop", "z"));
	size_t n = 0;
	for (size_t i = 0; i < world.model->report.n; i++)
		n += world.model->report.rows[i].reason == REASON_CONFLICT;
	ck_assert_uint_eq(n, 2);
	world_done(&world);
}
END_TEST

START_TEST(grpc_at_a_port_for_something_else_is_said)
{
	static const struct {
		const char *name, *yaml;
		bool is_said;
	} ports[] = {
	    {"grpc", PORTS, false},
	    {"http2", "clusterIP: 10.96.0.1, ports: [{name: http2, port: 9000}]", false},
	    {"appProtocol", "clusterIP: 10.96.0.1, ports: [{name: x, port: 9000, appProtocol: grpc}]", false},
	    {"http", "clusterIP: 10.96.0.1, ports: [{name: http, port: 9000}]", true},
	    {"tcp", "clusterIP: 10.96.0.1, ports: [{name: tcp, port: 9000}]", true},
	    {"nameless", "clusterIP: 10.96.0.1, ports: [{port: 9000}]", true},
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		struct world world = world_of(
		    arena_printf(arena, "%s" SERVICE("opa", "auth", "*", "%s"),
		                 MESH(GRPC("opa", OPA_HOST, "9000")) POLICY("p", "shop", "opa"), ports[i].yaml));
		bool is_said = world_has_row(&world, REASON_INVALID_VALUE, "spec.provider.name");
		ck_assert_msg(is_said == ports[i].is_said, "%s", ports[i].name);
		ck_assert(!is_told(&world));
		world_done(&world);
	}
	arena_free(arena);
}
END_TEST

#define SELECTING(name, label, provider)                                                                               \
	"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " name                          \
	", namespace: shop}\nspec: {selector: {matchLabels: {" label "}}, action: CUSTOM, provider: {name: " provider  \
	"}, rules: [{}]}\n" END

/* Policies of which each selects something else meet at a workload that has both labels. */
START_TEST(rivals_meet_at_a_workload)
{
	static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: a, "
	                          "version: v1}}\nstatus: {phase: Running, podIP: 10.1.0.1}\n";
	static const char policies[] = MESH(GRPC("opa", OPA_HOST, "9000") ", " GRPC("own", OPA_HOST, "9000"))
	    OPA SELECTING("p", "app: a", "opa") SELECTING("q", "version: v1", "own");
	struct world world = world_of(policies);
	ck_assert(!world_has_row(&world, REASON_CONFLICT, NULL));
	world_done(&world);
	struct arena *arena = arena_new();
	world = world_of(arena_printf(arena, "%s%s", policies, pod));
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.provider.name"));
	world_done(&world);
	arena_free(arena);
}
END_TEST

UNIT_MAIN("authz_choice", whom_a_workload_asks, each_rival_has_a_row_of_its_own,
          grpc_at_a_port_for_something_else_is_said, rivals_meet_at_a_workload)
