#pragma once
/*
 * DER (X.690, sections 8, 10 and 11) as far as requests and certificates need it: read out of a range of bytes, and
 * written behind a text. What was read points into the bytes that were given; nothing is allocated for it.
 *
 *     struct der rest = {s, n}, body, id;                    a range; it is read from its front, which moves on
 *     if (der_read(&rest, DER_SEQUENCE, &body) && der_is_done(rest) && der_read(&body, DER_OID, &id)) …
 *
 * Reading is strict, because one value has one encoding in DER, and two readers must not see two values in one: tags of
 * one byte, definite lengths in as few bytes as they need and of at most DER_LENGTH_MAX, primitive types primitive and
 * well-formed, no bytes in a boolean, integer or bit string that another encoding would not have. A call that fails
 * leaves its range where it was.
 *
 *     size_t body = der_open(&out, DER_SEQUENCE);
 *     der_add(&out, DER_OID, id, sizeof id);
 *     der_close(&out, body);
 */
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DER_LENGTH_MAX 0xffffff /* of one element */

/* The first byte of an element: class, whether it is constructed, number. */
enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_IMPLICIT(number) (0x80u | (number)) /* context-specific, of a primitive type */
#define DER_EXPLICIT(number) (0xa0u | (number)) /* context-specific, around an element or of a constructed type */

/* Borrowed bytes; no bytes are {NULL, 0}, or n is 0. */
struct der {
	const unsigned char *s;
	size_t n;
};

/* As an initialiser: the bytes of a string literal. */
#define DER_CONST(literal)                                                                                             \
	{                                                                                                              \
		(const unsigned char *)(literal), sizeof(literal) - 1                                                  \
	}

static inline bool der_is_done(struct der range)
{
	return range.n == 0;
}
/* Whether an element with that tag is in front, as far as its first byte says. */
static inline bool der_is_next(struct der range, unsigned tag)
{
	return range.n > 0 && range.s[0] == tag;
}
bool der_equal(struct der a, struct der b);

/* One element with that tag: what is in it; or all of it, tag and length too. */
bool der_read(struct der *range, unsigned tag, struct der *value);
bool der_read_whole(struct der *range, unsigned tag, struct der *element);
/* One element of any tag. */
bool der_read_any(struct der *range, unsigned *tag, struct der *value);
/* A bit string that is a number of whole bytes. */
bool der_read_octets_of_bits(struct der *range, struct der *octets);
/* RFC 5280, 4.1.2.5: UTCTime until 2049, then GeneralizedTime; with seconds and no fractions, in GMT. Since 1970. */
bool der_read_time(struct der *range, int64_t *s);

/* An element around what is added until it is closed with what der_open gave. */
size_t der_open(struct text *out, unsigned tag);
void der_close(struct text *out, size_t opened);
void der_add(struct text *out, unsigned tag, const void *value, size_t n);
/* An element, or several, that are DER already. */
void der_add_whole(struct text *out, struct der elements);
/* INTEGER of bytes that begin with the highest. */
void der_add_unsigned(struct text *out, const unsigned char *bytes, size_t n);
void der_add_octets_as_bits(struct text *out, const void *octets, size_t n);
/* As der_read_time reads it; false for a year that neither form can say. */
bool der_add_time(struct text *out, int64_t s);
