#include "proto/build.h"

#define MS_PER_S 1000
#define NANOS_PER_MS 1000000
/* The longest that fits in 64 bits of nanoseconds: Envoy refuses what is longer. */
#define DURATION_MS_MAX INT64_C(9223372035000)

google_duration *build_duration_ms(struct arena *arena, int64_t ms)
{
	if (ms > DURATION_MS_MAX)
		ms = DURATION_MS_MAX;
	google_duration *duration = google_duration_new(arena);
	duration->seconds = ms / MS_PER_S;
	duration->nanos = (int32_t)(ms % MS_PER_S) * NANOS_PER_MS;
	return duration;
}

google_uint32_value *build_uint32(struct arena *arena, uint32_t value)
{
	google_uint32_value *message = google_uint32_value_new(arena);
	message->value = value;
	return message;
}

google_bool_value *build_bool(struct arena *arena, bool value)
{
	google_bool_value *message = google_bool_value_new(arena);
	message->value = value;
	return message;
}

google_string_value *build_string(struct arena *arena, const char *value)
{
	google_string_value *message = google_string_value_new(arena);
	message->value = arena_strdup(arena, value);
	return message;
}

google_double_value *build_double(struct arena *arena, double value)
{
	google_double_value *message = google_double_value_new(arena);
	message->value = value;
	return message;
}

google_struct *build_struct(struct arena *arena)
{
	return google_struct_new(arena);
}

void build_struct_value(struct arena *arena, google_struct *object, const char *key, google_value *value)
{
	Google__Protobuf__Struct__FieldsEntry *entry = arena_alloc(arena, sizeof *entry);
	google__protobuf__struct__fields_entry__init(entry);
	entry->key = arena_strdup(arena, key);
	entry->value = value;
	BUILD_ADD(arena, object, fields, entry);
}

void build_struct_string(struct arena *arena, google_struct *object, const char *key, const char *value)
{
	build_struct_value(arena, object, key, build_value_string(arena, value));
}

void build_struct_bool(struct arena *arena, google_struct *object, const char *key, bool value)
{
	google_value *message = google_value_new(arena);
	message->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
	message->bool_value = value;
	build_struct_value(arena, object, key, message);
}

google_value *build_value_string(struct arena *arena, const char *value)
{
	google_value *message = google_value_new(arena);
	message->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
	message->string_value = arena_strdup(arena, value);
	return message;
}

google_value *build_value_struct(struct arena *arena, google_struct *object)
{
	google_value *message = google_value_new(arena);
	message->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
	message->struct_value = object;
	return message;
}

google_value *build_value_list(struct arena *arena, google_value **values, size_t n)
{
	google_list_value *list = google_list_value_new(arena);
	for (size_t i = 0; i < n; i++)
		BUILD_ADD(arena, list, values, values[i]);
	google_value *message = google_value_new(arena);
	message->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
	message->list_value = list;
	return message;
}

const google_value *build_struct_get(const google_struct *object, const char *key)
{
	for (size_t i = 0; object && i < object->n_fields; i++)
		if (strcmp(object->fields[i]->key, key) == 0)
			return object->fields[i]->value;
	return NULL;
}

const char *build_struct_get_string(const google_struct *object, const char *key)
{
	const google_value *value = build_struct_get(object, key);
	if (!value || value->kind_case != GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE)
		return NULL;
	return value->string_value;
}

int64_t build_duration_get_ms(const google_duration *duration)
{
	if (!duration)
		return 0;
	int64_t ms = duration->nanos / NANOS_PER_MS - (duration->nanos % NANOS_PER_MS < 0);
	int64_t whole;
	if (__builtin_mul_overflow(duration->seconds, (int64_t)MS_PER_S, &whole) ||
	    __builtin_add_overflow(whole, ms, &ms))
		return duration->seconds < 0 ? INT64_MIN : INT64_MAX;
	return ms;
}
