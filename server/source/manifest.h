#pragma once
/*
 * A manifest: the text of one file as objects and as rows about what is wrong in it. No I/O.
 *
 *     struct manifest manifest = {.arena = arena};
 *     manifest_read(&manifest, &(struct manifest_file){.path = "a.yaml", .s = text, .n = n});
 *     store_set_group(store, "a.yaml", &(struct store_content){manifest.objects, manifest.n_objects, …});
 *     manifest_done(&manifest);
 *
 * Each document stands for itself: a broken one leaves the others standing. A List is its items. A kind that weft does
 * not read is left out: silently when its group is none of ours (a Deployment), with a warning otherwise (an
 * EnvoyFilter). Where weft has the kind's message (kind_info.is_unread) the object is decoded first, so that a typing
 * error in it is an error here already.
 */
#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"
#include "server/source/store.h"

#include <stddef.h>

#define MANIFEST_OBJECTS_MAX 100000 /* in one file */

struct manifest {
	struct arena *arena;     /* the caller's: the rows live here, the objects in their own */
	struct object **objects; /* a reference each */
	size_t n_objects, cap;
	VEC(struct object *) stand_ins; /* of those that were refused; a reference each */
	struct report report;
};

struct manifest_file {
	const char *path; /* for messages; *.json is read as JSON, everything else as YAML */
	const char *s;
	size_t n;
};

void manifest_read(struct manifest *manifest, const struct manifest_file *file);
/* A file with a MeshConfig as ConfigMap "istio" of the root namespace, where Istio keeps it. */
void manifest_read_mesh(struct manifest *manifest, const struct manifest_file *file, const char *root_namespace);
/* A file that could not be read at all. */
__attribute__((format(printf, 3, 4))) void manifest_refuse(struct manifest *manifest, const char *path,
                                                           const char *format, ...);
/* An object as the API server gives it, of no file and no line; in lists it may leave out what the list says. */
void manifest_add_item(struct manifest *manifest, const struct json *item, const char *api_version, const char *kind);
void manifest_done(struct manifest *manifest); /* gives the references back */
struct store_content manifest_content(const struct manifest *manifest);
