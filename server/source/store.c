#include "server/source/store.h"

#include "base/heap.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "server/source/unreadable.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* What one group holds. Everything but the objects lives in its arena, which is new with each content. */
struct group {
	char *name;
	struct arena *arena;
	struct object **objects; /* sorted; one of each (kind, namespace, name); a reference each */
	size_t n_objects;
	struct report report; /* what the source said, and what the store adds; sorted */
};

/* One group's word on one object: a node of the tree, ordered by object and then by group. */
struct claim {
	struct object *object; /* borrowed from the group */
	const struct group *group;
	uint64_t hash; /* of kind, namespace and name: a walk over all compares these, not strings */
};

struct store {
	char *root_namespace;
	char *trust_roots; /* NULL: not known */
	size_t trust_roots_n;
	int64_t as_of_s;
	struct key_sets *key_sets; /* NULL: none */
	void *groups;              /* tsearch(3) trees: struct group by name, */
	void *speaking;            /* those of them with rows, */
	void *claims; /* struct claim; so that a small change costs little however many objects there are */
};

/* tsearch(3) says NULL when it is out of memory. */
static void *checked(void *node)
{
	if (!node)
		heap_fail(sizeof(void *));
	return node;
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name, ((const struct group *)b)->name);
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *ca = a, *cb = b;
	int order = object_compare(ca->object, cb->object);
	return order ? order : strcmp(ca->group->name, cb->group->name);
}

static int compare_objects(const void *a, const void *b)
{
	return object_compare(*(struct object *const *)a, *(struct object *const *)b);
}

static void group_free(void *p)
{
	struct group *group = p;
	for (size_t i = 0; i < group->n_objects; i++)
		object_unref(group->objects[i]);
	arena_free(group->arena);
	free(group->name);
	free(group);
}

static struct group *group_new(const char *name)
{
	struct group *group = HEAP_NEW(struct group);
	group->name = heap_strdup(name);
	group->arena = arena_new();
	group->report.arena = group->arena;
	return group;
}

struct store *store_new(const char *root_namespace)
{
	struct store *store = HEAP_NEW(struct store);
	store->root_namespace = heap_strdup(root_namespace);
	return store;
}

static void forget(void *p)
{
	(void)p;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	tdestroy(store->claims, free);
	tdestroy(store->speaking, forget);
	tdestroy(store->groups, group_free);
	free(store->root_namespace);
	free(store->trust_roots);
	key_sets_unref(store->key_sets);
	free(store);
}

static struct group *find_group(const struct store *store, const char *name)
{
	char *key = (char *)(uintptr_t)name;
	struct group *const *node = tfind(&(struct group){.name = key}, &store->groups, compare_groups);
	return node ? *node : NULL;
}

/* The place of the object in a sorted array, or NULL. */
static struct object **find_object(struct object **objects, size_t n, struct object *object)
{
	return n ? bsearch(&object, objects, n, sizeof *objects, compare_objects) : NULL;
}

/* FNV-1a; equal hashes are looked at, so it need not be strong. */
static uint64_t add_to_hash(uint64_t hash, const char *s)
{
	do
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	while (*s++);
	return hash;
}

static uint64_t object_hash(const struct object *object)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ object->kind;
	return add_to_hash(add_to_hash(hash, object->namespace), object->name);
}

static void add_claim(struct store *store, const struct group *group, struct object *object)
{
	struct claim *claim = HEAP_NEW(struct claim);
	*claim = (struct claim){.object = object, .group = group, .hash = object_hash(object)};
	struct claim **node = checked(tsearch(claim, &store->claims, compare_claims));
	assert(*node == claim);
}

static void remove_claim(struct store *store, const struct group *group, struct object *object)
{
	struct claim key = {.object = object, .group = group};
	struct claim **node = tfind(&key, &store->claims, compare_claims);
	assert(node);
	struct claim *claim = *node;
	tdelete(&key, &store->claims, compare_claims);
	free(claim);
}

