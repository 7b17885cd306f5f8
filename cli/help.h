#pragma once
/*
 * Manual pages, 80 columns wide, made from the tables of commands and options.
 */
#include "base/text.h"
#include "cli/command.h"

void help_program(struct text *out);
void help_command(const struct command *command, struct text *out);
/* The first sentence of a help text, without its full stop, for lists and shells. */
void help_brief(const char *help, struct text *out);
