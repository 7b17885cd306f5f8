#include "translator/istio/discovery.h"

#include "tests/unit/world.h"

#define NAMESPACE(name, labels)                                                                                        \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {" labels "}}\n---\n"                     \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: " name "}\n"                                    \
	"spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]}\n---\n"
/* "ghost" has a Service but no Namespace object. */
#define NAMESPACES                                                                                                     \
	NAMESPACE("a", "env: prod, region: us")                                                                        \
	NAMESPACE("b", "env: dev")                                                                                     \
	NAMESPACE("c", "env: prod, region: eu")                                                                        \
	NAMESPACE("istio-system", "")                                                                                  \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ghost}\n"                                       \
	"spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]}\n---\n"                                         \
	"apiVersion: v1\nkind: Node\nmetadata: {name: node}\n---\n"
#define MESH "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    "
#define ALL "a b c ghost istio-system"

/* The root namespace, was not chosen, or nothing at all. */
#define ROOT_ROW "data.mesh.discoverySelectors=NoEffect"

static struct world world_with(const char *mesh)
{
	CLEANUP(text_done) struct text yaml = {0};
	text_add(&yaml, NAMESPACES);
	if (mesh) {
		text_add(&yaml, MESH);
		for (const char *c = mesh; *c; c++) { /* lines of the block keep its indentation */
			text_add_char(&yaml, *c);
			if (*c == '\n')
				text_add(&yaml, "    ");
		}
	}
	struct world world = world_of(text_get(&yaml));
	ck_assert_uint_eq(world.issues.n, 0);
	return world;
}

/* "a b": the namespaces of the Services that there are. */
static void add_namespaces(const struct world *world, struct text *out)
{
	const struct snapshot_kind *services = &world->snapshot->kinds[KIND_SERVICE];
	for (size_t i = 0; i < services->n; i++)
		text_printf(out, "%s%s", i ? " " : "", services->v[i]->namespace);
}

static void add_rows(const struct world *world, struct text *out)
{
	for (size_t i = 0; i < world->model->report.n; i++) {
		const struct report_row *row = &world->model->report.rows[i];
		if (!text_has_prefix(row->field ? row->field : "", "data.mesh"))
			continue;
		text_printf(out, "%s%s=%s", out->n ? " " : "", row->field, report_reason_name(row->reason));
	}
}

#define ONE(selector) "discoverySelectors: [" selector "]\n"
#define EXPRESSION(expression) ONE("{matchExpressions: [{" expression "}]}")

static const struct selects_case {
	const char *name, *mesh, *want, *rows;
} selects_cases[] = {
    {"no MeshConfig", NULL, ALL, ""},
    {"no selectors", "connectTimeout: 3s\n", ALL, ""},
    {"an empty list", "discoverySelectors: []\n", ALL, ""},
    {"null", "discoverySelectors: null\n", ALL, ""},
    {"an empty selector: all namespaces that are known", ONE("{}"), "a b c istio-system", ""},
    {"one label", ONE("{matchLabels: {env: dev}}"), "b", ROOT_ROW},
    {"labels are all needed", ONE("{matchLabels: {env: prod, region: us}}"), "a", ROOT_ROW},
    {"an empty value is a value", ONE("{matchLabels: {env: ''}}"), "", ROOT_ROW},
    {"one of several selectors is enough", ONE("{matchLabels: {env: dev}}, {matchLabels: {region: eu}}"), "b c",
     ROOT_ROW},
    {"snake case", "discovery_selectors: [{match_labels: {env: dev}}]\n", ALL,
     "data.mesh.discoverySelectors=InvalidValue data.mesh.discoverySelectors[0].match_labels=UnknownField"},
    {"snake case of the list", "discovery_selectors: [{matchLabels: {env: dev}}]\n", "b", ROOT_ROW},
    {"an escaped key", "\"discovery\\x53electors\": [{matchLabels: {env: dev}}]\n", "b", ROOT_ROW},
    {"In", EXPRESSION("key: env, operator: In, values: [dev, test]"), "b", ROOT_ROW},
    {"NotIn takes those without the label", EXPRESSION("key: env, operator: NotIn, values: [prod]"), "b istio-system",
     ""},
    {"Exists", EXPRESSION("key: region, operator: Exists"), "a c", ROOT_ROW},
    {"DoesNotExist", EXPRESSION("key: region, operator: DoesNotExist"), "b istio-system", ""},
    {"labels and expressions are all needed",
     ONE("{matchLabels: {env: prod}, matchExpressions: [{key: region, operator: NotIn, values: [us]}]}"), "c",
     ROOT_ROW},
    {"the label that the API server gives", ONE("{matchLabels: {kubernetes.io/metadata.name: b}}"), "b", ROOT_ROW},
    {"... for an expression", EXPRESSION("key: kubernetes.io/metadata.name, operator: NotIn, values: [a, b]"),
     "c istio-system", ""},
    {"a namespace without an object has no labels", EXPRESSION("key: none, operator: DoesNotExist"),
     "a b c istio-system", ""},
    {"nothing is chosen", ONE("{matchLabels: {env: none}}"), "", ROOT_ROW},
};

