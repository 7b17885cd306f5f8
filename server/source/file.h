#pragma once
/*
 * The file source: folders and files of Kubernetes YAML (*.yaml, *.yml, *.json), each file a group of the store.
 *
 * A folder is read recursively, names beginning with "." and editors' leavings (*~, *.swp, *.tmp, #…#, 4913) left out.
 * It is watched with inotify; a change is read once the folder has been quiet for FILE_SETTLE_MS (at most
 * FILE_SETTLE_MAX_MS after the first), so atomic renames, symlink swaps (ConfigMap mounts: ..data) and half-written
 * files come out as one change. A file that cannot be read, or is larger than YAML_BYTES_MAX, is one refusal; what it
 * held before stays in force. A watch that overflows leads to a whole re-read. A file's disappearance removes its
 * objects; a folder that cannot be listed removes nothing. A `List` object is its items.
 */
#include "base/clock.h"
#include "server/source/store.h"

#define FILE_SETTLE_MS 20
#define FILE_SETTLE_MAX_MS 200

struct file_source;

struct file_source_options {
	const char *const *paths; /* folders or files; at least one */
	size_t n_paths;
	const char
	    *mesh_path; /* MeshConfig as a file, or NULL: it becomes ConfigMap istio (key mesh) in the root namespace */
	const char *root_namespace;
	bool is_watching; /* false: read once */
};

/* Fails when a path does not exist. */
struct file_source *file_source_new(const struct file_source_options *options, struct error *error);
void file_source_free(struct file_source *source);
/* Reads all into the store: the first sync, or again. False: a path or folder cannot be read; what it held stays. */
bool file_source_read_all(struct file_source *source, struct store *store, struct error *error);
/* Readable when something happened in a watched folder. */
int file_source_fd(const struct file_source *source);
/*
 * Takes in what happened. Returns how many ms to wait before calling again for changes that are settling (-1: nothing
 * pending). *is_changed: the store's content changed. *event_ns: when the first event of this change was seen
 * (monotonic).
 */
int file_source_poll(struct file_source *source, struct store *store, const struct clock *clock, bool *is_changed,
                     int64_t *event_ns);
