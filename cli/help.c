#include "cli/help.h"

#include <string.h>

#define HELP_COLUMNS 80
#define HELP_INDENT 7
#define HELP_DEEP 15

static const struct command_pair program_statuses[] = {
    {"0", "Done."},
    {"1", "It could not be done; or, for validate, there are errors."},
    {"2", "The command line is wrong."},
    {NULL, NULL},
};

static const struct command_pair program_environment[] = {
    {"NO_COLOR", "When set and not empty, nothing is coloured. Only terminals get colours in any case."},
    {NULL, NULL},
};

static const struct command_pair program_examples[] = {
    {"weft validate mesh/", "Check a folder of configuration before it is applied."},
    {"weft help translate", "Read about a command."},
    {"source <(weft completion bash)", "Complete commands and options in this shell."},
    {NULL, NULL},
};

static void add_pairs(struct text *out, const char *title, const struct command_pair *pairs)
{
	if (!pairs)
		return;
	text_printf(out, "\n%s\n", title);
	for (size_t i = 0; pairs[i].term; i++) {
		if (i)
			text_add_char(out, '\n');
		text_printf(out, "%*s%s\n", HELP_INDENT, "", pairs[i].term);
		text_add_paragraph(out, HELP_DEEP, HELP_COLUMNS, pairs[i].meaning);
	}
}

static void add_option(struct text *out, const struct command_option *option)
{
	text_printf(out, "%*s", HELP_INDENT, "");
	if (option->letter)
		text_printf(out, "-%c, ", option->letter);
	text_printf(out, "--%s%s%s\n", option->name, option->argument ? " " : "",
	            option->argument ? option->argument : "");
	text_add_paragraph(out, HELP_DEEP, HELP_COLUMNS, option->help);
	if (option->default_value)
		text_printf(out, "%*s[default: %s]\n", HELP_DEEP, "", option->default_value);
}

static void add_options(struct text *out, const struct command_option *options, size_t n,
                        const struct command_option *last)
{
	text_add(out, "\nOPTIONS\n");
	for (size_t i = 0; i < n; i++) {
		add_option(out, &options[i]);
		text_add_char(out, '\n');
	}
	add_option(out, last);
}

void help_brief(const char *help, struct text *out)
{
	const char *end = strstr(help, ". ");
	size_t n = end ? (size_t)(end - help) : strlen(help);
	if (n && help[n - 1] == '.')
		n--;
	text_add_n(out, help, n);
}

void help_program(struct text *out)
{
	text_add(out, "NAME\n");
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, "weft - look at service mesh configuration");
	text_add(out, "\nSYNOPSIS\n");
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, "weft COMMAND [OPTION ...]");
	text_add(out, "\nDESCRIPTION\n");
	text_add_paragraph(
	    out, HELP_INDENT, HELP_COLUMNS,
	    "weft reads mesh configuration from files, exactly as the control plane weftd does, and says what "
	    "is wrong with it and what proxies would be sent. It needs no running control plane and changes "
	    "nothing.");
	text_add(out, "\nCOMMANDS\n");
	for (size_t i = 0; commands[i]; i++)
		text_printf(out, "%*s%-14s%s\n", HELP_INDENT, "", commands[i]->name, commands[i]->summary);
	text_add_char(out, '\n');
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, "\"weft COMMAND --help\" tells all about one.");
	add_options(out, &command_help_option, 1, &command_version_option);
	add_pairs(out, "ENVIRONMENT", program_environment);
	add_pairs(out, "EXIT STATUS", program_statuses);
	add_pairs(out, "EXAMPLES", program_examples);
}

void help_command(const struct command *command, struct text *out)
{
	text_printf(out, "NAME\n%*sweft %s - %s\n\nSYNOPSIS\n", HELP_INDENT, "", command->name, command->summary);
	for (size_t i = 0; command->synopses[i]; i++) {
		CLEANUP(text_done) struct text synopsis = {0};
		text_printf(&synopsis, "weft %s", command->synopses[i]);
		text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, text_get(&synopsis));
	}
	text_add(out, "\nDESCRIPTION\n");
	for (size_t i = 0; command->description[i]; i++) {
		if (i)
			text_add_char(out, '\n');
		text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, command->description[i]);
	}
	add_options(out, command->options, command->n_options, &command_help_option);
	add_pairs(out, "EXIT STATUS", command->exit_statuses);
	add_pairs(out, "EXAMPLES", command->examples);
}
