#include "server/source/kube/kube_watch_private.h"

#include "base/vec.h"

#include <string.h>

/* ---- objects ---- */

/* One object as the server has it, or what it says of one that is gone. */
struct seen {
	const struct json *document;
	const char *key, *resource_version;
};

static struct seen seen_of(struct arena *scratch, const struct kube_watch *watch, const struct json *document)
{
	const struct json *metadata = json_get(document, "metadata");
	const char *namespace = json_get_string(metadata, "namespace");
	const char *name = json_get_string(metadata, "name");
	const char *version = json_get_string(metadata, "resourceVersion");
	bool has_namespace = namespace && !watch->info->is_cluster_scoped;
	return (struct seen){
	    .document = document,
	    .key = name ? arena_printf(scratch, "%s/%s", has_namespace ? namespace : "", name) : NULL,
	    .resource_version = version ? version : "",
	};
}

static uint64_t put(struct kube_watch *watch, const char *key, const struct manifest *manifest, int64_t event_ns)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	return kube_feed_put(watch->feed, kube_watch_group(scratch, watch->kind, key), manifest, event_ns);
}

/* False: there are too many already. */
static bool take_object(struct kube_watch *watch, const struct seen *seen, int64_t event_ns)
{
	CLEANUP(text_done) struct text api_version = {0};
	if (watch->items.n >= KUBE_OBJECTS_MAX && !kube_items_get(&watch->items, seen->key))
		return error_set(&watch->found, "more than %d objects", KUBE_OBJECTS_MAX);
	struct kube_item *item = kube_items_add(&watch->items, seen->key);
	const struct json *generation = json_get(json_get(seen->document, "metadata"), "generation");
	struct manifest manifest = {.arena = arena_new()};

	kube_item_set_version(item, seen->resource_version);
	item->generation = generation && generation->type == JSON_INT ? generation->integer : 0;
	item->accepted = kube_condition_see(seen->document);
	text_printf(&api_version, "%s%s%s", watch->info->group, *watch->info->group ? "/" : "",
	            kube_watch_version(watch));
	manifest_add_item(&manifest, seen->document, api_version.s, watch->info->kind);
	item->seq = put(watch, seen->key, &manifest, event_ns);
	return true;
}

static void remove_object(struct kube_watch *watch, const char *key, int64_t event_ns)
{
	if (!kube_items_get(&watch->items, key))
		return;
	put(watch, key, NULL, event_ns);
	kube_items_remove(&watch->items, key);
}

/*
 * An object that cannot be read has no name, so a row of the kind speaks of it, and no list of this round says what is
 * gone.
 */
static void note_unreadable(struct kube_watch *watch, const struct error *error)
{
	struct manifest manifest = {.arena = arena_new()};

	watch->status.unreadable++;
	watch->has_unreadable = true;
	manifest_refuse(&manifest, NULL, "one %s of the API server cannot be read: %s; the others are",
	                watch->info->kind, error->message);
	put(watch, "", &manifest, 0);
}

void kube_watch_take_back_unreadable(struct kube_watch *watch)
{
	put(watch, "", NULL, 0);
}

/* ---- lists ---- */

/* False: nothing of use follows. */
bool kube_watch_take_listed(struct kube_watch *watch, const struct json_piece *piece, int64_t now_ns)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct error error;
	const struct json *document = json_parse(scratch, piece->s, piece->n, &error);
	struct seen seen = {0};

	if (document)
		seen = seen_of(scratch, watch, document);
	if (!seen.key) {
		if (document)
			error_set(&error, "it has no name");
		note_unreadable(watch, &error);
		return true;
	}
	struct kube_item *item = kube_items_get(&watch->items, seen.key);
	bool is_known = item && strcmp(item->resource_version, seen.resource_version) == 0;
	if (!is_known) {
		if (!take_object(watch, &seen, watch->status.is_synced ? now_ns : 0))
			return false;
		watch->status.repairs += watch->status.is_synced;
		item = kube_items_get(&watch->items, seen.key);
	}
	item->round = watch->round;
	return true;
}

bool kube_watch_take_list_end(struct kube_watch *watch, const struct json_piece *piece)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct error error;
	const struct json *list = json_parse(scratch, piece->s, piece->n, &error);
	const struct json *metadata = json_get(list, "metadata");
	const char *version = json_get_string(metadata, "resourceVersion");
	const char *next_page = json_get_string(metadata, "continue");

	if (!version || !*version || (next_page && strlen(next_page) > KUBE_CONTINUE_BYTES_MAX))
		return false;
	kube_watch_set(&watch->page_version, version);
	kube_watch_set(&watch->next_page, text_is_empty(next_page) ? NULL : next_page);
	watch->is_list_whole = true;
	return true;
}

struct sweep {
	struct arena *arena;
	uint64_t round; /* 0: none is kept */
	VEC(const char *) keys;
};

static void sweep_visit(void *context, const struct kube_item *item)
{
	struct sweep *sweep = context;
	if (item->round != sweep->round)
		VEC_PUSH(sweep->arena, &sweep->keys, arena_strdup(sweep->arena, item->key));
}

void kube_watch_sweep(struct kube_watch *watch, uint64_t round, int64_t now_ns)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct sweep unseen = {.arena = arena, .round = round};

	kube_items_walk(&watch->items, sweep_visit, &unseen);
	for (size_t i = 0; i < unseen.keys.n; i++)
		remove_object(watch, unseen.keys.v[i], now_ns);
	watch->status.repairs += watch->status.is_synced ? unseen.keys.n : 0;
}

/* ---- watches ---- */

static void take_bookmark(struct kube_watch *watch, const struct seen *seen)
{
	if (*seen->resource_version)
		kube_watch_set(&watch->resource_version, seen->resource_version);
}

/* The watch ends with an error of the server's. */
static bool take_watch_error(struct kube_watch *watch, const struct json *status)
{
	const struct json *code = json_get(status, "code");
	const char *message = json_get_string(status, "message");
	watch->is_expired = code && code->type == JSON_INT && code->integer == 410;
	error_set(&watch->found, "the watch ended: %s", message ? message : "without a reason");
	return false;
}

/* False: nothing of use follows. */
bool kube_watch_take_event(struct kube_watch *watch, const struct json_piece *piece, int64_t now_ns)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct error error;
	const struct json *event = json_parse(scratch, piece->s, piece->n, &error);
	const char *type = json_get_string(event, "type");
	const struct json *object = json_get(event, "object");

	if (!event) {
		note_unreadable(watch, &error); /* a later list looks at it again */
		return true;
	}
	if (!type || !object)
		return error_set(&watch->found, "an event without a type or an object");
	if (strcmp(type, "ERROR") == 0)
		return take_watch_error(watch, object);
	struct seen seen = seen_of(scratch, watch, object);
	kube_watch_note_success(watch, now_ns);
	if (strcmp(type, "BOOKMARK") == 0) {
		take_bookmark(watch, &seen);
		return true;
	}
	if (!seen.key)
		return error_set(&watch->found, "an event about an object without a name");
	watch->status.events++;
	if (strcmp(type, "DELETED") == 0)
		remove_object(watch, seen.key, now_ns);
	else if (!take_object(watch, &seen, now_ns))
		return false;
	take_bookmark(watch, &seen);
	return true;
}
