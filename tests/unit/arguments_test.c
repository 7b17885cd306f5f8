#include "cli/arguments.h"

#include "base/text.h"
#include "tests/unit/unit.h"

#include <string.h>

static const char *const formats[] = {"text", "json", NULL};
static const struct command_option options[] = {
    {.name = "config", .argument = "PATH", .is_repeated = true, .is_required = true},
    {.name = "output", .letter = 'o', .argument = "FORMAT", .choices = formats, .default_value = "text"},
    {.name = "quiet", .letter = 'q'},
};
static const struct command command = {
    .name = "test",
    .options = options,
    .n_options = 3,
    .operand = "FILE",
    .operands_min = 1,
    .operands_max = 2,
};

#define WORDS_MAX 16

/* Parses words parted by single spaces; all memory is the arena's. */
static bool parse(struct arena *arena, const char *line, struct arguments *arguments, struct error *error)
{
	char **words = ARENA_NEW_N(arena, char *, WORDS_MAX);
	int n = 0;
	for (char *at = arena_strdup(arena, line), *word; (word = strsep(&at, " "));)
		words[n++] = word;
	return arguments_parse(arena, &command, n, words, arguments, error);
}

static const char *join(struct arena *arena, struct arguments_values values)
{
	const char *all = "";
	for (size_t i = 0; i < values.n; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? "," : "", values.v[i]);
	return all;
}

START_TEST(options_and_operands_mix)
{
	static const struct {
		const char *line, *config, *output, *operands;
		size_t n_quiet;
	} cases[] = {
	    {"--config a x", "a", "text", "x", 0},
	    {"x --config a y", "a", "text", "x,y", 0},
	    {"--config=a --config b x", "a,b", "text", "x", 0},
	    {"--config=a=b x", "a=b", "text", "x", 0},
	    {"--config= x", "", "text", "x", 0},
	    {"--config a -o json x", "a", "json", "x", 0},
	    {"--config a -ojson x", "a", "json", "x", 0},
	    {"--config a --output=json x -q", "a", "json", "x", 1},
	    {"--config a -- -x --quiet", "a", "text", "-x,--quiet", 0},
	    {"--config --quiet x", "--quiet", "text", "x", 0},
	    {"--config a -", "a", "text", "-", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct arguments arguments;
		struct error error = {""};
		ck_assert_msg(parse(arena, cases[i].line, &arguments, &error), "%s: %s", cases[i].line, error.message);
		ck_assert_str_eq(join(arena, arguments_all(&arguments, "config")), cases[i].config);
		ck_assert_str_eq(arguments_get(&arguments, "output"), cases[i].output);
		ck_assert_str_eq(join(arena, arguments.operands), cases[i].operands);
		ck_assert_uint_eq(arguments_all(&arguments, "quiet").n, cases[i].n_quiet);
		ck_assert(!arguments.is_help);
	}
}
END_TEST

START_TEST(mistakes_are_named)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
	    {"--config a", "FILE is required"},
	    {"x", "--config PATH is required"},
	    {"--config a x y z", "unexpected \"z\""},
	    {"--confg a x", "unknown option --confg; did you mean --config?"},
	    {"--hlep", "unknown option --hlep; did you mean --help?"},
	    {"--nonsense=1 x", "unknown option --nonsense"},
	    {"--conf a x", "unknown option --conf; did you mean --config?"}, /* not an abbreviation */
	    {"-z", "unknown option -z"},
	    {"x --config", "--config needs a value: --config PATH"},
	    {"x -o", "--output needs a value: --output FORMAT"},
	    {"--config a --output xml x", "--output must be text or json, not \"xml\""},
	    {"--config a -o json -o text x", "--output is given twice"},
	    {"--config a --quiet=1 x", "--quiet takes no value"},
	    {"--help=1", "--help takes no value"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct arguments arguments;
		struct error error = {""};
		ck_assert_msg(!parse(arena, cases[i].line, &arguments, &error), "%s", cases[i].line);
		ck_assert_str_eq(error.message, cases[i].want);
	}
}
END_TEST

START_TEST(help_needs_nothing_else)
{
	static const char *const lines[] = {"--help", "-h", "x y z --help", "--config a --help --nonsense"};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct arguments arguments;
		struct error error = {""};
		ck_assert_msg(parse(arena, lines[i], &arguments, &error), "%s: %s", lines[i], error.message);
		ck_assert(arguments.is_help);
	}
}
END_TEST

START_TEST(operands_may_be_of_a_list)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct arguments arguments;
	struct error error;
	char bash[] = "bash", tcsh[] = "tcsh";
	ck_assert(arguments_parse(arena, &command_completion, 1, (char *[]){bash}, &arguments, &error));
	ck_assert(!arguments_parse(arena, &command_completion, 1, (char *[]){tcsh}, &arguments, &error));
	ck_assert_str_eq(error.message, "SHELL must be bash, zsh or fish, not \"tcsh\"");
	ck_assert(!arguments_parse(arena, &command_completion, 0, NULL, &arguments, &error));
}
END_TEST

UNIT_MAIN("arguments", options_and_operands_mix, mistakes_are_named, help_needs_nothing_else, operands_may_be_of_a_list)
