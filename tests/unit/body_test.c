#include "server/xds/body.h"

#include "base/heap.h"
#include "xds_fake.h"

/* A diff in words: "b=2 c=1 -a; 1 added; updated b". */
static const char *describe(struct world *world, const struct set_diff *diff)
{
	struct text out = {0};
	for (size_t i = 0; i < diff->n_changed; i++)
		text_printf(&out, "%.*s ", (int)(diff->changed[i]->body_n - diff->changed[i]->value_at),
		            (const char *)diff->changed[i]->body + diff->changed[i]->value_at);
	for (size_t i = 0; i < diff->n_removed; i++)
		text_printf(&out, "-%s ", diff->removed[i]);
	text_printf(&out, "; %zu added; updated", diff->n_added);
	for (size_t i = 0; diff->updated && i < diff->updated->n; i++)
		text_printf(&out, " %s", diff->updated->v[i]);
	const char *copy = arena_strdup(world->arena, text_get(&out));
	text_done(&out);
	return copy;
}

static void unref(struct resource_set *set)
{
	if (set)
		resource_set_unref(set);
}

START_TEST(tells_two_sets_apart)
{
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
	    {"", "", "; 0 added; updated"},
	    {"", "a=1 b=1", "a=1 b=1 ; 2 added; updated"},
	    {"a=1 b=1", "", "-a -b ; 0 added; updated"},
	    {"a=1 b=1", "a=1 b=1", "; 0 added; updated"},
	    {"a=1 b=1 d=1", "b=2 c=1 d=1", "b=2 c=1 -a ; 1 added; updated b"},
	    {"b=1", "a=1 c=1", "a=1 c=1 -b ; 2 added; updated"},
	};
	struct world world;
	world_init(&world);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct resource_set *from = fake_set(0, cases[i].from), *to = fake_set(0, cases[i].to);
		struct set_diff *diff = set_cache_diff(world.env.shared.sets, from, to);
		ck_assert_str_eq(describe(&world, diff), cases[i].want);
		unref(from);
		unref(to);
	}
	world_done(&world);
}
END_TEST

static const char *content(struct world *world, const struct resource_set *set)
{
	struct text out = {0};
	for (size_t i = 0; i < set_count(set); i++)
		text_printf(&out, "%s%.*s", i ? " " : "", (int)(set->v[i]->body_n - set->v[i]->value_at),
		            (const char *)set->v[i]->body + set->v[i]->value_at);
	const char *copy = arena_strdup(world->arena, text_get(&out));
	text_done(&out);
	return copy;
}

START_TEST(works_on_sets)
{
	struct world world;
	world_init(&world);
	struct set_cache *cache = world.env.shared.sets;
	struct resource_set *abc = fake_set(0, "a=1 b=1 c=1"), *b2 = fake_set(0, "b=2 d=2");
	struct resource_set *refused = fake_set(0, "b=1 c=9");
	struct name_list *bx = name_list_new(world.env.shared.names, (const char *const[]){"x", "b", "b"}, 2);
	struct name_list *all = name_list_new(world.env.shared.names, (const char *const[]){"a", "c", "b", "d"}, 4);

	ck_assert_str_eq(content(&world, set_cache_select(cache, abc, bx)), "b=1");
	ck_assert_ptr_eq(set_cache_select(cache, abc, all), abc); /* the very set */
	ck_assert_ptr_null(set_cache_select(cache, abc, NULL));
	ck_assert_ptr_null(set_cache_select(cache, NULL, bx));
	ck_assert_str_eq(content(&world, set_cache_without(cache, abc, bx)), "a=1 c=1");
	ck_assert_ptr_eq(set_cache_without(cache, abc, NULL), abc);
	ck_assert_ptr_null(set_cache_without(cache, abc, all));
	ck_assert_str_eq(set_cache_missing(cache, all, abc)->v[0], "d");
	ck_assert_uint_eq(set_cache_missing(cache, all, abc)->n, 1);
	ck_assert_ptr_eq(set_cache_missing(cache, bx, NULL), bx);
	ck_assert_ptr_null(set_cache_missing(cache, set_cache_missing(cache, all, abc), b2));
	ck_assert_str_eq(content(&world, set_cache_union(cache, abc, b2)), "a=1 b=1 c=1 d=2");
	ck_assert_str_eq(content(&world, set_cache_union(cache, NULL, b2)), "b=2 d=2");
	ck_assert_ptr_eq(set_cache_union(cache, abc, NULL), abc);
	ck_assert_str_eq(content(&world, set_cache_replace(cache, abc, refused, b2)), "a=1 b=2 c=1");
	ck_assert_str_eq(content(&world, set_cache_replace(cache, abc, refused, NULL)), "a=1 c=1");
	ck_assert_str_eq(content(&world, set_cache_step(cache, b2, abc, 1)), "a=1 b=2");
	ck_assert_str_eq(content(&world, set_cache_step(cache, b2, abc, 2)), "a=1 b=1");
	ck_assert_ptr_eq(set_cache_step(cache, b2, abc, 3), abc);

	name_list_unref(bx);
	name_list_unref(all);
	unref(abc);
	unref(b2);
	unref(refused);
	world_done(&world);
}
END_TEST

