#include "server/jwks/jwks_address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

struct prefix {
	unsigned char bytes[16];
	unsigned bits;
};

/* The IANA special-purpose registries: what is not globally reachable, and multicast. */
static const struct prefix private_ipv4[] = {
    {{0}, 8},          {{10}, 8},         {{100, 64}, 10},  {{127}, 8},      {{169, 254}, 16},     {{172, 16}, 12},
    {{192, 0, 0}, 24}, {{192, 0, 2}, 24}, {{192, 168}, 16}, {{198, 18}, 15}, {{198, 51, 100}, 24}, {{203, 0, 113}, 24},
    {{224}, 4},        {{240}, 4},
};

static const struct prefix private_ipv6[] = {
    {{0}, 96}, /* unspecified, loopback */
    {{0x01, 0x00}, 64},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48},
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* Teredo among others */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0xfc}, 7},
    {{0xfe, 0x80}, 10},
    {{0xfe, 0xc0}, 10},
    {{0xff}, 8},
};

/* IPv6 addresses with an IPv4 address in them, and where. */
static const struct {
	struct prefix prefix;
	size_t at;
} embedding[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},
    {{{0x20, 0x02}, 16}, 2},
};

static bool has_prefix(const unsigned char *address, const struct prefix *prefix)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	if (memcmp(address, prefix->bytes, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ prefix->bytes[whole]) >> (8 - rest) == 0;
}

static bool has_any(const unsigned char *address, const struct prefix *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_prefix(address, &prefixes[i]))
			return true;
	return false;
}

static bool is_public_ipv4(const unsigned char *address)
{
	return !has_any(address, private_ipv4, sizeof private_ipv4 / sizeof private_ipv4[0]);
}

static bool is_public_ipv6(const unsigned char *address)
{
	for (size_t i = 0; i < sizeof embedding / sizeof embedding[0]; i++)
		if (has_prefix(address, &embedding[i].prefix))
			return is_public_ipv4(address + embedding[i].at);
	return !has_any(address, private_ipv6, sizeof private_ipv6 / sizeof private_ipv6[0]);
}

bool jwks_address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in ipv4;
		memcpy(&ipv4, address, sizeof ipv4);
		return is_public_ipv4((const unsigned char *)&ipv4.sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 ipv6;
		memcpy(&ipv6, address, sizeof ipv6);
		return is_public_ipv6(ipv6.sin6_addr.s6_addr);
	}
	return false;
}
