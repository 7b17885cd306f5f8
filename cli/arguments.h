#pragma once
/*
 * A command's options and operands, parsed by its table (command.h).
 *
 * `--name VALUE`, `--name=VALUE`, `-o VALUE`, `-oVALUE`; options and operands in any order; `--` ends the options.
 * Names are not abbreviated, so that a script does not break when an option is added. Everything is borrowed from argv.
 *
 *     if (!arguments_parse(arena, command, argc, argv, &arguments, &error)) …usage error…
 *     const char *node = arguments_get(&arguments, "node");      NULL when not given
 */
#include "base/arena.h"
#include "base/error.h"
#include "cli/command.h"

struct arguments_values {
	const char *const *v;
	size_t n;
};

struct arguments {
	const struct command *command;
	struct arguments_values options[COMMAND_OPTIONS_MAX]; /* by the command's table */
	struct arguments_values operands;
	bool is_help; /* --help was given: nothing else is checked */
};

/* argv: what follows the command's name. */
bool arguments_parse(struct arena *arena, const struct command *command, int argc, char *const *argv,
                     struct arguments *arguments, struct error *error);
/* The option's value (or its default), or NULL. The name must be in the table. */
const char *arguments_get(const struct arguments *arguments, const char *name);
struct arguments_values arguments_all(const struct arguments *arguments, const char *name);
