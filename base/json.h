#pragma once
/*
 * A document as a tree of plain values, each with the place it stands at, in an arena. JSON and YAML (yaml.h) both
 * become this; proto/codec turns it into messages. The JSON parser is our own because no library at hand says where a
 * value stands.
 *
 * Integers keep 64 bits; any other number is a double. Object members keep their order; duplicate keys are an error in
 * both syntaxes. Columns count characters.
 */
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64
#define JSON_BYTES_MAX (8u << 20)  /* of one document's text */
#define JSON_VALUES_MAX (2u << 20) /* values in one document */

enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_UINT, JSON_DOUBLE, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member;

struct json {
	enum json_type type;
	uint32_t line, column; /* from 1; 0 when unknown */
	union {
		bool boolean;
		int64_t integer;   /* JSON_INT: fits int64 */
		uint64_t uinteger; /* JSON_UINT: above INT64_MAX */
		double number;
		struct {
			const char *s; /* NUL-terminated, no NUL inside, UTF-8 */
			size_t n;
		} string;
		struct {
			const struct json **v;
			size_t n;
		} array;
		struct {
			struct json_member *v;
			size_t n;
		} object;
	};
};

struct json_member {
	const char *key;
	uint32_t line, column; /* of the key */
	const struct json *value;
};

/* Strict JSON (RFC 8259), one value. NULL with what and where on error. */
const struct json *json_parse(struct arena *arena, const char *s, size_t n, struct error *error);

/* The member's value, or NULL when value is not an object or has no such member. */
const struct json *json_get(const struct json *value, const char *key);
/* The member when it is a string, else NULL. */
const char *json_get_string(const struct json *value, const char *key);
const char *json_type_name(enum json_type type); /* "a string", "an object", … for messages */

/* Compact when indent is 0, else that many spaces a level; no newline at the end. */
void json_print(const struct json *value, int indent, struct text *out);
