#include "proto/codec_private.h"
#include "proto/google.h"
#include "proto/kubernetes.h"
#include "proto/pack.h"

#include <string.h>

static const char duration_forms[] = "expected a duration such as \"10s\", \"1.5s\" or \"1h2m\", got ";

static ProtobufCMessage *decode_duration(struct codec_decoder *decoder, const struct codec_place *place,
                                         const ProtobufCMessageDescriptor *type, const struct json *value)
{
	(void)type;
	google_duration *duration = google_duration_new(decoder->arena);
	if (value->type != JSON_STRING)
		codec_issue(decoder, place, value, "%s%s", duration_forms, json_type_name(value->type));
	else if (!codec_parse_duration(value->string.s, &duration->seconds, &duration->nanos))
		codec_issue(decoder, place, value, "%s\"%s\"", duration_forms,
		            codec_quote(decoder->arena, value->string.s));
	else
		return &duration->base;
	return NULL;
}

static void print_duration(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const google_duration *duration = (const google_duration *)message;
	text_add_char(printer->out, '"');
	codec_print_duration(printer->out, duration->seconds, duration->nanos);
	text_add_char(printer->out, '"');
}

static bool parse_time(struct codec_decoder *decoder, const struct codec_place *place, const struct json *value,
                       int64_t *seconds, int32_t *nanos)
{
	if (!codec_decode_is(decoder, place, value, JSON_STRING))
		return false;
	if (codec_parse_timestamp(value->string.s, seconds, nanos))
		return true;
	codec_issue(decoder, place, value, "expected a time such as \"2006-01-02T15:04:05Z\", got \"%s\"",
	            codec_quote(decoder->arena, value->string.s));
	return false;
}

static ProtobufCMessage *decode_timestamp(struct codec_decoder *decoder, const struct codec_place *place,
                                          const ProtobufCMessageDescriptor *type, const struct json *value)
{
	(void)type;
	google_timestamp *timestamp = google_timestamp_new(decoder->arena);
	if (!parse_time(decoder, place, value, &timestamp->seconds, &timestamp->nanos))
		return NULL;
	return &timestamp->base;
}

static void print_timestamp(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const google_timestamp *timestamp = (const google_timestamp *)message;
	text_add_char(printer->out, '"');
	codec_print_timestamp(printer->out, timestamp->seconds, timestamp->nanos);
	text_add_char(printer->out, '"');
}

static ProtobufCMessage *decode_kube_time(struct codec_decoder *decoder, const struct codec_place *place,
                                          const ProtobufCMessageDescriptor *type, const struct json *value)
{
	(void)type;
	k8s_time *at = k8s_time_new(decoder->arena);
	if (!parse_time(decoder, place, value, &at->seconds, &at->nanos))
		return NULL;
	at->has_seconds = 1;
	at->has_nanos = at->nanos != 0;
	return &at->base;
}

static void print_kube_time(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const k8s_time *at = (const k8s_time *)message;
	text_add_char(printer->out, '"');
	codec_print_timestamp(printer->out, at->seconds, at->nanos);
	text_add_char(printer->out, '"');
}

enum { INT_OR_STRING_INT, INT_OR_STRING_STRING }; /* IntOrString.type */

static ProtobufCMessage *decode_int_or_string(struct codec_decoder *decoder, const struct codec_place *place,
                                              const ProtobufCMessageDescriptor *type, const struct json *value)
{
	k8s_int_or_string *either = k8s_int_or_string_new(decoder->arena);
	either->has_type = 1;
	if (value->type == JSON_STRING) {
		either->type = INT_OR_STRING_STRING;
		either->strval = arena_strndup(decoder->arena, value->string.s, value->string.n);
		return &either->base;
	}
	if (!codec_decode_value(decoder, place, codec_field_find(type, "intVal"), value, &either->intval))
		return NULL;
	either->type = INT_OR_STRING_INT;
	either->has_intval = 1;
	return &either->base;
}