static void replace_claim(struct store *store, const struct group *group, struct object *object)
{
	struct claim **node = tfind(&(struct claim){.object = object, .group = group}, &store->claims, compare_claims);
	assert(node);
	(*node)->object = object;
}

/* The content's objects, sorted, the first of each name; the others become Conflict rows. */
static void take_objects(struct group *group, const struct store_content *content)
{
	struct map seen = {0};
	group->objects = ARENA_NEW_N(group->arena, struct object *, content->n_objects);
	for (size_t i = 0; i < content->n_objects; i++) {
		struct object *object = content->objects[i];
		const char *id = object_id(group->arena, object);
		const struct object *first = map_get(&seen, id);
		if (first) {
			report_add(&group->report, object, REPORT_ERROR, REASON_CONFLICT, NULL,
			           "already defined at line %u of the same file, which is in force",
			           first->origin.line);
			continue;
		}
		map_put(group->arena, &seen, id, object);
		group->objects[group->n_objects++] = object_ref(object);
	}
	qsort(group->objects, group->n_objects, sizeof *group->objects, compare_objects);
}

/* What the refusals leave open: objects that may still be meant to be there. */
struct doubts {
	bool is_about_all; /* something could not even be named */
	struct map ids;    /* "Kind/namespace/name", or "Kind//name" of an unknown namespace */
};

static const char *doubt_id(struct arena *arena, const char *kind, const char *namespace, const char *name)
{
	return arena_printf(arena, "%s/%s/%s", kind, namespace ? namespace : "", name);
}

static struct doubts find_doubts(struct arena *arena, const struct store_content *content)
{
	struct doubts doubts = {0};
	for (size_t i = 0; i < content->n_refusals; i++) {
		const struct report_row *row = &content->refusals[i];
		if (row->severity != REPORT_ERROR)
			continue;
		if (row->kind && row->name)
			map_put(arena, &doubts.ids, doubt_id(arena, row->kind, row->namespace, row->name), &doubts);
		else
			doubts.is_about_all = true;
	}
	return doubts;
}

static bool is_in_doubt(struct arena *arena, const struct doubts *doubts, const struct object *object)
{
	const char *kind = kinds[object->kind].kind;
	return doubts->is_about_all || map_has(&doubts->ids, doubt_id(arena, kind, object->namespace, object->name)) ||
	       map_has(&doubts->ids, doubt_id(arena, kind, NULL, object->name));
}

/* Takes over the references. */
static void add_objects(struct group *group, struct object *const *more, size_t n)
{
	if (n == 0)
		return;
	struct object **objects = ARENA_NEW_N(group->arena, struct object *, group->n_objects + n);
	if (group->n_objects)
		memcpy(objects, group->objects, group->n_objects * sizeof *objects);
	memcpy(objects + group->n_objects, more, n * sizeof *objects);
	group->objects = objects;
	group->n_objects += n;
	qsort(group->objects, group->n_objects, sizeof *group->objects, compare_objects);
}

/* Adds the former objects that the new content does not have but may have meant. */
static void keep_last_good(struct group *next, const struct group *former, const struct store_content *content)
{
	VEC(struct object *) kept = {0};
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct doubts doubts = find_doubts(scratch, content);
	for (size_t i = 0; i < former->n_objects; i++) {
		struct object *object = former->objects[i];
		if (object->is_stand_in || find_object(next->objects, next->n_objects, object) ||
		    !is_in_doubt(scratch, &doubts, object))
			continue;
		VEC_PUSH(next->arena, &kept, object_ref(object));
		report_add(&next->report, object, REPORT_INFO, REASON_INVALID_VALUE, NULL,
		           "the last good form stays in force");
	}
	add_objects(next, kept.v, kept.n);
}

/* The content did not bring it: the last good form stays. */
static bool is_kept(const struct group *next, struct object *former)
{
	struct object **place = find_object(next->objects, next->n_objects, former);
	return !former->is_stand_in && place && *place == former;
}

