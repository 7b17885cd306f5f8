#include "base/yaml_build.h"

#include "base/json_build.h"
#include "base/map.h"
#include "base/vec.h"
#include "base/yaml_scalar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* What a value costs when an alias repeats it. */
struct cost {
	size_t values, bytes;
};

/* A value that can be named by aliases. */
struct anchor {
	const struct json *value;
	struct cost cost;
	int height; /* levels of containers, 0 for a scalar */
};

/* A container that is open. */
struct frame {
	struct json *value;
	size_t from;           /* its first child on the build's stack */
	struct anchor *anchor; /* NULL: it has no name */
	struct cost before;    /* the totals when it opened */
	int height;
	size_t n_merges;
	bool is_object;
	bool is_merge;          /* the key just read is << */
	struct json_member key; /* .key is NULL when a key is next */
};

struct builder {
	struct json_build build;
	struct arena *scratch; /* anchors and keys' lookups; gone with the document */
	struct map anchors;
	struct frame frames[JSON_DEPTH_MAX];
	int depth;
	struct cost total;
	const struct json *root;
	uint32_t first_line;
	struct error *error;
};

static bool fail_at(struct builder *builder, yaml_mark_t mark)
{
	return error_wrap(builder->error, "line %zu, column %zu", mark.line + builder->first_line, mark.column + 1);
}

static bool count(struct builder *builder, struct cost cost)
{
	if (!json_build_count(&builder->build, cost.values, builder->error))
		return false;
	if (cost.bytes > JSON_BYTES_MAX - builder->total.bytes)
		return error_set(builder->error, "more than %u bytes in one document, aliases expanded",
		                 JSON_BYTES_MAX);
	builder->total.values += cost.values;
	builder->total.bytes += cost.bytes;
	return true;
}

/* From here on the name means this node, though its value is not there yet. NULL when it has no name. */
static struct anchor *name_anchor(struct builder *builder, const yaml_char_t *name)
{
	if (!name)
		return NULL;
	struct anchor *anchor = ARENA_NEW(builder->scratch, struct anchor);
	map_put(builder->scratch, &builder->anchors, arena_strdup(builder->scratch, (const char *)name), anchor);
	return anchor;
}

/* Keys are strings in JSON; other scalars become what they would print as, as in Kubernetes (so `on:` is the key
 * "true"). */
static const char *key_of(struct builder *builder, const struct json *value)
{
	if (value->type == JSON_STRING)
		return value->string.s;
	if (value->type == JSON_NULL || value->type == JSON_ARRAY || value->type == JSON_OBJECT) {
		error_set(builder->error, "a key must be a string, it is %s", json_type_name(value->type));
		return NULL;
	}
	struct text text = {0};
	json_print(value, 0, &text);
	if (value->type == JSON_DOUBLE && text_has_suffix(text_get(&text), ".0"))
		text.s[text.n -= 2] = '\0';
	const char *key = arena_strdup(builder->build.arena, text_get(&text));
	text_done(&text);
	return key;
}

static bool is_mergeable(const struct json *value)
{
	if (value->type != JSON_ARRAY)
		return value->type == JSON_OBJECT;
	for (size_t i = 0; i < value->array.n; i++)
		if (value->array.v[i]->type != JSON_OBJECT)
			return false;
	return true;
}

/* A value is complete: hands it to the container around it. */
static bool add_value(struct builder *builder, const struct json *value, int height, yaml_mark_t mark)
{
	if (!builder->depth) {
		builder->root = value;
		return true;
	}
	struct frame *frame = &builder->frames[builder->depth - 1];
	if (frame->height < height + 1)
		frame->height = height + 1;
	if (frame->is_object && !frame->is_merge && !frame->key.key) {
		frame->key.key = key_of(builder, value);
		frame->key.line = (uint32_t)mark.line + builder->first_line;
		frame->key.column = (uint32_t)mark.column + 1;
		return frame->key.key || fail_at(builder, mark);
	}
	if (frame->is_merge && !is_mergeable(value)) {
		error_set(builder->error, "<< takes a mapping or a list of them, not %s", json_type_name(value->type));
		return fail_at(builder, mark);
	}
	struct json_member member = frame->key; /* without a key: an item, or what << names */
	member.value = value;
	json_build_push(&builder->build, &member);
	frame->n_merges += frame->is_merge;
	frame->is_merge = false;
	frame->key.key = NULL;
	return true;
}

