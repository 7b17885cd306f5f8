#include "cli/completion.h"

#include "cli/command.h"
#include "cli/help.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

/* Options of a command, --help last; NULL past the end. */
static const struct command_option *option_at(const struct command *command, size_t i)
{
	if (i < command->n_options)
		return &command->options[i];
	return i == command->n_options ? &command_help_option : NULL;
}

static void add_words(struct text *out, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		text_printf(out, "%s%s", i ? " " : "", words[i]);
}

/* ---- bash ---- */

static void bash_values(struct text *out, const char *const *choices, enum command_value value)
{
	if (choices) {
		text_add(out, "COMPREPLY=($(compgen -W '");
		add_words(out, choices);
		text_add(out, "' -- \"$word\"))");
	} else if (value == COMMAND_VALUE_PATH) {
		text_add(out, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))");
	} else {
		text_add(out, "COMPREPLY=()");
	}
}

/* What stands behind an option is its value: one case for each option that takes one. */
static void bash_command(struct text *out, const struct command *command)
{
	text_printf(out, "\t%s)\n\t\tcase $before in\n", command->name);
	for (size_t i = 0; i < command->n_options; i++) {
		const struct command_option *option = &command->options[i];
		if (!option->argument)
			continue;
		text_printf(out, "\t\t--%s", option->name);
		if (option->letter)
			text_printf(out, " | -%c", option->letter);
		text_add(out, ") ");
		bash_values(out, option->choices, option->value);
		text_add(out, "; return ;;\n");
	}
	text_add(out, "\t\tesac\n\t\tif [[ $word == -* ]]; then\n\t\t\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0; option_at(command, i); i++)
		text_printf(out, "%s--%s", i ? " " : "", option_at(command, i)->name);
	text_add(out, "' -- \"$word\"))\n\t\telse\n\t\t\t");
	bash_values(out, command->operand_choices, command->operand_value);
	text_add(out, "\n\t\tfi\n\t\t;;\n");
}

static void print_bash(struct text *out)
{
	text_add(out, "# bash completion for weft\n"
	              "_weft()\n{\n"
	              "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	              "\tif [[ $word == = ]]; then\n\t\tword=\n" /* --name=VALUE comes as three words */
	              "\telif [[ $before == = ]]; then\n\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
	              "\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '");
	add_words(out, command_names);
	text_printf(out, " --%s --%s' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n",
	            command_help_option.name, command_version_option.name);
	for (size_t i = 0; commands[i]; i++)
		bash_command(out, commands[i]);
	text_add(out, "\tesac\n}\ncomplete -F _weft weft\n");
}

/* ---- zsh ---- */

/* Inside single quotes, in the middle of an _arguments or _describe specification. */
static void zsh_text(struct text *out, const char *s)
{
	CLEANUP(text_done) struct text brief = {0};
	help_brief(s, &brief);
	for (const char *at = text_get(&brief); *at; at++) {
		if (*at == '\'')
			text_add(out, "'\\''");
		else if (strchr("[]:\\", *at))
			text_printf(out, "\\%c", *at);
		else
			text_add_char(out, *at);
	}
}

static void zsh_values(struct text *out, const char *name, const char *const *choices, enum command_value value)
{
	text_printf(out, ":%s:", name);
	if (choices) {
		text_add_char(out, '(');
		add_words(out, choices);
		text_add_char(out, ')');
	} else if (value == COMMAND_VALUE_PATH) {
		text_add(out, "_files");
	} else {
		text_add_char(out, ' ');
	}
}

static void zsh_option(struct text *out, const struct command_option *option)
{
	text_add(out, " \\\n\t\t\t");
	const char *joint = option->argument ? "=" : "";
	if (!option->letter)
		text_printf(out, "'%s--%s%s", option->is_repeated ? "*" : "", option->name, joint);
	else if (option->is_repeated)
		text_printf(out, "\\*{-%c,--%s%s}'", option->letter, option->name, joint);
	else
		text_printf(out, "'(-%c --%s)'{-%c,--%s%s}'", option->letter, option->name, option->letter,
		            option->name, joint);
	text_add_char(out, '[');
	zsh_text(out, option->help);
	text_add_char(out, ']');
	if (option->argument)
		zsh_values(out, option->argument, option->choices, option->value);
	text_add_char(out, '\'');
}

static void zsh_command(struct text *out, const struct command *command)
{
	text_printf(out, "\t%s)\n\t\t_arguments -S", command->name);
	for (size_t i = 0; option_at(command, i); i++)
		zsh_option(out, option_at(command, i));
	if (command->operand) {
		text_printf(out, " \\\n\t\t\t'%s", command->operands_max > 1 ? "*" : "1");
		zsh_values(out, command->operand, command->operand_choices, command->operand_value);
		text_add_char(out, '\'');
	}
	text_add(out, "\n\t\t;;\n");
}

static void print_zsh(struct text *out)
{
	text_add(out, "#compdef weft\n_weft()\n{\n\tif ((CURRENT == 2)); then\n\t\tlocal -a names=(");
	for (size_t i = 0; commands[i]; i++) {
		text_printf(out, "\n\t\t\t'%s:", commands[i]->name);
		zsh_text(out, commands[i]->summary);
		text_add_char(out, '\'');
	}
	text_add(out, "\n\t\t)\n\t\t_describe command names\n\t\treturn\n\tfi\n"
	              "\tlocal name=${words[2]}\n\tshift words\n\t((CURRENT--))\n\tcase $name in\n");
	for (size_t i = 0; commands[i]; i++)
		zsh_command(out, commands[i]);
	text_add(out, "\tesac\n}\nif [[ $funcstack[1] == _weft ]]; then\n\t_weft\nelse\n\tcompdef _weft weft\nfi\n");
}

/* ---- fish ---- */

static void fish_text(struct text *out, const char *s)
{
	CLEANUP(text_done) struct text brief = {0};
	help_brief(s, &brief);
	text_add_char(out, '\'');
	for (const char *at = text_get(&brief); *at; at++) {
		if (*at == '\'' || *at == '\\')
			text_add_char(out, '\\');
		text_add_char(out, *at);
	}
	text_add_char(out, '\'');
}

static void fish_values(struct text *out, const char *const *choices, enum command_value value)
{
	if (choices) {
		text_add(out, " -a '");
		add_words(out, choices);
		text_add_char(out, '\'');
	} else if (value == COMMAND_VALUE_PATH) {
		text_add(out, " -F");
	}
}

static void fish_command(struct text *out, const struct command *command)
{
	text_printf(out, "complete -c weft -n __weft_is -f -a %s -d ", command->name);
	fish_text(out, command->summary);
	text_add_char(out, '\n');
	for (size_t i = 0; option_at(command, i); i++) {
		const struct command_option *option = option_at(command, i);
		text_printf(out, "complete -c weft -n '__weft_is %s' -l %s", command->name, option->name);
		if (option->letter)
			text_printf(out, " -s %c", option->letter);
		if (option->argument) {
			bool is_path = !option->choices && option->value == COMMAND_VALUE_PATH;
			text_add(out, is_path ? " -r" : " -x");
			fish_values(out, option->choices, option->value);
		}
		text_add(out, " -d ");
		fish_text(out, option->help);
		text_add_char(out, '\n');
	}
	if (!command->operand)
		return;
	text_printf(out, "complete -c weft -n '__weft_is %s'%s", command->name,
	            command->operand_value == COMMAND_VALUE_PATH ? "" : " -f");
	fish_values(out, command->operand_choices, command->operand_value);
	text_add_char(out, '\n');
}

static void print_fish(struct text *out)
{
	text_add(out, "# fish completion for weft\n"
	              "function __weft_is\n"
	              "\tset -l words (commandline -opc)\n"
	              "\ttest \"$words[2]\" = \"$argv[1]\"\n"
	              "end\n"
	              "complete -c weft -f\n");
	for (size_t i = 0; commands[i]; i++)
		fish_command(out, commands[i]);
}

void completion_print(const char *shell, struct text *out)
{
	static void (*const printers[])(struct text *) = {print_bash, print_zsh, print_fish};
	size_t i = 0;
	while (completion_shells[i] && strcmp(completion_shells[i], shell) != 0)
		i++;
	assert(completion_shells[i]);
	printers[i](out);
}
