#include "proto/codec_private.h"

#include <string.h>

#define NANOS_PER_S 1000000000
#define DURATION_SECONDS_MAX INT64_C(315576000000) /* 10,000 years, as google/protobuf/duration.proto says */

static const struct {
	const char *name;
	int64_t nanos;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000},
    {"ms", 1000000},
    {"s", NANOS_PER_S},
    {"m", INT64_C(60) * NANOS_PER_S},
    {"h", INT64_C(3600) * NANOS_PER_S},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The unit at s, the longest that fits ("ms" before "m"); 0 when there is none. */
static int64_t parse_unit(const char **s)
{
	size_t best = 0;
	int64_t nanos = 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t n = strlen(units[i].name);
		if (n > best && strncmp(*s, units[i].name, n) == 0) {
			best = n;
			nanos = units[i].nanos;
		}
	}
	*s += best;
	return nanos;
}

/* One "12.5ms" of a duration, added to nanos. */
static bool parse_term(const char **at, __int128 *nanos)
{
	const __int128 max = (__int128)DURATION_SECONDS_MAX * NANOS_PER_S;
	const char *s = *at;
	__int128 whole = 0, fraction = 0, scale = 1;
	bool has_digits = false;
	for (; is_digit(*s); s++, has_digits = true) {
		whole = whole * 10 + (*s - '0');
		if (whole > max)
			return false;
	}
	if (*s == '.')
		for (s++; is_digit(*s); s++, has_digits = true)
			if (scale < INT64_C(1000000000000000)) { /* what is below a nanosecond is cut off */
				fraction = fraction * 10 + (*s - '0');
				scale *= 10;
			}
	int64_t unit = parse_unit(&s);
	if (!has_digits || !unit)
		return false;
	*nanos += whole * unit + fraction * unit / scale;
	*at = s;
	return *nanos <= max;
}

bool codec_parse_duration(const char *s, int64_t *seconds, int32_t *nanos)
{
	bool is_negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	__int128 total = 0;
	if (strcmp(s, "0") != 0)
		do {
			if (!parse_term(&s, &total))
				return false;
		} while (*s);
	if (is_negative)
		total = -total;
	*seconds = (int64_t)(total / NANOS_PER_S);
	*nanos = (int32_t)(total % NANOS_PER_S);
	return true;
}

/* ".250" with 3, 6 or 9 digits, or nothing. */
static void print_fraction(struct text *out, int64_t nanos)
{
	if (nanos % 1000000 == 0) {
		if (nanos)
			text_printf(out, ".%03d", (int)(nanos / 1000000));
	} else if (nanos % 1000 == 0) {
		text_printf(out, ".%06d", (int)(nanos / 1000));
	} else {
		text_printf(out, ".%09d", (int)nanos);
	}
}

void codec_print_duration(struct text *out, int64_t seconds, int32_t nanos)
{
	__int128 total = (__int128)seconds * NANOS_PER_S + nanos;
	bool is_negative = total < 0;
	if (is_negative)
		total = -total;
	text_printf(out, "%s%llu", is_negative ? "-" : "", (unsigned long long)(total / NANOS_PER_S));
	print_fraction(out, (int64_t)(total % NANOS_PER_S));
	text_add_char(out, 's');
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar; years start in March so that the leap day ends them. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

/* Exactly n digits at *s. */
static bool parse_digits(const char **s, int n, int64_t min, int64_t max, int64_t *value)
{
	*value = 0;
	for (; n > 0; n--, (*s)++) {
		if (!is_digit(**s))
			return false;
		*value = *value * 10 + (**s - '0');
	}
	return *value >= min && *value <= max;
}

static bool parse_char(const char **s, const char *allowed)
{
	return **s && strchr(allowed, *(*s)++);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && is_leap);
}

static bool parse_offset(const char **s, int64_t *offset_s)
{
	*offset_s = 0;
	if (**s == 'Z' || **s == 'z') {
		(*s)++;
		return true;
	}
	int64_t sign = **s == '-' ? -1 : 1, hours, minutes;
	if (!parse_char(s, "+-") || !parse_digits(s, 2, 0, 23, &hours) || !parse_char(s, ":") ||
	    !parse_digits(s, 2, 0, 59, &minutes))
		return false;
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* RFC 3339. */
bool codec_parse_timestamp(const char *s, int64_t *seconds, int32_t *nanos)
{
	int64_t year, month, day, hour, minute, second, offset_s, fraction = 0;
	if (!parse_digits(&s, 4, 1, 9999, &year) || !parse_char(&s, "-") || !parse_digits(&s, 2, 1, 12, &month) ||
	    !parse_char(&s, "-") || !parse_digits(&s, 2, 1, days_in_month(year, month), &day) ||
	    !parse_char(&s, "Tt") || !parse_digits(&s, 2, 0, 23, &hour) || !parse_char(&s, ":") ||
	    !parse_digits(&s, 2, 0, 59, &minute) || !parse_char(&s, ":") || !parse_digits(&s, 2, 0, 59, &second))
		return false;
	if (*s == '.') {
		if (!is_digit(*++s))
			return false;
		int64_t unit = NANOS_PER_S / 10;
		for (; is_digit(*s); s++, unit /= 10)
			fraction += (*s - '0') * unit;
	}
	if (!parse_offset(&s, &offset_s) || *s)
		return false;
	*seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_s;
	*nanos = (int32_t)fraction;
	return true;
}

void codec_print_timestamp(struct text *out, int64_t seconds, int32_t nanos)
{
	__int128 total = (__int128)seconds * NANOS_PER_S + nanos;
	int64_t fraction = (int64_t)(total % NANOS_PER_S);
	int64_t whole = (int64_t)(total / NANOS_PER_S);
	if (fraction < 0) {
		fraction += NANOS_PER_S;
		whole--;
	}
	int64_t days = whole / 86400, rest = whole % 86400, year, month, day;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	date_from_days(days, &year, &month, &day);
	text_printf(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year, (int)month, (int)day, (int)(rest / 3600),
	            (int)(rest / 60 % 60), (int)(rest % 60));
	print_fraction(out, fraction);
	text_add_char(out, 'Z');
}