static void expect_selected(const struct selects_case *c)
{
	struct world world = world_with(c->mesh);
	CLEANUP(text_done) struct text namespaces = {0}, rows = {0};
	add_namespaces(&world, &namespaces);
	add_rows(&world, &rows);
	ck_assert_msg(text_equal(text_get(&namespaces), c->want), "%s: \"%s\"", c->name, text_get(&namespaces));
	ck_assert_msg(text_equal(text_get(&rows), c->rows), "%s: %s", c->name, text_get(&rows));
	ck_assert_uint_eq(world.snapshot->kinds[KIND_NODE].n, 1); /* cluster-scoped objects stay */
	/* the settings stay, whether their namespace is chosen or not */
	ck_assert_uint_eq(world.snapshot->kinds[KIND_CONFIG_MAP].n, c->mesh != NULL);
	world_done(&world);
}

START_TEST(test_selects)
{
	for (size_t i = 0; i < sizeof selects_cases / sizeof selects_cases[0]; i++)
		expect_selected(&selects_cases[i]);
}
END_TEST

/* What is wrong with a selector makes it choose nothing; beside each stands a good one for "b", or none. */
static const struct mistake_case {
	const char *name, *selector, *row;
} mistake_cases[] = {
    {"unknown operator", "{matchExpressions: [{key: env, operator: Is, values: [prod]}]}",
     "matchExpressions[0].operator=InvalidValue"},
    {"no operator", "{matchExpressions: [{key: env, values: [prod]}]}", "matchExpressions[0].operator=InvalidValue"},
    {"In without values", "{matchExpressions: [{key: env, operator: In}]}", "matchExpressions[0].values=InvalidValue"},
    {"NotIn without values", "{matchExpressions: [{key: env, operator: NotIn, values: []}]}",
     "matchExpressions[0].values=InvalidValue"},
    {"Exists with values", "{matchExpressions: [{key: env, operator: Exists, values: [a]}]}",
     "matchExpressions[0].values=InvalidValue"},
    {"DoesNotExist with values", "{matchExpressions: [{key: env, operator: DoesNotExist, values: [a]}]}",
     "matchExpressions[0].values=InvalidValue"},
    {"no key", "{matchExpressions: [{operator: Exists}]}", "matchExpressions[0].key=InvalidValue"},
    {"no label's key", "{matchLabels: {'a b': c}}", "matchLabels[a b]=InvalidValue"},
    {"no label's value", "{matchLabels: {a: 'b c'}}", "matchLabels[a]=InvalidValue"},
    {"no label's value in an expression", "{matchExpressions: [{key: a, operator: In, values: [b, 'c d']}]}",
     "matchExpressions[0].values[1]=InvalidValue"},
    {"a misspelt field", "{matchLabel: {env: prod}}", "matchLabel=UnknownField"},
    {"a wrong type", "{matchLabels: 5}", "matchLabels=InvalidValue"},
    {"null", "null", "=InvalidValue"},
    {"a string", "prod", "=InvalidValue"},
};

