#include "proto/codec_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOAT_DIGITS_MIN                                                                                               \
	6 /* FLT_DIG and DBL_DIG: what survives from text and back; the maxima, what survives to text */
#define FLOAT_DIGITS_MAX 9
#define DOUBLE_DIGITS_MIN 15
#define DOUBLE_DIGITS_MAX 17

struct arena *codec_print_scratch(struct codec_printer *printer)
{
	if (!printer->scratch)
		printer->scratch = arena_new();
	return printer->scratch;
}

static void new_line(struct codec_printer *printer)
{
	if (!printer->indent)
		return;
	text_add_char(printer->out, '\n');
	for (unsigned i = 0; i < printer->level * (unsigned)printer->indent; i++)
		text_add_char(printer->out, ' ');
}

void codec_print_open(struct codec_printer *printer, char c)
{
	text_add_char(printer->out, c);
	printer->level++;
}

void codec_print_close(struct codec_printer *printer, char c, bool was_empty)
{
	printer->level--;
	if (!was_empty)
		new_line(printer);
	text_add_char(printer->out, c);
}

/* A comma and the line's start. */
static void print_next(struct codec_printer *printer, bool *is_first)
{
	if (!*is_first)
		text_add_char(printer->out, ',');
	*is_first = false;
	new_line(printer);
}

static void print_colon(struct codec_printer *printer)
{
	text_add(printer->out, printer->indent ? ": " : ":");
}

void codec_print_key(struct codec_printer *printer, const char *key, bool *is_first)
{
	print_next(printer, is_first);
	text_add_json_string(printer->out, key, strlen(key));
	print_colon(printer);
}

void codec_print_base64(struct text *out, const uint8_t *data, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	text_add_char(out, '"');
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t bits = (uint32_t)data[i] << 16;
		if (left > 1)
			bits |= (uint32_t)data[i + 1] << 8;
		if (left > 2)
			bits |= data[i + 2];
		text_add_char(out, digits[bits >> 18]);
		text_add_char(out, digits[bits >> 12 & 63]);
		text_add_char(out, left > 1 ? digits[bits >> 6 & 63] : '=');
		text_add_char(out, left > 2 ? digits[bits & 63] : '=');
	}
	text_add_char(out, '"');
}

/* The shortest text that reads back as the same number. */
static void print_double(struct text *out, double value, int digits_min, int digits_max)
{
	if (isnan(value)) {
		text_add(out, "\"NaN\"");
		return;
	}
	if (isinf(value)) {
		text_add(out, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
		return;
	}
	char s[32];
	for (int digits = digits_min; digits <= digits_max; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, value);
		double back = digits_max == FLOAT_DIGITS_MAX ? (double)strtof(s, NULL) : strtod(s, NULL);
		if (back == value)
			break;
	}
	text_add(out, s);
}

static void print_enum(struct text *out, const ProtobufCEnumDescriptor *type, int number)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
	if (value)
		text_add_json_string(out, value->name, strlen(value->name));
	else
		text_printf(out, "%d", number);
}

static void print_string(struct text *out, const char *s)
{
	text_add_json_string(out, s ? s : "", s ? strlen(s) : 0);
}

void codec_print_value(struct codec_printer *printer, const ProtobufCFieldDescriptor *field, const void *slot)
{
	struct text *out = printer->out;
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		text_printf(out, "%d", *(const int32_t *)slot);
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		text_printf(out, "%u", *(const uint32_t *)slot);
		return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		text_printf(out, "\"%lld\"", (long long)*(const int64_t *)slot);
		return;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		text_printf(out, "\"%llu\"", (unsigned long long)*(const uint64_t *)slot);
		return;
	case PROTOBUF_C_TYPE_FLOAT:
		print_double(out, (double)*(const float *)slot, FLOAT_DIGITS_MIN, FLOAT_DIGITS_MAX);
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		print_double(out, *(const double *)slot, DOUBLE_DIGITS_MIN, DOUBLE_DIGITS_MAX);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		text_add(out, *(const protobuf_c_boolean *)slot ? "true" : "false");
		return;
	case PROTOBUF_C_TYPE_ENUM:
		print_enum(out, field->descriptor, *(const int *)slot);
		return;
	case PROTOBUF_C_TYPE_STRING:
		print_string(out, *(char *const *)slot);
		return;
	case PROTOBUF_C_TYPE_BYTES: {
		const ProtobufCBinaryData *bytes = slot;
		codec_print_base64(out, bytes->data, bytes->len);
		return;
	}
	case PROTOBUF_C_TYPE_MESSAGE: {
		const ProtobufCMessage *message = *(ProtobufCMessage *const *)slot;
		if (message)
			codec_print_message(printer, message);
		else
			text_add(out, "{}"); /* a map's value left out on the wire */
		return;
	}
	}
	abort();
}

