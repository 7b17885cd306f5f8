#include "ca/spiffe_id.h"

#include "tests/unit/unit.h"

#include <string.h>

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define A250 A60 A60 A60 A60 A10
#define BYTES(s) (s), sizeof(s) - 1

START_TEST(good_ids_print_as_they_were_parsed)
{
	static const struct {
		const char *in, *trust_domain, *ns, *account;
	} rows[] = {
	    {"spiffe://cluster.local/ns/default/sa/reviews", "cluster.local", "default", "reviews"},
	    {"spiffe://a/ns/b/sa/c", "a", "b", "c"},
	    {"spiffe://td-1_x.example.com/ns/0/sa/v1.reviews-2.x", "td-1_x.example.com", "0", "v1.reviews-2.x"},
	    {"spiffe://td/ns/ns/sa/sa", "td", "ns", "sa"},
	    {"spiffe://" A250 "aaaaa/ns/" A60 "aaa/sa/" A250 "aaa", A250 "aaaaa", A60 "aaa", A250 "aaa"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spiffe_id id, made;
		struct error error;
		char text[SPIFFE_ID_TEXT];
		ck_assert_msg(spiffe_id_parse(rows[i].in, strlen(rows[i].in), &id, &error), "%s", error.message);
		ck_assert_str_eq(id.trust_domain, rows[i].trust_domain);
		ck_assert_str_eq(id.ns, rows[i].ns);
		ck_assert_str_eq(id.account, rows[i].account);
		spiffe_id_print(&id, text);
		ck_assert_str_eq(text, rows[i].in);
		ck_assert(spiffe_id_make(rows[i].trust_domain, rows[i].ns, rows[i].account, &made, &error));
		ck_assert(spiffe_id_equal(&id, &made));
	}
}
END_TEST

static bool is_untouched(const struct spiffe_id *id)
{
	for (size_t i = 0; i < sizeof *id; i++)
		if (((const char *)id)[i] != 'x')
			return false;
	return true;
}

START_TEST(anything_else_is_refused_with_what_is_wrong)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
	    {BYTES(""), "does not begin with spiffe://"},
	    {BYTES("spiffe:/"), "does not begin with spiffe://"},
	    {BYTES("https://a/ns/b/sa/c"), "does not begin with spiffe://"},
	    {BYTES("SPIFFE://a/ns/b/sa/c"), "does not begin with spiffe://"},
	    {BYTES(" spiffe://a/ns/b/sa/c"), "does not begin with spiffe://"},
	    {BYTES("spiffe://"), "not of the form"},
	    {BYTES("spiffe://a"), "not of the form"},
	    {BYTES("spiffe://a/ns/b/sa"), "not of the form"},
	    {BYTES("spiffe://a/ns/b/sa/"), "the service account is empty"},
	    {BYTES("spiffe://a/ns/b/sa/c/"), "not of the form"},
	    {BYTES("spiffe://a/ns/b/sa/c/d"), "not of the form"},
	    {BYTES("spiffe://a//ns/b/sa/c"), "not of the form"},
	    {BYTES("spiffe://a/ns/b/SA/c"), "not of the form"},
	    {BYTES("spiffe://a/sa/b/ns/c"), "not of the form"},
	    {BYTES("spiffe:///ns/b/sa/c"), "the trust domain is empty"},
	    {BYTES("spiffe://a/ns//sa/c"), "the namespace is empty"},
	    {BYTES("spiffe://A/ns/b/sa/c"), "the trust domain: character 'A' at position 1"},
	    {BYTES("spiffe://a:8080/ns/b/sa/c"), "character ':' at position 2"},
	    {BYTES("spiffe://user@a/ns/b/sa/c"), "character '@' at position 5"},
	    {BYTES("spiffe://a%62/ns/b/sa/c"), "character '%' at position 2"},
	    {BYTES("spiffe://[::1]/ns/b/sa/c"), "character '[' at position 1"},
	    {BYTES("spiffe://a\xc3\xa9/ns/b/sa/c"), "byte 0xc3 at position 2"},
	    {BYTES("spiffe://a/ns/b/sa/c?d"), "the service account: character '?'"},
	    {BYTES("spiffe://a/ns/b/sa/c#d"), "the service account: character '#'"},
	    {BYTES("spiffe://a/ns/b/sa/%63"), "the service account: character '%'"},
	    {BYTES("spiffe://a/ns/b/sa/C"), "the service account: character 'C'"},
	    {BYTES("spiffe://a/ns/b/sa/c_d"), "the service account: character '_'"},
	    {BYTES("spiffe://a/ns/b.c/sa/c"), "the namespace: character '.'"},
	    {BYTES("spiffe://a/ns/./sa/c"), "the namespace: character '.'"},
	    {BYTES("spiffe://a/ns/b/sa/."), "must begin and end with a letter or digit"},
	    {BYTES("spiffe://a/ns/b/sa/.."), "must begin and end with a letter or digit"},
	    {BYTES("spiffe://a/ns/b/sa/c..d"), "must begin and end with a letter or digit"},
	    {BYTES("spiffe://a/ns/b/sa/c-.d"), "must begin and end with a letter or digit"},
	    {BYTES("spiffe://a/ns/-b/sa/c"), "must begin and end with a letter or digit"},
	    {BYTES("spiffe://a/ns/b/sa/c-"), "must begin and end with a letter or digit"},
	    {BYTES("spiffe://a/ns/b/sa/c\0"), "byte 0x00 at position 2"},
	    {BYTES("spiffe://a/ns/b/sa/c\0.d"), "byte 0x00 at position 2"},
	    {BYTES("spiffe://a\0/ns/b/sa/c"), "byte 0x00 at position 2"},
	    {BYTES("spiffe://a/ns/b\n/sa/c"), "byte 0x0a at position 2"},
	    {BYTES("spiffe://" A250 "aaaaaa/ns/b/sa/c"), "the trust domain has 256 characters"},
	    {BYTES("spiffe://a/ns/" A60 "aaaa/sa/c"), "the namespace has 64 characters"},
	    {BYTES("spiffe://a/ns/b/sa/" A250 "aaaa"), "the service account has 254 characters"},
	    {BYTES("spiffe://a/ns/b/sa/" A250 A250 A250 A250 A250 A250 A250 A250 A60), "at most 2048 are allowed"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spiffe_id id;
		struct error error = {""};
		memset(&id, 'x', sizeof id);
		ck_assert_msg(!spiffe_id_parse(rows[i].in, rows[i].n, &id, &error), "row %zu: %s", i, rows[i].in);
		ck_assert_msg(strstr(error.message, rows[i].want) != NULL, "row %zu: %s", i, error.message);
		ck_assert_msg(is_untouched(&id), "row %zu", i);
	}
}
END_TEST

