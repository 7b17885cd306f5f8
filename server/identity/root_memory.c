#include "server/identity/root_memory.h"

#include "base/heap.h"
#include "server/state_file.h"

#include <stdlib.h>
#include <string.h>

struct root_memory {
	struct kube_secret_cell *cell;
	const char *folder;
	const struct clock *clock;
	struct text there;  /* as it was read, or written to the folder */
	struct text wanted; /* of the Secret, after that version; "": of one that is not there */
	char *wanted_after;
	int64_t wanted_ns;
	bool is_loaded; /* the folder's; nobody else writes it */
	bool is_heard;  /* what is there, by whoever reads */
};

struct root_memory *root_memory_new(struct kube_secret_cell *cell, const char *folder, const struct clock *clock)
{
	struct root_memory *memory = HEAP_NEW(struct root_memory);
	memory->cell = cell;
	memory->folder = folder;
	memory->clock = clock;
	return memory;
}

void root_memory_free(struct root_memory *memory)
{
	if (!memory)
		return;
	text_done(&memory->there);
	text_done(&memory->wanted);
	free(memory->wanted_after);
	free(memory);
}

bool root_memory_has_place(const struct root_memory *memory)
{
	return memory->cell || memory->folder;
}

static void take(struct root_memory *memory, const char *s, size_t n)
{
	if (memory->is_heard && memory->there.n == n && !memcmp(text_get(&memory->there), s, n))
		return;
	memory->is_heard = false;
	memory->there.n = 0;
	text_add_n(&memory->there, s, n);
}

static bool load_secret(struct root_memory *memory, struct error *error)
{
	struct error note;
	CLEANUP(kube_secret_unrefp) struct kube_secret *secret = kube_secret_cell_get(memory->cell, &note);

	if (!secret)
		return error_set(error, "Secret %s has not been read yet%s%s", KEPT_ROOTS_SECRET,
		                 *note.message ? ": " : "", note.message);
	for (size_t i = 0; i < secret->n; i++) {
		if (strcmp(secret->v[i].name, KEPT_ROOTS_ENTRY) != 0)
			continue;
		take(memory, secret->v[i].s, secret->v[i].n);
		return true;
	}
	take(memory, "", 0);
	return true;
}

static bool load(struct root_memory *memory, struct error *error)
{
	if (memory->cell)
		return load_secret(memory, error);
	if (!memory->folder || memory->is_loaded)
		return true;
	memory->is_loaded = state_file_load(memory->folder, KEPT_ROOTS_FILE, &memory->there, NULL, error);
	return memory->is_loaded;
}

enum root_memory_outcome root_memory_read(struct root_memory *memory, struct kept_roots *kept, struct error *error)
{
	if (!load(memory, error))
		return ROOT_MEMORY_UNKNOWN;
	if (!memory->there.n)
		return ROOT_MEMORY_NONE;
	if (memory->is_heard)
		return ROOT_MEMORY_SAME;
	if (kept_roots_read(kept, memory->there.s, memory->there.n, error)) {
		memory->is_heard = true;
		return ROOT_MEMORY_NEW;
	}
	if (memory->cell)
		error_wrap(error, "Secret %s, %s", KEPT_ROOTS_SECRET, KEPT_ROOTS_ENTRY);
	else
		error_wrap(error, "%s/%s", memory->folder, KEPT_ROOTS_FILE);
	error_set(error, "%s; restore it from a backup, or remove it: then no former root is trusted", error->message);
	memory->is_loaded = false; /* it may be mended */
	memory->there.n = 0;
	return ROOT_MEMORY_UNKNOWN;
}

static void want(struct root_memory *memory, const struct text *text)
{
	CLEANUP(kube_secret_unrefp) struct kube_secret *secret = kube_secret_cell_get(memory->cell, NULL);
	int64_t now_ns = clock_now_ns(memory->clock);

	if (!secret)
		return;
	const char *version = secret->is_there ? secret->version : "";
	bool is_wanted =
	    memory->wanted.n && text_equal(memory->wanted.s, text->s) && text_equal(memory->wanted_after, version);
	if (is_wanted && now_ns < memory->wanted_ns + ROOT_MEMORY_RETRY_S * CLOCK_S)
		return;
	struct kube_secret_write *write = HEAP_NEW(struct kube_secret_write);
	write->version = secret->is_there ? heap_strdup(version) : NULL;
	kube_secret_write_add(write, KEPT_ROOTS_ENTRY, text->s, text->n);
	kube_secret_cell_want(memory->cell, write);
	memory->wanted_ns = now_ns;
	free(memory->wanted_after);
	memory->wanted_after = heap_strdup(version);
	memory->wanted.n = 0;
	text_add_n(&memory->wanted, text->s, text->n);
}

bool root_memory_has(const struct root_memory *memory, const struct kept_roots *kept)
{
	CLEANUP(text_done) struct text text = {0};

	kept_roots_print(kept, &text);
	return !root_memory_has_place(memory) || (memory->there.n && text_equal(memory->there.s, text.s));
}

bool root_memory_write(struct root_memory *memory, const struct kept_roots *kept, struct error *error)
{
	CLEANUP(text_done) struct text text = {0};

	if (root_memory_has(memory, kept))
		return true;
	kept_roots_print(kept, &text);
	if (memory->cell) {
		want(memory, &text);
		return true;
	}
	if (!state_file_store(memory->folder, KEPT_ROOTS_FILE, &text, error))
		return false;
	take(memory, text.s, text.n);
	memory->is_heard = memory->is_loaded = true;
	return true;
}
