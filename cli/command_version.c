#include "cli/command.h"

#include "cli/output.h"

static int run(const struct arguments *arguments)
{
	(void)arguments;
	CLEANUP(text_done) struct text out = {0};
	text_printf(&out, "weft %s\n", WEFT_VERSION);
	return output_write(&out);
}

const struct command command_version = {
    .name = "version",
    .summary = "Print the version",
    .synopses = (const char *const[]){"version", "--version", NULL},
    .description = (const char *const[]){"Prints \"weft\" and the version of this program.", NULL},
    .exit_statuses = (const struct command_pair[]){{"0", "Printed."}, {NULL, NULL}},
    .examples = (const struct command_pair[]){{"weft version", "Say which version this is."}, {NULL, NULL}},
    .run = run,
};
