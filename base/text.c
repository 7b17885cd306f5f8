#include "base/text.h"

#include "base/heap.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *text, size_t more)
{
	size_t want;
	bool is_too_much = __builtin_add_overflow(text->n, more, &want) || __builtin_add_overflow(want, 1, &want);
	if (!is_too_much && want <= text->cap)
		return;
	size_t cap = text->cap < 64 ? 64 : text->cap;
	while (!is_too_much && cap < want)
		is_too_much = __builtin_mul_overflow(cap, 2, &cap);
	char *s = is_too_much ? NULL : realloc(text->s, cap);
	if (!s)
		heap_fail(want);
	text->s = s;
	text->cap = cap;
}

void text_done(struct text *text)
{
	free(text->s);
	*text = (struct text){0};
}

void text_add(struct text *text, const char *s)
{
	text_add_n(text, s, strlen(s));
}

void text_add_n(struct text *text, const void *data, size_t n)
{
	reserve(text, n);
	if (n)
		memcpy(text->s + text->n, data, n);
	text->n += n;
	text->s[text->n] = '\0';
}

void text_add_char(struct text *text, char c)
{
	reserve(text, 1);
	text->s[text->n++] = c;
	text->s[text->n] = '\0';
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	reserve(text, 0);
	int n = vsnprintf(text->s + text->n, text->cap - text->n, format, args);
	va_end(args);
	assert(n >= 0);
	if ((size_t)n >= text->cap - text->n) {
		reserve(text, (size_t)n);
		va_start(args, format);
		vsnprintf(text->s + text->n, text->cap - text->n, format, args);
		va_end(args);
	}
	text->n += (size_t)n;
}

void text_add_paragraph(struct text *text, size_t indent, size_t columns, const char *s)
{
	size_t column = 0;
	while (*s) {
		size_t n = strcspn(s, " "), width = 0;
		for (size_t i = 0; i < n; i++)
			width += ((unsigned char)s[i] & 0xc0) != 0x80;
		if (column && column + 1 + width > columns) {
			text_add_char(text, '\n');
			column = 0;
		}
		text_printf(text, "%*s", column ? 1 : (int)indent, "");
		column += (column ? 1 : indent) + width;
		text_add_n(text, s, n);
		s += n;
		s += strspn(s, " ");
	}
	text_add_char(text, '\n');
}

const char *text_get(const struct text *text)
{
	return text->s ? text->s : "";
}

/*
 * The length of the well-formed UTF-8 sequence at s (table 3-7 of the Unicode standard: no overlong forms, no
 * surrogates, nothing above U+10FFFF), or 0. *bad: how many bytes to skip when it is not well-formed.
 */
static size_t sequence_length(const unsigned char *s, size_t n, size_t *bad)
{
	static const struct {
		unsigned char first, last; /* of the leading byte */
		unsigned char low, high;   /* of the second */
		unsigned char length;
	} forms[] = {
	    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	*bad = 1;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		for (size_t k = 1; k < forms[i].length; k++) {
			unsigned char low = k == 1 ? forms[i].low : 0x80, high = k == 1 ? forms[i].high : 0xbf;
			if (k >= n || s[k] < low || s[k] > high) {
				*bad = k;
				return 0;
			}
		}
		return forms[i].length;
	}
	return 0;
}

static void add_escape(struct text *text, unsigned char c)
{
	static const char letters[] = {
	    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
	if (c < sizeof letters && letters[c]) {
		text_add_char(text, '\\');
		text_add_char(text, letters[c]);
	} else {
		text_printf(text, "\\u%04x", c);
	}
}

void text_add_json_string(struct text *text, const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	reserve(text, n + 2);
	text_add_char(text, '"');
	size_t from = 0; /* what is not yet copied */
	for (size_t i = 0; i < n;) {
		if (u[i] >= 0x20 && u[i] < 0x7f && u[i] != '"' && u[i] != '\\') {
			i++;
			continue;
		}
		size_t bad = 1;
		size_t length = sequence_length(u + i, n - i, &bad);
		if (length > 1) {
			i += length;
			continue;
		}
		text_add_n(text, s + from, i - from);
		if (length == 1)
			add_escape(text, u[i]);
		else
			text_add(text, "\xef\xbf\xbd"); /* U+FFFD */
		i += length ? 1 : bad;
		from = i;
	}
	text_add_n(text, s + from, n - from);
	text_add_char(text, '"');
}

void text_add_json_member(struct text *text, const char *key, const char *value)
{
	if (text->n > 0 && !strchr("{,", text->s[text->n - 1]))
		text_add_char(text, ',');
	text_printf(text, "\"%s\":", key);
	if (value)
		text_add_json_string(text, value, strlen(value));
	else
		text_add(text, "null");
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return m <= n && memcmp(s + n - m, suffix, m) == 0;
}

bool text_is_empty(const char *s)
{
	return !s || !*s;
}

int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool text_is_utf8(const void *data, size_t n)
{
	const unsigned char *s = data;
	for (size_t i = 0; i < n;) {
		uint64_t word;
		if (n - i >= sizeof word) { /* eight ASCII bytes at a time, none of them NUL */
			memcpy(&word, s + i, sizeof word);
			uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
			if (!(word & high) && !((word - ones) & high)) {
				i += sizeof word;
				continue;
			}
		}
		size_t bad, length = s[i] ? sequence_length(s + i, n - i, &bad) : 0;
		if (!length)
			return false;
		i += length;
	}
	return true;
}

bool text_parse_uint(const char *s, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;
	if (text_is_empty(s))
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*s - '0'), &sum) || sum > max)
			return false;
	}
	*value = sum;
	return true;
}
