#include "server/generation.h"

#include "base/json.h"
#include "unit.h"

#include <string.h>

#define ID "sidecar~10.0.0.1~a.default~default.svc.cluster.local"

static struct roster_node *node_new(const char *id, const char *metadata)
{
	struct error error;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct json *json = metadata ? json_parse(arena, metadata, strlen(metadata), &error) : NULL;
	ck_assert_msg(!metadata || json, "%s", error.message);
	struct roster_node *node = roster_node_new(id, json, &error);
	ck_assert_msg(node != NULL, "%s", error.message);
	return node;
}

START_TEST(bad_node_is_an_error)
{
	struct error error;
	ck_assert_ptr_null(roster_node_new("nonsense", NULL, &error));
	ck_assert_str_ne(error.message, "");
}
END_TEST

/* Each differs from a sidecar without metadata in one thing, so its key differs too. */
static const struct {
	const char *name, *id, *metadata;
} variants[] = {
    {"address", "sidecar~10.0.0.2~a.default~default.svc.cluster.local", NULL},
    {"name", "sidecar~10.0.0.1~b.default~default.svc.cluster.local", NULL},
    {"namespace", "sidecar~10.0.0.1~a.other~default.svc.cluster.local", NULL},
    {"domain", "sidecar~10.0.0.1~a.default~other.svc.cluster.local", NULL},
    {"role", "router~10.0.0.1~a.default~default.svc.cluster.local", NULL},
    {"labels", ID, "{\"LABELS\":{\"app\":\"a\"}}"},
    {"label value", ID, "{\"LABELS\":{\"app\":\"b\"}}"},
    {"service account", ID, "{\"SERVICE_ACCOUNT\":\"a\"}"},
    {"cluster", ID, "{\"CLUSTER_ID\":\"a\"}"},
    {"network", ID, "{\"NETWORK\":\"a\"}"},
    {"version", ID, "{\"ISTIO_VERSION\":\"1.0.0\"}"},
    {"HTTP/1.0", ID, "{\"HTTP10\":\"1\"}"},
    {"unprivileged", ID, "{\"UNPRIVILEGED_POD\":\"true\"}"},
    {"interception", ID, "{\"INTERCEPTION_MODE\":\"TPROXY\"}"},
    {"more addresses", ID, "{\"INSTANCE_IPS\":\"10.0.0.1,fd00::1\"}"},
};

START_TEST(key_covers_what_a_proxy_says)
{
	enum { N = sizeof variants / sizeof variants[0] };
	struct roster_node *plain = node_new(ID, NULL), *same = node_new(ID, "{\"OF_NO_INTEREST\":\"x\"}"), *nodes[N];
	ck_assert(digest_equal(plain->key, same->key));
	for (size_t i = 0; i < N; i++) {
		nodes[i] = node_new(variants[i].id, variants[i].metadata);
		ck_assert_msg(!digest_equal(nodes[i]->key, plain->key), "%s", variants[i].name);
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(!digest_equal(nodes[i]->key, nodes[k]->key), "%s, %s", variants[i].name,
			              variants[k].name);
	}
	for (size_t i = 0; i < N; i++)
		roster_node_unref(nodes[i]);
	roster_node_unref(plain);
	roster_node_unref(same);
}
END_TEST

