#include "proto/wire.h"

#include "unit.h"

#include <string.h>

/* A field's head grows with its length; what is written is as long as was said. */
START_TEST(sizes_are_those_of_what_is_written)
{
	static const struct {
		size_t n, head;
	} cases[] = {{0, 2}, {1, 2}, {127, 2}, {128, 3}, {16383, 3}, {16384, 4}};
	static uint8_t data[16384], out[16400];
	memset(data, 'x', sizeof data);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = cases[i].n;
		ck_assert_uint_eq(wire_field_size(n), cases[i].head + n);
		ck_assert_ptr_eq(wire_open(out, 3, n), out + cases[i].head);
		ck_assert_ptr_eq(wire_field(out, 3, data, n), out + cases[i].head + n);
		ck_assert_uint_eq(out[0], 0x1a);
		ck_assert_mem_eq(out + cases[i].head, data, n);
	}
}
END_TEST

START_TEST(lengths_are_varints)
{
	uint8_t out[8];
	uint8_t *end = wire_open(out, 1, 300);
	ck_assert_uint_eq((size_t)(end - out), 3);
	ck_assert_mem_eq(out, "\x0a\xac\x02", 3);
}
END_TEST

UNIT_MAIN("wire", sizes_are_those_of_what_is_written, lengths_are_varints)