/* Whether it is for a document without a name, and a former object that is kept may be what that was. */
static bool is_kept_anyway(const struct group *next, const struct group *former, struct object *stand_in)
{
	bool is_unnamed =
	    text_has_prefix(stand_in->name, UNREADABLE_NAME) || text_has_prefix(stand_in->name, OBJECT_UNNAMED);
	if (!is_unnamed || find_object(former->objects, former->n_objects, stand_in))
		return false;
	for (size_t i = 0; i < former->n_objects; i++)
		if (former->objects[i]->kind == stand_in->kind &&
		    strcmp(former->objects[i]->namespace, stand_in->namespace) == 0 &&
		    is_kept(next, former->objects[i]))
			return true;
	return false;
}

/* Closes what refusals would leave open. */
static void add_stand_ins(struct group *next, const struct group *former, const struct store_content *content)
{
	for (size_t i = 0; i < content->n_stand_ins; i++) {
		struct object *object = content->stand_ins[i];
		if (find_object(next->objects, next->n_objects, object) || is_kept_anyway(next, former, object))
			continue;
		object_ref(object);
		add_objects(next, &object, 1);
		report_add(&next->report, object, REPORT_WARNING, REASON_INVALID_VALUE, NULL,
		           "refused, and there is no former form: until it is mended, what it covers is closed");
	}
}

static bool is_same_report(const struct report *a, const struct report *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (report_row_compare(&a->rows[i], &b->rows[i]) != 0)
			return false;
	return true;
}

/* Brings the claims from the group's present objects to those of `next`; whether an object changed. */
static bool apply_objects(struct store *store, struct group *group, const struct group *next)
{
	bool is_changed = false;
	size_t i = 0, j = 0;
	while (i < group->n_objects || j < next->n_objects) {
		int order = i == group->n_objects  ? 1
		            : j == next->n_objects ? -1
		                                   : object_compare(group->objects[i], next->objects[j]);
		if (order < 0) {
			remove_claim(store, group, group->objects[i++]);
			is_changed = true;
		} else if (order > 0) {
			add_claim(store, group, next->objects[j++]);
			is_changed = true;
		} else {
			is_changed |= !digest_equal(group->objects[i]->digest, next->objects[j]->digest);
			/* also when they are interchangeable, for the lines in messages */
			if (group->objects[i++] != next->objects[j])
				replace_claim(store, group, next->objects[j]);
			j++;
		}
	}
	return is_changed;
}

/* The group's content becomes that of `next`, whose own becomes the former; the group itself stays where claims point
 * to. */
static void swap_content(struct group *group, struct group *next)
{
	struct group former = *group;
	char *next_name = next->name;
	*group = *next;
	group->name = former.name;
	*next = former;
	next->name = next_name;
}

/* Most groups have nothing to say, and a freeze asks only those that have. */
static void note_rows(struct store *store, struct group *group)
{
	if (group->report.n > 0)
		checked(tsearch(group, &store->speaking, compare_groups));
	else
		tdelete(group, &store->speaking, compare_groups);
}

bool store_set_group(struct store *store, const char *name, const struct store_content *content)
{
	struct group *group = find_group(store, name);
	bool is_new = group == NULL;
	if (is_new) {
		group = group_new(name);
		checked(tsearch(group, &store->groups, compare_groups));
	}
	struct group *next = group_new(name);
	take_objects(next, content);
	keep_last_good(next, group, content);
	add_stand_ins(next, group, content);
	for (size_t i = 0; i < content->n_refusals; i++)
		report_add_row(&next->report, &content->refusals[i]);
	report_sort(&next->report);
	bool is_changed = apply_objects(store, group, next);
	is_changed |= !is_same_report(&group->report, &next->report);
	swap_content(group, next);
	group_free(next);
	note_rows(store, group);
	return is_changed;
}

