#include "server/xds/subscription.h"

#include "xds_fake.h"

struct fixture {
	struct world world;
	struct subscription sub;
};

static void fixture_init(struct fixture *fixture, enum resource_type type, enum request_form form)
{
	world_init(&fixture->world);
	subscription_init(&fixture->sub, type, form);
}

static void fixture_done(struct fixture *fixture)
{
	subscription_done(&fixture->sub);
	world_done(&fixture->world);
}

/* "+a +b -c", or the whole list in state of the world. */
static bool ask(struct fixture *fixture, const char *words, struct error *error)
{
	struct arena *arena = fixture->world.arena;
	VEC(const char *) names = {0};
	VEC(const char *) gone = {0};
	char *rest = arena_strdup(arena, words), *word;
	while ((word = strsep(&rest, " "))) {
		if (*word == '-')
			VEC_PUSH(arena, &gone, word + 1);
		else if (*word)
			VEC_PUSH(arena, &names, word);
	}
	const struct request request = {
	    .nonce = "", .names = {names.v, names.n}, .gone = {gone.v, gone.n}, .type = fixture->sub.type};
	return subscription_request(&fixture->sub, &fixture->world.env.shared, arena, &request, error);
}

/* "*; a b; asked a" */
static const char *describe(struct fixture *fixture)
{
	const struct subscription *sub = &fixture->sub;
	struct text out = {0};
	text_add(&out, sub->is_wildcard ? "*;" : ";");
	for (size_t i = 0; sub->names && i < sub->names->n; i++)
		text_printf(&out, " %s", sub->names->v[i]);
	text_add(&out, sub->is_asked ? "; asked" : ";");
	for (size_t i = 0; sub->asked && i < sub->asked->n; i++)
		text_printf(&out, " %s", sub->asked->v[i]);
	const char *copy = arena_strdup(fixture->world.arena, text_get(&out));
	text_done(&out);
	return copy;
}

START_TEST(follows_subscriptions)
{
	static const struct {
		enum request_form form;
		enum resource_type type;
		const char *requests[4], *want;
	} cases[] = {
	    {REQUEST_SOTW, RESOURCE_CLUSTER, {""}, "*;; asked"},
	    {REQUEST_SOTW, RESOURCE_CLUSTER, {"a"}, "; a; asked a"},
	    {REQUEST_SOTW, RESOURCE_CLUSTER, {"", "a", ""}, ";; asked a"},
	    {REQUEST_SOTW, RESOURCE_CLUSTER, {"* a"}, "*; a; asked a"},
	    {REQUEST_SOTW, RESOURCE_ENDPOINTS, {""}, ";;"},
	    {REQUEST_SOTW, RESOURCE_ENDPOINTS, {"b a", "a b"}, "; a b; asked a b"},
	    {REQUEST_SOTW, RESOURCE_ENDPOINTS, {"b a", "b c"}, "; b c; asked a b c"},
	    {REQUEST_DELTA, RESOURCE_CLUSTER, {""}, "*;; asked"},
	    {REQUEST_DELTA, RESOURCE_CLUSTER, {"", "a"}, "*; a; asked a"},
	    {REQUEST_DELTA, RESOURCE_CLUSTER, {"", "-*"}, ";; asked"},
	    {REQUEST_DELTA, RESOURCE_CLUSTER, {"a", "*"}, "*; a; asked a"},
	    {REQUEST_DELTA, RESOURCE_CLUSTER, {"a", "*", "-a"}, "*;; asked a"},
	    {REQUEST_DELTA, RESOURCE_ENDPOINTS, {""}, ";;"},
	    {REQUEST_DELTA, RESOURCE_ENDPOINTS, {"a b", "c -b"}, "; a c; asked a c"},
	    {REQUEST_DELTA, RESOURCE_ENDPOINTS, {"a", "-a a"}, "; a; asked a"},
	    {REQUEST_DELTA, RESOURCE_ENDPOINTS, {"a", "-a"}, ";; asked"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fixture fixture;
		struct error error;
		fixture_init(&fixture, cases[i].type, cases[i].form);
		for (size_t j = 0; cases[i].requests[j]; j++)
			ck_assert(ask(&fixture, cases[i].requests[j], &error));
		ck_assert_msg(strcmp(describe(&fixture), cases[i].want) == 0, "case %zu: %s", i, describe(&fixture));
		fixture_done(&fixture);
	}
}
END_TEST

START_TEST(reads_nonces)
{
	struct fixture fixture;
	struct error error;
	fixture_init(&fixture, RESOURCE_CLUSTER, REQUEST_DELTA);
	ck_assert(ask(&fixture, "", &error));
	struct request request = {.nonce = "77"};
	ck_assert_int_eq(subscription_answer(&fixture.sub, &request), ANSWER_NONE); /* of another connection */
	subscription_sent(&fixture.sub, (struct resource_set *[2]){NULL, NULL}, 0x1f, 0);
	ck_assert_int_eq(subscription_answer(&fixture.sub, &request), ANSWER_STALE);
	request.nonce = "1f";
	ck_assert_int_eq(subscription_answer(&fixture.sub, &request), ANSWER_ACK);
	request.error = "";
	ck_assert_int_eq(subscription_answer(&fixture.sub, &request), ANSWER_NACK);
	request.nonce = "";
	ck_assert_int_eq(subscription_answer(&fixture.sub, &request), ANSWER_NONE);
	request.nonce = "1f";
	subscription_ack(&fixture.sub);
	ck_assert_int_eq(subscription_answer(&fixture.sub, &request), ANSWER_NONE); /* twice */
	fixture_done(&fixture);
}
END_TEST

START_TEST(has_one_version_for_two_parts)
{
	struct resource_set *a = fake_set(0, "a=1"), *b = fake_set(0, "b=1");
	struct digest one = subscription_version((struct resource_set *[2]){a, NULL});
	struct digest both = subscription_version((struct resource_set *[2]){a, b});
	struct digest turned = subscription_version((struct resource_set *[2]){b, a});
	ck_assert(digest_equal(one, a->version));
	ck_assert(!digest_equal(both, one) && !digest_equal(both, turned));
	ck_assert(digest_is_zero(subscription_version((struct resource_set *[2]){NULL, NULL})));
	resource_set_unref(a);
	resource_set_unref(b);
}
END_TEST

/* ---- requests, as bytes ---- */

START_TEST(refuses_requests_over_the_caps)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *long_name = arena_alloc(arena, REQUEST_NAME_BYTES_MAX + 2);
	memset(long_name, 'n', REQUEST_NAME_BYTES_MAX + 1);
	struct request request;
	struct error error;

	envoy_discovery_request *named = envoy_discovery_request_new(arena);
	BUILD_ADD(arena, named, resource_names, long_name);
	struct bytes bytes = pack(arena, &named->base);
	ck_assert(!request_parse(arena, REQUEST_SOTW, bytes.data, bytes.n, &request, &error));
	ck_assert_str_eq(error.message, "bad request: a resource name is longer than 2048 bytes");

	envoy_delta_discovery_request *gone = envoy_delta_discovery_request_new(arena);
	BUILD_ADD(arena, gone, resource_names_unsubscribe, long_name);
	bytes = pack(arena, &gone->base);
	ck_assert(!request_parse(arena, REQUEST_DELTA, bytes.data, bytes.n, &request, &error));

	envoy_discovery_request *node = envoy_discovery_request_new(arena);
	node->node = envoy_node_new(arena);
	node->node->id = long_name;
	bytes = pack(arena, &node->base);
	ck_assert(!request_parse(arena, REQUEST_SOTW, bytes.data, bytes.n, &request, &error));
	ck_assert_str_eq(error.message, "bad request: the node id is longer than 1024 bytes");
	long_name[REQUEST_NODE_ID_BYTES_MAX] = '\0';
	bytes = pack(arena, &node->base);
	ck_assert(request_parse(arena, REQUEST_SOTW, bytes.data, bytes.n, &request, &error));
	ck_assert_uint_eq(strlen(request.node_id), REQUEST_NODE_ID_BYTES_MAX);

	envoy_discovery_request *many = envoy_discovery_request_new(arena);
	static char name[] = "n";
	for (unsigned i = 0; i < REQUEST_NAMES_MAX + 1; i++)
		BUILD_ADD(arena, many, resource_names, name);
	bytes = pack(arena, &many->base);
	ck_assert(!request_parse(arena, REQUEST_SOTW, bytes.data, bytes.n, &request, &error));
	many->n_resource_names--;
	bytes = pack(arena, &many->base);
	ck_assert_msg(request_parse(arena, REQUEST_SOTW, bytes.data, bytes.n, &request, &error), "%s", error.message);
	ck_assert_uint_eq(request.names.n, REQUEST_NAMES_MAX);
}
END_TEST