START_TEST(parts_are_held_to_the_same_rules)
{
	static const struct {
		const char *trust_domain, *ns, *account;
	} rows[] = {
	    {"", "b", "c"}, {"a/ns/x/sa/y", "b", "c"}, {"a", "b/sa/x", "c"}, {"a", "", "c"},
	    {"a", "b", ""}, {"a", "b", "c/d"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spiffe_id id;
		struct error error;
		ck_assert(!spiffe_id_make(rows[i].trust_domain, rows[i].ns, rows[i].account, &id, &error));
	}
}
END_TEST

START_TEST(ids_that_differ_anywhere_are_not_equal)
{
	static const char *const texts[] = {"spiffe://a/ns/b/sa/c", "spiffe://x/ns/b/sa/c", "spiffe://a/ns/x/sa/c",
	                                    "spiffe://a/ns/b/sa/x"};
	struct spiffe_id ids[4];
	struct error error;
	for (size_t i = 0; i < 4; i++)
		ck_assert(spiffe_id_parse(texts[i], strlen(texts[i]), &ids[i], &error));
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++)
			ck_assert(spiffe_id_equal(&ids[i], &ids[k]) == (i == k));
}
END_TEST

UNIT_MAIN("spiffe_id", good_ids_print_as_they_were_parsed, anything_else_is_refused_with_what_is_wrong,
          parts_are_held_to_the_same_rules, ids_that_differ_anywhere_are_not_equal)
