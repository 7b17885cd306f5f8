#pragma once
/*
 * What the parts of the file source share; nobody else includes this.
 *
 *     file.c          what the world sees: events in, settling, when to take in what happened
 *     file_tree.c     folders and files as they were last seen, and walking them again
 *     file_watch.c    inotify
 *     manifest.c      the text of one file
 */
#include "base/digest.h"
#include "server/source/file.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_DEPTH_MAX 16      /* folders inside one another, from each path of the options */
#define FILE_FOLDERS_MAX 10000 /* one inotify watch each */
#define FILE_FILES_MAX 100000
#define FILE_TOUCHES_MAX 64 /* changed files that are looked at one by one; with more, their folder is listed again */
#define FILE_RETRY_MS 1000  /* how often a path that vanished is looked for */

/* A folder below (or at) one of the paths. A folder and a file never share a path. */
struct file_folder {
	char *path;
	struct file_folder *parent; /* NULL: one of the paths itself */
	unsigned depth;
	int wd; /* inotify's; -1: not watched */
	dev_t dev;
	ino_t ino;
	bool is_due;      /* to be listed again */
	bool is_gone;     /* to be forgotten with all that it holds */
	bool has_problem; /* the store has a group "path/" that says which */
	uint64_t listed_round, seen_round;
};

/* What tells that a file is not the one that was read, without reading it. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct file_known {
	char *path;                       /* also the name of its group in the store */
	const struct file_folder *folder; /* NULL: one of the paths itself */
	bool is_mesh;
	bool
	    is_touched; /* to be read again, whatever its stamp says: writes within one clock tick leave it as it was */
	struct file_stamp stamp;
	struct digest digest; /* of its bytes; zero: could not be read */
	uint64_t seen_round;
};

/* A file that an event spoke of since the last round. */
struct file_touch {
	char *path;
	bool is_open; /* somebody is still writing */
};

/* One path of the options: a folder, a file, or the mesh file. */
struct file_root {
	char *path;
	char *parent;     /* its folder: watched, so that the path may vanish and return */
	const char *name; /* in it */
	int wd;
	bool is_mesh;
	bool is_missing;
};

struct file_source {
	char *root_namespace;
	struct file_root *roots;
	size_t n_roots;
	int fd; /* inotify; -1: not watching */

	struct file_folder **folders; /* sorted by path */
	size_t n_folders, cap_folders;
	struct file_known **files; /* sorted by path */
	size_t n_files, cap_files;
	struct file_touch *touches;
	size_t n_touches;

	uint64_t round; /* counts the walks */
	bool is_sweep_due;
	bool is_pending;           /* something happened since the last round */
	int64_t first_ns, last_ns; /* when, while pending */
	int64_t retry_ns;          /* when to look again for what is missing */
};

/* file_tree.c: looks again at whatever is due; whether the store changed. */
bool file_tree_walk(struct file_source *source, struct store *store);
struct file_folder *file_tree_find_folder(const struct file_source *source, const char *path);
struct file_known *file_tree_find_file(const struct file_source *source, const char *path);
struct file_touch *file_tree_find_touch(const struct file_source *source, const char *path);
void file_tree_free(struct file_source *source);

/* file_watch.c */
/* An inotify watch on a folder; -1 with errno. */
int file_watch_folder(const struct file_source *source, const char *path);
/* Ends the folder's watch, unless something else needs the same one. */
void file_watch_end(struct file_source *source, struct file_folder *folder);
/* Everything is to be looked at again: inotify lost events, or somebody asks for it. */
void file_watch_touch_all(struct file_source *source);
/* Reads all events that wait and marks what they speak of. now_ns: when this is. */
void file_watch_read(struct file_source *source, int64_t now_ns);
/* Whether the name is one of a manifest. */
bool file_is_source_name(const char *name);
