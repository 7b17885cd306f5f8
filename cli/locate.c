#include "cli/locate.h"

#include "base/vec.h"
#include "base/yaml.h"

#include <stdio.h>
#include <string.h>

/* One object of a file, or one item of a List. */
struct located {
	const struct json *value;
	uint32_t line; /* where it starts */
};

struct locate {
	struct arena *arena;
	VEC(struct located) objects; /* by line */
};

static void add_document(struct locate *locate, const struct yaml_document *document)
{
	const char *kind = json_get_string(document->value, "kind");
	const struct json *items = json_get(document->value, "items");
	bool is_list = kind && text_has_suffix(kind, "List") && items && items->type == JSON_ARRAY;
	size_t n = is_list ? items->array.n : 0;
	VEC_PUSH(locate->arena, &locate->objects, (struct located){document->value, document->line});
	for (size_t i = 0; i < n; i++) {
		const struct json *item = items->array.v[i];
		/* an alias stands elsewhere: skip what is out of order */
		if (item->line >= locate->objects.v[locate->objects.n - 1].line)
			VEC_PUSH(locate->arena, &locate->objects, (struct located){item, item->line});
	}
}

struct locate *locate_new(struct arena *arena, const char *s, size_t n)
{
	struct locate *locate = ARENA_NEW(arena, struct locate);
	struct yaml_reader reader;
	struct yaml_document document;
	locate->arena = arena;
	yaml_reader_init(&reader, s, n);
	while (yaml_reader_next(&reader, arena, &document))
		add_document(locate, &document); /* one that cannot be read holds its lines all the same */
	return locate;
}

struct locate *locate_file(struct arena *arena, const char *path)
{
	struct text text = {0};
	char buffer[1 << 14];
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	for (size_t n; text.n <= YAML_BYTES_MAX && (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
		text_add_n(&text, buffer, n);
	bool is_good = !ferror(file);
	fclose(file);
	struct locate *locate = is_good ? locate_new(arena, text_get(&text), text.n) : NULL;
	text_done(&text); /* trees own their strings */
	return locate;
}

/* One step of a path: ".name", "[3]" or "[key]". */
struct locate_step {
	const char *s;
	size_t n;
	bool is_bracketed;
};

static bool next_step(const char **path, struct locate_step *step)
{
	const char *at = *path;
	if (*at == '.')
		at++;
	if (!*at)
		return false;
	step->is_bracketed = *at == '[';
	if (step->is_bracketed) {
		const char *end = strchr(++at, ']');
		if (!end)
			return false;
		*step = (struct locate_step){at, (size_t)(end - at), true};
		*path = end + 1;
		return true;
	}
	*step = (struct locate_step){at, strcspn(at, ".["), false};
	*path = at + step->n;
	return step->n > 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Paths have a field's camelCase name where the document may have its snake_case one. */
static bool is_same_name(const char *key, const struct locate_step *step)
{
	size_t i = 0;
	if (strncmp(key, step->s, step->n) == 0 && !key[step->n])
		return true;
	if (step->is_bracketed)
		return false;
	for (; *key; key++) {
		bool is_joint = *key == '_' && key[1];
		key += is_joint;
		char c = i < step->n ? step->s[i++] : '\0';
		if (is_joint ? lower(c) != *key : c != *key)
			return false;
	}
	return i == step->n;
}

static const struct json *step_into(const struct json *value, const struct locate_step *step, uint32_t *line)
{
	if (value->type == JSON_OBJECT) {
		for (size_t i = 0; i < value->object.n; i++) {
			if (!is_same_name(value->object.v[i].key, step))
				continue;
			*line = value->object.v[i].line;
			return value->object.v[i].value;
		}
		return NULL;
	}
	if (value->type != JSON_ARRAY || !step->is_bracketed)
		return NULL;
	uint64_t index = 0;
	char digits[24] = {0};
	if (step->n >= sizeof digits)
		return NULL;
	memcpy(digits, step->s, step->n);
	if (!text_parse_uint(digits, UINT32_MAX, &index) || index >= value->array.n)
		return NULL;
	value = value->array.v[index];
	*line = value->line;
	return value;
}

/* The last object that starts at or before the line. */
static const struct located *find(const struct locate *locate, uint32_t line)
{
	size_t low = 0, high = locate->objects.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (locate->objects.v[middle].line <= line)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &locate->objects.v[low - 1] : NULL;
}

uint32_t locate_line(const struct locate *locate, uint32_t line, const char *field)
{
	const struct located *object = find(locate, line);
	struct locate_step step;
	if (!object || !object->value)
		return line;
	const struct json *value = object->value;
	uint32_t found = line;
	while (value && next_step(&field, &step))
		value = step_into(value, &step, &found);
	return found;
}
