#pragma once
/* Whether a number is prime: what sizes of some hash tables must be. */
#include <stdbool.h>
#include <stdint.h>

bool prime_is(uint32_t n);
