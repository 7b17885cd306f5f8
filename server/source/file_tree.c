/* The folders and files as they were last seen, and looking at them again. */
#include "base/heap.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "server/source/file_parts.h"
#include "server/source/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one walk needs all along. */
struct walk {
	struct file_source *source;
	struct store *store;
	bool is_changed;
};

/* Folders and files both begin with their path, so one search serves both. */
struct with_path {
	char *path;
};

/* Where the path is, or where it would be. */
static size_t lower_bound(void *const *sorted, size_t n, const char *path)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(((const struct with_path *)sorted[middle])->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void *find(void *const *sorted, size_t n, const char *path)
{
	size_t i = lower_bound(sorted, n, path);
	return i < n && strcmp(((const struct with_path *)sorted[i])->path, path) == 0 ? sorted[i] : NULL;
}

static void insert(void ***sorted, size_t *n, size_t *cap, void *item)
{
	*sorted = heap_grow(*sorted, cap, *n + 1, sizeof **sorted);
	size_t i = lower_bound(*sorted, *n, ((const struct with_path *)item)->path);
	memmove(*sorted + i + 1, *sorted + i, (*n - i) * sizeof **sorted);
	(*sorted)[i] = item;
	(*n)++;
}

struct file_folder *file_tree_find_folder(const struct file_source *source, const char *path)
{
	return find((void *const *)source->folders, source->n_folders, path);
}

struct file_known *file_tree_find_file(const struct file_source *source, const char *path)
{
	return find((void *const *)source->files, source->n_files, path);
}

struct file_touch *file_tree_find_touch(const struct file_source *source, const char *path)
{
	for (size_t i = 0; i < source->n_touches; i++)
		if (strcmp(source->touches[i].path, path) == 0)
			return &source->touches[i];
	return NULL;
}

static void free_folder(struct file_folder *folder)
{
	free(folder->path);
	free(folder);
}

static void free_file(struct file_known *file)
{
	free(file->path);
	free(file);
}

void file_tree_free(struct file_source *source)
{
	for (size_t i = 0; i < source->n_folders; i++)
		free_folder(source->folders[i]);
	for (size_t i = 0; i < source->n_files; i++)
		free_file(source->files[i]);
	for (size_t i = 0; i < source->n_touches; i++)
		free(source->touches[i].path);
	free(source->folders);
	free(source->files);
}

/* What is wrong with a folder is a group of its own: "path/". */
static void set_problem(struct walk *walk, struct file_folder *folder, const char *problem)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *group = arena_printf(arena, "%s/", folder->path);
	if (!problem) {
		walk->is_changed |= folder->has_problem && store_remove_group(walk->store, group);
		folder->has_problem = false;
		return;
	}
	struct manifest manifest = {.arena = arena};
	manifest_refuse(&manifest, folder->path, "%s", problem);
	struct store_content content = manifest_content(&manifest);
	walk->is_changed |= store_set_group(walk->store, group, &content);
	folder->has_problem = true;
}

/* The whole file; false with the reason when it cannot be had. */
static bool read_bytes(const char *path, struct text *bytes, struct file_stamp *stamp, struct error *error)
{
	struct stat status = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(error, errno, "cannot be read");
	bool is_read = false;
	if (fstat(fd, &status) < 0) {
		error_set_errno(error, errno, "cannot be read");
	} else if (!S_ISREG(status.st_mode)) {
		error_set(error, "is not a file");
	} else if (status.st_size > (off_t)YAML_BYTES_MAX) {
		error_set(error, "has %lld bytes, at most %u are read", (long long)status.st_size, YAML_BYTES_MAX);
	} else {
		is_read = true;
	}
	*stamp = (struct file_stamp){status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
	char buffer[65536];
	while (is_read && bytes->n <= YAML_BYTES_MAX) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n == 0)
			break;
		if (n > 0)
			text_add_n(bytes, buffer, (size_t)n);
		else if (errno != EINTR)
			is_read = error_set_errno(error, errno, "cannot be read");
	}
	close(fd);
	return is_read;
}

static void refuse(struct walk *walk, struct file_known *file, struct manifest *manifest, const struct error *error)
{
	if (!file->is_mesh) {
		manifest_refuse(manifest, file->path, "%s", error->message);
	} else {
		manifest->report.arena = manifest->arena;
		report_add_row(&manifest->report, &(struct report_row){
		                                      .severity = REPORT_ERROR,
		                                      .reason = REASON_UNREADABLE,
		                                      .kind = "ConfigMap",
		                                      .namespace = walk->source->root_namespace,
		                                      .name = "istio",
		                                      .message = error->message,
		                                      .file = file->path,
		                                  });
	}
	file->digest = (struct digest){0};
}

