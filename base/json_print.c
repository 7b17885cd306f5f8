#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_value(const struct json *value, int indent, int level, struct text *out);

/* The fewest digits that read back as the same number; always with a point or an exponent, so it stays a double. */
static void print_double(double number, struct text *out)
{
	char digits[32];
	if (!isfinite(number)) {
		text_add(out, "null"); /* JSON has no word for it; neither parser lets it in */
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof digits, "%.*g", precision, number);
		if (strtod(digits, NULL) == number)
			break;
	}
	text_add(out, digits);
	if (!strpbrk(digits, ".e"))
		text_add(out, ".0");
}

static void new_line(int indent, int level, struct text *out)
{
	if (!indent)
		return;
	text_printf(out, "\n%*s", indent * level, "");
}

static void print_array(const struct json *value, int indent, int level, struct text *out)
{
	text_add_char(out, '[');
	for (size_t i = 0; i < value->array.n; i++) {
		if (i)
			text_add_char(out, ',');
		new_line(indent, level + 1, out);
		print_value(value->array.v[i], indent, level + 1, out);
	}
	if (value->array.n)
		new_line(indent, level, out);
	text_add_char(out, ']');
}

static void print_object(const struct json *value, int indent, int level, struct text *out)
{
	text_add_char(out, '{');
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *member = &value->object.v[i];
		if (i)
			text_add_char(out, ',');
		new_line(indent, level + 1, out);
		text_add_json_string(out, member->key, strlen(member->key));
		text_add(out, indent ? ": " : ":");
		print_value(member->value, indent, level + 1, out);
	}
	if (value->object.n)
		new_line(indent, level, out);
	text_add_char(out, '}');
}

static void print_value(const struct json *value, int indent, int level, struct text *out)
{
	switch (value->type) {
	case JSON_NULL:
		text_add(out, "null");
		break;
	case JSON_BOOL:
		text_add(out, value->boolean ? "true" : "false");
		break;
	case JSON_INT:
		text_printf(out, "%" PRId64, value->integer);
		break;
	case JSON_UINT:
		text_printf(out, "%" PRIu64, value->uinteger);
		break;
	case JSON_DOUBLE:
		print_double(value->number, out);
		break;
	case JSON_STRING:
		text_add_json_string(out, value->string.s, value->string.n);
		break;
	case JSON_ARRAY:
		print_array(value, indent, level, out);
		break;
	case JSON_OBJECT:
		print_object(value, indent, level, out);
		break;
	}
}

void json_print(const struct json *value, int indent, struct text *out)
{
	print_value(value, indent, 0, out);
}
