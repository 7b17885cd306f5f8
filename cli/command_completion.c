#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/output.h"

#include <string.h>

static int run(const struct arguments *arguments)
{
	CLEANUP(text_done) struct text out = {0};
	completion_print(arguments->operands.v[0], &out);
	return output_write(&out);
}

const struct command command_completion = {
    .name = "completion",
    .summary = "Print a shell's completion script",
    .synopses = (const char *const[]){"completion bash|zsh|fish", NULL},
    .description =
        (const char *const[]){"Prints a script for the shell that completes the commands, options and values "
                              "of weft.",
                              NULL},
    .operand = "SHELL",
    .operand_choices = completion_shells,
    .operands_min = 1,
    .operands_max = 1,
    .exit_statuses = (const struct command_pair[]){{"0", "Printed."}, {"2", "There is no such shell."}, {NULL, NULL}},
    .examples =
        (const struct command_pair[]){
            {"source <(weft completion bash)", "In this bash; for all, write it to a file in "
                                               "/usr/share/bash-completion/completions/weft."},
            {"weft completion zsh > \"${fpath[1]}/_weft\"", "For zsh, from the next one on."},
            {"weft completion fish > ~/.config/fish/completions/weft.fish", "For fish, from the next one on."},
            {NULL, NULL}},
    .run = run,
};
