#include "server/source/manifest.h"

#include "base/text.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "proto/istio.h"
#include "server/source/unreadable.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST_SUFFIX "List"

static void add_row(struct manifest *manifest, const struct report_row *row)
{
	manifest->report.arena = manifest->arena;
	report_add_row(&manifest->report, row);
}

void manifest_refuse(struct manifest *manifest, const char *path, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_row(manifest, &(struct report_row){
	                      .severity = REPORT_ERROR,
	                      .reason = REASON_UNREADABLE,
	                      .message = arena_vprintf(manifest->arena, format, args),
	                      .file = path,
	                  });
	va_end(args);
}

/* The rows of one object's (or would-be object's) issues. */
static void add_issues(struct manifest *manifest, const struct origin *origin, const struct object_claim *claim,
                       const struct codec_issues *issues)
{
	for (size_t i = 0; i < issues->n; i++) {
		const struct codec_issue *issue = &issues->v[i];
		add_row(manifest, &(struct report_row){
		                      .severity = issue->is_warning ? REPORT_WARNING : REPORT_ERROR,
		                      .reason = issue->is_unknown_field ? REASON_UNKNOWN_FIELD : REASON_INVALID_VALUE,
		                      .kind = claim->kind,
		                      .namespace = claim->namespace,
		                      .name = claim->name,
		                      .field = text_is_empty(issue->path) ? NULL : issue->path,
		                      .message = issue->message,
		                      .file = origin->file,
		                      .line = !origin->file ? 0
		                              : issue->line ? issue->line
		                                            : origin->line,
		                  });
	}
}

static void add_unread_kind(struct manifest *manifest, const struct origin *origin, const struct object_claim *claim,
                            enum report_severity severity)
{
	add_row(manifest, &(struct report_row){
	                      .severity = severity,
	                      .reason = REASON_NOT_SUPPORTED,
	                      .kind = claim->kind,
	                      .namespace = claim->namespace,
	                      .name = claim->name,
	                      .message = arena_printf(manifest->arena, "weft does not read %s of %s yet: left out",
	                                              claim->kind, claim->api_version),
	                      .file = origin->file,
	                      .line = origin->line,
	                  });
}

/* takes the reference */
static void take_object(struct manifest *manifest, struct object *object)
{
	VEC(struct object *) objects = {.v = manifest->objects, .n = manifest->n_objects, .cap = manifest->cap};
	VEC_PUSH(manifest->arena, &objects, object);
	manifest->objects = objects.v;
	manifest->n_objects = objects.n;
	manifest->cap = objects.cap;
}

/* takes the reference */
static void take_stand_in(struct manifest *manifest, struct object *stand_in)
{
	if (!stand_in)
		return;
	if (manifest->stand_ins.n < MANIFEST_OBJECTS_MAX) {
		VEC_PUSH(manifest->arena, &manifest->stand_ins, stand_in);
		return;
	}
	manifest_refuse(manifest, stand_in->origin.file, "of a file's wrong policies at most %d are closed",
	                MANIFEST_OBJECTS_MAX);
	object_unref(stand_in);
}

static void add_object(struct manifest *manifest, const struct json *document, const struct origin *origin)
{
	struct object_claim claim = object_claim(document);
	struct codec_issues issues = {0};
	if (manifest->n_objects >= MANIFEST_OBJECTS_MAX) {
		if (manifest->n_objects == MANIFEST_OBJECTS_MAX)
			manifest_refuse(manifest, origin->file, "a file has at most %d objects: the rest is left out",
			                MANIFEST_OBJECTS_MAX);
		return;
	}
	struct object *object = object_decode(manifest->arena, document, origin, &issues);
	add_issues(manifest, origin, &claim, &issues);
	if (object && !kinds[object->kind].is_unread) {
		take_object(manifest, object);
		return;
	}
	struct object *stand_in = object ? NULL : object_stand_in(manifest->arena, document, origin);
	bool is_unknown_kind = !object && issues.n == 0;
	if (object || (is_unknown_kind && kind_is_known_group(claim.api_version)))
		add_unread_kind(manifest, origin, &claim, stand_in ? REPORT_ERROR : REPORT_WARNING);
	take_stand_in(manifest, stand_in);
	object_unref(object);
}

static bool has_member(const struct json *value, const char *key)
{
	return json_get(value, key) != NULL;
}

