#include "tests/unit/emitted.h"

#define SERVICE(name, port, address)                                                                                   \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default}\n"                              \
	"spec:\n  clusterIP: " address "\n  ports: [{name: http, port: " port "}]\n---\n"
#define SLICE(name, address)                                                                                           \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                                                       \
	"metadata: {name: " name "-1, namespace: default, labels: {kubernetes.io/service-name: " name "}}\n"           \
	"addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints: [{addresses: [" address "]}]\n---\n"
#define ROUTE(name, path)                                                                                              \
	"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " name ", namespace: default}\n"   \
	"spec:\n  hosts: [" name "]\n  http:\n  - match: [{uri: {prefix: " path "}}]\n"                                \
	"    route: [{destination: {host: " name "}}]\n---\n"

static const char mesh[] = SERVICE("a", "80", "10.0.0.1") SLICE("a", "10.1.0.1") ROUTE("a", "/a")
    SERVICE("b", "80", "10.0.0.2") SLICE("b", "10.1.0.2");
static const char mesh_other_route[] = SERVICE("a", "80", "10.0.0.1") SLICE("a", "10.1.0.1") ROUTE("a", "/changed")
    SERVICE("b", "80", "10.0.0.2") SLICE("b", "10.1.0.2");
static const char mesh_other_endpoint[] = SERVICE("a", "80", "10.0.0.1") SLICE("a", "10.1.0.9") ROUTE("a", "/a")
    SERVICE("b", "80", "10.0.0.2") SLICE("b", "10.1.0.2");
static const char mesh_shuffled[] = SLICE("b", "10.1.0.2") SERVICE("b", "80", "10.0.0.2") ROUTE("a", "/a")
    SLICE("a", "10.1.0.1") SERVICE("a", "80", "10.0.0.1");

static void assert_same_bytes(const struct resource_set *a, const struct resource_set *b)
{
	ck_assert_int_eq(!a, !b);
	if (!a)
		return;
	ck_assert_uint_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		ck_assert_str_eq(a->v[i]->name, b->v[i]->name);
		ck_assert_uint_eq(a->v[i]->body_n, b->v[i]->body_n);
		ck_assert_int_eq(memcmp(a->v[i]->body, b->v[i]->body, a->v[i]->body_n), 0);
	}
	ck_assert(digest_equal(a->version, b->version));
}

/* Emits `before` and then `after` with one cache, and `after` with none: the last two must be equal. */
static void check(const char *before, const char *after, const bool is_same[RESOURCE_TYPE_COUNT])
{
	struct world old = world_of(before), new = world_of(after);
	struct emit_cache *cache = emit_cache_new();
	struct emitted_config first = emitted_of(&old, WORLD_SIDECAR, NULL, cache);
	emit_cache_sweep(cache);
	struct emitted_config warm = emitted_of(&new, WORLD_SIDECAR, NULL, cache);
	emit_cache_sweep(cache);
	struct emitted_config cold = emitted_of(&new, WORLD_SIDECAR, NULL, NULL);
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		assert_same_bytes(warm.view[i], cold.view[i]);
		assert_same_bytes(warm.workload[i], cold.workload[i]);
		ck_assert_msg((first.view[i] == warm.view[i]) == is_same[i], "%s", resource_types[i].plural);
	}
	emitted_done(&first);
	emitted_done(&warm);
	emitted_done(&cold);
	emit_cache_free(cache);
	world_done(&old);
	world_done(&new);
}

START_TEST(nothing_changed_is_the_same_pointers)
{
	check(mesh, mesh, (bool[]){true, true, true, true, true});
	check(mesh, mesh_shuffled, (bool[]){true, true, true, true, true});
}
END_TEST

START_TEST(a_change_reaches_only_its_type)
{
	check(mesh, mesh_other_route, (bool[]){true, true, true, true, false});
	check(mesh, mesh_other_endpoint, (bool[]){true, false, true, true, true});
}
END_TEST