bool store_remove_group(struct store *store, const char *name)
{
	struct group *group = find_group(store, name);
	if (!group)
		return false;
	bool was_something = group->n_objects > 0 || group->report.n > 0;
	for (size_t i = 0; i < group->n_objects; i++)
		remove_claim(store, group, group->objects[i]);
	tdelete(group, &store->speaking, compare_groups);
	tdelete(group, &store->groups, compare_groups);
	group_free(group);
	return was_something;
}

/* The walk over all claims in order; of those with one object the first is in force. */
struct winners {
	struct arena *arena;
	VEC(struct object *) objects;
	uint64_t last_hash;
	struct report report;
};

static void add_conflict(struct winners *winners, const struct object *loser)
{
	const struct object *winner = winners->objects.v[winners->objects.n - 1];
	if (winner->origin.file)
		report_add(&winners->report, loser, REPORT_ERROR, REASON_CONFLICT, NULL,
		           "already defined at %s:%u, which is in force", winner->origin.file, winner->origin.line);
	else
		report_add(&winners->report, loser, REPORT_ERROR, REASON_CONFLICT, NULL,
		           "already defined elsewhere, which is in force");
}

static void visit_claim(const void *node, VISIT visit, void *closure)
{
	if (visit != postorder && visit != leaf) /* that is: in order */
		return;
	struct winners *winners = closure;
	const struct claim *claim = *(struct claim *const *)node;
	size_t n = winners->objects.n;
	if (n > 0 && winners->last_hash == claim->hash && object_compare(winners->objects.v[n - 1], claim->object) == 0)
		add_conflict(winners, claim->object);
	else
		VEC_PUSH(winners->arena, &winners->objects, claim->object);
	winners->last_hash = claim->hash;
}

static void visit_group(const void *node, VISIT visit, void *closure)
{
	if (visit != postorder && visit != leaf)
		return;
	const struct report *report = &(*(struct group *const *)node)->report;
	struct winners *winners = closure;
	for (size_t i = 0; i < report->n; i++)
		report_add_row(&winners->report, &report->rows[i]);
}

bool store_set_trust(struct store *store, const char *roots, size_t n)
{
	if (store->trust_roots_n == n && (n == 0 || memcmp(store->trust_roots, roots, n) == 0))
		return false;
	free(store->trust_roots);
	store->trust_roots = heap_alloc(n + 1);
	memcpy(store->trust_roots, roots, n);
	store->trust_roots_n = n;
	return true;
}

bool store_set_key_sets(struct store *store, struct key_sets *sets)
{
	bool is_changed = !key_sets_equal(store->key_sets, sets);
	key_sets_unref(store->key_sets);
	store->key_sets = key_sets_ref(sets);
	return is_changed;
}

bool store_set_time(struct store *store, int64_t as_of_s)
{
	bool is_new = store->as_of_s != as_of_s;
	store->as_of_s = as_of_s;
	return is_new;
}

struct snapshot *store_freeze(const struct store *store)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct winners winners = {.arena = arena, .report = {.arena = arena}};
	twalk_r(store->claims, visit_claim, &winners);
	twalk_r(store->speaking, visit_group, &winners);
	return snapshot_new(&(struct snapshot_input){
	    .objects = winners.objects.v,
	    .n_objects = winners.objects.n,
	    .is_sorted = true,
	    .rows = winners.report.rows,
	    .n_rows = winners.report.n,
	    .root_namespace = store->root_namespace,
	    .trust_roots = store->trust_roots,
	    .trust_roots_n = store->trust_roots_n,
	    .key_sets = store->key_sets,
	    .as_of_s = store->as_of_s,
	});
}

struct count {
	const struct object *last;
	size_t n;
};

static void count_claim(const void *node, VISIT visit, void *closure)
{
	if (visit != postorder && visit != leaf)
		return;
	struct count *count = closure;
	const struct object *object = (*(struct claim *const *)node)->object;
	count->n += !count->last || object_compare(count->last, object) != 0;
	count->last = object;
}

size_t store_count(const struct store *store)
{
	struct count count = {0};
	twalk_r(store->claims, count_claim, &count);
	return count.n;
}