static void print_list(struct codec_printer *printer, const ProtobufCFieldDescriptor *field,
                       const ProtobufCMessage *message)
{
	const char *v = *(char *const *)codec_field_const_slot(field, message);
	size_t n = codec_field_count(field, message), size = codec_field_size(field);
	bool is_first = true;
	codec_print_open(printer, '[');
	for (size_t i = 0; i < n; i++) {
		print_next(printer, &is_first);
		codec_print_value(printer, field, v + i * size);
	}
	codec_print_close(printer, ']', is_first);
}

struct map_item {
	const ProtobufCMessage *entry;
	size_t index;
};

static int compare_items(const void *a, const void *b)
{
	const struct map_item *x = a, *y = b;
	int order = codec_map_compare(x->entry, y->entry);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* A peer may send a key twice: as everywhere in protobuf, the last counts. */
static void print_map(struct codec_printer *printer, const ProtobufCFieldDescriptor *field,
                      const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *value = &((const ProtobufCMessageDescriptor *)field->descriptor)->fields[1];
	size_t n = codec_field_count(field, message);
	ProtobufCMessage *const *entries = *(ProtobufCMessage * *const *)codec_field_const_slot(field, message);
	struct map_item *items = ARENA_NEW_N(codec_print_scratch(printer), struct map_item, n);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct map_item){.entry = entries[i], .index = i};
	if (n > 1)
		qsort(items, n, sizeof *items, compare_items);
	bool is_first = true;
	codec_print_open(printer, '{');
	for (size_t i = 0; i < n; i++) {
		char room[CODEC_KEY_ROOM];
		if (i + 1 < n && codec_map_compare(items[i].entry, items[i + 1].entry) == 0)
			continue;
		codec_print_key(printer, codec_map_key(items[i].entry, room), &is_first);
		codec_print_value(printer, value, codec_field_const_slot(value, items[i].entry));
	}
	codec_print_close(printer, '}', is_first);
}

void codec_print_repeated(struct codec_printer *printer, const ProtobufCFieldDescriptor *field,
                          const ProtobufCMessage *message)
{
	if (codec_field_is_map(message->descriptor, field))
		print_map(printer, field, message);
	else
		print_list(printer, field, message);
}

/* Kubernetes writes 64-bit integers as numbers. */
static bool is_plain_int64(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_INT64 && codec_type_is_kubernetes(type);
}

void codec_print_fields(struct codec_printer *printer, const ProtobufCMessage *message, bool *is_first)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		if (!codec_field_is_set(field, message))
			continue;
		print_next(printer, is_first);
		text_add_char(printer->out, '"');
		codec_field_json_name(field, printer->out);
		text_add_char(printer->out, '"');
		print_colon(printer);
		const void *slot = codec_field_const_slot(field, message);
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			codec_print_repeated(printer, field, message);
		else if (is_plain_int64(type, field))
			text_printf(printer->out, "%lld", (long long)*(const int64_t *)slot);
		else
			codec_print_value(printer, field, slot);
	}
}

void codec_print_message(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const struct codec_wellknown *known = codec_wellknown_find(message->descriptor);
	if (known) {
		known->print(printer, message);
		return;
	}
	bool is_first = true;
	codec_print_open(printer, '{');
	codec_print_fields(printer, message, &is_first);
	codec_print_close(printer, '}', is_first);
}

void codec_print(const ProtobufCMessage *message, int indent, struct text *out)
{
	struct codec_printer printer = {.out = out, .indent = indent};
	codec_print_message(&printer, message);
	arena_free(printer.scratch);
}