START_TEST(a_change_leaves_the_neighbours)
{
	struct world old = world_of(mesh), new = world_of(mesh_other_endpoint);
	struct emit_cache *cache = emit_cache_new();
	struct emitted_config first = emitted_of(&old, WORLD_SIDECAR, NULL, cache);
	struct emitted_config second = emitted_of(&new, WORLD_SIDECAR, NULL, cache);
	static const char *const names[] = {"outbound|80||a.default.svc.cluster.local",
	                                    "outbound|80||b.default.svc.cluster.local"};
	ck_assert_ptr_ne(emitted_resource(&first, RESOURCE_ENDPOINTS, names[0]),
	                 emitted_resource(&second, RESOURCE_ENDPOINTS, names[0]));
	ck_assert_ptr_eq(emitted_resource(&first, RESOURCE_ENDPOINTS, names[1]),
	                 emitted_resource(&second, RESOURCE_ENDPOINTS, names[1]));
	emitted_done(&first);
	emitted_done(&second);
	emit_cache_free(cache);
	world_done(&old);
	world_done(&new);
}
END_TEST

START_TEST(namespaces_share_all_but_routes)
{
	struct world world = world_of(mesh);
	struct emit_cache *cache = emit_cache_new();
	struct emitted_config one = emitted_of(&world, WORLD_SIDECAR, NULL, cache);
	struct emitted_config other = emitted_of(&world, WORLD_SIDECAR_OTHER, NULL, cache);
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		for (size_t k = 0; k < one.view[i]->n; k++)
			ck_assert_int_eq(one.view[i]->v[k] == other.view[i]->v[k], i != RESOURCE_ROUTE);
	emitted_done(&one);
	emitted_done(&other);
	emit_cache_free(cache);
	world_done(&world);
}
END_TEST

/* Sweeps without emitting in between, as when only proxies come and go. */
START_TEST(what_somebody_holds_survives_sweeps)
{
	struct world world = world_of(mesh), changed = world_of(mesh_other_route);
	struct emit_cache *cache = emit_cache_new();
	struct emitted_config held = emitted_of(&world, WORLD_SIDECAR, NULL, cache);
	for (int i = 0; i < 3; i++)
		emit_cache_sweep(cache);
	struct emitted_config again = emitted_of(&changed, WORLD_SIDECAR, NULL, cache);
	ck_assert_ptr_eq(held.view[RESOURCE_CLUSTER], again.view[RESOURCE_CLUSTER]);
	emitted_done(&held);
	emitted_done(&again);
	for (int i = 0; i < 2; i++)
		emit_cache_sweep(cache);
	struct emitted_config last = emitted_of(&world, WORLD_SIDECAR, NULL, cache);
	ck_assert_uint_gt(last.view[RESOURCE_CLUSTER]->n, 0);
	emitted_done(&last);
	emit_cache_free(cache);
	emit_cache_free(NULL);
	world_done(&world);
	world_done(&changed);
}
END_TEST

/* A table is put together from bytes: it must be what packing it whole would give. */
START_TEST(tables_are_canonical)
{
	struct world world = world_of(mesh);
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const struct resource_set *routes = sent.view[RESOURCE_ROUTE];
	ck_assert_uint_gt(routes->n, 0);
	for (size_t i = 0; i < routes->n; i++) {
		const struct resource *resource = routes->v[i];
		const ProtobufCMessage *message =
		    unpack_own(world.arena, envoy_route_configuration_type(), resource->body + resource->value_at,
		               resource->body_n - resource->value_at);
		struct bytes packed = pack(world.arena, message);
		ck_assert_uint_eq(packed.n, resource->body_n - resource->value_at);
		ck_assert_int_eq(memcmp(packed.data, resource->body + resource->value_at, packed.n), 0);
	}
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

UNIT_MAIN("emit_cache", nothing_changed_is_the_same_pointers, a_change_reaches_only_its_type,
          a_change_leaves_the_neighbours, namespaces_share_all_but_routes, what_somebody_holds_survives_sweeps,
          tables_are_canonical)
