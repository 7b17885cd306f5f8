#include "tests/unit/world.h"
#include "translator/istio/coverage.h"

#define END "---\n"
#define POD(name, namespace, ip, labels)                                                                               \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name                                                            \
	", namespace: " namespace ", labels: {" labels "}}\nstatus: {podIP: " ip ", podIPs: [{ip: " ip "}]}\n" END
#define SLICE(service, namespace, ip)                                                                                  \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " service                              \
	", namespace: " namespace ", labels: {kubernetes.io/service-name: " service                                    \
	                          "}}\naddressType: IPv4\nports: [{name: http, port: 8080}, {name: tcp, port: "        \
	                          "9000}]\nendpoints: [{addresses: [" ip "]}]\n" END
#define SECURITY(kind, namespace, spec)                                                                                \
	"apiVersion: security.istio.io/v1\nkind: " kind                                                                \
	"\nmetadata: {name: x, namespace: " namespace "}\nspec: {" spec "}\n" END
#define MESH                                                                                                           \
	POD("a-1", "shop", "10.0.0.1", "app: a, version: v1")                                                          \
	POD("a-2", "shop", "10.0.0.2", "app: a, version: v2")                                                          \
	POD("a-3", "shop", "10.0.0.3", "app: a, version: v1")                                                          \
	POD("b-1", "shop", "10.0.0.4", "app: b, version: v1")                                                          \
	POD("a-1", "other", "10.0.0.5", "app: a")                                                                      \
	POD("edge-1", "shop", "10.0.0.6", "app: edge")                                                                 \
	"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {clusterIP: 10.96.0.1, ports: "    \
	"[{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 9000}]}\n" END SLICE("a", "shop", "10.0.0.2")    \
	    SECURITY("PeerAuthentication", "other", "mtls: {mode: STRICT}") SECURITY(                                  \
	        "RequestAuthentication", "other",                                                                      \
	        "jwtRules: [{issuer: i, jwks: '{\"keys\": []}'}]") "apiVersion: networking.istio.io/v1\nkind: "        \
	                                                           "Gateway\nmetadata: {name: g, namespace: "          \
	                                                           "shop}\nspec: {"                                    \
	                                                           "selector: {app: edge}, servers: [{port: {number: " \
	                                                           "80, name: h, protocol: HTTP}, hosts: "             \
	                                                           "['*']}]}\n" END

static const struct label app_a[] = {{"app", "a"}}, app_b[] = {{"app", "b"}}, v1[] = {{"version", "v1"}},
                          a_v1[] = {{"app", "a"}, {"version", "v1"}}, gone[] = {{"app", "gone"}},
                          edge[] = {{"app", "edge"}};
static const struct labels all[] = {{NULL, 0}}, a[] = {{app_a, 1}}, of_v1[] = {{v1, 1}}, of_a_v1[] = {{a_v1, 2}},
                           none[] = {{gone, 1}}, edges[] = {{edge, 1}}, a_or_v1[] = {{app_a, 1}, {v1, 1}},
                           b_or_none[] = {{app_b, 1}, {gone, 1}};

START_TEST(who_is_covered)
{
	static const struct {
		const char *name, *namespace;
		struct workload_selectors selectors;
		size_t n_workloads, n_groups, n_gateways;
	} rows[] = {
	    {"all of a namespace", "shop", {all, 1}, 5, 4, 1},
	    {"all of the mesh", WORLD_ROOT_NAMESPACE, {all, 1}, 6, 5, 1},
	    {"a namespace without any", "empty", {all, 1}, 0, 0, 0},
	    {"by a label", "shop", {a, 1}, 3, 2, 0},
	    {"by a label, in the mesh", WORLD_ROOT_NAMESPACE, {a, 1}, 4, 3, 0},
	    {"by another label", "shop", {of_v1, 1}, 3, 2, 0},
	    {"by two labels", "shop", {of_a_v1, 1}, 2, 1, 0},
	    {"by a label that nobody has", "shop", {none, 1}, 0, 0, 0},
	    {"by two selectors, each once", "shop", {a_or_v1, 2}, 4, 3, 0},
	    {"by two selectors, one without any", "shop", {b_or_none, 2}, 1, 1, 0},
	    {"by no selector", "shop", {NULL, 0}, 0, 0, 0},
	    {"gateways", "shop", {edges, 1}, 1, 1, 1},
	};
	struct world world = world_of(MESH);
	struct coverages *coverages = coverages_new(world.arena, world.model);
	ck_assert_uint_eq(coverages_n_groups(coverages), 5);
	ck_assert(coverages_has_workloads(coverages, "shop") && !coverages_has_workloads(coverages, "empty"));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct coverage *of = coverage_of(coverages, rows[i].namespace, &rows[i].selectors);
		ck_assert_msg(of->n_workloads == rows[i].n_workloads && of->n_groups == rows[i].n_groups &&
		                  of->n_gateways == rows[i].n_gateways,
		              "%s: %zu workloads, %zu groups, %zu gateways", rows[i].name, of->n_workloads,
		              of->n_groups, of->n_gateways);
		ck_assert_msg(coverage_of(coverages, rows[i].namespace, &rows[i].selectors) == of, "%s: again",
		              rows[i].name);
	}
	world_done(&world);
}
END_TEST

START_TEST(what_is_known_of_them)
{
	struct world world = world_of(MESH);
	struct coverages *coverages = coverages_new(world.arena, world.model);
	struct coverage *shop = coverage_of(coverages, "shop", &(struct workload_selectors){a, 1});
	struct coverage *mesh = coverage_of(coverages, WORLD_ROOT_NAMESPACE, &(struct workload_selectors){a, 1});
	ck_assert_uint_eq(shop->least_mode, MTLS_PERMISSIVE);
	ck_assert_uint_eq(shop->most_mode, MTLS_PERMISSIVE);
	ck_assert_uint_eq(mesh->least_mode, MTLS_PERMISSIVE);
	ck_assert_uint_eq(mesh->most_mode, MTLS_STRICT);
	ck_assert(coverage_port(shop, "8080")->may_be_http && !coverage_port(shop, "9000")->may_be_http);
	ck_assert(!coverage_port(shop, "80"));
	ck_assert_str_eq(map_get(&shop->targets, "80"), "8080");
	ck_assert_uint_eq(coverage_issuers(coverages, shop)->n, 0);
	ck_assert_uint_eq(coverage_issuers(coverages, mesh)->n, 1);
	ck_assert_str_eq(coverage_issuers(coverages, mesh)->v[0], "i");
	world_done(&world);
}
END_TEST

UNIT_MAIN("coverage", who_is_covered, what_is_known_of_them)
