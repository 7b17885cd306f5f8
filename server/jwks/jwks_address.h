#pragma once
/*
 * Which addresses are of the public internet, and not of this machine, its network, or the cluster. What a stranger's
 * answer leads to must be one, or he could make weftd ask what only weftd reaches.
 */
#include <stdbool.h>
#include <sys/socket.h>

/* Also what an IPv6 address has in it of IPv4 (mapped, NAT64, 6to4) must be public. False for other families. */
bool jwks_address_is_public(const struct sockaddr *address);
