#include "cli/load.h"

#include "base/clock.h"
#include "base/vec.h"
#include "cli/arguments.h"
#include "server/source/file.h"
#include "server/source/store.h"
#include "translator/resolve.h"

struct load_options load_options_of(const struct arguments *arguments)
{
	struct arguments_values paths = arguments_all(arguments, "config");
	return (struct load_options){
	    .paths = paths.v,
	    .n_paths = paths.n,
	    .mesh_path = arguments_get(arguments, "mesh"),
	    .root_namespace = arguments_get(arguments, "root-namespace"),
	};
}

static struct snapshot *read_files(const struct load_options *options, size_t *n_objects, struct error *error)
{
	const struct file_source_options files = {
	    .paths = options->paths,
	    .n_paths = options->n_paths,
	    .mesh_path = options->mesh_path,
	    .root_namespace = options->root_namespace,
	    .is_watching = false,
	};
	struct file_source *source = file_source_new(&files, error);
	if (!source)
		return NULL;
	struct store *store = store_new(options->root_namespace);
	struct snapshot *snapshot = NULL;
	if (file_source_read_all(source, store, error)) {
		store_set_time(store, clock_wall_ns(clock_system()) / CLOCK_S);
		snapshot = store_freeze(store);
		*n_objects = store_count(store);
	}
	store_free(store);
	file_source_free(source);
	return snapshot;
}

static void finish(struct load *load)
{
	load->arena = arena_new();
	load->model = resolve(load->arena, load->snapshot);
	load->report.arena = load->arena;
	for (size_t i = 0; i < load->snapshot->n_rows; i++)
		report_add_row(&load->report, &load->snapshot->rows[i]);
	for (size_t i = 0; i < load->model->report.n; i++)
		report_add_row(&load->report, &load->model->report.rows[i]);
	report_sort(&load->report);
}

bool load_files(const struct load_options *options, struct load *load, struct error *error)
{
	*load = (struct load){0};
	load->snapshot = read_files(options, &load->n_objects, error);
	if (!load->snapshot)
		return false;
	finish(load);
	return true;
}

/* All of `over`, and what of `base` it has not. */
static struct snapshot *lay_over(const struct snapshot *base, const struct snapshot *over)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	VEC(struct object *) objects = {0};
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		for (size_t i = 0; i < over->kinds[kind].n; i++)
			VEC_PUSH(arena, &objects, over->kinds[kind].v[i]);
		for (size_t i = 0; i < base->kinds[kind].n; i++) {
			struct object *object = base->kinds[kind].v[i];
			if (!snapshot_get(over, object->kind, object->namespace, object->name))
				VEC_PUSH(arena, &objects, object);
		}
	}
	return snapshot_new(&(struct snapshot_input){
	    .objects = objects.v,
	    .n_objects = objects.n,
	    .rows = over->rows,
	    .n_rows = over->n_rows,
	    .root_namespace = base->root_namespace,
	    .as_of_s = base->as_of_s,
	});
}

bool load_files_over(const struct load_options *options, const struct load *base, struct load *load,
                     struct error *error)
{
	*load = (struct load){0};
	struct snapshot *over = read_files(options, &load->n_objects, error);
	if (!over)
		return false;
	load->snapshot = lay_over(base->snapshot, over);
	snapshot_unref(over);
	finish(load);
	return true;
}

void load_done(struct load *load)
{
	arena_free(load->arena);
	snapshot_unref(load->snapshot);
	*load = (struct load){0};
}
