#include "ca/der.h"

#include <string.h>
#include <time.h>

#define CLASS_BITS 0xc0
#define CONSTRUCTED 0x20
#define NUMBER_BITS 0x1f /* all of them: the number follows in more bytes */
#define LONG_LENGTH 0x80
#define LENGTH_BYTES_MAX 3

/* ---- what a value of a universal type may be ---- */

static bool is_anything(struct der value)
{
	(void)value;
	return true;
}

static bool is_boolean(struct der value)
{
	return value.n == 1 && (value.s[0] == 0x00 || value.s[0] == 0xff);
}

/* The first nine bits are not all the same. */
static bool is_integer(struct der value)
{
	if (value.n < 2)
		return value.n == 1;
	return !(value.s[0] == 0x00 && value.s[1] < 0x80) && !(value.s[0] == 0xff && value.s[1] >= 0x80);
}

/* How many bits of the last byte are not used, and they are zero. */
static bool is_bit_string(struct der value)
{
	if (value.n == 0 || value.s[0] > 7)
		return false;
	return value.n == 1 ? value.s[0] == 0 : (value.s[value.n - 1] & ((1u << value.s[0]) - 1)) == 0;
}

static bool is_null(struct der value)
{
	return value.n == 0;
}

/* Numbers of seven bits a byte, no leading zero in any, the last one whole. */
static bool is_oid(struct der value)
{
	bool is_first = true;
	for (size_t i = 0; i < value.n; i++) {
		if (is_first && value.s[i] == 0x80)
			return false;
		is_first = value.s[i] < 0x80;
	}
	return value.n > 0 && is_first;
}

static bool is_of_pairs(struct der value)
{
	return value.n % 2 == 0;
}

static bool is_of_fours(struct der value)
{
	return value.n % 4 == 0;
}

/* By tag. A type that is not here is in no certificate, and is not read. */
static bool (*const universal[])(struct der value) = {
    [DER_BOOLEAN] = is_boolean,
    [DER_INTEGER] = is_integer,
    [DER_BIT_STRING] = is_bit_string,
    [DER_OCTET_STRING] = is_anything,
    [DER_NULL] = is_null,
    [DER_OID] = is_oid,
    [0x0a] = is_integer,  /* ENUMERATED */
    [0x0c] = is_anything, /* UTF8String */
    [0x12] = is_anything, /* NumericString */
    [0x13] = is_anything, /* PrintableString */
    [0x14] = is_anything, /* T61String */
    [0x16] = is_anything, /* IA5String */
    [DER_UTC_TIME] = is_anything,
    [DER_GENERALIZED_TIME] = is_anything,
    [0x1a] = is_anything, /* VisibleString */
    [0x1c] = is_of_fours, /* UniversalString */
    [0x1e] = is_of_pairs, /* BMPString */
    [DER_SEQUENCE] = is_anything,
    [DER_SET] = is_anything,
};

static bool is_sound(unsigned tag, struct der value)
{
	if ((tag & NUMBER_BITS) == NUMBER_BITS)
		return false;
	if (tag & CLASS_BITS)
		return true;
	return tag < sizeof universal / sizeof universal[0] && universal[tag] && universal[tag](value);
}

/* ---- reading ---- */

bool der_equal(struct der a, struct der b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

/* Of n bytes behind the tag; *size is how many of them the length takes. */
static bool read_length(const unsigned char *s, size_t n, size_t *length, size_t *size)
{
	if (n == 0)
		return false;
	*size = 1;
	*length = s[0];
	if (s[0] < LONG_LENGTH)
		return true;
	size_t n_bytes = s[0] - LONG_LENGTH;
	if (n_bytes == 0 || n_bytes > LENGTH_BYTES_MAX || n_bytes >= n || s[1] == 0)
		return false;
	*length = 0;
	for (size_t i = 1; i <= n_bytes; i++)
		*length = *length << 8 | s[i];
	*size += n_bytes;
	return *length >= LONG_LENGTH;
}

/* *element: all of the one in front; *value: what is in it. */
static bool look(struct der range, struct der *element, struct der *value)
{
	size_t length = 0, size = 0;
	if (range.n < 2 || !read_length(range.s + 1, range.n - 1, &length, &size) || length > range.n - 1 - size)
		return false;
	*value = (struct der){range.s + 1 + size, length};
	*element = (struct der){range.s, 1 + size + length};
	return is_sound(range.s[0], *value);
}

static void move_on(struct der *range, size_t n)
{
	range->s += n;
	range->n -= n;
}

bool der_read_any(struct der *range, unsigned *tag, struct der *value)
{
	struct der element;
	if (!look(*range, &element, value))
		return false;
	*tag = element.s[0];
	move_on(range, element.n);
	return true;
}

bool der_read(struct der *range, unsigned tag, struct der *value)
{
	return der_is_next(*range, tag) && der_read_any(range, &tag, value);
}

bool der_read_whole(struct der *range, unsigned tag, struct der *element)
{
	struct der value;
	if (!der_is_next(*range, tag) || !look(*range, element, &value))
		return false;
	move_on(range, element->n);
	return true;
}

bool der_read_octets_of_bits(struct der *range, struct der *octets)
{
	struct der rest = *range, bits;
	if (!der_read(&rest, DER_BIT_STRING, &bits) || bits.s[0] != 0)
		return false;
	*octets = (struct der){bits.s + 1, bits.n - 1};
	*range = rest;
	return true;
}

/* Two digits; for anything else a number that no calendar has. */
static int two_digits(const unsigned char *s)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -10000;
	return (s[0] - '0') * 10 + s[1] - '0';
}

