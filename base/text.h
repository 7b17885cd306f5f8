#pragma once
/*
 * Text: a growing byte string on the heap, and questions about strings.
 *
 *     CLEANUP(text_done) struct text out = {0};
 *     text_printf(&out, "%s:%u", host, port);
 *     write(fd, out.s, out.n);
 *
 * `s` is NUL-terminated whenever n > 0 or something was added; it may hold NULs of its own. Zero-initialised is empty.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct text {
	char *s;
	size_t n, cap;
};

void text_done(struct text *text);
void text_add(struct text *text, const char *s);
void text_add_n(struct text *text, const void *data, size_t n);
void text_add_char(struct text *text, char c);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);
/* s as a JSON string with quotes; invalid UTF-8 becomes U+FFFD. */
void text_add_json_string(struct text *text, const char *s, size_t n);
/* "key":"value" of an object that is being printed, after a comma where one is needed; the key needs no escapes;
 * value NULL is null. */
void text_add_json_member(struct text *text, const char *key, const char *value);
/* The words of s, lines indented and broken before column `columns`; characters are counted, not bytes. */
void text_add_paragraph(struct text *text, size_t indent, size_t columns, const char *s);
/* Never NULL. */
const char *text_get(const struct text *text);

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_has_prefix(const char *s, const char *prefix);
bool text_has_suffix(const char *s, const char *suffix);
bool text_is_empty(const char *s); /* NULL or "" */
/* strcmp for qsort/bsearch over `const char *` elements. */
int text_compare(const void *a, const void *b);
/* Well-formed UTF-8 without NUL (RFC 3629). */
bool text_is_utf8(const void *data, size_t n);
/* A whole decimal number in [0, max]; false when it is anything else. */
bool text_parse_uint(const char *s, uint64_t max, uint64_t *value);
