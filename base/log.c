#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name, *colour;
} levels[] = {
    [LOG_DEBUG] = {"debug", "\033[2m"},
    [LOG_INFO] = {"info", "\033[32m"},
    [LOG_WARN] = {"warn", "\033[33m"},
    [LOG_ERROR] = {"error", "\033[31m"},
};

static _Atomic int least_level = LOG_INFO;
static _Atomic bool is_json, is_coloured;

void log_init(enum log_level least, bool as_json)
{
	least_level = (int)least;
	is_json = as_json;
	is_coloured = !as_json && isatty(STDERR_FILENO) && text_is_empty(getenv("NO_COLOR"));
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void add_time(struct text *line)
{
	char time[CLOCK_TEXT];
	clock_print(clock_wall_ns(clock_system()), 3, time);
	text_add(line, time);
}

/* One line stays one line, and nothing a peer says moves a terminal's cursor: C0, DEL and C1 controls are escaped. */
static void add_escaped(struct text *line, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '\n')
			text_add(line, "\\n");
		else if (c == '\t')
			text_add(line, "\\t");
		else if (c < 0x20 || c == 0x7f)
			text_printf(line, "\\x%02x", c);
		else if (c == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0)
			text_printf(line, "\\x%02x", (unsigned char)*++s);
		else
			text_add_char(line, *s);
	}
}

static void add_text_line(struct text *line, enum log_level level, const char *scope, const char *message)
{
	add_time(line);
	if (is_coloured)
		text_printf(line, " %s%s\033[0m ", levels[level].colour, levels[level].name);
	else
		text_printf(line, " %s ", levels[level].name);
	add_escaped(line, scope);
	text_add(line, ": ");
	add_escaped(line, message);
}

static void add_json_line(struct text *line, enum log_level level, const char *scope, const char *message)
{
	text_add(line, "{\"time\":\"");
	add_time(line);
	text_printf(line, "\",\"level\":\"%s\",\"scope\":", levels[level].name);
	text_add_json_string(line, scope, strlen(scope));
	text_add(line, ",\"message\":");
	text_add_json_string(line, message, strlen(message));
	text_add_char(line, '}');
}

void log_write(enum log_level level, const char *scope, const char *format, ...)
{
	if ((int)level < least_level)
		return;
	int saved_errno = errno;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text line = {0};
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(arena, format, args);
	va_end(args);
	if (is_json)
		add_json_line(&line, level, scope, message);
	else
		add_text_line(&line, level, scope, message);
	text_add_char(&line, '\n');
	size_t at = 0;
	while (at < line.n) { /* a second round only when a signal or a full pipe cut the first short */
		ssize_t n = write(STDERR_FILENO, line.s + at, line.n - at);
		if (n < 0 && errno != EINTR)
			break; /* there is nowhere left to complain */
		at += n > 0 ? (size_t)n : 0;
	}
	errno = saved_errno;
}

bool log_gap_is_over(struct log_gap *gap, int64_t now_ns, uint64_t *silent)
{
	if (gap->last_ns && now_ns - gap->last_ns < LOG_GAP_NS) {
		gap->silent++;
		return false;
	}
	*silent = gap->silent;
	*gap = (struct log_gap){.last_ns = now_ns};
	return true;
}
