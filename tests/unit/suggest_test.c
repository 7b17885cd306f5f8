#include "cli/suggest.h"

#include "tests/unit/unit.h"

#include <string.h>

START_TEST(the_nearest_word_is_suggested)
{
	static const char *const words[] = {"translate", "validate", "completion", "help", "version", NULL};
	static const struct {
		const char *word, *want;
	} cases[] = {
	    {"translat", "translate"},
	    {"tarnslate", "translate"},
	    {"validte", "validate"},
	    {"hepl", "help"},
	    {"--version", "version"},
	    {"Help", "help"},
	    {"xyz", NULL},
	    {"", NULL},
	    {"h", NULL},
	    {"apply", NULL},
	    {"versions", "version"},
	    {"completions", "completion"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *got = suggest(cases[i].word, words);
		ck_assert_msg(cases[i].want ? got && strcmp(got, cases[i].want) == 0 : !got, "%s: %s", cases[i].word,
		              got ? got : "nothing");
	}
}
END_TEST

START_TEST(long_words_are_like_nothing)
{
	char word[1000];
	memset(word, 'a', sizeof word);
	word[sizeof word - 1] = '\0';
	ck_assert_ptr_null(suggest(word, (const char *const[]){"help", word, NULL}));
	word[SUGGEST_BYTES_MAX] = '\0';
	ck_assert_ptr_nonnull(suggest(word, (const char *const[]){"help", word, NULL}));
}
END_TEST

START_TEST(the_first_of_equals_wins)
{
	ck_assert_str_eq(suggest("cat", (const char *const[]){"bat", "hat", NULL}), "bat");
	ck_assert_ptr_null(suggest("cat", (const char *const[]){NULL}));
}
END_TEST

UNIT_MAIN("suggest", the_nearest_word_is_suggested, long_words_are_like_nothing, the_first_of_equals_wins)
