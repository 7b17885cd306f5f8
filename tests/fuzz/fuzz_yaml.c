/*
 * YAML and JSON from anybody: no crash, no endless loop, no value that breaks json.h's promises; and what prints parses
 * again to the same text.
 */
#include "base/json.h"
#include "base/yaml.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t check_value(const struct json *value, int depth)
{
	size_t n_values = 1;
	assert(depth <= JSON_DEPTH_MAX);
	switch (value->type) {
	case JSON_STRING:
		assert(strlen(value->string.s) == value->string.n);
		assert(text_is_utf8(value->string.s, value->string.n));
		break;
	case JSON_ARRAY:
		for (size_t i = 0; i < value->array.n; i++)
			n_values += check_value(value->array.v[i], depth + 1);
		break;
	case JSON_OBJECT:
		for (size_t i = 0; i < value->object.n; i++) {
			assert(value->object.v[i].line > 0 && value->object.v[i].column > 0);
			assert(json_get(value, value->object.v[i].key) == value->object.v[i].value);
			n_values += check_value(value->object.v[i].value, depth + 1);
		}
		break;
	case JSON_UINT:
		assert(value->uinteger > INT64_MAX);
		break;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_INT:
	case JSON_DOUBLE:
		break;
	}
	assert(value->line > 0 && value->column > 0);
	return n_values;
}

/* Printed text is JSON, and reading it changes nothing. */
static void check_round_trip(const struct json *value, int indent)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text once = {0}, twice = {0};
	struct error error;
	json_print(value, indent, &once);
	if (once.n > JSON_BYTES_MAX)
		return;
	const struct json *again = json_parse(arena, once.s, once.n, &error);
	assert(again);
	json_print(again, indent, &twice);
	assert(once.n == twice.n && memcmp(once.s, twice.s, once.n) == 0);
}

static void check(const struct json *value)
{
	size_t n_values = check_value(value, 0);
	assert(n_values <= JSON_VALUES_MAX);
	check_round_trip(value, 0);
	check_round_trip(value, 2);
}

static void read_json(const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error = {""};
	const struct json *value = json_parse(arena, (const char *)data, n, &error);
	if (value)
		check(value);
	else
		assert(*error.message && strlen(error.message) < ERROR_MAX);
}

static void read_yaml(const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct yaml_reader reader;
	struct yaml_document document;
	uint32_t last_line = 0;
	yaml_reader_init(&reader, (const char *)data, n);
	while (yaml_reader_next(&reader, arena, &document)) {
		assert(document.line > last_line);
		last_line = document.line;
		if (document.value)
			check(document.value);
		else
			assert(strncmp(document.error.message, "line ", 5) == 0);
	}
	assert(reader.at == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	read_json(data, n);
	read_yaml(data, n);
	return 0;
}
