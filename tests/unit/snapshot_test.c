#include "translator/snapshot.h"

#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define N 5

static struct decoded decode_named(const char *kind, const char *namespace, const char *name)
{
	char yaml[256];
	snprintf(yaml, sizeof yaml, "apiVersion: v1\nkind: %s\nmetadata: {namespace: %s, name: %s}", kind, namespace,
	         name);
	return decode(yaml);
}

/* Five objects, in an order that `first` turns. */
struct five {
	struct decoded decoded[N];
	struct object *objects[N];
};

static struct five five_of(size_t first)
{
	struct five five = {.decoded = {
	                        decode_named("Pod", "b", "a"),
	                        decode_named("Service", "b", "x"),
	                        decode_named("Service", "a", "yy"),
	                        decode_named("Pod", "a", "z"),
	                        decode_named("Service", "a", "x"),
	                    }};
	for (size_t i = 0; i < N; i++)
		five.objects[i] = five.decoded[(first + i) % N].object;
	return five;
}

static void five_done(struct five *five)
{
	for (size_t i = 0; i < N; i++)
		decoded_done(&five->decoded[i]);
}

static const struct report_row rows[] = {
    {.message = "b", .file = "b"},
    {.message = "a", .file = "a"},
};

static struct snapshot *snapshot_of(const struct five *five, size_t n, size_t n_rows)
{
	return snapshot_new(&(struct snapshot_input){.objects = five->objects,
	                                             .n_objects = n,
	                                             .rows = rows,
	                                             .n_rows = n_rows,
	                                             .root_namespace = "istio-system"});
}

START_TEST(test_order_and_get)
{
	struct five five = five_of(0);
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = snapshot_of(&five, N, 2);
	ck_assert_uint_eq(snapshot->kinds[KIND_SERVICE].n, 3);
	ck_assert_uint_eq(snapshot->kinds[KIND_POD].n, 2);
	ck_assert_uint_eq(snapshot->kinds[KIND_GATEWAY].n, 0);
	ck_assert_str_eq(snapshot->kinds[KIND_SERVICE].v[0]->name, "x");
	ck_assert_str_eq(snapshot->kinds[KIND_SERVICE].v[1]->name, "yy");
	ck_assert_str_eq(snapshot->kinds[KIND_SERVICE].v[2]->namespace, "b");
	ck_assert_str_eq(snapshot->rows[0].message, "a");
	ck_assert_str_eq(snapshot->root_namespace, "istio-system");
	five_done(&five); /* the snapshot has its own references */
	const struct object *found = snapshot_get(snapshot, KIND_SERVICE, "a", "yy");
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found->name, "yy");
	ck_assert_ptr_null(snapshot_get(snapshot, KIND_SERVICE, "a", "z"));
	ck_assert_ptr_null(snapshot_get(snapshot, KIND_GATEWAY, "a", "yy"));
}
END_TEST

START_TEST(test_digest)
{
	struct five five = five_of(0);
	CLEANUP(snapshot_unrefp) struct snapshot *whole = snapshot_of(&five, N, 2);
	for (size_t first = 1; first < N; first++) {
		struct five turned = five_of(first);
		CLEANUP(snapshot_unrefp) struct snapshot *other = snapshot_of(&turned, N, 2);
		ck_assert(digest_equal(whole->digest, other->digest));
		five_done(&turned);
	}
	CLEANUP(snapshot_unrefp) struct snapshot *fewer = snapshot_of(&five, N - 1, 2);
	CLEANUP(snapshot_unrefp) struct snapshot *silent = snapshot_of(&five, N, 1);
	ck_assert(!digest_equal(whole->digest, fewer->digest));
	ck_assert(!digest_equal(whole->digest, silent->digest));
	five_done(&five);
}
END_TEST

START_TEST(test_empty_and_count)
{
	struct snapshot *snapshot = snapshot_new(&(struct snapshot_input){.root_namespace = "r"});
	ck_assert_uint_eq(snapshot->kinds[KIND_POD].n, 0);
	ck_assert_ptr_eq(snapshot_ref(snapshot), snapshot);
	snapshot_unref(snapshot);
	ck_assert_str_eq(snapshot->root_namespace, "r");
	snapshot_unref(snapshot);
	snapshot_unref(NULL);
}
END_TEST

UNIT_MAIN("snapshot", test_order_and_get, test_digest, test_empty_and_count)
