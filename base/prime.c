#include "base/prime.h"

bool prime_is(uint32_t n)
{
	if (n < 2 || n % 2 == 0)
		return n == 2;
	for (uint32_t i = 3; (uint64_t)i * i <= n; i += 2)
		if (n % i == 0)
			return false;
	return true;
}