/* The mesh file's group comes before all others, so that it wins over a ConfigMap of that name in a manifest. */
static const char *group_name(const struct file_known *file)
{
	return file->is_mesh ? "" : file->path;
}

static void read_file(struct walk *walk, struct file_known *file)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text bytes = {0};
	struct manifest manifest = {.arena = arena};
	struct error error;
	file->is_touched = false;
	if (read_bytes(file->path, &bytes, &file->stamp, &error)) {
		struct digest digest = digest_of(text_get(&bytes), bytes.n);
		if (digest_equal(file->digest, digest))
			return;
		file->digest = digest;
		struct manifest_file text = {.path = file->path, .s = text_get(&bytes), .n = bytes.n};
		if (file->is_mesh)
			manifest_read_mesh(&manifest, &text, walk->source->root_namespace);
		else
			manifest_read(&manifest, &text);
	} else {
		refuse(walk, file, &manifest, &error);
	}
	struct store_content content = manifest_content(&manifest);
	walk->is_changed |= store_set_group(walk->store, group_name(file), &content);
	manifest_done(&manifest);
}

static bool is_same_file(const struct file_stamp *stamp, const struct stat *status)
{
	return stamp->dev == status->st_dev && stamp->ino == status->st_ino && stamp->size == status->st_size &&
	       stamp->mtime.tv_sec == status->st_mtim.tv_sec && stamp->mtime.tv_nsec == status->st_mtim.tv_nsec &&
	       stamp->ctime.tv_sec == status->st_ctim.tv_sec && stamp->ctime.tv_nsec == status->st_ctim.tv_nsec;
}

static struct file_known *new_file(struct file_source *source, const char *path, const struct file_folder *folder)
{
	struct file_known *file = HEAP_NEW(struct file_known);
	file->path = heap_strdup(path);
	file->folder = folder;
	file->is_touched = true;
	insert((void ***)&source->files, &source->n_files, &source->cap_files, file);
	return file;
}

/* A file that is there (status as of stat(2)). */
static void visit_file(struct walk *walk, const char *path, struct file_folder *folder, const struct stat *status,
                       bool is_mesh)
{
	struct file_source *source = walk->source;
	struct file_known *file = file_tree_find_file(source, path);
	const struct file_touch *touch = file_tree_find_touch(source, path);
	if (file && file->is_mesh != is_mesh)
		return; /* the mesh file lies among the manifests */
	if (file)
		file->seen_round = source->round;
	/* cut to nothing or new, and its writer has not got further yet: that says nothing */
	if (status->st_size == 0 && touch && touch->is_open)
		return;
	if (!file && folder && source->n_files >= FILE_FILES_MAX) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		set_problem(walk, folder, arena_printf(arena, "there are more than %d files", FILE_FILES_MAX));
		return;
	}
	if (!file)
		file = new_file(source, path, folder);
	file->seen_round = source->round;
	file->is_mesh = is_mesh;
	if (touch || file->is_touched || !is_same_file(&file->stamp, status))
		read_file(walk, file);
}

static void forget_file(struct walk *walk, struct file_known *file)
{
	struct file_source *source = walk->source;
	walk->is_changed |= store_remove_group(walk->store, group_name(file));
	size_t i = lower_bound((void *const *)source->files, source->n_files, file->path);
	source->n_files--;
	memmove(source->files + i, source->files + i + 1, (source->n_files - i) * sizeof(struct file_known *));
	free_file(file);
}

static void visit_folder(struct walk *walk, const char *path, struct file_folder *parent, const struct stat *status);

/* A name in a folder: a file, a folder, nothing any more, or nothing that matters. */
static void visit_name(struct walk *walk, struct file_folder *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat status = {0};
	int n = snprintf(path, sizeof path, "%s/%s", folder->path, name);
	if (n < 0 || (size_t)n >= sizeof path || name[0] == '.')
		return;
	bool is_there = stat(path, &status) == 0;
	bool is_unknown = !is_there && errno != ENOENT && errno != ENOTDIR;
	if (is_unknown && file_is_source_name(name)) { /* reading it will say what is wrong */
		status = (struct stat){.st_size = -1};
		visit_file(walk, path, folder, &status, false);
		return;
	}
	if (is_there && S_ISDIR(status.st_mode)) {
		visit_folder(walk, path, folder, &status);
		return;
	}
	if (is_there && S_ISREG(status.st_mode) && file_is_source_name(name)) {
		visit_file(walk, path, folder, &status, false);
		return;
	}
	struct file_known *file = file_tree_find_file(walk->source, path);
	struct file_folder *child = file_tree_find_folder(walk->source, path);
	if (file)
		forget_file(walk, file);
	if (child)
		child->is_gone = walk->source->is_sweep_due = true;
}

