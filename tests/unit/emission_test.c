#include "server/emission.h"

#include "tests/unit/world.h"

#include <stdio.h>

#define SERVICE(name, address)                                                                                         \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default}\n"                              \
	"spec: {clusterIP: " address ", selector: {app: " name "}, ports: [{name: http, port: 80}]}\n---\n"

/* Two namespaces that see the same services: equal sets come out of different views. */
static const char one_service[] = SERVICE("reviews", "10.1.0.1");
static const char two_services[] = SERVICE("reviews", "10.1.0.1") SERVICE("ratings", "10.1.0.2");

struct fixture {
	struct emit_cache *cache;
	struct emission *emission;
	struct generation *generation;
	struct roster_node *nodes[4];
};

static struct roster_node *node_new(const char *name, const char *namespace, const char *address)
{
	char id[128];
	struct error error;
	snprintf(id, sizeof id, "sidecar~%s~%s.%s~%s.svc.cluster.local", address, name, namespace, namespace);
	struct roster_node *node = roster_node_new(id, NULL, &error);
	ck_assert_msg(node != NULL, "%s", error.message);
	return node;
}

static void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){.cache = emit_cache_new()};
	fixture->nodes[0] = node_new("a", "default", "192.0.2.1");
	fixture->nodes[1] = node_new("b", "default", "192.0.2.2");
	fixture->nodes[2] = node_new("c", "other", "192.0.2.3");
	fixture->nodes[3] = node_new("d", "third", "192.0.2.4");
}

static void fixture_done(struct fixture *fixture)
{
	for (size_t i = 0; i < 4; i++)
		roster_node_unref(fixture->nodes[i]);
	generation_unref(fixture->generation);
	emission_free(fixture->emission);
	emit_cache_free(fixture->cache);
}

/* Emits for the first n nodes. The former generation is given back: drop it. */
static struct generation *emit(struct fixture *fixture, struct resolved *resolved, size_t n, bool is_same_model)
{
	struct generation *former = fixture->generation;
	struct roster *roster = roster_new(fixture->nodes, n);
	fixture->generation = generation_new(resolved);
	struct emission *emission = emission_new(&(struct emission_input){.generation = fixture->generation,
	                                                                  .roster = roster,
	                                                                  .cache = fixture->cache,
	                                                                  .former = fixture->emission,
	                                                                  .is_same_model = is_same_model});
	emission_free(fixture->emission);
	fixture->emission = emission;
	roster_unref(roster);
	return former;
}

static struct resolved *resolved_of(const char *yaml)
{
	struct world world = world_of(yaml);
	ck_assert_uint_eq(world.issues.n, 0);
	struct resolved *resolved = resolved_new(world.snapshot);
	world_done(&world);
	return resolved;
}

START_TEST(each_view_and_class_is_emitted_once)
{
	struct fixture fixture;
	struct resolved *resolved = resolved_of(one_service);
	fixture_init(&fixture);
	emit(&fixture, resolved, 3, false);
	ck_assert_uint_eq(fixture.emission->views.n, 2);
	ck_assert_uint_eq(fixture.emission->n_emitted, fixture.emission->views.n + fixture.emission->workloads.n);
	const struct proxy_config *a = generation_config(fixture.generation, fixture.nodes[0]);
	ck_assert_ptr_eq(a, generation_config(fixture.generation, fixture.nodes[1]));
	ck_assert_ptr_ne(a, generation_config(fixture.generation, fixture.nodes[2]));
	resolved_unref(resolved);
	fixture_done(&fixture);
}
END_TEST

START_TEST(equal_sets_of_two_views_are_one)
{
	struct fixture fixture;
	struct resolved *resolved = resolved_of(one_service);
	fixture_init(&fixture);
	emit(&fixture, resolved, 3, false);
	const struct proxy_config *a = generation_config(fixture.generation, fixture.nodes[0]);
	const struct proxy_config *c = generation_config(fixture.generation, fixture.nodes[2]);
	ck_assert(!digest_equal(a->view_key, c->view_key));
	ck_assert_ptr_eq(a->view[RESOURCE_ENDPOINTS], c->view[RESOURCE_ENDPOINTS]);
	ck_assert_uint_eq(fixture.emission->n_changed[RESOURCE_ENDPOINTS], 1);
	resolved_unref(resolved);
	fixture_done(&fixture);
}
END_TEST

START_TEST(same_model_emits_only_what_is_new)
{
	struct fixture fixture;
	struct resolved *resolved = resolved_of(one_service);
	fixture_init(&fixture);
	emit(&fixture, resolved, 2, false);
	struct generation *former = emit(&fixture, resolved, 3, true);
	ck_assert_uint_eq(fixture.emission->views.n, 2);
	ck_assert_uint_le(fixture.emission->n_emitted, 2); /* a view, maybe a class */
	ck_assert_uint_ge(fixture.emission->n_emitted, 1);
	ck_assert_ptr_eq(generation_config(former, fixture.nodes[0]),
	                 generation_config(fixture.generation, fixture.nodes[0]));
	generation_unref(former);

	former = emit(&fixture, resolved, 1, true); /* what nobody needs any more is forgotten */
	ck_assert_uint_eq(fixture.emission->n_emitted, 0);
	ck_assert_uint_eq(fixture.emission->views.n, 1);
	ck_assert_uint_eq(fixture.emission->nodes.n, 1);
	ck_assert_uint_eq(fixture.generation->configs.n, 1);
	generation_unref(former);
	resolved_unref(resolved);
	fixture_done(&fixture);
}
END_TEST

START_TEST(equal_content_keeps_its_object_across_models)
{
	struct fixture fixture;
	struct resolved *one = resolved_of(one_service), *again = resolved_of(one_service),
	                *two = resolved_of(two_services);
	fixture_init(&fixture);
	emit(&fixture, one, 1, false);
	struct generation *former = emit(&fixture, again, 1, false);
	/* Nothing differs, so nothing is emitted and all is what it was. */
	ck_assert_uint_eq(fixture.emission->n_emitted, 0);
	ck_assert_ptr_eq(generation_config(former, fixture.nodes[0]),
	                 generation_config(fixture.generation, fixture.nodes[0]));
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		ck_assert_uint_eq(fixture.emission->n_changed[i], 0);
	generation_unref(former);

	former = emit(&fixture, two, 1, false);
	ck_assert_uint_eq(fixture.emission->n_changed[RESOURCE_CLUSTER], 1);
	ck_assert_ptr_ne(generation_config(former, fixture.nodes[0])->view[RESOURCE_CLUSTER],
	                 generation_config(fixture.generation, fixture.nodes[0])->view[RESOURCE_CLUSTER]);
	generation_unref(former);
	resolved_unref(one);
	resolved_unref(again);
	resolved_unref(two);
	fixture_done(&fixture);
}
END_TEST

START_TEST(nobody_connected_is_no_work)
{
	struct fixture fixture;
	struct resolved *resolved = resolved_of(two_services);
	fixture_init(&fixture);
	emit(&fixture, resolved, 0, false);
	ck_assert_uint_eq(fixture.emission->n_emitted, 0);
	ck_assert_uint_eq(fixture.generation->configs.n, 0);
	resolved_unref(resolved);
	fixture_done(&fixture);
}
END_TEST

UNIT_MAIN("emission", each_view_and_class_is_emitted_once, equal_sets_of_two_views_are_one,
          same_model_emits_only_what_is_new, equal_content_keeps_its_object_across_models, nobody_connected_is_no_work)
