#include "base/json.h"

#include "base/json_build.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Recursive descent; the depth is capped. */
struct json_parser {
	struct json_build build;
	const char *at, *end;
	const char *mark; /* what of the line is counted in column */
	uint32_t line, column;
	int depth;
	struct text text; /* the string or number being read */
	struct error *error;
};

static bool parse_value(struct json_parser *parser, struct json *value);

/* Columns count characters. Only moves forward, so that one long line costs linear time. */
static uint32_t column_of(struct json_parser *parser)
{
	for (; parser->mark < parser->at; parser->mark++)
		parser->column += ((unsigned char)*parser->mark & 0xc0) != 0x80;
	return parser->column;
}

static bool fail(struct json_parser *parser, const char *message)
{
	uint32_t column = column_of(parser);
	return error_set(parser->error, "line %u, column %u: %s", parser->line, column, message);
}

static bool wrap(struct json_parser *parser)
{
	uint32_t column = column_of(parser);
	return error_wrap(parser->error, "line %u, column %u", parser->line, column);
}

static void skip_space(struct json_parser *parser)
{
	for (; parser->at < parser->end; parser->at++) {
		if (*parser->at == '\n') {
			parser->line++;
			parser->column = 1;
			parser->mark = parser->at + 1;
		} else if (*parser->at != ' ' && *parser->at != '\t' && *parser->at != '\r') {
			return;
		}
	}
}

static bool is_next(const struct json_parser *parser, char c)
{
	return parser->at < parser->end && *parser->at == c;
}

static bool parse_hex4(struct json_parser *parser, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++, parser->at++) {
		char c = parser->at < parser->end ? *parser->at : 0;
		uint32_t digit;
		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return fail(parser, "expected four hexadecimal digits after \\u");
		*code = *code << 4 | digit;
	}
	return true;
}

static void add_utf8(struct text *text, uint32_t code)
{
	if (code < 0x80) {
		text_add_char(text, (char)code);
		return;
	}
	int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
	text_add_char(text, (char)(leads[more] | code >> 6 * more));
	while (more-- > 0)
		text_add_char(text, (char)(0x80 | (code >> 6 * more & 0x3f)));
}