/* Its names, sorted, so that everything happens in the same order everywhere. False when it cannot be listed. */
static bool list_names(struct arena *arena, const char *path, const char ***names, size_t *n)
{
	VEC(const char *) found = {0};
	DIR *folder = opendir(path);
	if (!folder)
		return false;
	errno = 0;
	for (const struct dirent *entry; (entry = readdir(folder)); errno = 0)
		if (entry->d_name[0] != '.')
			VEC_PUSH(arena, &found, arena_strdup(arena, entry->d_name));
	int failure = errno;
	closedir(folder);
	errno = failure;
	VEC_SORT(&found, text_compare);
	*names = found.v;
	*n = found.n;
	return failure == 0;
}

static void list_folder(struct walk *walk, struct file_folder *folder)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char **names = NULL;
	size_t n = 0;
	folder->is_due = false;
	if (!list_names(arena, folder->path, &names, &n)) {
		set_problem(walk, folder, arena_printf(arena, "cannot be listed: %s", strerror(errno)));
		return;
	}
	if (walk->source->fd >= 0 && folder->wd < 0)
		set_problem(walk, folder,
		            "cannot be watched: changes in it are not seen (fs.inotify.max_user_watches)");
	else
		set_problem(walk, folder, NULL);
	folder->listed_round = walk->source->round;
	walk->source->is_sweep_due = true;
	for (size_t i = 0; i < n; i++)
		visit_name(walk, folder, names[i]);
}

/* A folder that contains itself, through a link; or one that is nested too deeply. */
static const char *nesting_problem(const struct file_folder *parent, const struct stat *status)
{
	unsigned depth = 0;
	for (const struct file_folder *up = parent; up; up = up->parent, depth++)
		if (up->dev == status->st_dev && up->ino == status->st_ino)
			return "contains itself, through a link: left out";
	return depth > FILE_DEPTH_MAX ? "is nested too deeply: left out" : NULL;
}

static struct file_folder *new_folder(struct file_source *source, const char *path, struct file_folder *parent)
{
	struct file_folder *folder = HEAP_NEW(struct file_folder);
	folder->path = heap_strdup(path);
	folder->parent = parent;
	folder->depth = parent ? parent->depth + 1 : 0;
	folder->wd = -1;
	insert((void ***)&source->folders, &source->n_folders, &source->cap_folders, folder);
	return folder;
}

static void visit_folder(struct walk *walk, const char *path, struct file_folder *parent, const struct stat *status)
{
	struct file_source *source = walk->source;
	struct file_folder *folder = file_tree_find_folder(source, path);
	const char *problem = nesting_problem(parent, status);
	if (!folder && parent && source->n_folders >= FILE_FOLDERS_MAX) {
		set_problem(walk, parent, "has too many folders in it: some are left out");
		return;
	}
	bool is_new = !folder;
	if (is_new)
		folder = new_folder(source, path, parent);
	folder->seen_round = source->round;
	if (problem) {
		set_problem(walk, folder, problem);
		return;
	}
	bool is_other = is_new || folder->dev != status->st_dev || folder->ino != status->st_ino;
	folder->dev = status->st_dev;
	folder->ino = status->st_ino;
	if (is_other)
		file_watch_end(source, folder);
	if (source->fd >= 0 && folder->wd < 0) {
		folder->wd = file_watch_folder(source, path); /* before it is listed, so that nothing is missed */
		is_other = true;
	}
	if (is_other || folder->is_due)
		list_folder(walk, folder);
}

static bool is_below(const char *path, const char *folder)
{
	return text_has_prefix(path, folder) && (path[strlen(folder)] == '/' || path[strlen(folder)] == '\0');
}

/* A path that vanished keeps what it held; its watches may have gone elsewhere with it. */
static void miss_root(struct walk *walk, struct file_root *root)
{
	root->is_missing = true;
	for (size_t i = 0; i < walk->source->n_folders; i++) {
		struct file_folder *folder = walk->source->folders[i];
		if (!is_below(folder->path, root->path))
			continue;
		file_watch_end(walk->source, folder);
		folder->is_due = false;
	}
}

