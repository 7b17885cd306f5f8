#include "tests/unit/unit.h"
#include "translator/authz_overlap.h"

#define VALUES(...)                                                                                                    \
	{                                                                                                              \
		(const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)        \
	}
#define TERM(of, ...) ((struct authz_term){.attribute = AUTHZ_##of, .name = "", .values = VALUES(__VA_ARGS__)})
#define NOT(of, ...) ((struct authz_term){.attribute = AUTHZ_##of, .name = "", .not_values = VALUES(__VA_ARGS__)})
#define BUT(of, value, ...)                                                                                            \
	((struct authz_term){                                                                                          \
	    .attribute = AUTHZ_##of, .name = "", .values = VALUES(value), .not_values = VALUES(__VA_ARGS__)})

START_TEST(terms_that_exclude_what_they_want)
{
	const struct {
		const char *name;
		struct authz_term term;
		bool want, want_closing;
	} rows[] = {
	    {"the same", BUT(METHOD, "GET", "GET"), true, true},
	    {"another", BUT(METHOD, "GET", "PUT"), false, false},
	    {"everything", BUT(METHOD, "GET", "*"), true, true},
	    {"within a prefix", BUT(PATH, "/a/b", "/a/*"), true, true},
	    {"more than a prefix", BUT(PATH, "/a*", "/a/*"), false, false},
	    {"within a suffix", BUT(PATH, "*/a.txt", "*.txt"), true, true},
	    {"a template within a prefix", BUT(PATH, "/a/{*}/c", "/a/*"), true, true},
	    {"a template beside a prefix", BUT(PATH, "/{*}/c", "/a/*"), false, false},
	    {"a host in other letters", BUT(HOST, "a.com", "A.com"), true, false},
	    {"no path", NOT(PATH, "*"), true, true},
	    {"no method", NOT(METHOD, "GET", "*"), true, true},
	    {"no token", NOT(REQUEST_PRINCIPAL, "*"), false, false},
	    {"no identity", NOT(PRINCIPAL, "*"), false, false},
	    {"no header", NOT(HEADER, "*"), false, false},
	    {"a header's text", BUT(HEADER, "root", "root"), true, false},
	    {"a header that is not there", BUT(HEADER, "root", "*"), true, true},
	    {"addresses within the excluded", BUT(SOURCE_IP, "10.1.0.0/16", "10.0.0.0/8"), true, true},
	    {"fewer addresses excluded", BUT(SOURCE_IP, "10.0.0.0/8", "10.1.0.0/16"), false, false},
	    {"no IPv4", NOT(SOURCE_IP, "0.0.0.0/0"), false, false},
	    {"no address", NOT(SOURCE_IP, "::/0", "0.0.0.0/0"), true, true},
	    {"a port", BUT(PORT, "80", "080"), true, true},
	    {"namespaces of a pattern", BUT(NAMESPACE, "team-a-x", "team-*-x"), true, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert_msg(authz_term_is_impossible(&rows[i].term, false) == rows[i].want, "%s", rows[i].name);
		ck_assert_msg(authz_term_is_impossible(&rows[i].term, true) == rows[i].want_closing, "%s, closing",
		              rows[i].name);
	}
}
END_TEST

START_TEST(terms_that_cannot_both_be_met)
{
	const struct {
		const char *name;
		struct authz_term a, b;
		bool want;
	} rows[] = {
	    {"other ports", TERM(PORT, "80"), TERM(PORT, "81", "82"), true},
	    {"one port of both", TERM(PORT, "80"), TERM(PORT, "81", "80"), false},
	    {"other namespaces", TERM(NAMESPACE, "a"), TERM(NAMESPACE, "b"), true},
	    {"a namespace of a pattern", TERM(NAMESPACE, "a*"), TERM(NAMESPACE, "ab"), false},
	    {"patterns", TERM(NAMESPACE, "a*"), TERM(NAMESPACE, "b*"), false},
	    {"prefixes", TERM(PATH, "/a*"), TERM(PATH, "/b*"), true},
	    {"a prefix of a prefix", TERM(PATH, "/a*"), TERM(PATH, "/ab*"), false},
	    {"a prefix and a suffix", TERM(PATH, "/a*"), TERM(PATH, "*b"), false},
	    {"suffixes", TERM(HOST, "*a.com"), TERM(HOST, "*b.com"), true},
	    {"subnets", TERM(SOURCE_IP, "10.0.0.0/8"), TERM(SOURCE_IP, "192.0.2.1"), true},
	    {"a subnet in a subnet", TERM(SOURCE_IP, "10.0.0.0/8"), TERM(SOURCE_IP, "10.1.0.0/16"), false},
	    {"texts of a header", TERM(HEADER, "a"), TERM(HEADER, "b"), false},
	    {"claims", TERM(AUDIENCE, "a"), TERM(AUDIENCE, "b"), false},
	    {"exclusions", TERM(PORT, "80"), NOT(PORT, "81"), false},
	    {"other things", TERM(PORT, "80"), TERM(METHOD, "GET"), false},
	    {"a principal of another namespace", TERM(PRINCIPAL, "td/ns/a/sa/x"), TERM(NAMESPACE, "b"), true},
	    {"a principal of the namespace", TERM(NAMESPACE, "b", "a"), TERM(PRINCIPAL, "td/ns/a/sa/x"), false},
	    {"a principal in short", TERM(PRINCIPAL, "*/sa/x"), TERM(NAMESPACE, "b"), false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(authz_terms_exclude_each_other(&rows[i].a, &rows[i].b) == rows[i].want, "%s",
		              rows[i].name);
}
END_TEST

/* A rule with one source and one operation, of one term each at most. */
struct simple {
	const struct authz_term *source, *operation;
};

static bool covers(const struct simple *wide, const struct simple *narrow)
{
	struct authz_terms sources[2] = {{wide->source, wide->source ? 1 : 0},
	                                 {narrow->source, narrow->source ? 1 : 0}};
	struct authz_terms operations[2] = {{wide->operation, wide->operation ? 1 : 0},
	                                    {narrow->operation, narrow->operation ? 1 : 0}};
	const struct authz_rule a = {&sources[0], &operations[0], 1, 1}, b = {&sources[1], &operations[1], 1, 1};
	return authz_rule_covers(&a, &b);
}

START_TEST(rules_within_rules)
{
	const struct authz_term get = TERM(METHOD, "GET"), read = TERM(METHOD, "HEAD", "GET"),
	                        not_get = NOT(METHOD, "GET");
	const struct authz_term not_read = NOT(METHOD, "GET", "HEAD"), path = TERM(PATH, "/a");
	const struct authz_term shop = TERM(NAMESPACE, "shop"), any = TERM(NAMESPACE, "*");
	const struct {
		const char *name;
		struct simple wide, narrow;
		bool want;
	} rows[] = {
	    {"everything", {NULL, NULL}, {&shop, &get}, true},
	    {"the same", {&shop, &get}, {&shop, &get}, true},
	    {"more methods", {NULL, &read}, {NULL, &get}, true},
	    {"fewer methods", {NULL, &get}, {NULL, &read}, false},
	    {"another thing", {NULL, &path}, {NULL, &get}, false},
	    {"no condition", {NULL, &get}, {NULL, NULL}, false},
	    {"fewer excluded", {NULL, &not_get}, {NULL, &not_read}, true},
	    {"more excluded", {NULL, &not_read}, {NULL, &not_get}, false},
	    {"all but what is wanted", {NULL, &not_get}, {NULL, &read}, false},
	    {"any caller", {&any, &get}, {&shop, &get}, true},
	    {"one caller", {&shop, &get}, {&any, &get}, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(covers(&rows[i].wide, &rows[i].narrow) == rows[i].want, "%s", rows[i].name);
}
END_TEST

UNIT_MAIN("authz_overlap", terms_that_exclude_what_they_want, terms_that_cannot_both_be_met, rules_within_rules)
