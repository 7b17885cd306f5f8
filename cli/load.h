#pragma once
/*
 * Configuration from files to a model, once: what `translate` and `validate` share. The same code as the control
 * plane's: source, store, snapshot, resolve.
 *
 *     struct load load;
 *     if (!load_files(&options, &load, &error)) …
 *     … load.model, load.report …
 *     load_done(&load);
 */
#include "base/arena.h"
#include "base/error.h"
#include "translator/model.h"
#include "translator/snapshot.h"

#define LOAD_ROOT_NAMESPACE "istio-system" /* when nothing else is said */

struct load_options {
	const char *const *paths; /* folders and files */
	size_t n_paths;
	const char *mesh_path; /* NULL: none */
	const char *root_namespace;
};

struct load {
	struct arena *arena; /* of the model and the report */
	struct snapshot *snapshot;
	const struct model *model;
	struct report report; /* what the sources refused and what resolve found, in canonical order */
	size_t n_objects;
};

bool load_files(const struct load_options *options, struct load *load, struct error *error);
/* The same with the objects of some more files in the place of those of their names. */
bool load_files_over(const struct load_options *options, const struct load *base, struct load *load,
                     struct error *error);
void load_done(struct load *load); /* also of a zeroed one */
