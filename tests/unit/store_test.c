#include "server/source/store.h"

#include "base/text.h"
#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define OBJECTS_MAX 8

static struct decoded service(const char *name, const char *ip)
{
	char yaml[256];
	snprintf(yaml, sizeof yaml, "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {clusterIP: '%s'}",
	         name, ip);
	return decode_at(yaml, "f.yaml", 3);
}

/* Sets a group to services "name=ip name=ip", with refusals; whether the store changed. */
static bool set(struct store *store, const char *group, const char *services, const struct report_row *refusals,
                size_t n_refusals)
{
	struct decoded decoded[OBJECTS_MAX];
	struct object *objects[OBJECTS_MAX];
	size_t n = 0;
	char copy[256];
	snprintf(copy, sizeof copy, "%s", services);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		char *ip = strchr(word, '=');
		*ip++ = '\0';
		decoded[n] = service(word, ip);
		objects[n] = decoded[n].object;
		ck_assert_ptr_nonnull(objects[n]);
		n++;
	}
	bool is_changed =
	    store_set_group(store, group,
	                    &(struct store_content){
	                        .objects = objects, .n_objects = n, .refusals = refusals, .n_refusals = n_refusals});
	for (size_t i = 0; i < n; i++)
		decoded_done(&decoded[i]);
	return is_changed;
}

/* "name=ip name=ip | severity reason name, …" of a snapshot. */
static void expect(const struct store *store, const char *want)
{
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(store);
	CLEANUP(text_done) struct text got = {0};
	const struct snapshot_kind *services = &snapshot->kinds[KIND_SERVICE];
	for (size_t i = 0; i < services->n; i++)
		text_printf(&got, "%s=%s ", services->v[i]->name,
		            ((const k8s_service *)services->v[i]->message)->spec->clusterip);
	text_add(&got, "|");
	for (size_t i = 0; i < snapshot->n_rows; i++)
		text_printf(&got, " %s %s %s", report_severity_name(snapshot->rows[i].severity),
		            report_reason_name(snapshot->rows[i].reason),
		            snapshot->rows[i].name ? snapshot->rows[i].name : "-");
	ck_assert_str_eq(text_get(&got), want);
	ck_assert_uint_eq(store_count(store), services->n);
}

START_TEST(test_set_replace_remove)
{
	struct store *store = store_new("istio-system");
	expect(store, "|");
	ck_assert(set(store, "a", "x=1 y1=2", NULL, 0));
	expect(store, "x=1 y1=2 |");
	ck_assert(!set(store, "a", "y1=2 x=1", NULL, 0)); /* order is nothing */
	ck_assert(set(store, "a", "x=1 y1=3", NULL, 0));
	expect(store, "x=1 y1=3 |");
	ck_assert(set(store, "b", "z=4", NULL, 0));
	ck_assert(set(store, "a", "x=1", NULL, 0));
	expect(store, "x=1 z=4 |");
	ck_assert(store_remove_group(store, "a"));
	ck_assert(!store_remove_group(store, "a"));
	expect(store, "z=4 |");
	ck_assert(!set(store, "c", "", NULL, 0));
	ck_assert(!store_remove_group(store, "c"));
	store_free(store);
}
END_TEST

static const struct report_row refused_x = {
    REPORT_ERROR, REASON_INVALID_VALUE, "Service", "default", "x", "spec", "m", NULL, 0,
};
static const struct report_row warned_x = {
    REPORT_WARNING, REASON_NO_EFFECT, "Service", "default", "x", "spec", "m", NULL, 0,
};
static const struct report_row unreadable = {.severity = REPORT_ERROR, .reason = REASON_UNREADABLE, .message = "m"};