static struct json *new_value(struct builder *builder, const yaml_event_t *event)
{
	struct json *value = ARENA_NEW(builder->build.arena, struct json);
	value->line = (uint32_t)event->start_mark.line + builder->first_line;
	value->column = (uint32_t)event->start_mark.column + 1;
	return value;
}

static bool scalar_tag(const yaml_event_t *event, enum yaml_tag *tag, struct error *error)
{
	const char *name = (const char *)event->data.scalar.tag;
	*tag = event->data.scalar.plain_implicit ? YAML_TAG_NONE : YAML_TAG_STR;
	if (!name || yaml_tag_parse(name, tag))
		return true;
	return error_set(error, "the tag %.100s is not supported", name);
}

static bool on_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *s = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	struct frame *frame = builder->depth ? &builder->frames[builder->depth - 1] : NULL;
	enum yaml_tag tag;
	if (!scalar_tag(event, &tag, builder->error) || !count(builder, (struct cost){1, n}))
		return fail_at(builder, event->start_mark);
	if (frame && frame->is_object && !frame->key.key && !frame->is_merge && tag == YAML_TAG_NONE &&
	    strcmp(s, "<<") == 0) {
		frame->is_merge = true;
		return true;
	}
	if (memchr(s, 0, n)) {
		error_set(builder->error, "a string must not hold a NUL");
		return fail_at(builder, event->start_mark);
	}
	struct json *value = new_value(builder, event);
	if (!yaml_scalar_resolve(arena_strndup(builder->build.arena, s, n), n, tag, value, builder->error))
		return fail_at(builder, event->start_mark);
	struct anchor *anchor = name_anchor(builder, event->data.scalar.anchor);
	if (anchor)
		*anchor = (struct anchor){.value = value, .cost = {1, n}};
	return add_value(builder, value, 0, event->start_mark);
}

static bool on_alias(struct builder *builder, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = map_get(&builder->anchors, name);
	if (!anchor)
		error_set(builder->error, "nothing before this is named &%.100s", name);
	else if (!anchor->value)
		error_set(builder->error, "*%.100s stands inside what it names", name);
	else if (builder->depth + anchor->height > JSON_DEPTH_MAX)
		error_set(builder->error, "more than %d levels deep, aliases expanded", JSON_DEPTH_MAX);
	else if (count(builder, anchor->cost))
		return add_value(builder, anchor->value, anchor->height, event->start_mark);
	return fail_at(builder, event->start_mark);
}

static bool on_start(struct builder *builder, const yaml_event_t *event)
{
	bool is_object = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *tag = is_object ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	const yaml_char_t *anchor = is_object ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	const char *own_tag = is_object ? YAML_MAP_TAG : YAML_SEQ_TAG;
	const struct frame *around = builder->depth ? &builder->frames[builder->depth - 1] : NULL;
	struct cost before = builder->total;
	bool is_good = count(builder, (struct cost){1, 0});
	if (builder->depth == JSON_DEPTH_MAX)
		is_good = error_set(builder->error, "more than %d levels deep", JSON_DEPTH_MAX);
	else if (tag && strcmp((const char *)tag, own_tag) != 0 && strcmp((const char *)tag, "!") != 0)
		is_good = error_set(builder->error, "the tag %.100s is not supported", (const char *)tag);
	else if (around && around->is_object && !around->key.key && !around->is_merge)
		is_good = error_set(builder->error, "a key must be a string, it is %s",
		                    json_type_name(is_object ? JSON_OBJECT : JSON_ARRAY));
	if (!is_good)
		return fail_at(builder, event->start_mark);
	builder->frames[builder->depth++] = (struct frame){
	    .value = new_value(builder, event),
	    .from = builder->build.n,
	    .anchor = name_anchor(builder, anchor),
	    .before = before,
	    .height = 1,
	    .is_object = is_object,
	};
	return true;
}

static void merge_one(struct builder *builder, struct map *seen, const struct json *object)
{
	for (size_t i = 0; i < object->object.n; i++) {
		const struct json_member *member = &object->object.v[i];
		void **slot = map_slot(builder->scratch, seen, member->key);
		if (*slot)
			continue;
		*slot = builder;
		json_build_push(&builder->build, member);
	}
}

