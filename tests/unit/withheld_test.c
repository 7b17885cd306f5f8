#include "server/xds/withheld.h"
#include "xds_fake.h"

#define UNVERIFIED XDS_WITHHELD_UNVERIFIED
#define ELSEWHERE XDS_WITHHELD_OTHER_NAMESPACE
#define NOT_NAMED XDS_WITHHELD_NOT_NAMED

START_TEST(says_why_as_far_as_the_name_tells)
{
	static const struct {
		const char *name;
		bool is_verified;
		enum xds_withholding want;
	} rows[] = {
	    {"kubernetes://edge/shop", false, UNVERIFIED},
	    {"default", false, UNVERIFIED},
	    {"kubernetes://shop", true, NOT_NAMED},
	    {"kubernetes://edge/shop", true, NOT_NAMED},
	    {"kubernetes://edges/shop", true, ELSEWHERE},
	    {"kubernetes://edg/shop", true, ELSEWHERE},
	    {"kubernetes://../shop", true, ELSEWHERE},
	    {"kubernetes:///shop", true, ELSEWHERE},
	    {"kubernetes-gateway://bank/shop", true, ELSEWHERE},
	    {"../bank/shop", true, NOT_NAMED},
	    {"file-cert:/etc/a~/etc/b", true, NOT_NAMED},
	    {"", true, NOT_NAMED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct node node = {.namespace = "edge", .is_verified = rows[i].is_verified};
		ck_assert_msg(withheld_why(&node, rows[i].name) == rows[i].want, "%s", rows[i].name);
	}
}
END_TEST

START_TEST(counts_what_was_asked_for_and_is_not_given)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		const uint64_t *counts = world.stats.withheld_secrets;
		start_with(&proxy, &world, form, "SDS a=1");
		proxy_subscribe(&proxy, "SDS", "a");
		ck_assert_uint_eq(counts[UNVERIFIED], 0);
		proxy_subscribe(&proxy, "SDS", "a b");
		ck_assert_uint_eq(counts[UNVERIFIED], 1);
		ck_assert_str_eq(proxy_state(&proxy), "SDS a=1");
		proxy_subscribe(&proxy, "CDS", "c");
		ck_assert_uint_eq(counts[UNVERIFIED], 1);
		stop(&proxy, &world);
	}
}
END_TEST

UNIT_MAIN("withheld", says_why_as_far_as_the_name_tells, counts_what_was_asked_for_and_is_not_given)