/* MMDDhhmmssZ. timegm(3) would make a March the first of a February the thirtieth. */
static bool read_in_year(int year, const unsigned char *s, int64_t *seconds)
{
	const struct tm said = {
	    .tm_year = year - 1900,
	    .tm_mon = two_digits(s) - 1,
	    .tm_mday = two_digits(s + 2),
	    .tm_hour = two_digits(s + 4),
	    .tm_min = two_digits(s + 6),
	    .tm_sec = two_digits(s + 8),
	};
	struct tm tm = said;
	if (s[10] != 'Z' || year < 0)
		return false;
	*seconds = timegm(&tm);
	return tm.tm_mon == said.tm_mon && tm.tm_mday == said.tm_mday && tm.tm_hour == said.tm_hour &&
	       tm.tm_min == said.tm_min && tm.tm_sec == said.tm_sec;
}

bool der_read_time(struct der *range, int64_t *s)
{
	struct der rest = *range, value;
	bool is_good = false;
	if (der_read(&rest, DER_UTC_TIME, &value) && value.n == sizeof "YYMMDDhhmmssZ" - 1) {
		int year = two_digits(value.s);
		is_good = read_in_year(year + (year < 50 ? 2000 : 1900), value.s + 2, s);
	} else if (der_read(&rest, DER_GENERALIZED_TIME, &value) && value.n == sizeof "YYYYMMDDhhmmssZ" - 1) {
		int year = two_digits(value.s) * 100 + two_digits(value.s + 2);
		is_good = year >= 2050 && read_in_year(year, value.s + 4, s);
	}
	if (is_good)
		*range = rest;
	return is_good;
}

/* ---- writing ---- */

size_t der_open(struct text *out, unsigned tag)
{
	text_add_char(out, (char)tag);
	text_add_char(out, 0); /* the length, when it is known and fits */
	return out->n;
}

void der_close(struct text *out, size_t opened)
{
	size_t n = out->n - opened, n_bytes = 0;
	for (size_t left = n; n >= LONG_LENGTH && left; left >>= 8)
		n_bytes++;
	if (n_bytes == 0) {
		out->s[opened - 1] = (char)n;
		return;
	}
	text_add_n(out, &n, n_bytes); /* room */
	memmove(out->s + opened + n_bytes, out->s + opened, n);
	out->s[opened - 1] = (char)(LONG_LENGTH | n_bytes);
	for (size_t i = 0; i < n_bytes; i++)
		out->s[opened + i] = (char)(n >> 8 * (n_bytes - 1 - i));
}

void der_add(struct text *out, unsigned tag, const void *value, size_t n)
{
	size_t opened = der_open(out, tag);
	text_add_n(out, value, n);
	der_close(out, opened);
}

void der_add_whole(struct text *out, struct der elements)
{
	text_add_n(out, elements.s, elements.n);
}

void der_add_unsigned(struct text *out, const unsigned char *bytes, size_t n)
{
	size_t opened = der_open(out, DER_INTEGER);
	while (n > 1 && bytes[0] == 0) {
		bytes++;
		n--;
	}
	if (n == 0 || bytes[0] >= 0x80)
		text_add_char(out, 0);
	text_add_n(out, bytes, n);
	der_close(out, opened);
}

void der_add_octets_as_bits(struct text *out, const void *octets, size_t n)
{
	size_t opened = der_open(out, DER_BIT_STRING);
	text_add_char(out, 0);
	text_add_n(out, octets, n);
	der_close(out, opened);
}

bool der_add_time(struct text *out, int64_t s)
{
	char text[64];
	struct tm tm;
	time_t time = s;
	if (!gmtime_r(&time, &tm) || tm.tm_year < 50 || tm.tm_year > 9999 - 1900)
		return false;
	bool is_short = tm.tm_year < 150; /* 1950 to 2049 */
	size_t n = strftime(text, sizeof text, is_short ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &tm);
	der_add(out, is_short ? DER_UTC_TIME : DER_GENERALIZED_TIME, text, n);
	return true;
}
