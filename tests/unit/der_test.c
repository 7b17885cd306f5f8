#include "ca/der.h"

#include "base/heap.h"
#include "tests/unit/unit.h"

#include <string.h>

#define BYTES(s) (const unsigned char *)(s), sizeof(s) - 1

/* In memory of its own, so that a byte read behind it is found. */
static struct der copy_of(const void *s, size_t n)
{
	unsigned char *copy = heap_alloc(n);
	memcpy(copy, s, n);
	return (struct der){copy, n};
}

START_TEST(one_value_has_one_encoding)
{
	static const struct {
		const char *name;
		const unsigned char *s;
		size_t n;
		bool is_read;
	} rows[] = {
	    {"nothing", BYTES(""), false},
	    {"a tag alone", BYTES("\x30"), false},
	    {"an empty sequence", BYTES("\x30\x00"), true},
	    {"a value that is cut", BYTES("\x30\x01"), false},
	    {"a length in a byte more than it needs", BYTES("\x04\x81\x01\x61"), false},
	    {"a length with a zero in front", BYTES("\x04\x82\x00\x01\x61"), false},
	    {"a length that is cut", BYTES("\x04\x82\x01"), false},
	    {"a length without bytes: indefinite", BYTES("\x30\x80\x00\x00"), false},
	    {"a length of four bytes", BYTES("\x04\x84\x01\x00\x00\x00"), false},
	    {"a length of all that a size can have", BYTES("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff"), false},
	    {"a length that is reserved", BYTES("\x04\xff"), false},
	    {"a tag in more bytes", BYTES("\x1f\x01\x00"), false},
	    {"a context-specific tag in more bytes", BYTES("\xbf\x21\x00"), false},
	    {"end of contents", BYTES("\x00\x00"), false},
	    {"a type of no certificate", BYTES("\x09\x00"), false},
	    {"a sequence that is primitive", BYTES("\x10\x00"), false},
	    {"a set that is primitive", BYTES("\x11\x00"), false},
	    {"a string in parts", BYTES("\x24\x03\x04\x01\x61"), false},
	    {"a boolean that is true", BYTES("\x01\x01\xff"), true},
	    {"a boolean that is false", BYTES("\x01\x01\x00"), true},
	    {"a boolean that is true otherwise", BYTES("\x01\x01\x01"), false},
	    {"a boolean of no byte", BYTES("\x01\x00"), false},
	    {"a boolean of two bytes", BYTES("\x01\x02\xff\xff"), false},
	    {"an integer of no byte", BYTES("\x02\x00"), false},
	    {"zero", BYTES("\x02\x01\x00"), true},
	    {"a positive number whose highest bit is set", BYTES("\x02\x02\x00\x80"), true},
	    {"a zero too many", BYTES("\x02\x02\x00\x7f"), false},
	    {"minus one", BYTES("\x02\x01\xff"), true},
	    {"a minus too many", BYTES("\x02\x02\xff\x80"), false},
	    {"an enumerated with a zero too many", BYTES("\x0a\x02\x00\x01"), false},
	    {"no bits", BYTES("\x03\x01\x00"), true},
	    {"no bits, of which some are not used", BYTES("\x03\x01\x01"), false},
	    {"bits that do not say how many", BYTES("\x03\x00"), false},
	    {"three bits", BYTES("\x03\x02\x05\xa0"), true},
	    {"three bits and more that are not used", BYTES("\x03\x02\x05\xb0"), false},
	    {"more than seven bits not used", BYTES("\x03\x02\x08\x00"), false},
	    {"null", BYTES("\x05\x00"), true},
	    {"null with something in it", BYTES("\x05\x01\x00"), false},
	    {"an identifier", BYTES("\x06\x03\x55\x1d\x11"), true},
	    {"an identifier of nothing", BYTES("\x06\x00"), false},
	    {"an identifier that is cut", BYTES("\x06\x02\x55\x9d"), false},
	    {"an identifier with a leading zero", BYTES("\x06\x04\x55\x1d\x80\x11"), false},
	    {"an identifier with a long number", BYTES("\x06\x03\x2a\x86\x48"), true},
	    {"two characters of two bytes", BYTES("\x1e\x04\x00\x61\x00\x62"), true},
	    {"half a character of two bytes", BYTES("\x1e\x03\x00\x61\x00"), false},
	    {"half a character of four bytes", BYTES("\x1c\x02\x00\x61"), false},
	    {"what a field's own tag stands for", BYTES("\x86\x01\x61"), true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct der all = copy_of(rows[i].s, rows[i].n), range = all, value, whole;
		unsigned tag = 0;
		ck_assert_msg(der_read_any(&range, &tag, &value) == rows[i].is_read, "%s", rows[i].name);
		if (rows[i].is_read) {
			ck_assert_msg(der_is_done(range), "%s", rows[i].name);
			ck_assert_uint_eq(tag, rows[i].s[0]);
			ck_assert_uint_eq(value.n, rows[i].n - 2);
			range = all;
			ck_assert(der_read_whole(&range, tag, &whole) && der_equal(whole, all));
			ck_assert(der_is_done(range));
		} else {
			ck_assert_msg(range.s == all.s && range.n == all.n, "%s: it has moved on", rows[i].name);
		}
		free((void *)(uintptr_t)all.s);
	}
}
END_TEST

START_TEST(a_range_is_read_from_its_front)
{
	static const unsigned char s[] = {0x02, 0x01, 0x07, 0x04, 0x02, 'a', 'b', 0x05, 0x00};
	struct der range = {s, sizeof s}, value;
	ck_assert(!der_read(&range, DER_OCTET_STRING, &value));
	ck_assert(!der_read_whole(&range, DER_OCTET_STRING, &value));
	ck_assert(der_is_next(range, DER_INTEGER));
	ck_assert(der_read(&range, DER_INTEGER, &value) && value.s == s + 2 && value.n == 1);
	ck_assert(der_read_whole(&range, DER_OCTET_STRING, &value) && value.s == s + 3 && value.n == 4);
	ck_assert(der_read(&range, DER_NULL, &value) && der_is_done(value) && der_is_done(range));
	ck_assert(!der_is_next(range, 0) && !der_read(&range, DER_NULL, &value));
	ck_assert(der_equal((struct der){0}, (struct der){s, 0}));
	ck_assert(!der_equal((struct der){s, 1}, (struct der){s, 2}));
	ck_assert(!der_equal((struct der){s, 1}, (struct der){s + 1, 1}));
}
END_TEST

START_TEST(bits_are_octets_when_all_are_used)
{
	static const struct {
		const unsigned char *s;
		size_t n;
		bool is_read;
	} rows[] = {
	    {BYTES("\x03\x03\x00\x61\x62"), true},
	    {BYTES("\x03\x01\x00"), true},
	    {BYTES("\x03\x02\x01\x60"), false},
	    {BYTES("\x04\x02\x00\x61"), false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct der range = {rows[i].s, rows[i].n}, octets;
		ck_assert_msg(der_read_octets_of_bits(&range, &octets) == rows[i].is_read, "row %zu", i);
		ck_assert_uint_eq(range.n, rows[i].is_read ? 0 : rows[i].n);
		ck_assert(!rows[i].is_read || (octets.n == rows[i].n - 3 && octets.s == rows[i].s + 3));
	}
}
END_TEST

START_TEST(times_are_of_one_form_each)
{
	static const struct {
		unsigned tag;
		const char *text;
		int64_t want; /* 0: not read */
	} rows[] = {
	    {DER_UTC_TIME, "270115080000Z", 1800000000},
	    {DER_UTC_TIME, "500101000000Z", -631152000}, /* 1950 */
	    {DER_UTC_TIME, "491231235959Z", 2524607999}, /* 2049 */
	    {DER_UTC_TIME, "240229000000Z", 1709164800},
	    {DER_UTC_TIME, "230229000000Z", 0},
	    {DER_UTC_TIME, "2701150800Z", 0}, /* no seconds */
	    {DER_UTC_TIME, "270115080000", 0},
	    {DER_UTC_TIME, "270115080000+0000", 0},
	    {DER_UTC_TIME, "27011508000-Z", 0},
	    {DER_UTC_TIME, "270115080060Z", 0},
	    {DER_UTC_TIME, "270115240000Z", 0},
	    {DER_UTC_TIME, "270015080000Z", 0},
	    {DER_UTC_TIME, "271315080000Z", 0},
	    {DER_UTC_TIME, "270100080000Z", 0},
	    {DER_UTC_TIME, "-10115080000Z", 0},
	    {DER_UTC_TIME, "20270115080000Z", 0},
	    {DER_GENERALIZED_TIME, "20500101000000Z", 2524608000},
	    {DER_GENERALIZED_TIME, "99991231235959Z", 253402300799},
	    {DER_GENERALIZED_TIME, "20491231235959Z", 0}, /* the other form's */
	    {DER_GENERALIZED_TIME, "20500101000000.5Z", 0},
	    {DER_GENERALIZED_TIME, "205001010000Z", 0},
	    {DER_GENERALIZED_TIME, "20:00101000000Z", 0},
	    {DER_OCTET_STRING, "270115080000Z", 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text text = {0}, again = {0};
		int64_t s = 0;
		der_add(&text, rows[i].tag, rows[i].text, strlen(rows[i].text));
		struct der range = {(const unsigned char *)text.s, text.n};
		ck_assert_msg(der_read_time(&range, &s) == (rows[i].want != 0), "%s", rows[i].text);
		ck_assert_uint_eq(range.n, rows[i].want ? 0 : text.n);
		if (!rows[i].want)
			continue;
		ck_assert_msg(s == rows[i].want, "%s is %lld", rows[i].text, (long long)s);
		ck_assert(der_add_time(&again, s));
		ck_assert(again.n == text.n && memcmp(again.s, text.s, text.n) == 0);
	}
}
END_TEST

START_TEST(a_year_that_has_no_form_is_not_written)
{
	static const int64_t rows[] = {-631152001, 253402300800, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text text = {0};
		ck_assert(!der_add_time(&text, rows[i]));
		ck_assert_uint_eq(text.n, 0);
	}
}
END_TEST

/* Around each number of bytes that a length can have. */
START_TEST(what_is_written_reads_back)
{
	static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		char *content = heap_alloc(sizes[i]);
		memset(content, 'x', sizes[i]);
		size_t outer = der_open(&out, DER_SEQUENCE), field = der_open(&out, DER_EXPLICIT(0));
		der_add(&out, DER_OCTET_STRING, content, sizes[i]);
		der_close(&out, field);
		der_add_whole(&out, (struct der){(const unsigned char *)"\x05\x00", 2});
		der_close(&out, outer);
		struct der range = {(const unsigned char *)out.s, out.n}, body, inner, value, null;
		ck_assert(der_read(&range, DER_SEQUENCE, &body) && der_is_done(range));
		ck_assert(der_read(&body, DER_EXPLICIT(0), &inner) && der_read(&body, DER_NULL, &null) &&
		          der_is_done(body));
		ck_assert(der_read(&inner, DER_OCTET_STRING, &value) && der_is_done(inner));
		ck_assert(der_equal(value, (struct der){(unsigned char *)content, sizes[i]}));
		free(content);
	}
}
END_TEST

START_TEST(an_unsigned_number_has_no_byte_too_many)
{
	static const struct {
		const unsigned char *s;
		size_t n;
		const unsigned char *want;
		size_t n_want;
	} rows[] = {
	    {BYTES(""), BYTES("\x02\x01\x00")},
	    {BYTES("\x00\x00"), BYTES("\x02\x01\x00")},
	    {BYTES("\x00\x7f"), BYTES("\x02\x01\x7f")},
	    {BYTES("\x80"), BYTES("\x02\x02\x00\x80")},
	    {BYTES("\x00\x00\xff\x01"), BYTES("\x02\x03\x00\xff\x01")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text out = {0};
		der_add_unsigned(&out, rows[i].s, rows[i].n);
		ck_assert_msg(out.n == rows[i].n_want && memcmp(out.s, rows[i].want, out.n) == 0, "row %zu", i);
	}
}
END_TEST

UNIT_MAIN("der", one_value_has_one_encoding, a_range_is_read_from_its_front, bits_are_octets_when_all_are_used,
          times_are_of_one_form_each, a_year_that_has_no_form_is_not_written, what_is_written_reads_back,
          an_unsigned_number_has_no_byte_too_many)
