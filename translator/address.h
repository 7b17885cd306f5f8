#pragma once
/*
 * IP addresses as text. One address has one spelling in the model (inet_ntop's), so that addresses can be compared and
 * looked up as strings, whoever wrote them.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum address_family { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6 };

/* ADDRESS_NONE: a host name, a range, a path or nonsense. */
enum address_family address_family_of(const char *s);
/* The one spelling of an IP address; NULL when it is none. */
const char *address_canonical(struct arena *arena, const char *s);
/*
 * "10.0.0.0/8": the range with its one spelling (host bits cleared); a range of one address becomes that address. NULL
 * when s is neither an address nor a range.
 */
const char *address_canonical_range(struct arena *arena, const char *s);
/* "::ffff:10.0.0.0/104" is 10.0.0.0/8: what connections from there are seen to come from. All else stays as it is. */
const char *address_unmapped(struct arena *arena, const char *s);
/* Each address of the narrow range is in the wide one; an address is a range of one. False where one is neither. */
bool address_range_covers(const char *wide, const char *narrow);
