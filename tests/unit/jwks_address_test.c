#include "server/jwks/jwks_address.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

START_TEST(only_addresses_of_the_internet_are_public)
{
	static const struct {
		const char *address;
		bool want;
	} rows[] = {
	    {"8.8.8.8", true},
	    {"1.1.1.1", true},
	    {"0.0.0.0", false},
	    {"10.0.0.1", false},
	    {"11.0.0.1", true},
	    {"100.63.255.255", true},
	    {"100.64.0.1", false},
	    {"100.127.255.255", false},
	    {"100.128.0.1", true},
	    {"127.0.0.1", false},
	    {"127.255.0.1", false},
	    {"169.254.169.254", false},
	    {"172.15.0.1", true},
	    {"172.16.0.1", false},
	    {"172.31.255.1", false},
	    {"172.32.0.1", true},
	    {"192.168.1.1", false},
	    {"192.169.0.1", true},
	    {"198.19.0.1", false},
	    {"224.0.0.1", false},
	    {"255.255.255.255", false},
	    {"240.0.0.1", false},
	    {"2606:4700::1", true},
	    {"2001:4860::8888", true},
	    {"::", false},
	    {"::1", false},
	    {"fe80::1", false},
	    {"febf::1", false},
	    {"fc00::1", false},
	    {"fd12::1", false},
	    {"ff02::1", false},
	    {"2001:db8::1", false},
	    {"2001::1", false},
	    {"::ffff:10.0.0.1", false},
	    {"::ffff:8.8.8.8", true},
	    {"64:ff9b::127.0.0.1", false},
	    {"64:ff9b::8.8.8.8", true},
	    {"2002:7f00:1::", false},
	    {"2002:808:808::", true},
	    {"::127.0.0.1", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		union {
			struct sockaddr any;
			struct sockaddr_in ipv4;
			struct sockaddr_in6 ipv6;
		} address = {0};
		bool is_ipv6 = strchr(rows[i].address, ':') != NULL;
		address.any.sa_family = is_ipv6 ? AF_INET6 : AF_INET;
		ck_assert_int_eq(inet_pton(address.any.sa_family, rows[i].address,
		                           is_ipv6 ? (void *)&address.ipv6.sin6_addr : (void *)&address.ipv4.sin_addr),
		                 1);
		ck_assert_msg(jwks_address_is_public(&address.any) == rows[i].want, "%s", rows[i].address);
	}
	const struct sockaddr_un local = {.sun_family = AF_UNIX};
	ck_assert(!jwks_address_is_public((const struct sockaddr *)&local));
}
END_TEST

UNIT_MAIN("jwks_address", only_addresses_of_the_internet_are_public)