START_TEST(roster_is_sorted_and_distinct)
{
	struct roster_node *a = node_new(ID, NULL), *twin = node_new(ID, NULL),
	                   *b = node_new("sidecar~10.0.0.2~b.default~default.svc.cluster.local", NULL);
	struct roster *forth = roster_new((struct roster_node *[]){a, b, twin, a}, 4);
	struct roster *back = roster_new((struct roster_node *[]){b, a}, 2);
	ck_assert_uint_eq(forth->n, 2);
	ck_assert_uint_eq(back->n, 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert(digest_equal(forth->v[i]->key, back->v[i]->key));
	ck_assert(!digest_equal(forth->v[0]->key, forth->v[1]->key));
	roster_node_unref(a); /* the rosters hold their own */
	roster_node_unref(b);
	roster_node_unref(twin);
	ck_assert_str_eq(forth->v[0]->node.domain, "default.svc.cluster.local");
	roster_unref(forth);
	roster_unref(roster_ref(back));
	roster_unref(back);
	struct roster *empty = roster_new(NULL, 0);
	ck_assert_uint_eq(empty->n, 0);
	roster_unref(empty);
}
END_TEST

static struct resource_set *set_of(enum resource_type type, const char *name)
{
	struct resource *resource = resource_new(type, name, "", 0);
	return resource_set_new(type, &resource, 1);
}

START_TEST(configs_are_found_by_node)
{
	struct roster_node *a = node_new(ID, NULL),
	                   *b = node_new("sidecar~10.0.0.2~b.default~default.svc.cluster.local", NULL);
	struct resource_set *view[RESOURCE_TYPE_COUNT] = {[RESOURCE_CLUSTER] = set_of(RESOURCE_CLUSTER, "c")};
	struct resource_set *none[RESOURCE_TYPE_COUNT] = {0};
	struct digest key = digest_of("v", 1), other = digest_of("w", 1);
	struct proxy_config *config = proxy_config_new(view, key, none, other);
	struct generation *generation = generation_new(NULL);
	generation_add_config(generation, a, config);
	ck_assert_ptr_eq(generation_config(generation, a), config);
	ck_assert_ptr_null(generation_config(generation, b));
	ck_assert(digest_equal(config->view_key, key) && digest_equal(config->workload_key, other));
	generation_add_config(generation, a, config); /* again: the former reference goes */
	ck_assert_uint_eq(generation->configs.n, 1);
	resource_set_unref(view[RESOURCE_CLUSTER]);
	proxy_config_unref(config);
	struct generation *reader = generation_ref(generation);
	generation_unref(generation);
	config = generation_config(reader, a);
	ck_assert_str_eq(config->view[RESOURCE_CLUSTER]->v[0]->name, "c");
	generation_unref(reader);
	roster_node_unref(a);
	roster_node_unref(b);
}
END_TEST

START_TEST(generations_share_what_they_were_resolved_to)
{
	struct snapshot *snapshot = snapshot_new(&(struct snapshot_input){.root_namespace = "istio-system"});
	struct resolved *resolved = resolved_new(snapshot);
	struct generation *first = generation_new(resolved), *second = generation_new(resolved);
	ck_assert(digest_equal(first->snapshot, snapshot->digest));
	ck_assert_ptr_eq(first->model, second->model);
	snapshot_unref(snapshot);
	resolved_unref(resolved);
	generation_unref(first);
	ck_assert_str_eq(second->model->mesh.root_namespace, "istio-system");
	generation_unref(second);
}
END_TEST

static struct spiffe_id caller_of(const char *name)
{
	struct spiffe_id id;
	struct error error;
	ck_assert_msg(spiffe_id_parse(name, strlen(name), &id, &error), "%s", error.message);
	return id;
}

START_TEST(a_verified_node_is_who_its_caller_is)
{
	static const struct {
		const char *name, *caller, *metadata, *want; /* NULL: verified */
	} cases[] = {
	    {"both said", "spiffe://cluster.local/ns/default/sa/a", "{\"SERVICE_ACCOUNT\":\"a\"}", NULL},
	    {"no account said", "spiffe://cluster.local/ns/default/sa/a", NULL, NULL},
	    {"another account", "spiffe://cluster.local/ns/default/sa/a", "{\"SERVICE_ACCOUNT\":\"b\"}",
	     "the proxy says that it is of namespace \"default\" and service account \"b\", but proved to be "
	     "spiffe://cluster.local/ns/default/sa/a"},
	    {"another namespace's pod", "spiffe://cluster.local/ns/other/sa/a", "{\"NAMESPACE\":\"other\"}",
	     "the proxy's node id is of namespace \"default\", but it proved to be "
	     "spiffe://cluster.local/ns/other/sa/a"},
	    {"another namespace", "spiffe://cluster.local/ns/other/sa/a", NULL,
	     "the proxy says that it is of namespace \"default\" and service account \"a\", but proved to be "
	     "spiffe://cluster.local/ns/other/sa/a"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spiffe_id caller = caller_of(cases[i].caller);
		struct error error = {0};
		bool is_denied;
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const char *metadata = cases[i].metadata ? cases[i].metadata : "{}";
		const struct json *json = json_parse(arena, metadata, strlen(metadata), &error);
		struct roster_node *node = roster_node_new_verified(ID, json, &caller, &is_denied, &error);
		ck_assert_msg((node == NULL) == (cases[i].want != NULL), "%s", cases[i].name);
		ck_assert_msg(is_denied == (cases[i].want != NULL), "%s", cases[i].name);
		if (cases[i].want) {
			ck_assert_str_eq(error.message, cases[i].want);
			continue;
		}
		struct roster_node *plain = node_new(ID, "{\"SERVICE_ACCOUNT\":\"a\"}");
		ck_assert(node->node.is_verified);
		ck_assert(!plain->node.is_verified);
		ck_assert_str_eq(node->node.service_account, "a");
		ck_assert_msg(!digest_equal(node->key, plain->key), "%s", cases[i].name);
		roster_node_unref(plain);
		roster_node_unref(node);
	}
	struct spiffe_id caller = caller_of("spiffe://cluster.local/ns/default/sa/a");
	struct error error;
	bool is_denied;
	ck_assert_ptr_null(roster_node_new_verified("nonsense", NULL, &caller, &is_denied, &error));
	ck_assert(!is_denied);
}
END_TEST

UNIT_MAIN("generation", bad_node_is_an_error, key_covers_what_a_proxy_says, roster_is_sorted_and_distinct,
          configs_are_found_by_node, a_verified_node_is_who_its_caller_is, generations_share_what_they_were_resolved_to)
