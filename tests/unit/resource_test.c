#include "proto/google.h"
#include "proto/pack.h"
#include "tests/unit/unit.h"
#include "translator/resource.h"

#include <string.h>

START_TEST(body_is_an_any)
{
	static char value[70000];
	memset(value, 'x', sizeof value);
	static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, sizeof value};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct resource *resource = resource_new(RESOURCE_LISTENER, "a", value, sizes[i]);
		const google_any *any =
		    (const google_any *)unpack_own(arena, google_any_type(), resource->body, resource->body_n);
		ck_assert_str_eq(any->type_url, resource_types[RESOURCE_LISTENER].type_url);
		ck_assert_uint_eq(any->value.len, sizes[i]);
		ck_assert_int_eq(memcmp(resource->body + resource->value_at, value, sizes[i]), 0);
		ck_assert_uint_eq(resource->value_at + sizes[i], resource->body_n);
		ck_assert(digest_equal(resource->version, digest_of(resource->body, resource->body_n)));
		resource_unref(resource);
	}
}
END_TEST

START_TEST(type_urls_are_of_known_messages)
{
	ck_assert_str_eq(resource_types[RESOURCE_CLUSTER].plural, "clusters");
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		ck_assert_msg(pack_find_type(resource_types[i].type_url) != NULL, "%s", resource_types[i].type_url);
}
END_TEST

static struct resource_set *set_of(const char *const *names, size_t n)
{
	struct resource *v[8];
	for (size_t i = 0; i < n; i++)
		v[i] = resource_new(RESOURCE_CLUSTER, names[i], "12345678", i); /* contents differ */
	return resource_set_new(RESOURCE_CLUSTER, v, n);
}

START_TEST(set_is_sorted_and_of_two_the_first_wins)
{
	static const char *const names[] = {"c", "a", "b", "a"};
	struct resource_set *set = set_of(names, 4);
	ck_assert_uint_eq(set->n, 3);
	ck_assert_str_eq(set->v[0]->name, "a");
	ck_assert_str_eq(set->v[2]->name, "c");
	ck_assert_uint_eq(set->v[0]->body_n - set->v[0]->value_at, 1); /* the one at index 1 */
	ck_assert_ptr_eq(resource_set_get(set, "b"), set->v[1]);
	ck_assert_ptr_null(resource_set_get(set, "d"));
	ck_assert_uint_eq(set->bytes, set->v[0]->body_n + set->v[1]->body_n + set->v[2]->body_n);
	resource_set_unref(set);
}
END_TEST

START_TEST(version_is_of_names_and_contents)
{
	static const char *const names[] = {"a", "b"}, *const others[] = {"a", "c"};
	struct resource_set *one = set_of(names, 2), *same = set_of(names, 2), *other = set_of(others, 2);
	struct resource_set *empty = set_of(names, 0);
	ck_assert(digest_equal(one->version, same->version));
	ck_assert(!digest_equal(one->version, other->version));
	ck_assert(!digest_equal(one->version, empty->version));
	ck_assert_ptr_null(resource_set_get(empty, "a"));
	resource_set_unref(one);
	resource_set_unref(same);
	resource_set_unref(other);
	resource_set_unref(empty);
}
END_TEST

START_TEST(resources_outlive_their_set)
{
	static const char *const names[] = {"a"};
	struct resource_set *set = set_of(names, 1);
	struct resource *kept = resource_ref(set->v[0]);
	resource_set_unref(resource_set_ref(set));
	resource_set_unref(set);
	ck_assert_str_eq(kept->name, "a");
	resource_unref(kept);
	resource_unref(NULL);
	resource_set_unref(NULL);
}
END_TEST

UNIT_MAIN("resource", body_is_an_any, type_urls_are_of_known_messages, set_is_sorted_and_of_two_the_first_wins,
          version_is_of_names_and_contents, resources_outlive_their_set)