/* An item of a ServiceList says neither apiVersion nor kind: they follow from the list's. */
static const struct json *complete_item(struct arena *arena, const struct json *item, const char *api_version,
                                        const char *kind)
{
	const char *const keys[] = {"apiVersion", "kind"};
	const char *const values[] = {api_version, kind};
	struct json *whole = arena_memdup(arena, item, sizeof *item);
	whole->object.v = ARENA_NEW_N(arena, struct json_member, item->object.n + 2);
	if (item->object.n)
		memcpy(whole->object.v, item->object.v, item->object.n * sizeof *item->object.v);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (has_member(item, keys[i]))
			continue;
		struct json *value = ARENA_NEW(arena, struct json);
		*value = (struct json){.type = JSON_STRING, .line = item->line, .column = item->column};
		value->string.s = values[i];
		value->string.n = strlen(values[i]);
		whole->object.v[whole->object.n++] =
		    (struct json_member){.key = keys[i], .line = item->line, .column = item->column, .value = value};
	}
	return whole;
}

static bool is_list(const struct json *document)
{
	const char *kind = json_get_string(document, "kind");
	const struct json *items = json_get(document, "items");
	return kind && text_has_suffix(kind, LIST_SUFFIX) && items && items->type == JSON_ARRAY;
}

static void add_document(struct manifest *manifest, const struct json *document, const char *file, uint32_t line);

static void add_list(struct manifest *manifest, const struct json *list, const char *file)
{
	const char *kind = json_get_string(list, "kind");
	const char *api_version = json_get_string(list, "apiVersion");
	const struct json *items = json_get(list, "items");
	bool is_typed = strcmp(kind, LIST_SUFFIX) != 0 && api_version;
	const char *item_kind = arena_strndup(manifest->arena, kind, strlen(kind) - strlen(LIST_SUFFIX));
	for (size_t i = 0; i < items->array.n; i++) {
		const struct json *item = items->array.v[i];
		if (is_typed && item->type == JSON_OBJECT)
			item = complete_item(manifest->arena, item, api_version, item_kind);
		if (is_list(item))
			manifest_refuse(manifest, file, "line %u: a list inside a list", item->line);
		else
			add_document(manifest, item, file, list->line);
	}
}

/* line: where to point to when the document does not know */
static void add_document(struct manifest *manifest, const struct json *document, const char *file, uint32_t line)
{
	struct origin origin = {.file = file, .line = document->line ? document->line : line};
	if (document->type == JSON_NULL)
		return;
	if (is_list(document))
		add_list(manifest, document, file);
	else
		add_object(manifest, document, &origin);
}

void manifest_add_item(struct manifest *manifest, const struct json *item, const char *api_version, const char *kind)
{
	if (item->type == JSON_OBJECT)
		item = complete_item(manifest->arena, item, api_version, kind);
	add_object(manifest, item, &(struct origin){0});
}

static void add_unreadable(struct manifest *manifest, const struct origin *origin, const char *s, size_t n)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct json *document = unreadable_document(manifest->arena, &kinds[i], s, n);
		if (document)
			take_stand_in(manifest, object_stand_in(manifest->arena, document, origin));
	}
}

static void add_broken(struct manifest *manifest, const struct manifest_file *file, const struct error *error,
                       uint32_t line)
{
	add_row(manifest, &(struct report_row){
	                      .severity = REPORT_ERROR,
	                      .reason = REASON_UNREADABLE,
	                      .message = error->message,
	                      .file = file->path,
	                      .line = line,
	                  });
}

/* "line 3, column 5: …", as the parsers say it; 0 when they do not. */
static uint32_t error_line(const struct error *error)
{
	unsigned line = 0;
	return sscanf(error->message, "line %u", &line) == 1 ? line : 0;
}

static void read_json(struct manifest *manifest, const struct manifest_file *file)
{
	struct error error;
	const struct json *document = json_parse(manifest->arena, file->s, file->n, &error);
	if (document) {
		add_document(manifest, document, file->path, 1);
	} else {
		add_broken(manifest, file, &error, error_line(&error));
		add_unreadable(manifest, &(struct origin){.file = file->path, .line = 1}, file->s, file->n);
	}
}

static void read_yaml(struct manifest *manifest, const struct manifest_file *file)
{
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, file->s, file->n);
	for (size_t from = 0; yaml_reader_next(&reader, manifest->arena, &document); from = reader.at) {
		if (document.value) {
			add_document(manifest, document.value, file->path, document.line);
			continue;
		}
		struct origin origin = {.file = file->path, .line = document.line};
		uint32_t line = error_line(&document.error);
		add_broken(manifest, file, &document.error, line ? line : document.line);
		add_unreadable(manifest, &origin, file->s + from, reader.at - from);
	}
}

