#include "translator/authz_path.h"

#include "tests/unit/unit.h"

START_TEST(test_paths)
{
#define NONE                                                                                                           \
	{                                                                                                              \
		false, false, false                                                                                    \
	}
#define BASE                                                                                                           \
	{                                                                                                              \
		false, true, false                                                                                     \
	}
#define MERGE                                                                                                          \
	{                                                                                                              \
		false, true, true                                                                                      \
	}
#define DECODE                                                                                                         \
	{                                                                                                              \
		true, true, true                                                                                       \
	}
	static const struct {
		const char *target;
		struct authz_path_rules rules;
		const char *want;
	} rows[] = {
	    {"/a?b", NONE, "/a"},
	    {"/a#b", NONE, "/a"},
	    {"/a/../b", NONE, "/a/../b"},
	    {"/%61", NONE, "/%61"},
	    {"/a/./b", BASE, "/a/b"},
	    {"/a/../b", BASE, "/b"},
	    {"/a/..", BASE, "/"},
	    {"/a/.", BASE, "/a/"},
	    {"/../../a", BASE, "/a"},
	    {"/a/%2e%2E/b", BASE, "/b"},
	    {"/%61%2Fb", BASE, "/a%2Fb"},
	    {"/a\\..\\b", BASE, "/b"},
	    {"/a//b", BASE, "/a//b"},
	    {"/%zz%4", BASE, "/%zz%4"},
	    {"/\"<>^`{|}[]*\x7f", BASE, "/%22%3C%3E%5E%60%7B%7C%7D[]*%7F"},
	    {"/\"^{|}", NONE, "/\"^{|}"},
	    {"/%5e%7C", BASE, "/%5e%7C"},
	    {"//a///b/", MERGE, "/a/b/"},
	    {"/a%2Fb", MERGE, "/a%2Fb"},
	    {"/a%2F%2fb%5Cc", DECODE, "/a/b/c"},
	    {"/", DECODE, "/"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *path = authz_path(arena, rows[i].target, &rows[i].rules);
		ck_assert_msg(strcmp(path, rows[i].want) == 0, "%zu: %s is %s", i, rows[i].target, path);
	}
}
END_TEST

UNIT_MAIN("authz_path", test_paths)
