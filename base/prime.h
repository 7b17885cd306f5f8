#pragma once
/*
 * Prime numbers: what the sizes of some hash tables must be.
 *
 *     prime_is(65537)        true
 */
#include <stdbool.h>
#include <stdint.h>

bool prime_is(uint32_t n);