START_TEST(answers_the_same_question_once)
{
	struct world world;
	world_init(&world);
	struct set_cache *cache = world.env.shared.sets;
	/* equal content in different sets is the same question */
	struct resource_set *a = fake_set(0, "a=1 b=1"), *b = fake_set(0, "a=1 b=1"), *to = fake_set(0, "a=2");
	struct set_diff *diff = set_cache_diff(cache, a, to);
	ck_assert_ptr_eq(set_cache_diff(cache, b, to), diff);
	ck_assert_ptr_eq(body_sotw(diff), body_sotw(set_cache_diff(cache, b, to)));
	ck_assert_ptr_eq(body_delta(diff), body_delta(diff));
	ck_assert_ptr_ne(set_cache_diff(cache, to, a), diff);
	ck_assert_uint_eq(set_cache_count(cache), 2);

	/* what nobody asks for is forgotten */
	world.clock.now_ns += (SET_CACHE_KEEP_MS - 1) * CLOCK_MS;
	ck_assert_ptr_eq(set_cache_diff(cache, a, to), diff);
	world.clock.now_ns += 1 * CLOCK_MS;
	ck_assert_int_gt(set_cache_sweep(cache), world.clock.now_ns);
	ck_assert_uint_eq(set_cache_count(cache), 1);
	world.clock.now_ns += 2 * SET_CACHE_KEEP_MS * CLOCK_MS;
	ck_assert_int_eq(set_cache_sweep(cache), INT64_MAX);
	ck_assert_uint_eq(set_cache_count(cache), 0);
	ck_assert_uint_eq(set_cache_bytes(cache), 0);
	unref(a);
	unref(b);
	unref(to);
	world_done(&world);
}
END_TEST

/* A peer that asks for other names each time makes a new body each time: that must not wait for SET_CACHE_KEEP_MS. */
START_TEST(forgets_all_when_answers_grow_large)
{
	enum { LARGE = 1 << 20 };
	struct world world;
	world_init(&world);
	struct set_cache *cache = world.env.shared.sets;
	char *content = heap_alloc(LARGE);
	struct resource *large = resource_new(0, "a", content, LARGE);
	struct resource_set *to = resource_set_new(0, &large, 1);
	for (unsigned i = 0; set_cache_bytes(cache) <= SET_CACHE_BYTES_MAX; i++) {
		char item[32];
		snprintf(item, sizeof item, "b=%u", i);
		struct resource_set *from = fake_set(0, item);
		struct set_diff *diff = set_cache_diff(cache, from, to);
		size_t before = set_cache_bytes(cache);
		ck_assert_uint_eq(body_sotw(diff)->n, set_cache_bytes(cache) - before);
		ck_assert_ptr_eq(body_sotw(diff), body_sotw(set_cache_diff(cache, from, to)));
		ck_assert_uint_lt(i, SET_CACHE_BYTES_MAX / LARGE);
		unref(from);
	}
	set_cache_sweep(cache);
	ck_assert_uint_eq(set_cache_count(cache), 0);
	ck_assert_uint_eq(set_cache_bytes(cache), 0);
	unref(to);
	free(content);
	world_done(&world);
}
END_TEST

START_TEST(holds_many_answers)
{
	struct world world;
	world_init(&world);
	struct resource_set *sets[1000], *empty = NULL;
	for (unsigned i = 0; i < 1000; i++) {
		char item[32];
		snprintf(item, sizeof item, "a=%u", i);
		sets[i] = fake_set(0, item);
		set_cache_diff(world.env.shared.sets, empty, sets[i]);
	}
	ck_assert_uint_eq(set_cache_count(world.env.shared.sets), 1000);
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert_ptr_eq(set_cache_diff(world.env.shared.sets, empty, sets[i])->to, sets[i]);
		unref(sets[i]);
	}
	world_done(&world);
}
END_TEST

START_TEST(shares_lists_of_names)
{
	struct name_table *table = name_table_new();
	struct name_list *a = name_list_new(table, (const char *const[]){"c", "a", "b", "a"}, 4);
	struct name_list *b = name_list_new(table, (const char *const[]){"a", "b", "c"}, 3);
	struct name_list *less = name_list_new(table, (const char *const[]){"b", "c"}, 2);
	struct name_list *more = name_list_new(table, (const char *const[]){"c", "d"}, 2);
	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(a->n, 3);
	ck_assert(name_list_has(a, "b") && !name_list_has(a, "d") && !name_list_has(NULL, "b"));
	ck_assert_ptr_null(name_list_new(table, NULL, 0));
	struct name_list *c = name_list_change(table, a, more, less); /* asked for and let go at once: asked for */
	ck_assert_uint_eq(c->n, 3);
	ck_assert_str_eq(c->v[0], "a");
	ck_assert_str_eq(c->v[1], "c");
	ck_assert_str_eq(c->v[2], "d");
	ck_assert_ptr_null(name_list_change(table, less, NULL, a));
	name_list_unref(a);
	name_list_unref(b);
	name_list_unref(c);
	name_list_unref(less);
	name_list_unref(more);
	ck_assert_uint_eq(name_table_count(table), 0);
	name_table_free(table);
}
END_TEST

UNIT_MAIN("body", tells_two_sets_apart, works_on_sets, answers_the_same_question_once,
          forgets_all_when_answers_grow_large, holds_many_answers, shares_lists_of_names)
