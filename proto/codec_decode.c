#include "proto/codec_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool codec_decode_is(struct codec_decoder *decoder, const struct codec_place *place, const struct json *value,
                     enum json_type want)
{
	if (value->type == want)
		return true;
	codec_issue(decoder, place, value, "expected %s, got %s", json_type_name(want), json_type_name(value->type));
	return false;
}

/* BUILD_ADD's rule: room for the next power of two, so that more can be appended to what was decoded. */
static void *new_list(struct arena *arena, size_t n, size_t size)
{
	size_t cap = 1;
	while (cap < n)
		cap *= 2;
	return arena_alloc_n(arena, cap, size);
}

/* An element that could not be decoded stays as an empty one, so that places in the list are those in the document. */
static void decode_list(struct codec_decoder *decoder, const struct codec_place *place,
                        const ProtobufCFieldDescriptor *field, const struct json *value, ProtobufCMessage *message)
{
	if (!codec_decode_is(decoder, place, value, JSON_ARRAY) || value->array.n == 0)
		return;
	size_t size = codec_field_size(field);
	char *v = new_list(decoder->arena, value->array.n, size);
	for (size_t i = 0; i < value->array.n; i++) {
		struct codec_place at = {.up = place, .index = i};
		void *slot = v + i * size;
		if (codec_decode_value(decoder, &at, field, value->array.v[i], slot))
			continue;
		if (field->type == PROTOBUF_C_TYPE_STRING)
			*(char **)slot = arena_strdup(decoder->arena, "");
		else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			*(ProtobufCMessage **)slot = codec_message_new(decoder->arena, field->descriptor);
	}
	*(void **)codec_field_slot(field, message) = v;
	codec_field_set_count(field, message, value->array.n);
}

static void set_has(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	if (!field->quantifier_offset)
		return;
	void *quantifier = (char *)message + field->quantifier_offset;
	if (codec_field_is_oneof(field))
		*(uint32_t *)quantifier = field->id;
	else
		*(protobuf_c_boolean *)quantifier = 1;
}

static int compare_entries(const void *a, const void *b)
{
	return codec_map_compare(*(void *const *)a, *(void *const *)b);
}

/* A number has one way to be written as a key: with two, one key could stand there twice. */
static bool decode_key(struct codec_decoder *decoder, const struct codec_place *place, const struct json_member *member,
                       ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *field = &entry->descriptor->fields[0];
	void *slot = codec_field_slot(field, entry);
	char room[CODEC_KEY_ROOM];
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		*(char **)slot = arena_strdup(decoder->arena, member->key);
		return true;
	}
	struct json key = {.type = JSON_STRING, .line = member->line, .column = member->column};
	key.string.s = member->key;
	key.string.n = strlen(member->key);
	if (!codec_decode_value(decoder, place, field, &key, slot))
		return false;
	if (strcmp(codec_map_key(entry, room), member->key) == 0)
		return true;
	codec_issue(decoder, place, &key, "as a key, this number is written \"%s\"", room);
	return false;
}

/* Sorted by key, so that documents that differ in order only give the same message. */
static void decode_map(struct codec_decoder *decoder, const struct codec_place *place,
                       const ProtobufCFieldDescriptor *field, const struct json *value, ProtobufCMessage *message)
{
	if (!codec_decode_is(decoder, place, value, JSON_OBJECT) || value->object.n == 0)
		return;
	const ProtobufCMessageDescriptor *type = field->descriptor;
	ProtobufCMessage **v = new_list(decoder->arena, value->object.n, sizeof(ProtobufCMessage *));
	size_t n = 0;
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *member = &value->object.v[i];
		struct codec_place at = {.up = place, .name = member->key, .is_key = true};
		ProtobufCMessage *entry = codec_message_new(decoder->arena, type);
		if (!decode_key(decoder, &at, member, entry) ||
		    !codec_decode_value(decoder, &at, &type->fields[1], member->value,
		                        codec_field_slot(&type->fields[1], entry)))
			continue;
		set_has(&type->fields[0], entry);
		set_has(&type->fields[1], entry);
		v[n++] = entry;
	}
	if (n > 1)
		qsort(v, n, sizeof *v, compare_entries);
	*(void **)codec_field_slot(field, message) = v;
	codec_field_set_count(field, message, n);
}

void codec_decode_repeated(struct codec_decoder *decoder, const struct codec_place *place,
                           const ProtobufCFieldDescriptor *field, const struct json *value, ProtobufCMessage *message)
{
	if (codec_field_is_map(message->descriptor, field))
		decode_map(decoder, place, field, value, message);
	else
		decode_list(decoder, place, field, value, message);
}

