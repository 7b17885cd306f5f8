#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Writes format, then tail, cutting at the end of a character with "...". Goes by way of a copy, as arguments may point
 * into the message that is replaced.
 */
__attribute__((format(printf, 3, 0))) static void set(struct error *error, const char *tail, const char *format,
                                                      va_list args)
{
	char head[ERROR_MAX], joined[ERROR_MAX * 2];
	int n = vsnprintf(head, sizeof head, format, args);
	bool is_cut = n < 0 || (size_t)n >= sizeof head;
	snprintf(joined, sizeof joined, "%s%s", head, is_cut ? "" : tail);
	size_t length = strlen(joined);
	if (is_cut || length >= ERROR_MAX) {
		length = ERROR_MAX - sizeof "...";
		while (length > 0 && ((unsigned char)joined[length] & 0xc0) == 0x80)
			length--;
		memcpy(joined + length, "...", sizeof "...");
		length += strlen("...");
	}
	memcpy(error->message, joined, length + 1);
}

bool error_set(struct error *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set(error, "", format, args);
	va_end(args);
	return false;
}

bool error_wrap(struct error *error, const char *format, ...)
{
	char tail[ERROR_MAX + 2];
	snprintf(tail, sizeof tail, ": %s", error->message);
	va_list args;
	va_start(args, format);
	set(error, tail, format, args);
	va_end(args);
	return false;
}

bool error_set_errno(struct error *error, int errno_value, const char *format, ...)
{
	char buffer[256], tail[sizeof buffer + 2];
	snprintf(tail, sizeof tail, ": %s", strerror_r(errno_value, buffer, sizeof buffer));
	va_list args;
	va_start(args, format);
	set(error, tail, format, args);
	va_end(args);
	return false;
}