static const char *row_of(struct arena *arena, const char *row)
{
	return arena_printf(arena, "data.mesh.discoverySelectors[0]%s%s", *row == '=' ? "" : ".", row);
}

/* `want` is formed as "namespaces | rows". */
static void expect_mesh(const char *name, const char *mesh, const char *want)
{
	struct world world = world_with(mesh);
	CLEANUP(text_done) struct text got = {0}, rows = {0};
	add_namespaces(&world, &got);
	add_rows(&world, &rows);
	text_printf(&got, " | %s", text_get(&rows));
	ck_assert_msg(text_equal(text_get(&got), want), "%s: %s", name, text_get(&got));
	ck_assert(report_has_errors(&world.model->report));
	world_done(&world);
}

START_TEST(test_mistakes)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof mistake_cases / sizeof mistake_cases[0]; i++) {
		const struct mistake_case *c = &mistake_cases[i];
		const char *row = row_of(arena, c->row);
		expect_mesh(c->name, arena_printf(arena, ONE("%s"), c->selector),
		            arena_printf(arena, ALL " | data.mesh.discoverySelectors=InvalidValue %s", row));
		expect_mesh(c->name, arena_printf(arena, ONE("%s, {matchLabels: {env: dev}}"), c->selector),
		            arena_printf(arena, "b | " ROOT_ROW " %s", row));
	}
}
END_TEST

/* No list: the default stands, which is all namespaces. */
START_TEST(test_no_list)
{
	struct world world = world_with("discoverySelectors: prod\n");
	ck_assert_uint_eq(world.snapshot->kinds[KIND_SERVICE].n, 5);
	ck_assert(world_has_row(&world, REASON_INVALID_VALUE, "data.mesh.discoverySelectors"));
	world_done(&world);
}
END_TEST

/* Keys and values of all selectors together are counted. */
START_TEST(test_cap)
{
	for (size_t extra = 0; extra < 2; extra++) {
		CLEANUP(text_done) struct text mesh = {0};
		text_add(&mesh, "discoverySelectors: [{matchLabels: {env: dev}}, {matchExpressions: [{key: env, "
		                "operator: In, values: [prod");
		for (size_t i = 1; i + 4 < DISCOVERY_TERMS_MAX + extra; i++) /* two selectors, a label, an expression */
			text_printf(&mesh, ",v%zu", i);
		text_add(&mesh, "]}]}]\n");
		struct world world = world_with(text_get(&mesh));
		ck_assert_uint_eq(world.snapshot->kinds[KIND_SERVICE].n, extra ? 1 : 3);
		ck_assert_int_eq(world_has_row(&world, REASON_INVALID_VALUE, "data.mesh.discoverySelectors[1]"),
		                 extra == 1);
		world_done(&world);
	}
}
END_TEST

/* However long the list is, so many rows and no more. */
START_TEST(test_rows_are_bounded)
{
	CLEANUP(text_done) struct text mesh = {0};
	text_add(&mesh, "discoverySelectors: [null");
	for (size_t i = 0; i < DISCOVERY_TERMS_MAX * 2; i++)
		text_add(&mesh, ",null");
	text_add(&mesh, "]\n");
	struct world world = world_with(text_get(&mesh));
	ck_assert_uint_eq(world.snapshot->kinds[KIND_SERVICE].n, 5);
	ck_assert_uint_eq(world.model->report.n, DISCOVERY_TERMS_MAX + 3); /* "not read", the list, "more issues" */
	world_done(&world);
}
END_TEST

UNIT_MAIN("discovery", test_selects, test_mistakes, test_no_list, test_cap, test_rows_are_bounded)
