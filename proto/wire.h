#pragma once
/*
 * Protobuf's wire by hand, as far as it takes to put a message together out of parts that exist as bytes already:
 * length-delimited fields with numbers below 16. First the size of all, then the writing; each writes at `at` and
 * returns the end.
 *
 *     uint8_t *at = wire_open(at, 2, wire_field_size(n));        field 2, a message
 *     at = wire_field(at, 1, name, n);                           its field 1
 */
#include <stddef.h>
#include <stdint.h>

size_t wire_field_size(size_t n); /* with its tag and length */
/* The tag and length of a field whose n bytes the caller writes behind. */
uint8_t *wire_open(uint8_t *at, unsigned number, size_t n);
uint8_t *wire_field(uint8_t *at, unsigned number, const void *data, size_t n);
