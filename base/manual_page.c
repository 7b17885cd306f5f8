#include "base/manual_page.h"

void manual_page_title(struct text *out, const char *title)
{
	text_printf(out, "%s%s\n", out->n ? "\n" : "", title);
}

void manual_page_paragraph(struct text *out, const char *s)
{
	text_add_paragraph(out, MANUAL_INDENT, MANUAL_COLUMNS, s);
}

void manual_page_pair(struct text *out, const char *term, const char *meaning)
{
	text_add_paragraph(out, MANUAL_INDENT, MANUAL_COLUMNS, term);
	text_add_paragraph(out, MANUAL_INDENT + 8, MANUAL_COLUMNS, meaning);
}

void manual_page_section(struct text *out, const char *title, const struct manual_pair *pairs, size_t n)
{
	manual_page_title(out, title);
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_add_char(out, '\n');
		manual_page_pair(out, pairs[i].term, pairs[i].meaning);
	}
}

static void add_option(struct text *out, const struct option_row *option)
{
	text_printf(out, "%*s--%s%s%s\n", MANUAL_INDENT, "", option->name, option->argument ? " " : "",
	            option->argument ? option->argument : "");
	text_add_paragraph(out, MANUAL_INDENT + 8, MANUAL_COLUMNS, option->help);
	if (!option->default_value && !option->environment)
		return;
	text_printf(out, "%*s[", MANUAL_INDENT + 8, "");
	if (option->default_value)
		text_printf(out, "default: %s%s", option->default_value, option->environment ? "; " : "");
	if (option->environment)
		text_printf(out, "environment: %s", option->environment);
	text_add(out, "]\n");
}

void manual_page_options(struct text *out, const struct option_table *table)
{
	manual_page_title(out, "OPTIONS");
	for (size_t i = 0; i < table->n; i++) {
		if (i)
			text_add_char(out, '\n');
		add_option(out, &table->rows[i]);
	}
	text_add_char(out, '\n');
	manual_page_paragraph(out,
	                      "A value may also be written --name=VALUE. The command line wins over the environment.");
}