static void print_int_or_string(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const k8s_int_or_string *either = (const k8s_int_or_string *)message;
	const char *s = either->strval ? either->strval : "";
	if (either->type == INT_OR_STRING_STRING)
		text_add_json_string(printer->out, s, strlen(s));
	else
		text_printf(printer->out, "%d", either->intval);
}

/* BoolValue, UInt32Value, …: the JSON of their one field. */
static ProtobufCMessage *decode_wrapper(struct codec_decoder *decoder, const struct codec_place *place,
                                        const ProtobufCMessageDescriptor *type, const struct json *value)
{
	ProtobufCMessage *message = codec_message_new(decoder->arena, type);
	void *slot = codec_field_slot(&type->fields[0], message);
	return codec_decode_value(decoder, place, &type->fields[0], value, slot) ? message : NULL;
}

static void print_wrapper(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
	codec_print_value(printer, field, codec_field_const_slot(field, message));
}

/* Struct and ListValue: the JSON of their one field. */
static ProtobufCMessage *decode_only_field(struct codec_decoder *decoder, const struct codec_place *place,
                                           const ProtobufCMessageDescriptor *type, const struct json *value,
                                           enum json_type want)
{
	if (!codec_decode_is(decoder, place, value, want))
		return NULL;
	ProtobufCMessage *message = codec_message_new(decoder->arena, type);
	codec_decode_repeated(decoder, place, &type->fields[0], value, message);
	return message;
}

static ProtobufCMessage *decode_struct(struct codec_decoder *decoder, const struct codec_place *place,
                                       const ProtobufCMessageDescriptor *type, const struct json *value)
{
	return decode_only_field(decoder, place, type, value, JSON_OBJECT);
}

static ProtobufCMessage *decode_list_value(struct codec_decoder *decoder, const struct codec_place *place,
                                           const ProtobufCMessageDescriptor *type, const struct json *value)
{
	return decode_only_field(decoder, place, type, value, JSON_ARRAY);
}

static void print_only_field(struct codec_printer *printer, const ProtobufCMessage *message)
{
	codec_print_repeated(printer, &message->descriptor->fields[0], message);
}

static ProtobufCMessage *decode_value(struct codec_decoder *decoder, const struct codec_place *place,
                                      const ProtobufCMessageDescriptor *type, const struct json *value)
{
	static const char *const names[] = {
	    [JSON_NULL] = "null_value",   [JSON_BOOL] = "bool_value",     [JSON_INT] = "number_value",
	    [JSON_UINT] = "number_value", [JSON_DOUBLE] = "number_value", [JSON_STRING] = "string_value",
	    [JSON_ARRAY] = "list_value",  [JSON_OBJECT] = "struct_value",
	};
	google_value *message = google_value_new(decoder->arena);
	const ProtobufCFieldDescriptor *field = codec_field_find(type, names[value->type]);
	message->kind_case = (Google__Protobuf__Value__KindCase)field->id;
	if (value->type == JSON_NULL)
		return &message->base;
	void *slot = codec_field_slot(field, &message->base);
	return codec_decode_value(decoder, place, field, value, slot) ? &message->base : NULL;
}

static void print_value(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const google_value *value = (const google_value *)message;
	const ProtobufCFieldDescriptor *field = codec_field_by_id(message->descriptor, value->kind_case);
	if (!field || field->type == PROTOBUF_C_TYPE_ENUM)
		text_add(printer->out, "null");
	else
		codec_print_value(printer, field, codec_field_const_slot(field, message));
}

