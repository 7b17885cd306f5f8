#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"

static int run(const struct arguments *arguments)
{
	CLEANUP(text_done) struct text out = {0};
	if (arguments->operands.n)
		help_command(command_find(arguments->operands.v[0]), &out); /* the table allows commands only */
	else
		help_program(&out);
	return output_write(&out);
}

const struct command command_help = {
    .name = "help",
    .summary = "Print the manual of weft or of a command",
    .synopses = (const char *const[]){"help [COMMAND]", "--help", NULL},
    .description = (const char *const[]){"Prints the manual page of the program, or of one command.", NULL},
    .operand = "COMMAND",
    .operand_choices = command_names,
    .operands_max = 1,
    .exit_statuses = (const struct command_pair[]){{"0", "Printed."}, {"2", "There is no such command."}, {NULL, NULL}},
    .examples =
        (const struct command_pair[]){{"weft help validate", "The manual page of \"weft validate\"."}, {NULL, NULL}},
    .run = run,
};
