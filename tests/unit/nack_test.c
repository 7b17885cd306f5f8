#include "server/xds/nack.h"
#include "unit.h"

#include <string.h>

START_TEST(finds_names_in_envoys_words)
{
	static const struct {
		const char *message, *resource;
		bool want;
	} cases[] = {
	    {"Error adding/updating cluster(s) outbound|80||a.b: bad", "outbound|80||a.b", true},
	    {"Error adding/updating cluster(s) outbound|80||a.b.c: bad", "outbound|80||a.b", false},
	    {"Error adding/updating cluster(s) x: bad, outbound|80||a.b: bad", "outbound|80||a.b", true},
	    {"Error adding/updating listener(s) 0.0.0.0_80: cannot bind", "0.0.0.0_80", true},
	    {"Error adding/updating listener(s) 0.0.0.0_8080: cannot bind", "0.0.0.0_80", false},
	    {"Error adding/updating listener(s) 10.0.0.0_80: cannot bind", "0.0.0.0_80", false},
	    {"duplicate cluster a found.", "a", true},
	    {"duplicate cluster a.", "a", true},
	    {"duplicate cluster 'a'", "a", true},
	    {"duplicate cluster aa", "a", false},
	    {"a", "a", true},
	    {"", "a", false},
	    {"a", "", false},
	    /* a route table's name is a port */
	    {"Only unique values for domains are permitted. Duplicate entry of domain x:80 in route 80", "80", true},
	    {"invalid weight 80", "80", false},
	    {"line 80: bad", "80", false},
	    {"route configuration '80': bad", "80", true},
	    {"Error adding/updating listener(s) 80: bad", "80", true},
	    {"invalid weight 80 in route 80", "80", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(nack_names(cases[i].message, cases[i].resource) == cases[i].want, "%s in %s",
		              cases[i].resource, cases[i].message);
}
END_TEST

START_TEST(keeps_a_bounded_message)
{
	char *message = malloc(3 * NACK_MESSAGE_MAX);
	memset(message, 'x', 3 * NACK_MESSAGE_MAX - 1);
	message[3 * NACK_MESSAGE_MAX - 1] = '\0';
	memcpy(message + NACK_MESSAGE_MAX - 1, "\xc3\xa9", 2); /* a character across the cap */
	struct nack *nack = nack_new("a", "v", message);
	ck_assert_uint_eq(strlen(nack->message), NACK_MESSAGE_MAX - 1);
	ck_assert_str_eq(nack->resource, "a");
	ck_assert_str_eq(nack->version, "v");
	nack_free(nack);
	free(message);
}
END_TEST

UNIT_MAIN("nack", finds_names_in_envoys_words, keeps_a_bounded_message)
