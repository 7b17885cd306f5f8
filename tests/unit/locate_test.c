#include "cli/locate.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const char file[] = "# two documents and a list\n"    /* 1 */
                           "---\n"                           /* 2 */
                           "kind: VirtualService\n"          /* 3 */
                           "metadata:\n"                     /* 4 */
                           "  name: a\n"                     /* 5 */
                           "  annotations:\n"                /* 6 */
                           "    example.com/x: y\n"          /* 7 */
                           "spec:\n"                         /* 8 */
                           "  hosts: [a,\n"                  /* 9 */
                           "    b]\n"                        /* 10 */
                           "  http:\n"                       /* 11 */
                           "  - name: one\n"                 /* 12 */
                           "  - name: two\n"                 /* 13 */
                           "    match:\n"                    /* 14 */
                           "    - headers:\n"                /* 15 */
                           "        :method: {exact: GET}\n" /* 16 */
                           "    perTryTimeout: 1s\n"         /* 17 */
                           "    cors_policy: {}\n"           /* 18 */
                           "---\n"                           /* 19 */
                           "broken: [\n"                     /* 20 */
                           "---\n"                           /* 21 */
                           "kind: List\n"                    /* 22 */
                           "items:\n"                        /* 23 */
                           "- kind: Service\n"               /* 24 */
                           "  spec:\n"                       /* 25 */
                           "    ports: []\n"                 /* 26 */
                           "- kind: Service\n"               /* 27 */
                           "  spec:\n"                       /* 28 */
                           "    ports: [{port: 1},\n"        /* 29 */
                           "     {port: 2}]\n";              /* 30 */

START_TEST(fields_are_found)
{
	static const struct {
		uint32_t line;
		const char *field;
		uint32_t want;
	} cases[] = {
	    {3, "kind", 3},
	    {3, "spec", 8},
	    {3, "spec.hosts", 9},
	    {3, "spec.hosts[0]", 9},
	    {3, "spec.hosts[1]", 10},
	    {3, "spec.http[1].name", 13},
	    {3, "spec.http[1].match[0].headers[:method]", 16},
	    {3, "spec.http[1].match[0].headers[:method].exact", 16},
	    {3, "metadata.annotations[example.com/x]", 7},
	    {3, "spec.http[1].corsPolicy", 18},
	    {3, "spec.http[1].corsPolicy.allowOrigins", 18},
	    {14, "spec.hosts[1]", 10}, /* a line inside the object */
	    {24, "spec.ports", 26},
	    {27, "spec.ports[1].port", 30},
	    {22, "items", 23},
	    /* as far as it goes */
	    {3, "spec.http[1].route", 13},
	    {3, "spec.http[7].route", 11},
	    {3, "spec.http[one]", 11},
	    {3, "status", 3},
	    {3, "", 3},
	    {3, "spec.hosts[1", 9},
	    {3, "spec..hosts", 8},
	    {3, "spec.hosts[99999999999999999999999999]", 9},
	    /* nothing to walk in */
	    {20, "broken", 20},
	    {1, "spec", 1},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct locate *locate = locate_new(arena, file, sizeof file - 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t got = locate_line(locate, cases[i].line, cases[i].field);
		ck_assert_msg(got == cases[i].want, "%u %s: want %u, got %u", cases[i].line, cases[i].field,
		              cases[i].want, got);
	}
}
END_TEST

/* Their items say neither apiVersion nor kind, but have lines all the same. */
START_TEST(items_of_typed_lists_are_found)
{
	static const char list[] = "apiVersion: v1\n"        /* 1 */
	                           "kind: ServiceList\n"     /* 2 */
	                           "items:\n"                /* 3 */
	                           "- metadata: {name: a}\n" /* 4 */
	                           "  spec:\n"               /* 5 */
	                           "    ports:\n"            /* 6 */
	                           "    - port: 0\n";        /* 7 */
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct locate *locate = locate_new(arena, list, sizeof list - 1);
	ck_assert_uint_eq(locate_line(locate, 4, "spec.ports[0].port"), 7);
}
END_TEST

START_TEST(files_are_read)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	FILE *out = fopen("locate_test.yaml", "w");
	ck_assert_ptr_nonnull(out);
	fputs(file, out);
	fclose(out);
	const struct locate *locate = locate_file(arena, "locate_test.yaml");
	remove("locate_test.yaml");
	ck_assert_ptr_nonnull(locate);
	ck_assert_uint_eq(locate_line(locate, 3, "spec.http[1].name"), 13);
	ck_assert_ptr_null(locate_file(arena, "does-not-exist.yaml"));
	ck_assert_ptr_null(locate_file(arena, ".")); /* a folder opens, but does not read */
}
END_TEST

UNIT_MAIN("locate", fields_are_found, items_of_typed_lists_are_found, files_are_read)