/* Whether the field's oneof is free; an issue when another member of it is set. */
static bool is_oneof_free(struct codec_decoder *decoder, const struct codec_place *place,
                          const ProtobufCFieldDescriptor *field, const struct json *value, ProtobufCMessage *message)
{
	if (!codec_field_is_oneof(field))
		return true;
	uint32_t id = *(const uint32_t *)((const char *)message + field->quantifier_offset);
	if (!id)
		return true;
	CLEANUP(text_done) struct text other = {0};
	codec_field_json_name(codec_field_by_id(message->descriptor, id), &other);
	codec_issue(decoder, place, value, "cannot be set together with \"%s\"", text_get(&other));
	return false;
}

static bool is_number(ProtobufCType type)
{
	return type != PROTOBUF_C_TYPE_BOOL && type != PROTOBUF_C_TYPE_ENUM && type != PROTOBUF_C_TYPE_STRING &&
	       type != PROTOBUF_C_TYPE_BYTES && type != PROTOBUF_C_TYPE_MESSAGE;
}

static void decode_field(struct codec_decoder *decoder, const struct codec_place *place,
                         const ProtobufCFieldDescriptor *field, const struct json *value, ProtobufCMessage *message)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		codec_decode_repeated(decoder, place, field, value, message);
		return;
	}
	if (codec_type_is_kubernetes(message->descriptor) && is_number(field->type) && value->type == JSON_STRING) {
		codec_issue(decoder, place, value, "expected a number, got a string");
		return;
	}
	if (is_oneof_free(decoder, place, field, value, message) &&
	    codec_decode_value(decoder, place, field, value, codec_field_slot(field, message)))
		set_has(field, message);
}

/* null is "absent", but for the types that have it as a value. */
static bool is_absent(const ProtobufCMessageDescriptor *type, const struct json *value)
{
	if (value->type != JSON_NULL)
		return false;
	const struct codec_wellknown *known = type ? codec_wellknown_find(type) : NULL;
	return !known || !known->takes_null;
}

static const ProtobufCMessageDescriptor *singular_message_type(const ProtobufCFieldDescriptor *field)
{
	bool is_singular = field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED;
	return is_singular ? field->descriptor : NULL;
}

ProtobufCMessage *codec_decode_fields(struct codec_decoder *decoder, const struct codec_place *place,
                                      const ProtobufCMessageDescriptor *type, const struct json *value,
                                      const char *skip)
{
	ProtobufCMessage *message = codec_message_new(decoder->arena, type);
	bool seen[CODEC_FIELDS_MAX] = {0};
	assert(type->n_fields <= CODEC_FIELDS_MAX);
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *member = &value->object.v[i];
		if (skip && strcmp(member->key, skip) == 0)
			continue;
		const ProtobufCFieldDescriptor *field = codec_field_find(type, member->key);
		if (!field) {
			if (!decoder->is_open)
				codec_issue_unknown(decoder, place, type, member);
			continue;
		}
		struct codec_place at = {.up = place, .name = member->key};
		if (seen[field - type->fields]) {
			codec_issue(decoder, &at, member->value, "given twice, under both of its names");
			continue;
		}
		seen[field - type->fields] = true;
		if (!is_absent(singular_message_type(field), member->value))
			decode_field(decoder, &at, field, member->value, message);
	}
	return message;
}

ProtobufCMessage *codec_decode_message(struct codec_decoder *decoder, const struct codec_place *place,
                                       const ProtobufCMessageDescriptor *type, const struct json *value)
{
	if (decoder->depth >= CODEC_DEPTH_MAX) {
		codec_issue(decoder, place, value, "nested more than %u levels deep", (unsigned)CODEC_DEPTH_MAX);
		return NULL;
	}
	decoder->depth++;
	ProtobufCMessage *message = NULL;
	const struct codec_wellknown *known = codec_wellknown_find(type);
	if (known)
		message = known->decode(decoder, place, type, value);
	else if (codec_decode_is(decoder, place, value, JSON_OBJECT))
		message = codec_decode_fields(decoder, place, type, value, NULL);
	decoder->depth--;
	return message;
}

ProtobufCMessage *codec_decode(struct arena *arena, const ProtobufCMessageDescriptor *type, const struct json *value,
                               const struct codec_options *options, struct codec_issues *issues)
{
	struct codec_decoder decoder = {
	    .arena = arena,
	    .path = options ? options->path : NULL,
	    .is_open = options && options->is_open,
	    .issues = issues,
	};
	ProtobufCMessage *message = NULL;
	if (value && !is_absent(type, value))
		message = codec_decode_message(&decoder, NULL, type, value);
	return message ? message : codec_message_new(arena, type);
}
