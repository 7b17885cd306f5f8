#include "proto/wire.h"

#include <string.h>

#define TYPE_BYTES 2 /* length-delimited */

static size_t varint_size(uint64_t value)
{
	size_t n = 1;
	while (value >>= 7)
		n++;
	return n;
}

static uint8_t *write_varint(uint8_t *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

size_t wire_field_size(size_t n)
{
	return 1 + varint_size(n) + n;
}

uint8_t *wire_open(uint8_t *at, unsigned number, size_t n)
{
	*at++ = (uint8_t)(number << 3 | TYPE_BYTES);
	return write_varint(at, n);
}

uint8_t *wire_field(uint8_t *at, unsigned number, const void *data, size_t n)
{
	at = wire_open(at, number, n);
	if (n)
		memcpy(at, data, n);
	return at + n;
}
