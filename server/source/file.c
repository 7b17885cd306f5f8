#include "server/source/file.h"

#include "base/heap.h"
#include "base/text.h"
#include "server/source/file_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* "dir/" as "dir"; its parent is what comes before the last slash. */
static void root_init(struct file_root *root, const char *path, bool is_mesh)
{
	*root = (struct file_root){.path = heap_strdup(path), .wd = -1, .is_mesh = is_mesh};
	for (size_t n = strlen(root->path); n > 1 && root->path[n - 1] == '/'; n--)
		root->path[n - 1] = '\0';
	const char *slash = strrchr(root->path, '/');
	root->name = slash ? slash + 1 : root->path;
	if (!slash)
		root->parent = heap_strdup(".");
	else
		root->parent = heap_strndup(root->path, slash == root->path ? 1 : (size_t)(slash - root->path));
}

/* The mesh file first: should it lie among the manifests, it is known before they are listed. */
static bool add_roots(struct file_source *source, const struct file_source_options *options, struct error *error)
{
	source->roots = HEAP_NEW_N(struct file_root, options->n_paths + 1);
	if (options->mesh_path)
		root_init(&source->roots[source->n_roots++], options->mesh_path, true);
	for (size_t i = 0; i < options->n_paths; i++)
		root_init(&source->roots[source->n_roots++], options->paths[i], false);
	for (size_t i = 0; i < source->n_roots; i++) {
		struct stat status;
		if (stat(source->roots[i].path, &status) < 0)
			return error_set_errno(error, errno, "%s", source->roots[i].path);
	}
	return true;
}

struct file_source *file_source_new(const struct file_source_options *options, struct error *error)
{
	struct file_source *source = HEAP_NEW(struct file_source);
	source->root_namespace = heap_strdup(options->root_namespace);
	source->touches = HEAP_NEW_N(struct file_touch, FILE_TOUCHES_MAX);
	source->fd = -1;
	bool is_done = add_roots(source, options, error);
	if (is_done && options->is_watching) {
		source->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (source->fd < 0)
			is_done = error_set_errno(error, errno, "watching files");
	}
	if (is_done)
		return source;
	file_source_free(source);
	return NULL;
}

void file_source_free(struct file_source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->n_roots; i++) {
		free(source->roots[i].path);
		free(source->roots[i].parent);
	}
	file_tree_free(source);
	if (source->fd >= 0)
		close(source->fd);
	free(source->roots);
	free(source->touches);
	free(source->root_namespace);
	free(source);
}

int file_source_fd(const struct file_source *source)
{
	return source->fd;
}

static bool is_any_missing(const struct file_source *source)
{
	for (size_t i = 0; i < source->n_roots; i++)
		if (source->roots[i].is_missing)
			return true;
	return false;
}

bool file_source_read_all(struct file_source *source, struct store *store, struct error *error)
{
	file_watch_touch_all(source);
	file_tree_walk(source, store);
	for (size_t i = 0; i < source->n_roots; i++) {
		const struct file_root *root = &source->roots[i];
		const struct file_folder *folder = file_tree_find_folder(source, root->path);
		if (root->is_missing || (folder && folder->listed_round != source->round))
			return error_set(error, "%s: cannot be read", root->path);
	}
	return true;
}

static bool is_any_open(const struct file_source *source)
{
	for (size_t i = 0; i < source->n_touches; i++)
		if (source->touches[i].is_open)
			return true;
	return false;
}

/* How long what happened should still settle; 0 or less: it has. */
static int64_t settling_ns(const struct file_source *source, int64_t now_ns)
{
	int64_t most = source->first_ns + FILE_SETTLE_MAX_MS * CLOCK_MS - now_ns;
	int64_t quiet = source->last_ns + FILE_SETTLE_MS * CLOCK_MS - now_ns;
	return is_any_open(source) || most < quiet ? most : quiet;
}

static int to_ms(int64_t ns)
{
	return (int)((ns + CLOCK_MS - 1) / CLOCK_MS);
}

int file_source_poll(struct file_source *source, struct store *store, const struct clock *clock, bool *is_changed,
                     int64_t *event_ns)
{
	int64_t now_ns = clock_now_ns(clock);
	*is_changed = false;
	file_watch_read(source, now_ns);
	bool is_retry = source->fd >= 0 && is_any_missing(source) && now_ns >= source->retry_ns;
	if (source->is_pending && settling_ns(source, now_ns) > 0)
		return to_ms(settling_ns(source, now_ns));
	if (source->is_pending || is_retry) {
		*event_ns = source->is_pending ? source->first_ns : now_ns;
		source->is_pending = false;
		source->retry_ns = now_ns + FILE_RETRY_MS * CLOCK_MS;
		*is_changed = file_tree_walk(source, store);
	}
	if (source->fd >= 0 && is_any_missing(source))
		return to_ms(source->retry_ns - now_ns);
	return -1;
}
