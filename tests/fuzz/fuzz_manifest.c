/*
 * Manifests from anybody, through decoding, checks, store and freeze: each row says what is wrong and about what,
 * objects keep their promises, and the same text again changes nothing.
 */
#include "server/source/manifest.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_object(const struct object *object)
{
	assert(object->name[0] != '\0');
	assert((object->namespace[0] == '\0') == kinds[object->kind].is_cluster_scoped);
	assert(object->message->descriptor == kinds[object->kind].message);
	assert(!digest_is_zero(object->digest));
	for (size_t i = 1; i < object->n_labels; i++)
		assert(strcmp(object->labels[i - 1].key, object->labels[i].key) <= 0);
}

static void check_row(const struct report_row *row)
{
	CLEANUP(text_done) struct text out = {0};
	assert(!text_is_empty(row->message) && text_equal(row->file, "a.yaml"));
	report_row_print_text(row, &out);
	report_row_print_json(row, &out);
}

static void check_snapshot(const struct snapshot *snapshot)
{
	for (size_t kind = 0; kind < KIND_COUNT; kind++)
		for (size_t i = 0; i < snapshot->kinds[kind].n; i++) {
			const struct object *object = snapshot->kinds[kind].v[i];
			assert(snapshot_get(snapshot, (enum kind)kind, object->namespace, object->name) == object);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct manifest manifest = {.arena = arena};
	manifest_read(&manifest, &(struct manifest_file){.path = "a.yaml", .s = (const char *)data, .n = n});
	for (size_t i = 0; i < manifest.n_objects; i++)
		check_object(manifest.objects[i]);
	for (size_t i = 0; i < manifest.report.n; i++)
		check_row(&manifest.report.rows[i]);
	struct store_content content = manifest_content(&manifest);
	struct store *store = store_new("istio-system");
	store_set_group(store, "a.yaml", &content);
	assert(!store_set_group(store, "a.yaml", &content));
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(store);
	check_snapshot(snapshot);
	store_free(store);
	manifest_done(&manifest);
	return 0;
}