static bool parse_unicode_escape(struct json_parser *parser)
{
	uint32_t code, low;
	if (!parse_hex4(parser, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00) {
		if (parser->end - parser->at < 2 || parser->at[0] != '\\' || parser->at[1] != 'u')
			return fail(parser, "half of a surrogate pair");
		parser->at += 2;
		if (!parse_hex4(parser, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(parser, "half of a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code < 0xe000) {
		return fail(parser, "half of a surrogate pair");
	} else if (code == 0) {
		return fail(parser, "\\u0000 is not allowed");
	}
	add_utf8(&parser->text, code);
	return true;
}

static bool parse_escape(struct json_parser *parser)
{
	static const char escapes[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	                                  ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
	unsigned char c = parser->at < parser->end ? (unsigned char)*parser->at : 0;
	if (c == 'u') {
		parser->at++;
		return parse_unicode_escape(parser);
	}
	if (c >= sizeof escapes || !escapes[c])
		return fail(parser, "unknown escape in a string");
	text_add_char(&parser->text, escapes[c]);
	parser->at++;
	return true;
}

/* At the opening quote. *s lives in the arena. The document's UTF-8 was checked before. */
static bool parse_string(struct json_parser *parser, const char **s, size_t *n)
{
	parser->text.n = 0;
	const char *from = ++parser->at;
	for (;;) {
		const char *at = parser->at;
		while (at < parser->end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
			at++;
		parser->at = at;
		if (at == parser->end)
			return fail(parser, "the string does not end");
		if ((unsigned char)*at < 0x20)
			return fail(parser, "a control character in a string must be escaped");
		if (*at == '"' && !parser->text.n) { /* no escapes: straight from the input */
			*n = (size_t)(at - from);
			*s = arena_strndup(parser->build.arena, from, *n);
			break;
		}
		text_add_n(&parser->text, from, (size_t)(at - from));
		if (*at == '"') {
			*n = parser->text.n;
			*s = arena_strndup(parser->build.arena, parser->text.s, *n);
			break;
		}
		parser->at++;
		if (!parse_escape(parser))
			return false;
		from = parser->at;
	}
	parser->at++;
	return true;
}

static size_t skip_digits(struct json_parser *parser)
{
	const char *from = parser->at;
	while (parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9')
		parser->at++;
	return (size_t)(parser->at - from);
}

static void set_integer(struct json *value, bool is_negative, uint64_t magnitude)
{
	if (is_negative || magnitude <= INT64_MAX) {
		value->type = JSON_INT;
		value->integer = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	} else {
		value->type = JSON_UINT;
		value->uinteger = magnitude;
	}
}

static bool parse_number(struct json_parser *parser, struct json *value)
{
	const char *from = parser->at;
	bool is_negative = is_next(parser, '-'), is_integer = true;
	parser->at += is_negative;
	const char *digits = parser->at;
	size_t n = skip_digits(parser);
	if (n == 0)
		return fail(parser, is_negative ? "expected a digit after -" : "expected a value");
	if (n > 1 && *digits == '0')
		return fail(parser, "a number must not begin with 0");
	if (is_next(parser, '.')) {
		is_integer = false;
		parser->at++;
		if (!skip_digits(parser))
			return fail(parser, "expected a digit after the decimal point");
	}
	if (is_next(parser, 'e') || is_next(parser, 'E')) {
		is_integer = false;
		parser->at++;
		if (is_next(parser, '+') || is_next(parser, '-'))
			parser->at++;
		if (!skip_digits(parser))
			return fail(parser, "expected a digit in the exponent");
	}
	parser->text.n = 0;
	text_add_n(&parser->text, digits, (size_t)(parser->at - digits));
	uint64_t magnitude, most = is_negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;
	if (is_integer && text_parse_uint(parser->text.s, most, &magnitude)) {
		set_integer(value, is_negative, magnitude);
		return true;
	}
	parser->text.n = 0;
	text_add_n(&parser->text, from, (size_t)(parser->at - from));
	value->type = JSON_DOUBLE;
	value->number = strtod(parser->text.s, NULL);
	if (!isfinite(value->number)) {
		parser->at = from;
		return fail(parser, "the number is out of range");
	}
	return true;
}

static bool parse_word(struct json_parser *parser, struct json *value)
{
	static const struct {
		const char *word;
		enum json_type type;
		bool boolean;
	} words[] = {{"null", JSON_NULL, false}, {"true", JSON_BOOL, true}, {"false", JSON_BOOL, false}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t n = strlen(words[i].word);
		if ((size_t)(parser->end - parser->at) < n || memcmp(parser->at, words[i].word, n) != 0)
			continue;
		parser->at += n;
		value->type = words[i].type;
		if (value->type == JSON_BOOL)
			value->boolean = words[i].boolean;
		return true;
	}
	return parse_number(parser, value);
}

/* After the opening bracket: one "value" or "key: value", pushed. */
static bool parse_child(struct json_parser *parser, bool is_object)
{
	struct json_member member = {0};
	struct json *value = ARENA_NEW(parser->build.arena, struct json);
	skip_space(parser);
	if (is_object) {
		size_t n;
		member.line = parser->line;
		member.column = column_of(parser);
		if (!is_next(parser, '"'))
			return fail(parser, "expected a key in quotes");
		if (!parse_string(parser, &member.key, &n))
			return false;
		skip_space(parser);
		if (!is_next(parser, ':'))
			return fail(parser, "expected : after the key");
		parser->at++;
	}
	if (!parse_value(parser, value))
		return false;
	member.value = value;
	json_build_push(&parser->build, &member);
	return true;
}

static bool close_container(struct json_parser *parser, bool is_object, size_t from, struct json *value)
{
	if (!is_object) {
		json_build_array(&parser->build, from, value);
		return true;
	}
	json_build_object(&parser->build, from, value);
	const struct json_member *duplicate = json_build_duplicate(value);
	if (!duplicate)
		return true;
	return error_set(parser->error, "line %u, column %u: the key \"%s\" is there twice", duplicate->line,
	                 duplicate->column, duplicate->key);
}

static bool parse_container(struct json_parser *parser, struct json *value)
{
	bool is_object = *parser->at == '{';
	char end = is_object ? '}' : ']';
	size_t from = parser->build.n;
	if (++parser->depth > JSON_DEPTH_MAX)
		return error_set(parser->error, "line %u, column %u: more than %d levels deep", parser->line,
		                 column_of(parser), JSON_DEPTH_MAX);
	parser->at++;
	skip_space(parser);
	if (!is_next(parser, end)) {
		for (;;) {
			if (!parse_child(parser, is_object))
				return false;
			skip_space(parser);
			if (is_next(parser, end))
				break;
			if (!is_next(parser, ','))
				return fail(parser,
				            is_object ? "expected , or } in an object" : "expected , or ] in an array");
			parser->at++;
		}
	}
	parser->at++;
	parser->depth--;
	return close_container(parser, is_object, from, value);
}

static bool parse_value(struct json_parser *parser, struct json *value)
{
	skip_space(parser);
	value->line = parser->line;
	value->column = column_of(parser);
	if (!json_build_count(&parser->build, 1, parser->error))
		return wrap(parser);
	if (parser->at == parser->end)
		return fail(parser, "expected a value, not the end");
	switch (*parser->at) {
	case '{':
	case '[':
		return parse_container(parser, value);
	case '"':
		value->type = JSON_STRING;
		return parse_string(parser, &value->string.s, &value->string.n);
	default:
		return parse_word(parser, value);
	}
}

static bool parse_document(struct json_parser *parser, struct json *value)
{
	size_t n = (size_t)(parser->end - parser->at);
	if (n > JSON_BYTES_MAX)
		return error_set(parser->error, "the document has %zu bytes, at most %u are allowed", n,
		                 JSON_BYTES_MAX);
	if (!text_is_utf8(parser->at, n))
		return error_set(parser->error, "the document is not UTF-8, or has a NUL in it");
	if (!parse_value(parser, value))
		return false;
	skip_space(parser);
	if (parser->at < parser->end)
		return fail(parser, "something follows the value");
	return true;
}

const struct json *json_parse(struct arena *arena, const char *s, size_t n, struct error *error)
{
	struct json_parser parser = {
	    .build = {.arena = arena},
	    .at = s,
	    .end = s + n,
	    .mark = s,
	    .line = 1,
	    .column = 1,
	    .error = error,
	};
	struct json *value = ARENA_NEW(arena, struct json);
	bool is_done = parse_document(&parser, value);
	json_build_done(&parser.build);
	text_done(&parser.text);
	return is_done ? value : NULL;
}

const struct json *json_get(const struct json *value, const char *key)
{
	if (!value || value->type != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < value->object.n; i++)
		if (strcmp(value->object.v[i].key, key) == 0)
			return value->object.v[i].value;
	return NULL;
}

const char *json_get_string(const struct json *value, const char *key)
{
	const struct json *member = json_get(value, key);
	return member && member->type == JSON_STRING ? member->string.s : NULL;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
	    [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean",   [JSON_INT] = "an integer",
	    [JSON_UINT] = "an integer", [JSON_DOUBLE] = "a number",  [JSON_STRING] = "a string",
	    [JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
	};
	return names[type];
}
