#pragma once
/*
 * What `--help` prints: a manual page, 80 columns wide, made from a program's tables.
 *
 *     manual_page_title(&out, "NAME"); manual_page_paragraph(&out, "weftd - …");
 *     manual_page_options(&out, &table);
 *     MANUAL_PAGE_SECTION(&out, "SIGNALS", signals);
 */
#include "base/option.h"
#include "base/text.h"

#define MANUAL_COLUMNS 80
#define MANUAL_INDENT 7

struct manual_pair {
	const char *term, *meaning;
};

void manual_page_title(struct text *out, const char *title); /* after an empty line, but for the first */
void manual_page_paragraph(struct text *out, const char *s);
void manual_page_pair(struct text *out, const char *term, const char *meaning);
void manual_page_section(struct text *out, const char *title, const struct manual_pair *pairs, size_t n);
#define MANUAL_PAGE_SECTION(out, title, pairs)                                                                         \
	manual_page_section(out, title, pairs, sizeof(pairs) / sizeof((pairs)[0]))
void manual_page_options(struct text *out, const struct option_table *table);