START_TEST(test_last_good_form)
{
	static const struct {
		const char *name, *former, *next;
		const struct report_row *refusal;
		const char *want;
	} rows[] = {
	    {"named", "x=1 y1=2", "y1=3", &refused_x, "x=1 y1=3 | error InvalidValue x info InvalidValue x"},
	    {"named, never was good", "y1=2", "y1=3", &refused_x, "y1=3 | error InvalidValue x"},
	    {"named, also stands well", "x=1", "x=2", &refused_x, "x=2 | error InvalidValue x"},
	    {"a warning says nothing about it", "x=1 y1=2", "y1=3", &warned_x, "y1=3 | warning NoEffect x"},
	    {"nameless keeps all", "x=1 y1=2", "y1=3", &unreadable,
	     "x=1 y1=3 | error Unreadable - info InvalidValue x"},
	    {"nameless and empty", "x=1 y1=2", "", &unreadable,
	     "x=1 y1=2 | error Unreadable - info InvalidValue x info InvalidValue y1"},
	    {"nothing refused", "x=1 y1=2", "", NULL, "|"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store *store = store_new("istio-system");
		set(store, "a", rows[i].former, NULL, 0);
		ck_assert(set(store, "a", rows[i].next, rows[i].refusal, rows[i].refusal != NULL));
		expect(store, rows[i].want);
		/* the same again changes nothing, and the form is kept as often as needed */
		ck_assert_msg(!set(store, "a", rows[i].next, rows[i].refusal, rows[i].refusal != NULL), "%s",
		              rows[i].name);
		expect(store, rows[i].want);
		store_free(store);
	}
}
END_TEST

/* Refuses a document, for which `name` with the address 9 stands in, beside one that is as it was, if `beside`. */
static bool stand_in_beside(struct store *store, const struct report_row *refusal, const char *name,
                            struct object *beside)
{
	struct decoded decoded = service("x", "9");
	decoded.object->is_stand_in = true;
	decoded.object->name = name;
	bool is_changed = store_set_group(store, "a",
	                                  &(struct store_content){.objects = &beside,
	                                                          .n_objects = beside != NULL,
	                                                          .stand_ins = &decoded.object,
	                                                          .n_stand_ins = 1,
	                                                          .refusals = refusal,
	                                                          .n_refusals = 1});
	decoded_done(&decoded);
	return is_changed;
}

static bool stand_in(struct store *store, const struct report_row *refusal, const char *name)
{
	return stand_in_beside(store, refusal, name, NULL);
}

static bool refuse_with_stand_in(struct store *store)
{
	return stand_in(store, &refused_x, "x");
}

START_TEST(test_stand_ins)
{
	struct store *store = store_new("istio-system");
	ck_assert(refuse_with_stand_in(store));
	expect(store, "x=9 | error InvalidValue x warning InvalidValue x");
	ck_assert(!refuse_with_stand_in(store));
	expect(store, "x=9 | error InvalidValue x warning InvalidValue x");
	ck_assert(set(store, "a", "x=2", NULL, 0));
	expect(store, "x=2 |");
	ck_assert(refuse_with_stand_in(store));
	expect(store, "x=2 | error InvalidValue x info InvalidValue x");
	set(store, "a", "", NULL, 0);
	expect(store, "|");
	store_free(store);
}
END_TEST

/* It may be any of the former objects, and they are all kept; where there is none, one stands in until it is mended. */
START_TEST(test_stand_in_of_the_unreadable)
{
	struct store *store = store_new("istio-system");
	set(store, "a", "x=1", NULL, 0);
	stand_in(store, &unreadable, "(unreadable)");
	expect(store, "x=1 | error Unreadable - info InvalidValue x");
	set(store, "a", "", NULL, 0);
	const char *want = "(unreadable)=9 | error Unreadable - warning InvalidValue (unreadable)";
	ck_assert(stand_in(store, &unreadable, "(unreadable)"));
	expect(store, want);
	ck_assert(!stand_in(store, &unreadable, "(unreadable)"));
	expect(store, want);
	ck_assert(set(store, "a", "x=2", NULL, 0));
	expect(store, "x=2 |");
	store_free(store);
}
END_TEST

START_TEST(test_stand_in_of_the_unnamed)
{
	struct store *store = store_new("istio-system");
	struct decoded beside = service("x", "1");
	set(store, "a", "x=1", NULL, 0);
	stand_in(store, &unreadable, "(unnamed at 1:1)");
	expect(store, "x=1 | error Unreadable - info InvalidValue x");
	/* x is there, so it is another, and was never in force */
	ck_assert(stand_in_beside(store, &unreadable, "(unnamed at 1:1)", beside.object));
	expect(store, "(unnamed at 1:1)=9 x=1 | error Unreadable - warning InvalidValue (unnamed at 1:1)");
	decoded_done(&beside);
	store_free(store);
}
END_TEST

START_TEST(test_mended)
{
	struct store *store = store_new("istio-system");
	set(store, "a", "x=1", NULL, 0);
	set(store, "a", "", &refused_x, 1);
	ck_assert(set(store, "a", "x=2", NULL, 0));
	expect(store, "x=2 |");
	set(store, "a", "", &refused_x, 1);
	ck_assert(store_remove_group(store, "a"));
	expect(store, "|");
	store_free(store);
}
END_TEST

START_TEST(test_conflicts)
{
	struct store *store = store_new("istio-system");
	set(store, "b", "x=2", NULL, 0);
	set(store, "c", "x=3", NULL, 0);
	expect(store, "x=2 | error Conflict x");
	set(store, "a", "x=1", NULL, 0);
	expect(store, "x=1 | error Conflict x"); /* two rows that are one */
	store_remove_group(store, "a");
	store_remove_group(store, "b");
	expect(store, "x=3 |");
	set(store, "c", "x=4 x=5", NULL, 0);
	expect(store, "x=4 | error Conflict x");
	store_free(store);
}
END_TEST

START_TEST(test_rows_count_as_change)
{
	struct store *store = store_new("istio-system");
	set(store, "a", "x=1", NULL, 0);
	ck_assert(set(store, "a", "x=1", &warned_x, 1));
	ck_assert(!set(store, "a", "x=1", &warned_x, 1));
	ck_assert(set(store, "a", "x=1", NULL, 0));
	store_free(store);
}
END_TEST

START_TEST(test_snapshot_outlives)
{
	struct store *store = store_new("istio-system");
	set(store, "a", "x=1", &warned_x, 1);
	struct snapshot *snapshot = store_freeze(store);
	store_free(store);
	ck_assert_str_eq(snapshot->kinds[KIND_SERVICE].v[0]->name, "x");
	ck_assert_str_eq(snapshot->rows[0].name, "x");
	ck_assert_str_eq(snapshot->root_namespace, "istio-system");
	snapshot_unref(snapshot);
}
END_TEST

/* Any order of the same sets gives the same snapshot. */
START_TEST(test_order_is_nothing)
{
	static const char *const contents[] = {"x=1 y1=1", "y1=2 z=2", "z=3 w=3", "v=4"};
	static const char *const names[] = {"a", "b", "c", "d"};
	struct digest first = {0};
	for (size_t turn = 0; turn < 4; turn++) {
		struct store *store = store_new("istio-system");
		for (size_t i = 0; i < 4; i++)
			set(store, names[(i + turn) % 4], contents[(i + turn) % 4], NULL, 0);
		CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(store);
		if (turn == 0)
			first = snapshot->digest;
		ck_assert(digest_equal(first, snapshot->digest));
		store_free(store);
	}
}
END_TEST

/* One object a group, from YAML. */
static void set_yaml(struct store *store, const char *group, const char *yaml, const struct report_row *refusals,
                     size_t n_refusals)
{
	struct decoded decoded = decode(yaml);
	ck_assert_ptr_nonnull(decoded.object);
	ck_assert(store_set_group(
	    store, group,
	    &(struct store_content){
	        .objects = &decoded.object, .n_objects = 1, .refusals = refusals, .n_refusals = n_refusals}));
	decoded_done(&decoded);
}

static struct digest frozen_digest(const struct store *store)
{
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(store);
	return snapshot->digest;
}

/* "kind/namespace/name …" of Services and Namespaces, then "| name …" of the rows. */
static void expect_ids(const struct store *store, const char *want)
{
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(store);
	CLEANUP(text_done) struct text got = {0};
	static const enum kind shown[] = {KIND_SERVICE, KIND_NAMESPACE};
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < snapshot->kinds[shown[k]].n; i++) {
			const struct object *object = snapshot->kinds[shown[k]].v[i];
			text_printf(&got, "%s/%s ", object->namespace, object->name);
		}
	text_add(&got, "|");
	for (size_t i = 0; i < snapshot->n_rows; i++)
		text_printf(&got, " %s", snapshot->rows[i].name ? snapshot->rows[i].name : "-");
	ck_assert_str_eq(text_get(&got), want);
}