/* Whether the text can be looked at at all. */
static bool check_text(struct manifest *manifest, const struct manifest_file *file)
{
	if (file->n > YAML_BYTES_MAX)
		manifest_refuse(manifest, file->path, "has %zu bytes, at most %u are read", file->n, YAML_BYTES_MAX);
	else if (!text_is_utf8(file->s, file->n))
		manifest_refuse(manifest, file->path, "is not text in UTF-8");
	else
		return true;
	return false;
}

void manifest_read(struct manifest *manifest, const struct manifest_file *file)
{
	if (!check_text(manifest, file))
		return;
	if (text_has_suffix(file->path, ".json"))
		read_json(manifest, file);
	else
		read_yaml(manifest, file);
}

/* Unknown fields are no reason to refuse: newer versions of Istio have more than we hold. False when something else is
 * wrong. */
static bool check_mesh(struct manifest *manifest, const struct json *value, const struct origin *origin,
                       const struct object_claim *claim)
{
	struct codec_issues issues = {0};
	struct codec_options options = {0};
	codec_decode(manifest->arena, istio_mesh_config_type(), value, &options, &issues);
	bool is_sound = true;
	for (size_t i = 0; i < issues.n; i++) {
		issues.v[i].is_warning = issues.v[i].is_unknown_field;
		is_sound &= issues.v[i].is_warning;
	}
	add_issues(manifest, origin, claim, &issues);
	return is_sound;
}

static const struct json *json_string(struct arena *arena, const char *s, size_t n)
{
	struct json *value = ARENA_NEW(arena, struct json);
	*value = (struct json){.type = JSON_STRING};
	value->string.s = arena_strndup(arena, s, n);
	value->string.n = n;
	return value;
}

struct member {
	const char *key;
	const struct json *value;
};

static const struct json *json_object(struct arena *arena, const struct member *members, size_t n)
{
	struct json *value = ARENA_NEW(arena, struct json);
	*value = (struct json){.type = JSON_OBJECT};
	value->object.v = ARENA_NEW_N(arena, struct json_member, n);
	value->object.n = n;
	for (size_t i = 0; i < n; i++)
		value->object.v[i] = (struct json_member){.key = members[i].key, .value = members[i].value};
	return value;
}

#define STRING(s) json_string(arena, (s), strlen(s))
#define OBJECT(...)                                                                                                    \
	json_object(arena, (const struct member[]){__VA_ARGS__},                                                       \
	            sizeof((const struct member[]){__VA_ARGS__}) / sizeof(struct member))

static const struct json *config_map(struct arena *arena, const struct object_claim *claim,
                                     const struct manifest_file *file)
{
	const struct json *metadata = OBJECT({"name", STRING(claim->name)}, {"namespace", STRING(claim->namespace)});
	const struct json *data = OBJECT({"mesh", json_string(arena, file->s, file->n)});
	return OBJECT({"apiVersion", STRING(claim->api_version)}, {"kind", STRING(claim->kind)}, {"metadata", metadata},
	              {"data", data});
}

void manifest_read_mesh(struct manifest *manifest, const struct manifest_file *file, const char *root_namespace)
{
	struct object_claim claim = {"v1", "ConfigMap", root_namespace, "istio"};
	struct origin origin = {.file = file->path, .line = 1};
	if (!check_text(manifest, file))
		return;
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, file->s, file->n);
	if (yaml_reader_next(&reader, manifest->arena, &document)) {
		if (!document.value) {
			add_broken(manifest, file, &document.error, error_line(&document.error));
			return;
		}
		if (!check_mesh(manifest, document.value, &origin, &claim))
			return;
	}
	add_object(manifest, config_map(manifest->arena, &claim, file), &origin);
}

void manifest_done(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->n_objects; i++)
		object_unref(manifest->objects[i]);
	for (size_t i = 0; i < manifest->stand_ins.n; i++)
		object_unref(manifest->stand_ins.v[i]);
	manifest->objects = NULL;
	manifest->n_objects = manifest->cap = manifest->stand_ins.n = 0;
}

struct store_content manifest_content(const struct manifest *manifest)
{
	return (struct store_content){
	    .objects = manifest->objects,
	    .n_objects = manifest->n_objects,
	    .refusals = manifest->report.rows,
	    .n_refusals = manifest->report.n,
	    .stand_ins = manifest->stand_ins.v,
	    .n_stand_ins = manifest->stand_ins.n,
	};
}
