#include "proto/codec_private.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t int_min(ProtobufCType type)
{
	switch ((int)type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return INT32_MIN;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return INT64_MIN;
	default:
		return 0;
	}
}

static uint64_t int_max(ProtobufCType type)
{
	switch ((int)type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return INT32_MAX;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return UINT32_MAX;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return INT64_MAX;
	default:
		return UINT64_MAX;
	}
}

static bool parse_integer(const char *s, __int128 *number)
{
	bool is_negative = *s == '-';
	uint64_t magnitude;
	if (!text_parse_uint(s + is_negative, UINT64_MAX, &magnitude))
		return false;
	*number = is_negative ? -(__int128)magnitude : (__int128)magnitude;
	return true;
}

/* The value as an integer, when it is one: 80, 80.0 and "80" are. */
static bool read_integer(const struct json *value, __int128 *number)
{
	switch (value->type) {
	case JSON_INT:
		*number = value->integer;
		return true;
	case JSON_UINT:
		*number = value->uinteger;
		return true;
	case JSON_DOUBLE:
		if (!(fabs(value->number) < 0x1p64) || value->number != trunc(value->number))
			return false;
		*number = (__int128)value->number;
		return true;
	case JSON_STRING:
		return parse_integer(value->string.s, number);
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

static bool decode_integer(struct codec_decoder *decoder, const struct codec_place *place,
                           const ProtobufCFieldDescriptor *field, const struct json *value, void *slot)
{
	__int128 number;
	if (!read_integer(value, &number)) {
		if (value->type == JSON_STRING)
			codec_issue(decoder, place, value, "expected an integer, got \"%s\"",
			            codec_quote(decoder->arena, value->string.s));
		else if (value->type == JSON_DOUBLE)
			codec_issue(decoder, place, value, "expected an integer, got %.15g", value->number);
		else
			codec_issue(decoder, place, value, "expected an integer, got %s", json_type_name(value->type));
		return false;
	}
	int64_t min = int_min(field->type);
	uint64_t max = int_max(field->type);
	if (number < min || number > (__int128)max) {
		uint64_t magnitude = (uint64_t)(number < 0 ? -number : number);
		codec_issue(decoder, place, value, "%s%llu is out of range (%lld to %llu)", number < 0 ? "-" : "",
		            (unsigned long long)magnitude, (long long)min, (unsigned long long)max);
		return false;
	}
	if (codec_field_size(field) == 4)
		*(uint32_t *)slot = (uint32_t)number;
	else
		*(uint64_t *)slot = (uint64_t)number;
	return true;
}

static bool parse_double(const char *s, double *number)
{
	static const struct {
		const char *name;
		double number;
	} names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(s, names[i].name) == 0) {
			*number = names[i].number;
			return true;
		}
	size_t n = strspn(s, "0123456789+-.eE"); /* strtod takes more than JSON does */
	char *end;
	*number = strtod(s, &end);
	return n > 0 && !s[n] && !*end && isfinite(*number);
}

static bool decode_double(struct codec_decoder *decoder, const struct codec_place *place,
                          const ProtobufCFieldDescriptor *field, const struct json *value, void *slot)
{
	double number;
	if (value->type == JSON_DOUBLE) {
		number = value->number;
	} else if (value->type == JSON_INT) {
		number = (double)value->integer;
	} else if (value->type == JSON_UINT) {
		number = (double)value->uinteger;
	} else if (value->type != JSON_STRING || !parse_double(value->string.s, &number)) {
		codec_issue(decoder, place, value, "expected a number, got %s", json_type_name(value->type));
		return false;
	}
	if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
		*(double *)slot = number;
		return true;
	}
	if (isfinite(number) && fabs(number) > (double)FLT_MAX) {
		codec_issue(decoder, place, value, "%.15g is out of range of a float", number);
		return false;
	}
	*(float *)slot = (float)number;
	return true;
}

static bool decode_enum(struct codec_decoder *decoder, const struct codec_place *place,
                        const ProtobufCFieldDescriptor *field, const struct json *value, void *slot)
{
	const ProtobufCEnumDescriptor *type = field->descriptor;
	const ProtobufCEnumValue *found = NULL;
	if (value->type == JSON_STRING)
		found = protobuf_c_enum_descriptor_get_value_by_name(type, value->string.s);
	else if (value->type == JSON_INT && value->integer >= INT32_MIN && value->integer <= INT32_MAX)
		found = protobuf_c_enum_descriptor_get_value(type, (int)value->integer);
	if (!found) {
		codec_issue_enum(decoder, place, type, value);
		return false;
	}
	*(int *)slot = found->value;
	return true;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

/* The usual and the URL-safe alphabet, with padding or without. */
static bool parse_base64(struct arena *arena, const char *s, size_t n, ProtobufCBinaryData *bytes)
{
	while (n > 0 && s[n - 1] == '=')
		n--;
	if (n % 4 == 1)
		return false;
	bytes->data = arena_alloc(arena, n / 4 * 3 + 3);
	bytes->len = 0;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(s[i]);
		if (digit < 0)
			return false;
		bits = (bits << 6) | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			bytes->data[bytes->len++] = (uint8_t)(bits >> n_bits);
			bits &= (1u << n_bits) - 1;
		}
	}
	return true;
}

static bool decode_bytes(struct codec_decoder *decoder, const struct codec_place *place, const struct json *value,
                         ProtobufCBinaryData *slot)
{
	ProtobufCBinaryData bytes;
	if (!codec_decode_is(decoder, place, value, JSON_STRING))
		return false;
	if (!parse_base64(decoder->arena, value->string.s, value->string.n, &bytes)) {
		codec_issue(decoder, place, value, "expected base64");
		return false;
	}
	*slot = bytes;
	return true;
}

bool codec_decode_value(struct codec_decoder *decoder, const struct codec_place *place,
                        const ProtobufCFieldDescriptor *field, const struct json *value, void *slot)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return decode_integer(decoder, place, field, value, slot);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return decode_double(decoder, place, field, value, slot);
	case PROTOBUF_C_TYPE_BOOL:
		if (!codec_decode_is(decoder, place, value, JSON_BOOL))
			return false;
		*(protobuf_c_boolean *)slot = value->boolean;
		return true;
	case PROTOBUF_C_TYPE_ENUM:
		return decode_enum(decoder, place, field, value, slot);
	case PROTOBUF_C_TYPE_STRING:
		if (!codec_decode_is(decoder, place, value, JSON_STRING))
			return false;
		*(char **)slot = arena_strndup(decoder->arena, value->string.s, value->string.n);
		return true;
	case PROTOBUF_C_TYPE_BYTES:
		return decode_bytes(decoder, place, value, slot);
	case PROTOBUF_C_TYPE_MESSAGE: {
		ProtobufCMessage *message = codec_decode_message(decoder, place, field->descriptor, value);
		if (message)
			*(ProtobufCMessage **)slot = message;
		return message != NULL;
	}
	}
	abort();
}