/* What the mesh's discoverySelectors leave out does not count as change; what changes the choice does, at once. */
START_TEST(test_unselected_namespaces)
{
	static const char in[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: in, labels: {mesh: 'yes'}}";
	static const char out[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: out, labels: {mesh: %s}}";
	static const char mesh[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
	                           "data: {mesh: '{discoverySelectors: [{matchLabels: {mesh: %s}}]}'}";
	static const char service_of[] = "apiVersion: v1\nkind: Service\nmetadata: {name: s-%s, namespace: %s}\n"
	                                 "spec: {clusterIP: 10.96.0.%d}";
	static const struct report_row refused[] = {
	    {.kind = "Service", .namespace = "out", .name = "bad-out", .message = "m"},
	    {.kind = "Service", .namespace = "in", .name = "bad-in", .message = "m"},
	    {.kind = "ConfigMap", .namespace = "istio-system", .name = "istio", .message = "m"},
	    {.kind = "Node", .namespace = "", .name = "bad-node", .message = "m"},
	    {.message = "not even readable"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct store *store = store_new("istio-system");
	set_yaml(store, "mesh", arena_printf(arena, mesh, "\"yes\""), NULL, 0);
	set_yaml(store, "in", in, NULL, 0);
	set_yaml(store, "out", arena_printf(arena, out, "'no'"), NULL, 0);
	set_yaml(store, "s-in", arena_printf(arena, service_of, "in", "in", 1), NULL, 0);
	struct digest before = frozen_digest(store);

	set_yaml(store, "s-out", arena_printf(arena, service_of, "out", "out", 1), NULL, 0);
	ck_assert(digest_equal(frozen_digest(store), before));
	set_yaml(store, "s-out", arena_printf(arena, service_of, "out", "out", 2), refused, 1);
	ck_assert(digest_equal(frozen_digest(store), before));
	set_yaml(store, "out", arena_printf(arena, out, "'never'"), NULL, 0);
	ck_assert(digest_equal(frozen_digest(store), before));
	set_yaml(store, "s-in", arena_printf(arena, service_of, "in", "in", 2), NULL, 0);
	ck_assert(!digest_equal(frozen_digest(store), before));
	set_yaml(store, "s-out", arena_printf(arena, service_of, "out", "out", 2), refused, 5);
	expect_ids(store, "in/s-in /in | - istio bad-node bad-in");

	set_yaml(store, "out", arena_printf(arena, out, "'yes'"), NULL, 0);
	expect_ids(store, "in/s-in out/s-out /in /out | - istio bad-node bad-in bad-out");
	set_yaml(store, "out", arena_printf(arena, out, "'no'"), NULL, 0);
	expect_ids(store, "in/s-in /in | - istio bad-node bad-in");
	set_yaml(store, "mesh", arena_printf(arena, mesh, "\"no\""), NULL, 0);
	expect_ids(store, "out/s-out /out | - istio bad-node bad-out");
	store_remove_group(store, "mesh");
	expect_ids(store, "in/s-in out/s-out /in /out | - istio bad-node bad-in bad-out");
	store_free(store);
}
END_TEST

UNIT_MAIN("store", test_stand_ins, test_stand_in_of_the_unreadable, test_stand_in_of_the_unnamed,
          test_set_replace_remove, test_last_good_form, test_mended, test_conflicts, test_rows_count_as_change,
          test_snapshot_outlives, test_order_is_nothing, test_unselected_namespaces)