static ProtobufCMessage *decode_any(struct codec_decoder *decoder, const struct codec_place *place,
                                    const ProtobufCMessageDescriptor *type, const struct json *value)
{
	(void)type;
	if (!codec_decode_is(decoder, place, value, JSON_OBJECT))
		return NULL;
	const char *url = json_get_string(value, "@type");
	if (!url) {
		if (value->object.n == 0)
			return &google_any_new(decoder->arena)->base;
		codec_issue(decoder, place, value, "expected \"@type\" with the type of the message");
		return NULL;
	}
	const ProtobufCMessageDescriptor *inner_type = pack_find_type(url);
	if (!inner_type) {
		codec_issue(decoder, place, value, "unknown \"@type\" \"%s\"", codec_quote(decoder->arena, url));
		return NULL;
	}
	ProtobufCMessage *inner = NULL;
	if (codec_wellknown_find(inner_type)) {
		struct codec_place at = {.up = place, .name = "value"};
		const struct json *plain = json_get(value, "value");
		if (plain)
			inner = codec_decode_message(decoder, &at, inner_type, plain);
		else
			codec_issue(decoder, place, value, "expected \"value\" beside \"@type\"");
	} else {
		inner = codec_decode_fields(decoder, place, inner_type, value, "@type");
	}
	return inner ? &pack_any(decoder->arena, inner)->base : NULL;
}

/* The message inside, or NULL when its type is unknown, its bytes are bad, or Anys are nested too deep. */
static const ProtobufCMessage *open_any(struct codec_printer *printer, const google_any *any)
{
	const ProtobufCMessageDescriptor *type = pack_find_type(any->type_url);
	struct error error;
	if (!type || printer->any_depth >= CODEC_ANY_DEPTH_MAX)
		return NULL;
	return unpack(codec_print_scratch(printer), type, any->value.data, any->value.len, &error);
}

static void print_any(struct codec_printer *printer, const ProtobufCMessage *message)
{
	const google_any *any = (const google_any *)message;
	bool is_first = true;
	codec_print_open(printer, '{');
	if (!text_is_empty(any->type_url) || any->value.len) {
		codec_print_key(printer, "@type", &is_first);
		text_add_json_string(printer->out, any->type_url, strlen(any->type_url));
		const ProtobufCMessage *inner = open_any(printer, any);
		printer->any_depth++;
		if (!inner) {
			codec_print_key(printer, "value", &is_first);
			codec_print_base64(printer->out, any->value.data, any->value.len);
		} else if (codec_wellknown_find(inner->descriptor)) {
			codec_print_key(printer, "value", &is_first);
			codec_print_message(printer, inner);
		} else {
			codec_print_fields(printer, inner, &is_first);
		}
		printer->any_depth--;
	}
	codec_print_close(printer, '}', is_first);
}

#define WRAPPER(name)                                                                                                  \
	{                                                                                                              \
		&google__protobuf__##name##__descriptor, decode_wrapper, print_wrapper, false                          \
	}

static const struct codec_wellknown wellknown[] = {
    {&google__protobuf__duration__descriptor, decode_duration, print_duration, false},
    {&google__protobuf__timestamp__descriptor, decode_timestamp, print_timestamp, false},
    {&google__protobuf__any__descriptor, decode_any, print_any, false},
    {&google__protobuf__struct__descriptor, decode_struct, print_only_field, false},
    {&google__protobuf__list_value__descriptor, decode_list_value, print_only_field, false},
    {&google__protobuf__value__descriptor, decode_value, print_value, true},
    WRAPPER(bool_value),
    WRAPPER(bytes_value),
    WRAPPER(double_value),
    WRAPPER(float_value),
    WRAPPER(int32_value),
    WRAPPER(int64_value),
    WRAPPER(string_value),
    WRAPPER(uint32_value),
    WRAPPER(uint64_value),
    {&k8s__io__apimachinery__pkg__apis__meta__v1__time__descriptor, decode_kube_time, print_kube_time, false},
    {&k8s__io__apimachinery__pkg__util__intstr__int_or_string__descriptor, decode_int_or_string, print_int_or_string,
     false},
};

const struct codec_wellknown *codec_wellknown_find(const ProtobufCMessageDescriptor *type)
{
	for (size_t i = 0; i < sizeof wellknown / sizeof wellknown[0]; i++)
		if (wellknown[i].type == type)
			return &wellknown[i];
	return NULL;
}
