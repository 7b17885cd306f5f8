#pragma once
/*
 * The program's log, one line an event, on standard error. Only programs (server/, agent/, cli/) call it: libraries
 * return errors and report rows. Say what happens next ("keeping last good", "retrying in 2s").
 *
 *     log_warn("xds", "%s refused %s: %s; keeping what it has", proxy, type, message);
 *
 * text: `2026-01-02T15:04:05.123Z warn xds: …` (level coloured on a terminal only); json: one object a line with
 * time, level, scope, message. Control characters in messages are escaped. Thread-safe; a line is one write(2).
 */
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_init(enum log_level least, bool as_json);
bool log_level_parse(const char *name, enum log_level *level); /* debug info warn error */
__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *scope, const char *format, ...);

#define log_debug(scope, ...) log_write(LOG_DEBUG, scope, __VA_ARGS__)
#define log_info(scope, ...) log_write(LOG_INFO, scope, __VA_ARGS__)
#define log_warn(scope, ...) log_write(LOG_WARN, scope, __VA_ARGS__)
#define log_error(scope, ...) log_write(LOG_ERROR, scope, __VA_ARGS__)

/*
 * For what others can make happen as often as they like: one line in LOG_GAP_NS at most. Zeroed is new; whoever shares
 * one locks.
 *
 *     uint64_t silent;
 *     if (log_gap_is_over(&gap, now_ns, &silent))
 *         log_warn("door", "…; %llu more since the last line", (unsigned long long)silent);
 */
#define LOG_GAP_NS INT64_C(1000000000)
struct log_gap {
	int64_t last_ns; /* monotonic; 0: none yet */
	uint64_t silent; /* lines that were not written since */
};

bool log_gap_is_over(struct log_gap *gap, int64_t now_ns, uint64_t *silent);
