#include "translator/snapshot.h"

#include "translator/selection.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int compare_objects(const void *a, const void *b)
{
	return object_compare(*(struct object *const *)a, *(struct object *const *)b);
}

/* The sorted objects, kind by kind. */
static void set_kinds(struct snapshot *snapshot, struct object *const *objects, size_t n)
{
	size_t from = 0;
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		size_t to = from;
		while (to < n && objects[to]->kind == (enum kind)kind)
			to++;
		snapshot->kinds[kind] = (struct snapshot_kind){.v = objects + from, .n = to - from};
		from = to;
	}
}

/* Gives up the references to what the mesh does not consist of; the others move together. */
static size_t narrow(const struct selection *selection, struct object **objects, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (selection_has(selection, objects[i]))
			objects[kept++] = objects[i];
		else
			object_unref(objects[i]);
	}
	return kept;
}

/* Sorted references, one array for all kinds. */
static struct selection take_objects(struct snapshot *snapshot, const struct snapshot_input *input,
                                     struct arena *scratch)
{
	size_t n = input->n_objects;
	struct object **objects = ARENA_NEW_N(snapshot->arena, struct object *, n);
	for (size_t i = 0; i < n; i++)
		objects[i] = object_ref(input->objects[i]);
	if (!input->is_sorted)
		qsort(objects, n, sizeof *objects, compare_objects);
	set_kinds(snapshot, objects, n);
	struct selection selection = selection_of(scratch, snapshot);
	if (selection.is_narrowed)
		set_kinds(snapshot, objects, narrow(&selection, objects, n));
	return selection;
}

static void take_rows(struct snapshot *snapshot, const struct snapshot_input *input, const struct selection *selection)
{
	struct report report = {.arena = snapshot->arena};
	for (size_t i = 0; i < input->n_rows; i++)
		if (selection_has_row(selection, &input->rows[i]))
			report_add_row(&report, &input->rows[i]);
	report_sort(&report);
	snapshot->rows = report.rows;
	snapshot->n_rows = report.n;
}

static void add_row(struct digest_state *state, const struct report_row *row)
{
	digest_add_u64(state, row->severity);
	digest_add_u64(state, row->reason);
	digest_add_u64(state, row->line);
	const char *const strings[] = {row->kind, row->namespace, row->name, row->field, row->message, row->file};
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		digest_add_str(state, strings[i]);
}

static struct digest snapshot_digest(const struct snapshot *snapshot)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, snapshot->root_namespace);
	digest_add(&state, snapshot->trust_roots, snapshot->trust_roots_n);
	digest_add_u64(&state, (uint64_t)snapshot->as_of_s);
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		const struct snapshot_kind *objects = &snapshot->kinds[kind];
		digest_add_u64(&state, objects->n);
		for (size_t i = 0; i < objects->n; i++)
			digest_add_digest(&state, objects->v[i]->digest);
	}
	digest_add_u64(&state, snapshot->n_rows);
	for (size_t i = 0; i < snapshot->n_rows; i++)
		add_row(&state, &snapshot->rows[i]);
	return digest_final(&state);
}

struct snapshot *snapshot_new(const struct snapshot_input *input)
{
	struct arena *arena = arena_new();
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct snapshot *snapshot = ARENA_NEW(arena, struct snapshot);
	snapshot->arena = arena;
	snapshot->root_namespace = arena_strdup(arena, input->root_namespace ? input->root_namespace : "");
	snapshot->trust_roots =
	    arena_strndup(arena, input->trust_roots ? input->trust_roots : "", input->trust_roots_n);
	snapshot->trust_roots_n = input->trust_roots_n;
	snapshot->as_of_s = input->as_of_s;
	struct selection selection = take_objects(snapshot, input, scratch);
	take_rows(snapshot, input, &selection);
	snapshot->digest = snapshot_digest(snapshot);
	atomic_init(&snapshot->refs, 1);
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
	return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t kind = 0; kind < KIND_COUNT; kind++)
		for (size_t i = 0; i < snapshot->kinds[kind].n; i++)
			object_unref(snapshot->kinds[kind].v[i]);
	arena_free(snapshot->arena);
}

const struct object *snapshot_get(const struct snapshot *snapshot, enum kind kind, const char *namespace,
                                  const char *name)
{
	const struct object wanted = {.kind = kind, .namespace = namespace, .name = name};
	const struct snapshot_kind *objects = &snapshot->kinds[kind];
	size_t low = 0, high = objects->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = object_compare(objects->v[middle], &wanted);
		if (order == 0)
			return objects->v[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
