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
/* The option of every command that reads configuration (command.h). */
#define LOAD_OPTION_ROOT_NAMESPACE                                                                                     \
	{                                                                                                              \
		.name = "root-namespace", .argument = "NAMESPACE", .default_value = LOAD_ROOT_NAMESPACE,               \
		.help = "The namespace whose configuration applies to the whole mesh."                                 \
	}

struct arguments;

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

/* What --config, --mesh and --root-namespace say of a command that has them; borrowed from the arguments. */
struct load_options load_options_of(const struct arguments *arguments);
bool load_files(const struct load_options *options, struct load *load, struct error *error);
/* The same with the objects of some more files in the place of those of their names. */
bool load_files_over(const struct load_options *options, const struct load *base, struct load *load,
                     struct error *error);
void load_done(struct load *load); /* also of a zeroed one */
