#include "tests/unit/world.h"

#define POLICY(name, namespace, age, spec)                                                                             \
	"apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: " name                           \
	", namespace: " namespace ", creationTimestamp: '2024-01-0" age "T00:00:00Z'}\nspec: {" spec "}\n---\n"
#define ROOT WORLD_ROOT_NAMESPACE
#define OF_A "selector: {matchLabels: {app: a}}, "

static const struct label of_a[] = {{"app", "a"}, {"version", "v1"}};

static enum mtls_mode mode_of(const struct world *world, const char *namespace, bool is_a, uint32_t port)
{
	struct labels labels = {of_a, is_a ? 2 : 0};
	struct mtls_settings settings = model_mtls(world->arena, world->model, namespace, &labels);
	return mtls_settings_mode(&settings, port);
}

START_TEST(the_nearest_counts)
{
	static const struct {
		const char *name, *yaml;
		enum mtls_mode a, other, elsewhere, clients; /* workload a, another one, another namespace's */
	} rows[] = {
	    {"nothing", "", MTLS_PERMISSIVE, MTLS_PERMISSIVE, MTLS_PERMISSIVE, MTLS_PERMISSIVE},
	    {"the mesh", POLICY("mesh", ROOT, "1", "mtls: {mode: STRICT}"), MTLS_STRICT, MTLS_STRICT, MTLS_STRICT,
	     MTLS_STRICT},
	    {"the mesh, unset", POLICY("mesh", ROOT, "1", "mtls: {mode: UNSET}"), MTLS_PERMISSIVE, MTLS_PERMISSIVE,
	     MTLS_PERMISSIVE, MTLS_PERMISSIVE},
	    {"a namespace",
	     POLICY("mesh", ROOT, "1", "mtls: {mode: STRICT}") POLICY("all", "default", "2", "mtls: {mode: DISABLE}"),
	     MTLS_DISABLE, MTLS_DISABLE, MTLS_STRICT, MTLS_DISABLE},
	    {"a namespace that inherits",
	     POLICY("mesh", ROOT, "1", "mtls: {mode: STRICT}") POLICY("all", "default", "2", "mtls: {}"), MTLS_STRICT,
	     MTLS_STRICT, MTLS_STRICT, MTLS_STRICT},
	    {"a workload",
	     POLICY("all", "default", "1", "mtls: {mode: STRICT}")
	         POLICY("w", "default", "2", OF_A "mtls: {mode: PERMISSIVE}"),
	     MTLS_PERMISSIVE, MTLS_STRICT, MTLS_PERMISSIVE, MTLS_STRICT},
	    {"a workload that inherits",
	     POLICY("all", "default", "1", "mtls: {mode: STRICT}") POLICY("w", "default", "2", OF_A "mtls: {}"),
	     MTLS_STRICT, MTLS_STRICT, MTLS_PERMISSIVE, MTLS_STRICT},
	    {"of workload policies the oldest",
	     POLICY("w1", "default", "2", "selector: {matchLabels: {version: v1}}, mtls: {mode: DISABLE}")
	         POLICY("w2", "default", "1", OF_A "mtls: {mode: STRICT}"),
	     MTLS_STRICT, MTLS_PERMISSIVE, MTLS_PERMISSIVE, MTLS_PERMISSIVE},
	    {"of equal age the first name",
	     POLICY("w2", "default", "1", "selector: {matchLabels: {version: v1}}, mtls: {mode: DISABLE}")
	         POLICY("w1", "default", "1", OF_A "mtls: {mode: STRICT}"),
	     MTLS_STRICT, MTLS_PERMISSIVE, MTLS_PERMISSIVE, MTLS_PERMISSIVE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world world = world_of(rows[i].yaml);
		ck_assert_msg(world.issues.n == 0, "%s: %s", rows[i].name,
		              world.issues.n ? world.issues.v[0].message : "");
		ck_assert_msg(mode_of(&world, "default", true, 80) == rows[i].a, "%s: a", rows[i].name);
		ck_assert_msg(mode_of(&world, "default", false, 80) == rows[i].other, "%s: other", rows[i].name);
		ck_assert_msg(mode_of(&world, "other", true, 80) == rows[i].elsewhere, "%s: elsewhere", rows[i].name);
		ck_assert_msg(model_namespace_mtls_mode(world.model, "default") == rows[i].clients, "%s: clients",
		              rows[i].name);
		ck_assert_msg(world.model->report.n == 0, "%s: %s", rows[i].name,
		              world.model->report.n ? world.model->report.rows[0].message : "");
		world_done(&world);
	}
}
END_TEST

START_TEST(ports_have_their_own)
{
	struct world world = world_of(POLICY("all", "default", "1", "mtls: {mode: STRICT}") POLICY(
	    "w", "default", "2", OF_A "portLevelMtls: {9000: {mode: DISABLE}, 80: {mode: PERMISSIVE}, 81: {}}"));
	ck_assert_uint_eq(world.issues.n, 0);
	ck_assert_uint_eq(mode_of(&world, "default", true, 9000), MTLS_DISABLE);
	ck_assert_uint_eq(mode_of(&world, "default", true, 80), MTLS_PERMISSIVE);
	ck_assert_uint_eq(mode_of(&world, "default", true, 81), MTLS_STRICT);
	ck_assert_uint_eq(mode_of(&world, "default", true, 82), MTLS_STRICT);
	ck_assert_uint_eq(mode_of(&world, "default", false, 9000), MTLS_STRICT);
	world_done(&world);
}
END_TEST

START_TEST(what_has_no_effect_is_said)
{
	static const struct {
		const char *name, *yaml;
		enum report_reason reason;
		const char *field;
		enum mtls_mode want;
	} rows[] = {
	    {"two for a namespace",
	     POLICY("b", "default", "1", "mtls: {mode: STRICT}") POLICY("a", "default", "2", "mtls: {mode: DISABLE}"),
	     REASON_CONFLICT, NULL, MTLS_STRICT},
	    {"two for the mesh",
	     POLICY("a", ROOT, "2", "mtls: {mode: DISABLE}") POLICY("b", ROOT, "1", "mtls: {mode: STRICT}"),
	     REASON_CONFLICT, NULL, MTLS_STRICT},
	    {"two for one selector",
	     POLICY("a", "default", "2", OF_A "mtls: {mode: DISABLE}")
	         POLICY("b", "default", "1", OF_A "mtls: {mode: STRICT}"),
	     REASON_CONFLICT, NULL, MTLS_STRICT},
	    {"a selector in the root namespace", POLICY("a", ROOT, "2", OF_A "mtls: {mode: STRICT}"), REASON_NO_EFFECT,
	     "spec.selector", MTLS_PERMISSIVE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world world = world_of(rows[i].yaml);
		ck_assert_msg(world.model->report.n == 1, "%s: %zu rows", rows[i].name, world.model->report.n);
		ck_assert_msg(world_has_row(&world, rows[i].reason, rows[i].field), "%s", rows[i].name);
		ck_assert_msg(mode_of(&world, "default", true, 80) == rows[i].want, "%s", rows[i].name);
		world_done(&world);
	}
}
END_TEST

UNIT_MAIN("resolve_peer_authentication", the_nearest_counts, ports_have_their_own, what_has_no_effect_is_said)
