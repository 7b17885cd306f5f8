/* inotify: which folder or file an event speaks of. */
#include "base/heap.h"
#include "base/text.h"
#include "server/source/file_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS_BYTES 16384
#define WATCH_MASK                                                                                                     \
	(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |                \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD)

static const char *const source_suffixes[] = {".yaml", ".yml", ".json"};

/* What editors leave beside the files they write. */
static const char *const leaving_suffixes[] = {"~", ".swp", ".swx", ".tmp", "#"};

static bool has_suffix_of(const char *name, const char *const *suffixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_has_suffix(name, suffixes[i]))
			return true;
	return false;
}
#define HAS_SUFFIX_OF(name, table) has_suffix_of((name), (table), sizeof(table) / sizeof(table)[0])

bool file_is_source_name(const char *name)
{
	return name[0] != '.' && HAS_SUFFIX_OF(name, source_suffixes);
}

static bool is_leaving(const char *name)
{
	return strcmp(name, "4913") == 0 || HAS_SUFFIX_OF(name, leaving_suffixes);
}

int file_watch_folder(const struct file_source *source, const char *path)
{
	if (source->fd < 0)
		return -1;
	return inotify_add_watch(source->fd, path, WATCH_MASK);
}

void file_watch_end(struct file_source *source, struct file_folder *folder)
{
	int wd = folder->wd;
	folder->wd = -1;
	if (wd < 0)
		return;
	for (size_t i = 0; i < source->n_folders; i++)
		if (source->folders[i]->wd == wd)
			return;
	for (size_t i = 0; i < source->n_roots; i++)
		if (source->roots[i].wd == wd)
			return;
	inotify_rm_watch(source->fd, wd); /* fails when the folder is gone: then so is the watch */
}

void file_watch_touch_all(struct file_source *source)
{
	for (size_t i = 0; i < source->n_folders; i++)
		source->folders[i]->is_due = true;
	for (size_t i = 0; i < source->n_files; i++)
		source->files[i]->is_touched = true;
	for (size_t i = 0; i < source->n_touches; i++)
		source->touches[i].is_open = false; /* its end may be among what was lost */
}

static void touch_folder(struct file_source *source, struct file_folder *folder)
{
	folder->is_due = true;
	for (size_t i = 0; i < source->n_files; i++)
		if (source->files[i]->folder == folder)
			source->files[i]->is_touched = true;
}

static struct file_touch *touch_path(struct file_source *source, const char *path)
{
	struct file_touch *touch = file_tree_find_touch(source, path);
	if (touch || source->n_touches == FILE_TOUCHES_MAX)
		return touch;
	touch = &source->touches[source->n_touches++];
	*touch = (struct file_touch){.path = heap_strdup(path)};
	return touch;
}

/* A file is being written from its first write to its close; links come whole. */
static void note_writer(struct file_touch *touch, uint32_t mask)
{
	struct stat status;
	if (mask & IN_CREATE)
		touch->is_open = lstat(touch->path, &status) == 0 && S_ISREG(status.st_mode);
	if (mask & IN_MODIFY)
		touch->is_open = true;
	if (mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM))
		touch->is_open = false;
}

/* An event about a name in a folder. */
static void touch_name(struct file_source *source, struct file_folder *folder, const char *name, uint32_t mask)
{
	char path[PATH_MAX];
	if (text_has_prefix(name, "..")) { /* the links of a mounted ConfigMap */
		folder->is_due = true;
		return;
	}
	int n = snprintf(path, sizeof path, "%s/%s", folder->path, name);
	if (n < 0 || (size_t)n >= sizeof path)
		return;
	struct file_touch *touch = touch_path(source, path);
	if (touch)
		note_writer(touch, mask);
	else
		touch_folder(source, folder);
}

static bool is_relevant(const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";
	if (name[0] == '.' && !text_has_prefix(name, ".."))
		return false;
	if (is_leaving(name))
		return false;
	/* a name that could be a folder's matters when it comes and goes only */
	uint32_t comings = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB;
	return *name == '\0' || file_is_source_name(name) || (event->mask & comings);
}

/* One of the paths themselves; the mesh file's and others' of any name, too. */
static bool touch_root(struct file_source *source, const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";
	bool is_any = false;
	for (size_t i = 0; i < source->n_roots; i++) {
		const struct file_root *root = &source->roots[i];
		if (root->wd != event->wd)
			continue;
		bool is_self = strcmp(root->name, name) == 0;
		if (!is_self && *name != '\0' && !text_has_prefix(name, ".."))
			continue;
		is_any = true; /* the paths themselves are looked at in each round */
		struct file_touch *touch = is_self ? touch_path(source, root->path) : NULL;
		if (touch)
			note_writer(touch, event->mask);
	}
	return is_any;
}

static bool take_event(struct file_source *source, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		file_watch_touch_all(source);
		return true;
	}
	bool is_any = touch_root(source, event);
	for (size_t i = 0; i < source->n_folders; i++) {
		struct file_folder *folder = source->folders[i];
		if (folder->wd != event->wd)
			continue;
		if (event->mask & IN_IGNORED) {
			folder->wd = -1;
			continue;
		}
		if (!is_relevant(event))
			continue;
		is_any = true;
		if (event->len)
			touch_name(source, folder, event->name, event->mask);
		else
			folder->is_due = true;
	}
	if (event->mask & IN_IGNORED)
		for (size_t i = 0; i < source->n_roots; i++)
			if (source->roots[i].wd == event->wd)
				source->roots[i].wd = -1;
	return is_any;
}

void file_watch_read(struct file_source *source, int64_t now_ns)
{
	_Alignas(struct inotify_event) char buffer[EVENTS_BYTES];
	if (source->fd < 0)
		return;
	for (;;) {
		ssize_t n = read(source->fd, buffer, sizeof buffer);
		if (n <= 0)
			return; /* EAGAIN: that was all */
		for (const char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof *event + event->len;
			if (!take_event(source, event))
				continue;
			if (!source->is_pending)
				source->first_ns = now_ns;
			source->last_ns = now_ns;
			source->is_pending = true;
		}
	}
}
