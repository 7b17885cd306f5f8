#include "translator/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

/* Network byte order; IPv4 in the first four bytes. */
struct address {
	enum address_family family;
	unsigned char bytes[16];
};

static struct address parse(const char *s)
{
	struct address address = {0};
	if (inet_pton(AF_INET, s, address.bytes) == 1)
		address.family = ADDRESS_IPV4;
	else if (inet_pton(AF_INET6, s, address.bytes) == 1)
		address.family = ADDRESS_IPV6;
	return address;
}

static const char *print(struct arena *arena, const struct address *address)
{
	char buffer[INET6_ADDRSTRLEN];
	int family = address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
	return arena_strdup(arena, inet_ntop(family, address->bytes, buffer, sizeof buffer));
}

enum address_family address_family_of(const char *s)
{
	return parse(s).family;
}

const char *address_canonical(struct arena *arena, const char *s)
{
	struct address address = parse(s);
	if (address.family == ADDRESS_IPV4)
		return arena_strdup(arena, s); /* inet_pton takes but one spelling: no zeros in front, four parts */
	return address.family == ADDRESS_NONE ? NULL : print(arena, &address);
}

static void clear_host_bits(struct address *address, unsigned prefix)
{
	for (unsigned bit = prefix; bit < 128; bit++)
		address->bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
}

const char *address_canonical_range(struct arena *arena, const char *s)
{
	const char *slash = strchr(s, '/');
	if (!slash)
		return address_canonical(arena, s);
	struct address address = parse(arena_strndup(arena, s, (size_t)(slash - s)));
	uint64_t prefix, bits = address.family == ADDRESS_IPV4 ? 32 : 128;
	if (address.family == ADDRESS_NONE || !text_parse_uint(slash + 1, bits, &prefix))
		return NULL;
	if (prefix == bits)
		return print(arena, &address);
	clear_host_bits(&address, (unsigned)prefix);
	return arena_printf(arena, "%s/%u", print(arena, &address), (unsigned)prefix);
}

const char *address_unmapped(struct arena *arena, const char *s)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	const char *slash = strchr(s, '/');
	struct address address = parse(slash ? arena_strndup(arena, s, (size_t)(slash - s)) : s);
	uint64_t prefix = 128;
	if (address.family != ADDRESS_IPV6 || memcmp(address.bytes, mapped, sizeof mapped) != 0 ||
	    (slash && !text_parse_uint(slash + 1, 128, &prefix)) || prefix < 96)
		return s;
	memmove(address.bytes, address.bytes + sizeof mapped, 4);
	address.family = ADDRESS_IPV4;
	const char *text = print(arena, &address);
	return slash ? arena_printf(arena, "%s/%u", text, (unsigned)prefix - 96) : text;
}

/* False: neither an address nor a range. */
static bool parse_range(const char *s, struct address *address, uint64_t *prefix)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strcspn(s, "/");
	if (n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	*address = parse(text);
	*prefix = address->family == ADDRESS_IPV4 ? 32 : 128;
	return address->family != ADDRESS_NONE && (!s[n] || text_parse_uint(s + n + 1, *prefix, prefix));
}

bool address_range_covers(const char *wide, const char *narrow)
{
	struct address a, b;
	uint64_t prefix, narrow_prefix;
	if (!parse_range(wide, &a, &prefix) || !parse_range(narrow, &b, &narrow_prefix) || a.family != b.family ||
	    prefix > narrow_prefix)
		return false;
	clear_host_bits(&a, (unsigned)prefix);
	clear_host_bits(&b, (unsigned)prefix);
	return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
