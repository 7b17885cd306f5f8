#include "proto/codec_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* protobuf's rule: an underscore goes and makes the next letter a capital. */
static bool is_json_name(const char *name, const char *key)
{
	for (; *name; name++) {
		char c = *name;
		if (c == '_') {
			c = *++name;
			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
			if (!c)
				break;
		}
		if (*key++ != c)
			return false;
	}
	return !*key;
}

void codec_field_json_name(const ProtobufCFieldDescriptor *field, struct text *out)
{
	for (const char *s = field->name; *s; s++) {
		char c = *s;
		if (c == '_') {
			c = *++s;
			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
			if (!c)
				break;
		}
		text_add_char(out, c);
	}
}

const ProtobufCFieldDescriptor *codec_field_find(const ProtobufCMessageDescriptor *type, const char *key)
{
	size_t low = 0, high = type->n_fields;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const ProtobufCFieldDescriptor *field = &type->fields[type->fields_sorted_by_name[middle]];
		int order = strcmp(key, field->name);
		if (order == 0)
			return field;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	/* Camel case does not sort as the names do; a scan that nearly always stops at the first letter is cheap. */
	for (unsigned i = 0; i < type->n_fields; i++)
		if (is_json_name(type->fields[i].name, key))
			return &type->fields[i];
	return NULL;
}

const ProtobufCFieldDescriptor *codec_field_by_id(const ProtobufCMessageDescriptor *type, uint32_t id)
{
	return protobuf_c_message_descriptor_get_field(type, id);
}

/*
 * protobuf-c does not mark map entries, so they are known by what protoc makes of `map<K, V> foo_bar`: a nested message
 * FooBarEntry of key = 1 and value = 2. tests/proto sees to it that no other message looks like that.
 */
bool codec_field_is_map(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	const ProtobufCMessageDescriptor *entry = field->descriptor;
	if (entry->n_fields != 2 || !text_has_suffix(entry->short_name, "Entry"))
		return false;
	size_t n = strlen(type->name);
	return strncmp(entry->name, type->name, n) == 0 && entry->name[n] == '.' &&
	       strcmp(entry->name + n + 1, entry->short_name) == 0 && strcmp(entry->fields[0].name, "key") == 0 &&
	       strcmp(entry->fields[1].name, "value") == 0;
}

bool codec_field_is_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

size_t codec_field_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(ProtobufCMessage *);
	}
	abort();
}

void *codec_field_slot(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	return (char *)message + field->offset;
}

const void *codec_field_const_slot(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return (const char *)message + field->offset;
}

size_t codec_field_count(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	size_t n;
	memcpy(&n, (const char *)message + field->quantifier_offset, sizeof n);
	return n;
}

void codec_field_set_count(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message, size_t n)
{
	memcpy((char *)message + field->quantifier_offset, &n, sizeof n);
}

/* Whether the value differs from proto3's default. */
static bool is_nonzero(const ProtobufCFieldDescriptor *field, const void *slot)
{
	static const char zeros[8];
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		const char *s = *(char *const *)slot;
		return s && *s;
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)slot)->len > 0;
	if (field->type == PROTOBUF_C_TYPE_DOUBLE)
		return *(const double *)slot != 0;
	if (field->type == PROTOBUF_C_TYPE_FLOAT)
		return *(const float *)slot != 0;
	return memcmp(slot, zeros, codec_field_size(field)) != 0;
}

bool codec_field_is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	const void *slot = codec_field_const_slot(field, message);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return codec_field_count(field, message) > 0;
	const void *quantifier = (const char *)message + field->quantifier_offset;
	if (codec_field_is_oneof(field))
		return *(const uint32_t *)quantifier == field->id;
	if (field->label == PROTOBUF_C_LABEL_NONE)
		return is_nonzero(field, slot);
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)slot != NULL;
	return *(const protobuf_c_boolean *)quantifier;
}

bool codec_type_is_kubernetes(const ProtobufCMessageDescriptor *type)
{
	return text_has_prefix(type->package_name, "k8s.io.");
}

ProtobufCMessage *codec_message_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
	type->message_init(message);
	return message;
}

const char *codec_map_key(const void *entry, char room[CODEC_KEY_ROOM])
{
	const ProtobufCMessage *message = entry;
	const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
	const void *slot = codec_field_const_slot(field, message);
	if (field->type == PROTOBUF_C_TYPE_UINT32) {
		snprintf(room, CODEC_KEY_ROOM, "%u", *(const uint32_t *)slot);
		return room;
	}
	assert(field->type == PROTOBUF_C_TYPE_STRING); /* tests/proto: no map here has another key */
	const char *key = *(char *const *)slot;
	return key ? key : "";
}

int codec_map_compare(const void *a, const void *b)
{
	char room_a[CODEC_KEY_ROOM], room_b[CODEC_KEY_ROOM];
	return strcmp(codec_map_key(a, room_a), codec_map_key(b, room_b));
}
