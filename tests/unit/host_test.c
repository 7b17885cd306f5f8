#include "translator/host.h"

#include "tests/unit/unit.h"

#include <string.h>

START_TEST(test_within)
{
	static const struct {
		const char *host, *of;
		bool want;
	} cases[] = {
	    {"a.example.com", "a.example.com", true},
	    {"a.example.com", "b.example.com", false},
	    {"a.example.com", "*.example.com", true},
	    {"example.com", "*.example.com", false},
	    {"a.b.example.com", "*.example.com", true},
	    {"a-eu.example.com", "*-eu.example.com", true},
	    {"*.example.com", "a.example.com", false},
	    {"*.a.example.com", "*.example.com", true},
	    {"*.example.com", "*.a.example.com", false},
	    {"*.example.com", "*.example.org", false},
	    {"anything", "*", true},
	    {"*", "*.example.com", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(host_is_within(cases[i].host, cases[i].of) == cases[i].want, "%s within %s",
		              cases[i].host, cases[i].of);
}
END_TEST

START_TEST(test_find)
{
	static char hosts[][24] = {"a.example.com", "*.example.com", "*.com", "*-eu.example.com", "*"};
	static const struct {
		const char *host, *want;
	} cases[] = {
	    {"a.example.com", "a.example.com"},
	    {"b.example.com", "*.example.com"},
	    {"x.y.example.com", "*.example.com"},
	    {"b-eu.example.com", "*-eu.example.com"},
	    {"example.com", "*.com"},
	    {"com", "*"},
	    {"local", "*"},
	    {"*.example.com", "*.example.com"},
	    {"*.b.example.com", "*.example.com"},
	    {"*.org", "*"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct host_index index = {0};
	ck_assert(!host_index_find(&index, "a.example.com"));
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		*host_index_slot(arena, &index, hosts[i]) = hosts[i];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_str_eq(host_index_find(&index, cases[i].host), cases[i].want);
	ck_assert(!host_index_get(&index, "b.example.com"));
	ck_assert_str_eq(host_index_get(&index, "*-eu.example.com"), "*-eu.example.com");
}
END_TEST

START_TEST(test_walk_finds_every_wildcard)
{
	static char hosts[][24] = {
	    "*", "*.com", "*.example.com", "*.example.org", "*-eu.example.com", "a-eu.example.com"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct host_index index = {0};
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		*host_index_slot(arena, &index, hosts[i]) = hosts[i];
	struct host_walk walk = host_walk_start(&index, "a-eu.example.com");
	size_t n, count = 0;
	for (const char *host = host_walk_next(&walk, &n); host; host = host_walk_next(&walk, &n)) {
		ck_assert(host_is_wildcard(host) && host_is_within("a-eu.example.com", host));
		ck_assert_uint_eq(n, strlen(host) - 1);
		count++;
	}
	ck_assert_uint_eq(count, 4);
}
END_TEST

UNIT_MAIN("host", test_within, test_find, test_walk_finds_every_wildcard)
