#pragma once
/*
 * The commands of `weft`: one const struct each, in command_NAME.c, and one table of them (command.c) that drives
 * dispatch, --help and shell completion. A new command is its file and its line in that table.
 *
 * Exit statuses are part of the interface: scripts branch on them.
 */
#include <stdbool.h>
#include <stddef.h>

#define COMMAND_DONE 0
#define COMMAND_FAILED 1 /* it could not be done, or what was looked at has errors */
#define COMMAND_USAGE 2  /* the command line is wrong */

#define COMMAND_OPTIONS_MAX 16 /* of one command */

struct arguments;

/* What a shell offers for a value. */
enum command_value { COMMAND_VALUE_ANY, COMMAND_VALUE_PATH };

struct command_option {
	const char *name;           /* "config": --config */
	char letter;                /* 'o': -o; 0: none */
	const char *argument;       /* "PATH"; NULL: a flag */
	const char *default_value;  /* for --help; NULL: none */
	const char *const *choices; /* NULL-terminated; NULL: any value */
	enum command_value value;
	bool is_repeated, is_required;
	const char *help; /* the first sentence is what a shell shows */
};

/* -o, --output: text unless it says json. */
#define COMMAND_OPTION_OUTPUT(help_text)                                                                               \
	{                                                                                                              \
		.name = "output", .letter = 'o', .argument = "FORMAT", .default_value = "text",                        \
		.choices = command_output_formats, .help = (help_text)                                                 \
	}

struct command_pair {
	const char *term, *meaning;
};

struct command {
	const char *name;
	const char *summary;                  /* one line, no full stop */
	const char *const *synopses;          /* what follows "weft"; NULL-terminated */
	const char *const *description;       /* paragraphs; NULL-terminated */
	const struct command_option *options; /* --help is added to all */
	size_t n_options;
	const char *operand; /* "FILE"; NULL: takes none */
	const char *const *operand_choices;
	enum command_value operand_value;
	size_t operands_min, operands_max;
	const struct command_pair *exit_statuses; /* each list ends with a NULL term */
	const struct command_pair *examples;
	int (*run)(const struct arguments *arguments); /* gives the exit status */
};

/* In the order of --help, NULL at the end. */
extern const struct command *const commands[];
extern const char *const command_names[]; /* the same, for completion */
extern const char *const command_output_formats[];
extern const struct command_option command_help_option;    /* every command's --help */
extern const struct command_option command_version_option; /* the program's --version */

const struct command *command_find(const char *name); /* or NULL */
/* Runs the program; gives its exit status. */
int command_main(int argc, char *const *argv);

extern const struct command command_authz, command_ca, command_token, command_translate, command_validate,
    command_completion, command_help, command_version;
