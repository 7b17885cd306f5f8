#include "base/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAG_PREFIX "tag:yaml.org,2002:"
#define NUMBER_MAX 128 /* longer ones are strings */

bool yaml_tag_parse(const char *name, enum yaml_tag *tag)
{
	static const char *const names[] = {
	    [YAML_TAG_STR] = TAG_PREFIX "str",   [YAML_TAG_BOOL] = TAG_PREFIX "bool",
	    [YAML_TAG_INT] = TAG_PREFIX "int",   [YAML_TAG_FLOAT] = TAG_PREFIX "float",
	    [YAML_TAG_NULL] = TAG_PREFIX "null",
	};
	if (strcmp(name, "!") == 0) { /* "not what it looks like": a string */
		*tag = YAML_TAG_STR;
		return true;
	}
	for (size_t i = 1; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], name) == 0) {
			*tag = (enum yaml_tag)i;
			return true;
		}
	}
	return false;
}

/* YAML 1.1's words. Yes, y and n too: that is what Kubernetes takes them for. */
static bool resolve_word(const char *s, struct json *value)
{
	static const struct {
		const char *spellings[4];
		enum json_type type;
		bool boolean;
	} words[] = {
	    {{"true", "True", "TRUE"}, JSON_BOOL, true},     {{"yes", "Yes", "YES"}, JSON_BOOL, true},
	    {{"on", "On", "ON"}, JSON_BOOL, true},           {{"y", "Y"}, JSON_BOOL, true},
	    {{"false", "False", "FALSE"}, JSON_BOOL, false}, {{"no", "No", "NO"}, JSON_BOOL, false},
	    {{"off", "Off", "OFF"}, JSON_BOOL, false},       {{"n", "N"}, JSON_BOOL, false},
	    {{"null", "Null", "NULL"}, JSON_NULL, false},    {{"", "~"}, JSON_NULL, false},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		for (size_t j = 0; j < 4 && words[i].spellings[j]; j++) {
			if (strcmp(words[i].spellings[j], s) != 0)
				continue;
			value->type = words[i].type;
			if (value->type == JSON_BOOL)
				value->boolean = words[i].boolean;
			return true;
		}
	}
	return false;
}

static bool is_special_float(const char *s)
{
	static const char *const spellings[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
	                                        "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
		if (strcmp(spellings[i], s) == 0)
			return true;
	return false;
}

/* [+-] then decimal, 0x hexadecimal, 0o or 0 octal, 0b binary. False when it is none, or beyond 64 bits. */
static bool resolve_integer(const char *s, struct json *value)
{
	bool is_negative = *s == '-';
	s += *s == '-' || *s == '+';
	uint64_t base = 10, sum = 0;
	if (s[0] == '0' && s[1]) {
		char mark = (char)(s[1] | 0x20);
		base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
		s += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		uint64_t digit = 99;
		if (*s >= '0' && *s <= '9')
			digit = (uint64_t)(*s - '0');
		else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
			digit = (uint64_t)((*s | 0x20) - 'a') + 10;
		if (digit >= base || __builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	if (is_negative && sum > (uint64_t)INT64_MAX + 1)
		return false;
	if (is_negative || sum <= INT64_MAX) {
		value->type = JSON_INT;
		value->integer = is_negative ? (int64_t)(0 - sum) : (int64_t)sum;
	} else {
		value->type = JSON_UINT;
		value->uinteger = sum;
	}
	return true;
}

/* [+-]? (.9+ | 9+(.9*)?) ([eE][+-]?9+)?, and finite. */
static bool resolve_float(const char *s, struct json *value)
{
	static const char digits[] = "0123456789";
	const char *at = s + (*s == '-' || *s == '+');
	size_t whole = strspn(at, digits);
	at += whole;
	if (*at == '.') {
		size_t fraction = strspn(++at, digits);
		at += fraction;
		whole += fraction;
	}
	if (!whole)
		return false;
	if ((*at | 0x20) == 'e') {
		at += 1 + (at[1] == '-' || at[1] == '+');
		size_t exponent = strspn(at, digits);
		if (!exponent)
			return false;
		at += exponent;
	}
	double number = strtod(s, NULL);
	if (*at || !isfinite(number))
		return false;
	value->type = JSON_DOUBLE;
	value->number = number;
	return true;
}

static bool resolve_number(const char *s, size_t n, struct json *value)
{
	char plain[NUMBER_MAX + 1];
	size_t length = 0;
	bool is_point_first = *s == '.';
	if (n > NUMBER_MAX || !((*s >= '0' && *s <= '9') || *s == '+' || *s == '-' || is_point_first))
		return false;
	for (; *s; s++) /* 1_000 */
		if (*s != '_' || is_point_first)
			plain[length++] = *s;
	plain[length] = '\0';
	return resolve_integer(plain, value) || resolve_float(plain, value);
}

static void set_string(const char *s, size_t n, struct json *value)
{
	value->type = JSON_STRING;
	value->string.s = s;
	value->string.n = n;
}

/* The number or word that !!int, !!float, !!bool or !!null promised. */
static bool check_tag(const char *s, enum yaml_tag tag, struct json *value, struct error *error)
{
	static const char *const wants[] = {
	    [YAML_TAG_NONE] = "",          [YAML_TAG_STR] = "",           [YAML_TAG_BOOL] = "a boolean",
	    [YAML_TAG_INT] = "an integer", [YAML_TAG_FLOAT] = "a number", [YAML_TAG_NULL] = "null",
	};
	bool is_integer = value->type == JSON_INT || value->type == JSON_UINT;
	if (tag == YAML_TAG_FLOAT && is_integer) {
		value->number = value->type == JSON_INT ? (double)value->integer : (double)value->uinteger;
		value->type = JSON_DOUBLE;
	}
	if ((tag == YAML_TAG_BOOL && value->type != JSON_BOOL) || (tag == YAML_TAG_INT && !is_integer) ||
	    (tag == YAML_TAG_FLOAT && value->type != JSON_DOUBLE) || (tag == YAML_TAG_NULL && value->type != JSON_NULL))
		return error_set(error, "\"%.100s\" is not %s, as its tag says", s, wants[tag]);
	return true;
}

bool yaml_scalar_resolve(const char *s, size_t n, enum yaml_tag tag, struct json *value, struct error *error)
{
	if (tag == YAML_TAG_STR) {
		set_string(s, n, value);
		return true;
	}
	if (is_special_float(s))
		return error_set(error, "%s is no number that JSON can hold", s);
	if (!resolve_word(s, value) && !resolve_number(s, n, value))
		set_string(s, n, value);
	return check_tag(s, tag, value, error);
}
