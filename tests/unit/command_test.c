#include "cli/command.h"

#include "cli/completion.h"
#include "cli/help.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static bool is_in_a_synopsis(const struct command *command, const char *name)
{
	for (size_t i = 0; command->synopses[i]; i++)
		if (strstr(command->synopses[i], name))
			return true;
	return false;
}

/* What the loops over the tables rely on. */
START_TEST(the_tables_are_whole)
{
	size_t n = 0;
	for (; commands[n]; n++) {
		const struct command *command = commands[n];
		ck_assert_str_eq(command_names[n], command->name);
		ck_assert_ptr_eq(command_find(command->name), command);
		ck_assert_ptr_nonnull(command->run);
		ck_assert(command->summary && command->synopses && command->synopses[0] && command->description);
		ck_assert(command->exit_statuses && command->examples);
		ck_assert(!text_has_suffix(command->summary, "."));
		ck_assert_uint_le(command->n_options, COMMAND_OPTIONS_MAX);
		ck_assert_int_eq(command->operands_max > 0, command->operand != NULL);
		for (size_t i = 0; i < command->n_options; i++) {
			const struct command_option *option = &command->options[i];
			ck_assert_msg(option->help && text_has_suffix(option->help, "."), "%s --%s", command->name,
			              option->name);
			ck_assert_msg(is_in_a_synopsis(command, option->name), "%s --%s", command->name, option->name);
		}
	}
	ck_assert_ptr_null(command_names[n]);
	ck_assert_ptr_null(command_find("translat"));
}
END_TEST

static void check_page(const struct text *page)
{
	size_t column = 0;
	for (size_t i = 0; i < page->n; i++) {
		column = page->s[i] == '\n' ? 0 : column + ((page->s[i] & 0xc0) != 0x80);
		if (page->s[i] == '\n' && i)
			ck_assert_msg(page->s[i - 1] != ' ', "a space ends a line:\n%.*s", (int)i, page->s);
	}
	ck_assert_uint_eq(column, 0);
	ck_assert_int_eq(page->s[page->n - 1], '\n');
	ck_assert_ptr_null(strstr(page->s, "\n\n\n"));
	ck_assert_ptr_null(strstr(page->s, "(null)"));
}

START_TEST(every_command_has_a_page)
{
	static const char *const sections[] = {"NAME\n",      "\nSYNOPSIS\n",    "\nDESCRIPTION\n",
	                                       "\nOPTIONS\n", "\nEXIT STATUS\n", "\nEXAMPLES\n"};
	for (size_t i = 0; commands[i]; i++) {
		CLEANUP(text_done) struct text page = {0};
		help_command(commands[i], &page);
		check_page(&page);
		for (size_t k = 0; k < sizeof sections / sizeof sections[0]; k++)
			ck_assert_msg(strstr(page.s, sections[k]) != NULL, "%s has no %s", commands[i]->name,
			              sections[k]);
		for (size_t k = 0; k < commands[i]->n_options; k++)
			ck_assert_ptr_nonnull(strstr(page.s, commands[i]->options[k].name));
		ck_assert_ptr_nonnull(strstr(page.s, "-h, --help\n"));
	}
}
END_TEST

START_TEST(the_program_has_a_page)
{
	CLEANUP(text_done) struct text page = {0};
	help_program(&page);
	check_page(&page);
	for (size_t i = 0; commands[i]; i++)
		ck_assert_ptr_nonnull(strstr(page.s, commands[i]->summary));
}
END_TEST

START_TEST(a_brief_is_the_first_sentence)
{
	static const struct {
		const char *in, *want;
	} cases[] = {{"One. Two.", "One"}, {"One.", "One"}, {"See node.id of it. Two.", "See node.id of it"}, {"", ""}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		help_brief(cases[i].in, &out);
		ck_assert_str_eq(text_get(&out), cases[i].want);
	}
}
END_TEST

START_TEST(every_shell_knows_every_option)
{
	for (size_t shell = 0; completion_shells[shell]; shell++) {
		CLEANUP(text_done) struct text script = {0};
		bool is_fish = strcmp(completion_shells[shell], "fish") == 0;
		completion_print(completion_shells[shell], &script);
		ck_assert_ptr_null(strstr(script.s, "(null)"));
		for (size_t i = 0; commands[i]; i++) {
			ck_assert_ptr_nonnull(strstr(script.s, commands[i]->name));
			for (size_t k = 0; k < commands[i]->n_options; k++) {
				char word[64];
				snprintf(word, sizeof word, "%s%s", is_fish ? "-l " : "--",
				         commands[i]->options[k].name);
				ck_assert_msg(strstr(script.s, word) != NULL, "%s: %s", completion_shells[shell], word);
			}
		}
	}
}
END_TEST

static char *run_words(const char *const *words)
{
	static char buffer[1024];
	CLEANUP(text_done) struct text script = {0};
	completion_print("bash", &script);
	FILE *file = fopen("completion_test.bash", "w");
	ck_assert_ptr_nonnull(file);
	fwrite(script.s, 1, script.n, file);
	size_t n = 0;
	fprintf(file, "COMP_WORDS=(");
	for (; words[n]; n++)
		fprintf(file, " '%s'", words[n]);
	fprintf(file, ")\nCOMP_CWORD=%zu\ncompopt() { :; }\n_weft\necho \"${COMPREPLY[*]}\"\n", n - 1);
	fclose(file);
	FILE *bash = popen("bash --norc completion_test.bash 2>&1", "r");
	ck_assert_ptr_nonnull(bash);
	size_t length = fread(buffer, 1, sizeof buffer - 1, bash);
	buffer[length] = '\0';
	pclose(bash);
	remove("completion_test.bash");
	return buffer;
}

/* The script at work in a real bash. */
START_TEST(bash_completes)
{
	static const struct {
		const char *words[6];
		const char *want;
	} cases[] = {
	    {{"weft", "tr"}, "translate\n"},
	    {{"weft", "--v"}, "--version\n"},
	    {{"weft", "translate", "--me"}, "--meta --mesh\n"},
	    {{"weft", "validate", "x", "--output", ""}, "text json\n"},
	    {{"weft", "validate", "-o", "j"}, "json\n"},
	    {{"weft", "validate", "--output", "=", "t"}, "text\n"},
	    {{"weft", "completion", ""}, "bash zsh fish\n"},
	    {{"weft", "help", "va"}, "validate\n"},
	    {{"weft", "translate", "--node", ""}, "\n"},
	    {{"weft", "validate", "completion_test.b"}, "completion_test.bash\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *got = run_words(cases[i].words);
		ck_assert_msg(text_has_prefix(got, cases[i].want), "%s %s: %s", cases[i].words[1], cases[i].words[2],
		              got);
	}
}
END_TEST

UNIT_MAIN("command", the_tables_are_whole, every_command_has_a_page, the_program_has_a_page,
          a_brief_is_the_first_sentence, every_shell_knows_every_option, bash_completes)