START_TEST(refuses_large_metadata)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct request request;
	struct error error;
	envoy_delta_discovery_request *message = envoy_delta_discovery_request_new(arena);
	static char id[] = "sidecar~10.0.0.1~a.b~b.svc.cluster.local";
	message->node = envoy_node_new(arena);
	message->node->id = id;
	message->node->metadata = google_struct_new(arena);
	Google__Protobuf__Struct__FieldsEntry *entry = arena_alloc(arena, sizeof *entry);
	google__protobuf__struct__fields_entry__init(entry);
	entry->key = arena_alloc(arena, REQUEST_METADATA_BYTES_MAX + 1);
	memset(entry->key, 'k', REQUEST_METADATA_BYTES_MAX);
	BUILD_ADD(arena, message->node->metadata, fields, entry);
	struct bytes bytes = pack(arena, &message->base);
	ck_assert(!request_parse(arena, REQUEST_DELTA, bytes.data, bytes.n, &request, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "metadata is "));
}
END_TEST

/* A claim says what the proxy has; asking for a name anew says that it needs it all the same. */
START_TEST(what_is_asked_for_again_is_not_claimed)
{
	struct fixture fixture;
	struct error error;
	char versions[2][DIGEST_HEX];
	fixture_init(&fixture, RESOURCE_ENDPOINTS, REQUEST_DELTA);
	struct arena *arena = fixture.world.arena;
	struct proxy_config *config = world_config(&fixture.world, "EDS a=1 b=1");
	const char *const names[] = {"a", "b"};
	struct request_claim claims[2];
	for (size_t i = 0; i < 2; i++) {
		digest_hex(config->view[RESOURCE_ENDPOINTS]->v[i]->version, versions[i]);
		claims[i] = (struct request_claim){names[i], versions[i]};
	}
	const struct request first = {
	    .nonce = "", .names = {names, 2}, .claims = claims, .n_claims = 2, .type = RESOURCE_ENDPOINTS};
	ck_assert(subscription_request(&fixture.sub, &fixture.world.env.shared, arena, &first, &error));
	ck_assert(ask(&fixture, "b", &error));
	subscription_rebase(&fixture.sub, config);
	ck_assert_uint_eq(set_count(fixture.sub.sent[0]), 1);
	ck_assert_str_eq(fixture.sub.sent[0]->v[0]->name, "a");
	proxy_config_unref(config);
	fixture_done(&fixture);
}
END_TEST

UNIT_MAIN("subscription", follows_subscriptions, reads_nonces, has_one_version_for_two_parts,
          refuses_requests_over_the_caps, refuses_large_metadata, what_is_asked_for_again_is_not_claimed)
