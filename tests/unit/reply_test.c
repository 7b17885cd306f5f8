#include "server/xds/reply.h"

#include "xds_fake.h"

/* What is on the wire, read back with the generated code. */
static struct bytes joined(struct arena *arena, const struct reply *reply)
{
	uint8_t *data = arena_alloc(arena, reply->bytes);
	size_t n = 0;
	for (size_t i = 0; i < reply->n_parts; i++) {
		if (reply->parts[i]->n)
			memcpy(data + n, reply->parts[i]->data, reply->parts[i]->n);
		n += reply->parts[i]->n;
	}
	ck_assert_uint_eq(n, reply->bytes);
	return (struct bytes){data, n};
}

struct fixture {
	struct world world;
	struct resource_set *view, *workload;
	struct reply_input input;
};

static void fixture_init(struct fixture *fixture, enum resource_type type, const char *view, const char *workload)
{
	world_init(&fixture->world);
	fixture->view = fake_set(type, view);
	fixture->workload = fake_set(type, workload);
	struct set_cache *sets = fixture->world.env.shared.sets;
	fixture->input = (struct reply_input){
	    .type = type,
	    .diffs = {set_cache_diff(sets, NULL, fixture->view), set_cache_diff(sets, NULL, fixture->workload)},
	    .version = "v1",
	    .nonce = 0x2a,
	};
}

static void fixture_done(struct fixture *fixture, struct reply *reply)
{
	reply_done(reply);
	if (fixture->view)
		resource_set_unref(fixture->view);
	if (fixture->workload)
		resource_set_unref(fixture->workload);
	world_done(&fixture->world);
}

START_TEST(writes_state_of_the_world)
{
	struct fixture fixture;
	struct reply reply;
	fixture_init(&fixture, RESOURCE_CLUSTER, "a=1 b=2", "in=3");
	reply_sotw(&fixture.input, &reply);
	ck_assert_uint_eq(reply.n_parts, 3);
	struct arena *arena = fixture.world.arena;
	struct bytes bytes = joined(arena, &reply);
	const envoy_discovery_response *response =
	    (const envoy_discovery_response *)unpack_own(arena, envoy_discovery_response_type(), bytes.data, bytes.n);
	ck_assert_str_eq(response->version_info, "v1");
	ck_assert_str_eq(response->nonce, "2a");
	ck_assert_str_eq(response->type_url, resource_types[RESOURCE_CLUSTER].type_url);
	ck_assert_uint_eq(response->n_resources, 3);
	ck_assert_str_eq(response->resources[2]->type_url, resource_types[RESOURCE_CLUSTER].type_url);
	ck_assert_mem_eq(response->resources[2]->value.data, "in=3", 4);
	fixture_done(&fixture, &reply);
}
END_TEST

START_TEST(writes_clusters_without_endpoints)
{
	struct fixture fixture;
	struct reply reply;
	fixture_init(&fixture, RESOURCE_ENDPOINTS, "", "");
	fixture.input.empty = (const char *const[]){"outbound|80||x"};
	fixture.input.n_empty = 1;
	reply_sotw(&fixture.input, &reply);
	ck_assert_uint_eq(reply.n_parts, 1);
	struct arena *arena = fixture.world.arena;
	struct bytes bytes = joined(arena, &reply);
	const envoy_discovery_response *response =
	    (const envoy_discovery_response *)unpack_own(arena, envoy_discovery_response_type(), bytes.data, bytes.n);
	ck_assert_uint_eq(response->n_resources, 1);
	const envoy_cluster_load_assignment *load = (const envoy_cluster_load_assignment *)unpack_own(
	    arena, envoy_cluster_load_assignment_type(), response->resources[0]->value.data,
	    response->resources[0]->value.len);
	ck_assert_str_eq(load->cluster_name, "outbound|80||x");
	ck_assert_uint_eq(load->n_endpoints, 0);
	fixture_done(&fixture, &reply);
}
END_TEST

START_TEST(writes_delta)
{
	struct fixture fixture;
	struct reply reply;
	fixture_init(&fixture, RESOURCE_ROUTE, "a=1", "");
	fixture.input.removed = (const char *const[]){"x", "y"};
	fixture.input.n_removed = 2;
	reply_delta(&fixture.input, &reply);
	struct arena *arena = fixture.world.arena;
	struct bytes bytes = joined(arena, &reply);
	const envoy_delta_discovery_response *response = (const envoy_delta_discovery_response *)unpack_own(
	    arena, envoy_delta_discovery_response_type(), bytes.data, bytes.n);
	char version[DIGEST_HEX];
	digest_hex(fixture.view->v[0]->version, version);
	ck_assert_str_eq(response->system_version_info, "v1");
	ck_assert_str_eq(response->nonce, "2a");
	ck_assert_str_eq(response->type_url, resource_types[RESOURCE_ROUTE].type_url);
	ck_assert_uint_eq(response->n_resources, 1);
	ck_assert_str_eq(response->resources[0]->name, "a");
	ck_assert_str_eq(response->resources[0]->version, version);
	ck_assert_mem_eq(response->resources[0]->resource->value.data, "a=1", 3);
	ck_assert_uint_eq(response->n_removed_resources, 2);
	ck_assert_str_eq(response->removed_resources[1], "y");
	fixture_done(&fixture, &reply);
}
END_TEST

START_TEST(shares_its_bodies)
{
	struct fixture fixture;
	struct reply first, second;
	fixture_init(&fixture, RESOURCE_CLUSTER, "a=1", "in=1");
	reply_delta(&fixture.input, &first);
	fixture.input.nonce++;
	reply_delta(&fixture.input, &second);
	ck_assert_ptr_ne(first.parts[0], second.parts[0]);
	ck_assert_ptr_eq(first.parts[1], second.parts[1]);
	ck_assert_ptr_eq(first.parts[2], second.parts[2]);
	reply_done(&second);
	fixture_done(&fixture, &first);
}
END_TEST

UNIT_MAIN("reply", writes_state_of_the_world, writes_clusters_without_endpoints, writes_delta, shares_its_bodies)