static void visit_root(struct walk *walk, struct file_root *root)
{
	struct file_source *source = walk->source;
	struct stat status = {0};
	struct error error;
	if (source->fd >= 0 && root->wd < 0)
		root->wd = file_watch_folder(source, root->parent);
	bool is_there = stat(root->path, &status) == 0;
	struct file_known *file = file_tree_find_file(source, root->path);
	if (is_there) {
		root->is_missing = false;
		if (S_ISDIR(status.st_mode) && !root->is_mesh)
			visit_folder(walk, root->path, NULL, &status);
		else
			visit_file(walk, root->path, NULL, &status, root->is_mesh);
		return;
	}
	error_set_errno(&error, errno, "cannot be read");
	miss_root(walk, root);
	if (file && !file->is_mesh) {
		forget_file(walk, file);
	} else if (file && !digest_is_zero(file->digest)) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct manifest manifest = {.arena = arena};
		refuse(walk, file, &manifest, &error);
		struct store_content content = manifest_content(&manifest);
		walk->is_changed |= store_set_group(walk->store, group_name(file), &content);
	}
	struct file_folder *folder = file_tree_find_folder(source, root->path);
	if (folder)
		set_problem(walk, folder, error.message);
}

static bool is_missing(const struct file_source *source, const char *path)
{
	for (size_t i = 0; i < source->n_roots; i++)
		if (source->roots[i].is_missing && is_below(path, source->roots[i].path))
			return true;
	return false;
}

/* Folders first: sorted by path, each comes after the one that holds it. */
static void sweep(struct walk *walk)
{
	struct file_source *source = walk->source;
	for (size_t i = 0; i < source->n_folders; i++) {
		struct file_folder *folder = source->folders[i];
		const struct file_folder *parent = folder->parent;
		if (parent &&
		    (parent->is_gone || (parent->listed_round == source->round && folder->seen_round != source->round)))
			folder->is_gone = true;
	}
	for (size_t i = source->n_files; i-- > 0;) {
		struct file_known *file = source->files[i];
		if (file->folder && (file->folder->is_gone || (file->folder->listed_round == source->round &&
		                                               file->seen_round != source->round)))
			forget_file(walk, file);
	}
	for (size_t i = 0; i < source->n_folders; i++)
		if (source->folders[i]->is_gone) {
			set_problem(walk, source->folders[i], NULL);
			file_watch_end(source, source->folders[i]);
		}
	size_t n = 0;
	for (size_t i = 0; i < source->n_folders; i++)
		if (source->folders[i]->is_gone)
			free_folder(source->folders[i]);
		else
			source->folders[n++] = source->folders[i];
	source->n_folders = n;
}

/* Files that events spoke of, unless their folder was listed as a whole. */
static void visit_touches(struct walk *walk)
{
	struct file_source *source = walk->source;
	for (size_t i = 0; i < source->n_touches; i++) {
		char *slash = strrchr(source->touches[i].path, '/');
		if (is_missing(source, source->touches[i].path) || !slash)
			continue;
		*slash = '\0';
		struct file_folder *folder = file_tree_find_folder(source, source->touches[i].path);
		*slash = '/';
		if (folder && folder->listed_round != source->round)
			visit_name(walk, folder, slash + 1);
	}
}

/* Those that are still being written stay, so that their state is known when the next event comes. */
static void drop_touches(struct file_source *source)
{
	size_t n = 0;
	for (size_t i = 0; i < source->n_touches; i++)
		if (source->touches[i].is_open && access(source->touches[i].path, F_OK) == 0)
			source->touches[n++] = source->touches[i];
		else
			free(source->touches[i].path);
	source->n_touches = n;
}

bool file_tree_walk(struct file_source *source, struct store *store)
{
	struct walk walk = {.source = source, .store = store};
	source->round++;
	source->is_sweep_due = false;
	for (size_t i = 0; i < source->n_roots; i++)
		visit_root(&walk, &source->roots[i]);
	for (size_t i = 0; i < source->n_folders; i++)
		if (source->folders[i]->is_due && !is_missing(source, source->folders[i]->path))
			list_folder(&walk, source->folders[i]);
	visit_touches(&walk);
	if (source->is_sweep_due)
		sweep(&walk);
	drop_touches(source);
	return walk.is_changed;
}
