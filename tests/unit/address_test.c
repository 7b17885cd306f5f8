#include "tests/unit/unit.h"
#include "translator/address.h"

START_TEST(one_address_one_spelling)
{
	static const struct {
		const char *in, *want;
		enum address_family family;
	} cases[] = {
	    {"10.0.0.1", "10.0.0.1", ADDRESS_IPV4},
	    {"010.0.0.1", NULL, ADDRESS_NONE},
	    {"10.0.1", NULL, ADDRESS_NONE},
	    {"10.0.0.256", NULL, ADDRESS_NONE},
	    {"FD00:0:0::1", "fd00::1", ADDRESS_IPV6},
	    {"::ffff:1.2.3.4", "::ffff:1.2.3.4", ADDRESS_IPV6},
	    {"example.com", NULL, ADDRESS_NONE},
	    {"10.0.0.0/8", NULL, ADDRESS_NONE},
	    {"", NULL, ADDRESS_NONE},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_pstr_eq(address_canonical(arena, cases[i].in), cases[i].want);
		ck_assert_int_eq(address_family_of(cases[i].in), cases[i].family);
	}
}
END_TEST

START_TEST(one_range_one_spelling)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"10.1.2.3/8", "10.0.0.0/8"},
	    {"10.1.2.3/31", "10.1.2.2/31"},
	    {"10.1.2.3/32", "10.1.2.3"},
	    {"10.1.2.3/0", "0.0.0.0/0"},
	    {"10.1.2.3", "10.1.2.3"},
	    {"2001:DB8:1::/33", "2001:db8::/33"},
	    {"2001:db8::1/128", "2001:db8::1"},
	    {"10.1.2.3/33", NULL},
	    {"10.1.2.3/", NULL},
	    {"10.1.2.3/8x", NULL},
	    {"10.1.2.3/-1", NULL},
	    {"x/8", NULL},
	    {"/8", NULL},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_pstr_eq(address_canonical_range(arena, cases[i].in), cases[i].want);
}
END_TEST

START_TEST(mapped_addresses_are_those_of_ipv4)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"::ffff:10.1.2.3", "10.1.2.3"},
	    {"::FFFF:0a01:0203", "10.1.2.3"},
	    {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
	    {"::ffff:10.1.2.3/128", "10.1.2.3/32"},
	    {"::ffff:0.0.0.0/96", "0.0.0.0/0"},
	    {"::ffff:0.0.0.0/95", "::ffff:0.0.0.0/95"},
	    {"::ffff:10.1.2.3/129", "::ffff:10.1.2.3/129"},
	    {"::10.1.2.3", "::10.1.2.3"},
	    {"2001:db8::1", "2001:db8::1"},
	    {"10.1.2.3/8", "10.1.2.3/8"},
	    {"x", "x"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_pstr_eq(address_unmapped(arena, cases[i].in), cases[i].want);
}
END_TEST

START_TEST(ranges_within_ranges)
{
	static const struct {
		const char *wide, *narrow;
		bool want;
	} rows[] = {
	    {"10.0.0.0/8", "10.1.2.3", true},
	    {"10.0.0.0/8", "10.1.0.0/16", true},
	    {"10.1.0.0/16", "10.0.0.0/8", false},
	    {"10.0.0.0/8", "11.0.0.1", false},
	    {"10.9.9.9/8", "10.1.2.3/32", true},
	    {"0.0.0.0/0", "1.2.3.4", true},
	    {"0.0.0.0/0", "::1", false},
	    {"::/0", "2001:db8::/32", true},
	    {"2001:db8::/32", "2001:db9::", false},
	    {"10.0.0.1", "10.0.0.1", true},
	    {"10.0.0.1", "10.0.0.2", false},
	    {"x", "10.0.0.1", false},
	    {"10.0.0.0/8", "x", false},
	    {"10.0.0.0/33", "10.0.0.1", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(address_range_covers(rows[i].wide, rows[i].narrow) == rows[i].want, "%s %s", rows[i].wide,
		              rows[i].narrow);
}
END_TEST

UNIT_MAIN("address", one_address_one_spelling, one_range_one_spelling, mapped_addresses_are_those_of_ipv4,
          ranges_within_ranges)
