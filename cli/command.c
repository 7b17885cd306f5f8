#include "cli/command.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

const struct command *const commands[] = {
    &command_translate,  &command_validate, &command_authz,   &command_ca, &command_token,
    &command_completion, &command_help,     &command_version, NULL,
};

const char *const command_names[] = {"translate",  "validate", "authz",   "ca", "token",
                                     "completion", "help",     "version", NULL};

const char *const command_output_formats[] = {"text", "json", NULL};

const struct command_option command_help_option = {
    .name = "help",
    .letter = 'h',
    .help = "Print this page and exit.",
};

const struct command_option command_version_option = {
    .name = "version",
    .help = "Print the version and exit.",
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* The commands that stand for the program's own options. */
static const struct command *find(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return &command_help;
	if (strcmp(word, "--version") == 0)
		return &command_version;
	return command_find(word);
}

static int fail_unknown(const char *word)
{
	bool is_option = word[0] == '-';
	const char *const options[] = {"--help", "--version", NULL};
	const char *near = suggest(word, is_option ? options : command_names);
	fprintf(stderr, "weft: unknown %s \"%s\"", is_option ? "option" : "command", word);
	if (near)
		fprintf(stderr, "; did you mean \"%s\"?", near);
	fprintf(stderr, "\nTry 'weft --help'.\n");
	return COMMAND_USAGE;
}

int command_main(int argc, char *const *argv)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct arguments arguments;
	struct error error;
	if (argc < 2) {
		fprintf(stderr, "weft: a command is required\nTry 'weft --help'.\n");
		return COMMAND_USAGE;
	}
	const struct command *command = find(argv[1]);
	if (!command)
		return fail_unknown(argv[1]);
	if (!arguments_parse(arena, command, argc - 2, argv + 2, &arguments, &error)) {
		fprintf(stderr, "weft %s: %s\nTry 'weft %s --help'.\n", command->name, error.message, command->name);
		return COMMAND_USAGE;
	}
	if (!arguments.is_help)
		return command->run(&arguments);
	const struct arguments_values name = {.v = &command->name, .n = 1};
	return command_help.run(&(struct arguments){.command = &command_help, .operands = name});
}
