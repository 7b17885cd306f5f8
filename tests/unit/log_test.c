#include "base/log.h"

#include "base/json.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the program writes to standard error between capture() and captured(). */
static int saved = -1;
static FILE *file;

static void capture(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	saved = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
}

static const char *captured(void)
{
	static char buffer[8192];
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	size_t n = fread(buffer, 1, sizeof buffer - 1, file);
	buffer[n] = '\0';
	fclose(file);
	return buffer;
}

static bool matches(const char *s, const char *pattern)
{
	regex_t regex;
	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	bool is_match = regexec(&regex, s, 0, NULL, 0) == 0;
	regfree(&regex);
	return is_match;
}

START_TEST(a_line_has_time_level_scope_and_message)
{
	capture();
	log_init(LOG_INFO, false);
	log_warn("xds", "%s refused %d", "proxy-1", 7);
	const char *line = captured();
	ck_assert_msg(matches(line, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warn xds: "
	                            "proxy-1 refused 7\n$"),
	              "%s", line);
}
END_TEST

START_TEST(lesser_levels_are_left_out)
{
	capture();
	log_init(LOG_WARN, false);
	log_debug("a", "no");
	log_info("a", "no");
	log_warn("a", "warned");
	log_error("a", "erred");
	const char *lines = captured();
	ck_assert_ptr_null(strstr(lines, "no"));
	ck_assert_ptr_nonnull(strstr(lines, "warned"));
	ck_assert_ptr_nonnull(strstr(lines, "erred"));
}
END_TEST

START_TEST(control_characters_are_escaped)
{
	capture();
	log_init(LOG_INFO, false);
	log_info("peer", "%s", "a\nb\tc\x1b[31md\x7f \xc2\x9b \xc3\xa9");
	const char *line = captured();
	ck_assert_msg(strstr(line, "peer: a\\nb\\tc\\x1b[31md\\x7f \\x9b \xc3\xa9\n") != NULL, "%s", line);
}
END_TEST

START_TEST(json_lines_are_json)
{
	struct arena *arena = arena_new();
	struct error error;
	capture();
	log_init(LOG_DEBUG, true);
	log_debug("a\"b", "x\n%s", "\xff\"");
	const char *line = captured();
	const struct json *value = json_parse(arena, line, strlen(line), &error);
	ck_assert_msg(value != NULL, "%s", line);
	ck_assert_str_eq(json_get_string(value, "level"), "debug");
	ck_assert_str_eq(json_get_string(value, "scope"), "a\"b");
	ck_assert_str_eq(json_get_string(value, "message"), "x\n\xef\xbf\xbd\"");
	ck_assert(matches(json_get_string(value, "time"), "^20[0-9-]{8}T[0-9:.]{12}Z$"));
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	arena_free(arena);
}
END_TEST

START_TEST(long_messages_are_whole)
{
	capture();
	log_init(LOG_INFO, false);
	log_info("a", "%5000s|", "");
	const char *line = captured();
	ck_assert_uint_gt(strlen(line), 5000);
	ck_assert_ptr_nonnull(strstr(line, "|\n"));
}
END_TEST

START_TEST(errno_is_left_alone)
{
	capture();
	log_init(LOG_INFO, false);
	errno = ENOENT;
	log_info("a", "b");
	int after = errno;
	captured();
	ck_assert_int_eq(after, ENOENT);
}
END_TEST

START_TEST(level_names_parse)
{
	enum log_level level = LOG_INFO;
	ck_assert(log_level_parse("debug", &level) && level == LOG_DEBUG);
	ck_assert(log_level_parse("error", &level) && level == LOG_ERROR);
	ck_assert(!log_level_parse("Warn", &level));
	ck_assert(!log_level_parse("", &level));
	ck_assert_int_eq(level, LOG_ERROR);
}
END_TEST

START_TEST(what_others_make_happen_is_said_once_a_while)
{
	struct log_gap gap = {0};
	uint64_t silent = 9;
	ck_assert(log_gap_is_over(&gap, 5, &silent));
	ck_assert_uint_eq(silent, 0);
	ck_assert(!log_gap_is_over(&gap, 5, &silent));
	ck_assert(!log_gap_is_over(&gap, 4 + LOG_GAP_NS, &silent));
	ck_assert(log_gap_is_over(&gap, 5 + LOG_GAP_NS, &silent));
	ck_assert_uint_eq(silent, 2);
}
END_TEST

UNIT_MAIN("log", what_others_make_happen_is_said_once_a_while, a_line_has_time_level_scope_and_message,
          lesser_levels_are_left_out, control_characters_are_escaped, json_lines_are_json, long_messages_are_whole,
          errno_is_left_alone, level_names_parse)
