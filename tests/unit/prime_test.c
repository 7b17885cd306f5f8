#include "base/prime.h"

#include "tests/unit/unit.h"

START_TEST(primes_are_told_from_others)
{
	static const struct {
		uint32_t in;
		bool want;
	} cases[] = {
	    {0, false},  {1, false},    {2, true},       {3, true},        {4, false},          {9, false},
	    {25, false}, {65537, true}, {5000011, true}, {5000013, false}, {4294967291u, true}, {4294967295u, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(prime_is(cases[i].in) == cases[i].want, "%u", cases[i].in);
}
END_TEST

UNIT_MAIN("prime", primes_are_told_from_others)
