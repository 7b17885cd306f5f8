#include "proto/guard.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

#define FIELDS_PER_TYPE_MAX 256 /* the codec has the same limit; a unit test looks at every type */
#define FIELD_NUMBER_MAX ((1u << 29) - 1)
#define VARINT_BYTES_MAX 10
#define TAG_BYTES_MAX 5
#define FIELD_OVERHEAD 128 /* protobuf-c's own notes on a field while it unpacks, its pointer, and alignment */

struct guard {
	size_t n_fields, memory;
	struct error *error;
};

/* What is left of one message's bytes. */
struct span {
	const uint8_t *at, *end;
};

static bool read_varint(struct span *span, unsigned bytes_max, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < bytes_max && span->at < span->end; i++) {
		uint8_t byte = *span->at++;
		*value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static ProtobufCWireType wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return PROTOBUF_C_WIRE_TYPE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return PROTOBUF_C_WIRE_TYPE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
	return PROTOBUF_C_WIRE_TYPE_VARINT;
}

static bool is_packed(const ProtobufCFieldDescriptor *field, ProtobufCWireType wire_type)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED && wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED &&
	       wire_type_of(field->type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

static bool take_memory(struct guard *guard, size_t n)
{
	guard->memory += n; /* n is bounded by GUARD_BYTES_MAX times a small number: no overflow before the check */
	if (guard->memory <= GUARD_MEMORY_MAX)
		return true;
	return error_set(guard->error, "would take more than %u bytes of memory", GUARD_MEMORY_MAX);
}

/* The bytes of one field's value, taken off the span. */
static bool read_value(struct guard *guard, struct span *span, ProtobufCWireType wire_type, struct span *value)
{
	uint64_t n = 0;
	value->at = span->at;
	switch ((int)wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		if (!read_varint(span, VARINT_BYTES_MAX, &n))
			return error_set(guard->error, "a number is cut off or too long");
		value->end = span->at;
		return true;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		n = 4;
		break;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		n = 8;
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		if (!read_varint(span, TAG_BYTES_MAX, &n))
			return error_set(guard->error, "a length is cut off or too long");
		value->at = span->at;
		break;
	default:
		return error_set(guard->error, "unknown wire type %d", (int)wire_type);
	}
	if (n > (size_t)(span->end - span->at))
		return error_set(guard->error, "a value is cut off");
	span->at += n;
	value->end = span->at;
	return true;
}

static bool check_packed(struct guard *guard, const ProtobufCFieldDescriptor *field, struct span value)
{
	size_t n = (size_t)(value.end - value.at), width = 0;
	if (wire_type_of(field->type) == PROTOBUF_C_WIRE_TYPE_32BIT)
		width = 4;
	if (wire_type_of(field->type) == PROTOBUF_C_WIRE_TYPE_64BIT)
		width = 8;
	if (width && n % width)
		return error_set(guard->error, "a list of numbers is cut off");
	uint64_t number;
	while (!width && value.at < value.end)
		if (!read_varint(&value, VARINT_BYTES_MAX, &number))
			return error_set(guard->error, "a number in a list is cut off or too long");
	return take_memory(guard, n * sizeof(uint64_t));
}

static bool check_message(struct guard *guard, const ProtobufCMessageDescriptor *type, struct span span,
                          unsigned depth);

static bool check_known(struct guard *guard, const ProtobufCFieldDescriptor *field, ProtobufCWireType wire_type,
                        struct span value, unsigned depth)
{
	if (is_packed(field, wire_type))
		return check_packed(guard, field, value);
	if (wire_type != wire_type_of(field->type))
		return error_set(guard->error, "wire type %d where %d belongs", (int)wire_type,
		                 (int)wire_type_of(field->type));
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_message(guard, field->descriptor, value, depth + 1);
	size_t n = (size_t)(value.end - value.at);
	if (field->type == PROTOBUF_C_TYPE_STRING && !text_is_utf8(value.at, n))
		return error_set(guard->error, "a string with a NUL or bytes that are not UTF-8");
	return take_memory(guard, n);
}

static bool check_field(struct guard *guard, const ProtobufCMessageDescriptor *type, struct span *span,
                        uint64_t seen[FIELDS_PER_TYPE_MAX / 64], unsigned depth)
{
	uint64_t tag;
	struct span value = {0};
	if (++guard->n_fields > GUARD_FIELDS_MAX)
		return error_set(guard->error, "more than %u fields", GUARD_FIELDS_MAX);
	if (!read_varint(span, TAG_BYTES_MAX, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
		return error_set(guard->error, "%s: a field's tag is malformed", type->name);
	ProtobufCWireType wire_type = (ProtobufCWireType)(tag & 7);
	unsigned number = (unsigned)(tag >> 3);
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, number);
	if (!take_memory(guard, FIELD_OVERHEAD))
		return false;
	if (!read_value(guard, span, wire_type, &value))
		return error_wrap(guard->error, "%s field %u", type->name, number);
	if (!field)
		return take_memory(guard, (size_t)(value.end - value.at));
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED) {
		size_t i = (size_t)(field - type->fields);
		if (seen[i / 64] >> (i % 64) & 1)
			return error_set(guard->error, "%s.%s is given twice", type->name, field->name);
		seen[i / 64] |= UINT64_C(1) << (i % 64);
	}
	if (check_known(guard, field, wire_type, value, depth))
		return true;
	/* The innermost field names itself; the way there could be as long as the message is deep. */
	return field->type == PROTOBUF_C_TYPE_MESSAGE ? false
	                                              : error_wrap(guard->error, "%s.%s", type->name, field->name);
}

static bool check_message(struct guard *guard, const ProtobufCMessageDescriptor *type, struct span span, unsigned depth)
{
	uint64_t seen[FIELDS_PER_TYPE_MAX / 64] = {0};
	assert(type->n_fields <= FIELDS_PER_TYPE_MAX);
	if (depth > GUARD_DEPTH_MAX)
		return error_set(guard->error, "%s: nested more than %d messages deep", type->name, GUARD_DEPTH_MAX);
	if (!take_memory(guard, type->sizeof_message))
		return false;
	while (span.at < span.end)
		if (!check_field(guard, type, &span, seen, depth))
			return false;
	return true;
}

bool guard_check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n, struct error *error)
{
	if (n > GUARD_BYTES_MAX)
		return error_set(error, "%s: %zu bytes are more than %u", type->name, n, GUARD_BYTES_MAX);
	struct guard guard = {.error = error};
	return n == 0 || check_message(&guard, type, (struct span){.at = data, .end = data + n}, 1);
}