/* The mapping's own members win over merged ones, earlier merged ones over later (YAML's merge key type). */
static void merge(struct builder *builder, const struct frame *frame)
{
	struct map seen = {0};
	VEC(const struct json *) merged = {0};
	struct json_build *build = &builder->build;
	size_t kept = frame->from;
	for (size_t i = frame->from; i < build->n; i++) {
		if (!build->v[i].key) {
			VEC_PUSH(builder->scratch, &merged, build->v[i].value);
			continue;
		}
		*map_slot(builder->scratch, &seen, build->v[i].key) = builder;
		build->v[kept++] = build->v[i];
	}
	build->n = kept;
	for (size_t i = 0; i < merged.n; i++) {
		if (merged.v[i]->type == JSON_OBJECT) {
			merge_one(builder, &seen, merged.v[i]);
			continue;
		}
		for (size_t j = 0; j < merged.v[i]->array.n; j++)
			merge_one(builder, &seen, merged.v[i]->array.v[j]);
	}
}

static bool on_end(struct builder *builder, const yaml_event_t *event)
{
	(void)event;
	const struct frame *frame = &builder->frames[--builder->depth];
	struct json *value = frame->value;
	if (frame->n_merges)
		merge(builder, frame);
	if (frame->is_object)
		json_build_object(&builder->build, frame->from, value);
	else
		json_build_array(&builder->build, frame->from, value);
	const struct json_member *duplicate = frame->is_object ? json_build_duplicate(value) : NULL;
	if (duplicate)
		return error_set(builder->error, "line %u, column %u: the key \"%s\" is there twice", duplicate->line,
		                 duplicate->column, duplicate->key);
	if (frame->anchor)
		*frame->anchor = (struct anchor){
		    .value = value,
		    .cost = {builder->total.values - frame->before.values, builder->total.bytes - frame->before.bytes},
		    .height = frame->height,
		};
	yaml_mark_t start = {.line = value->line - builder->first_line, .column = value->column - 1};
	return add_value(builder, value, frame->height, start);
}

static bool on_document(struct builder *builder, const yaml_event_t *event)
{
	if (!builder->root)
		return true;
	error_set(builder->error, "a second document begins without ---");
	return fail_at(builder, event->start_mark);
}

static bool on_nothing(struct builder *builder, const yaml_event_t *event)
{
	(void)builder;
	(void)event;
	return true;
}

_Noreturn static void fail_memory(void)
{
	fprintf(stderr, "weft: out of memory: in libyaml\n");
	abort();
}

static bool (*const handlers[])(struct builder *, const yaml_event_t *) = {
    [YAML_NO_EVENT] = on_nothing,           [YAML_STREAM_START_EVENT] = on_nothing,
    [YAML_STREAM_END_EVENT] = on_nothing,   [YAML_DOCUMENT_START_EVENT] = on_document,
    [YAML_DOCUMENT_END_EVENT] = on_nothing, [YAML_ALIAS_EVENT] = on_alias,
    [YAML_SCALAR_EVENT] = on_scalar,        [YAML_SEQUENCE_START_EVENT] = on_start,
    [YAML_SEQUENCE_END_EVENT] = on_end,     [YAML_MAPPING_START_EVENT] = on_start,
    [YAML_MAPPING_END_EVENT] = on_end,
};

/* libyaml's own words, and the place: it gives a byte offset for what it could not even read. */
static bool fail_parser(struct builder *builder, const yaml_parser_t *parser, const char *s, size_t n)
{
	yaml_mark_t mark = parser->problem_mark;
	if (parser->error == YAML_MEMORY_ERROR)
		fail_memory();
	if (parser->error == YAML_READER_ERROR) {
		mark = (yaml_mark_t){0};
		for (size_t i = 0; i < parser->problem_offset && i < n; i++) {
			mark.line += s[i] == '\n';
			mark.column = s[i] == '\n' ? 0 : mark.column + 1;
		}
	}
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	if (parser->context)
		error_set(builder->error, "%s (%s that began in line %zu)", problem, parser->context,
		          parser->context_mark.line + builder->first_line);
	else
		error_set(builder->error, "%s", problem);
	return fail_at(builder, mark);
}

static bool read_events(struct builder *builder, yaml_parser_t *parser, const char *s, size_t n)
{
	for (bool is_end = false; !is_end;) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return fail_parser(builder, parser, s, n);
		bool is_good = handlers[event.type](builder, &event);
		is_end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (!is_good)
			return false;
	}
	return true;
}

bool yaml_build(struct arena *arena, const char *s, size_t n, uint32_t first_line, const struct json **value,
                struct error *error)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct builder builder = {
	    .build = {.arena = arena},
	    .scratch = scratch,
	    .first_line = first_line,
	    .error = error,
	};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		fail_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)s, n);
	bool is_good = read_events(&builder, &parser, s, n);
	yaml_parser_delete(&parser);
	json_build_done(&builder.build);
	*value = is_good ? builder.root : NULL;
	return is_good;
}
