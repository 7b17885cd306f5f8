#include "cli/arguments.h"

#include "base/text.h"
#include "base/vec.h"
#include "cli/suggest.h"

#include <assert.h>
#include <string.h>

typedef VEC(const char *) arguments_list;

/* What is left to read, and what was read. */
struct arguments_reader {
	struct arena *arena;
	const struct command *command;
	char *const *at, *const *end;
	arguments_list options[COMMAND_OPTIONS_MAX];
	arguments_list operands;
	bool is_help;
	struct error *error;
};

static size_t option_index(const struct command *command, const char *name, size_t n)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (strlen(command->options[i].name) == n && memcmp(command->options[i].name, name, n) == 0)
			return i;
	return command->n_options;
}

static bool fail_unknown(const struct arguments_reader *reader, const char *name, size_t n)
{
	const char *words[COMMAND_OPTIONS_MAX + 2] = {command_help_option.name};
	for (size_t i = 0; i < reader->command->n_options; i++)
		words[i + 1] = reader->command->options[i].name;
	const char *word = arena_strndup(reader->arena, name, n);
	if (strcmp(word, command_help_option.name) == 0)
		return error_set(reader->error, "--%s takes no value", word);
	const char *near = suggest(word, words);
	if (near)
		return error_set(reader->error, "unknown option --%s; did you mean --%s?", word, near);
	return error_set(reader->error, "unknown option --%s", word);
}

static bool check_choice(const char *what, const char *value, const char *const *choices, struct error *error)
{
	CLEANUP(text_done) struct text all = {0};
	if (!choices)
		return true;
	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(choices[i], value) == 0)
			return true;
		text_printf(&all, "%s%s", !i ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
	}
	return error_set(error, "%s must be %s, not \"%s\"", what, text_get(&all), value);
}

/* value: what was joined to the option ("--name=value", "-ovalue"), or NULL. */
static bool add_option(struct arguments_reader *reader, size_t index, const char *value)
{
	const struct command_option *option = &reader->command->options[index];
	if (!option->argument && value)
		return error_set(reader->error, "--%s takes no value", option->name);
	if (option->argument && !value) {
		if (reader->at == reader->end)
			return error_set(reader->error, "--%s needs a value: --%s %s", option->name, option->name,
			                 option->argument);
		value = *reader->at++;
	}
	if (reader->options[index].n && !option->is_repeated)
		return error_set(reader->error, "--%s is given twice", option->name);
	if (value &&
	    !check_choice(arena_printf(reader->arena, "--%s", option->name), value, option->choices, reader->error))
		return false;
	VEC_PUSH(reader->arena, &reader->options[index], value ? value : "");
	return true;
}

static bool read_long(struct arguments_reader *reader, const char *name)
{
	size_t n = strcspn(name, "=");
	size_t index = option_index(reader->command, name, n);
	if (index < reader->command->n_options)
		return add_option(reader, index, name[n] ? name + n + 1 : NULL);
	if (strcmp(name, command_help_option.name) != 0)
		return fail_unknown(reader, name, n);
	reader->is_help = true;
	return true;
}

static bool read_short(struct arguments_reader *reader, const char *letters)
{
	for (size_t i = 0; i < reader->command->n_options; i++)
		if (reader->command->options[i].letter == *letters)
			return add_option(reader, i, letters[1] ? letters + 1 : NULL);
	if (strcmp(letters, "h") != 0)
		return error_set(reader->error, "unknown option -%s", letters);
	reader->is_help = true;
	return true;
}

static bool read_all(struct arguments_reader *reader)
{
	bool is_rest = false; /* after -- */
	while (reader->at < reader->end && !reader->is_help) {
		const char *word = *reader->at++;
		bool is_good = true;
		if (!is_rest && strcmp(word, "--") == 0)
			is_rest = true;
		else if (!is_rest && text_has_prefix(word, "--"))
			is_good = read_long(reader, word + 2);
		else if (!is_rest && word[0] == '-' && word[1])
			is_good = read_short(reader, word + 1);
		else
			VEC_PUSH(reader->arena, &reader->operands, word);
		if (!is_good)
			return false;
	}
	return true;
}

static bool check(const struct arguments_reader *reader)
{
	const struct command *command = reader->command;
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].is_required && !reader->options[i].n)
			return error_set(reader->error, "--%s %s is required", command->options[i].name,
			                 command->options[i].argument);
	if (reader->operands.n < command->operands_min)
		return error_set(reader->error, "%s is required", command->operand);
	if (reader->operands.n > command->operands_max)
		return error_set(reader->error, "unexpected \"%s\"", reader->operands.v[command->operands_max]);
	for (size_t i = 0; i < reader->operands.n; i++)
		if (!check_choice(command->operand, reader->operands.v[i], command->operand_choices, reader->error))
			return false;
	return true;
}

bool arguments_parse(struct arena *arena, const struct command *command, int argc, char *const *argv,
                     struct arguments *arguments, struct error *error)
{
	assert(command->n_options <= COMMAND_OPTIONS_MAX);
	struct arguments_reader reader = {
	    .arena = arena,
	    .command = command,
	    .at = argv,
	    .end = argv + argc,
	    .error = error,
	};
	*arguments = (struct arguments){.command = command};
	if (!read_all(&reader))
		return false;
	arguments->is_help = reader.is_help;
	if (!reader.is_help && !check(&reader))
		return false;
	for (size_t i = 0; i < command->n_options; i++)
		arguments->options[i] = (struct arguments_values){reader.options[i].v, reader.options[i].n};
	arguments->operands = (struct arguments_values){reader.operands.v, reader.operands.n};
	return true;
}

struct arguments_values arguments_all(const struct arguments *arguments, const char *name)
{
	size_t index = option_index(arguments->command, name, strlen(name));
	assert(index < arguments->command->n_options);
	return arguments->options[index];
}

const char *arguments_get(const struct arguments *arguments, const char *name)
{
	size_t index = option_index(arguments->command, name, strlen(name));
	assert(index < arguments->command->n_options);
	const struct arguments_values *values = &arguments->options[index];
	return values->n ? values->v[values->n - 1] : arguments->command->options[index].default_value;
}
