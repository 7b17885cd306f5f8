#include "crds/command_operator.h"

#include "tests/unit/unit.h"

START_TEST(what_proxies_take_is_known)
{
	static const struct {
		const char *in;
		bool want;
	} cases[] = {
	    {"", true},
	    {"plain", true},
	    {"100%%", true},
	    {"a%%b", true},
	    {"%PROTOCOL%", true},
	    {"%REQ(x-id)%", true},
	    {"%REQ(:path?x-path):10%", true},
	    {"%REQ(a)%%RESP(b)%", true},
	    {"%%%REQ(x)%", true},
	    {"%START_TIME%", true},
	    {"%START_TIME(%Y)%", true},
	    {"%DYNAMIC_METADATA(a:b)%", true},
	    {"%FILTER_STATE(a)%", true},
	    {"%FILTER_STATE(a:PLAIN)%", true},
	    {"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", true},
	    {"50% off", false},
	    {"100%", false},
	    {"%FOO%", false},
	    {"%req(x)%", false},
	    {"%REQ%", false},
	    {"%REQ()%", false},
	    {"%REQ(a?)%", false},
	    {"%REQ(a?b?c)%", false},
	    {"%REQ(a b)%", false},
	    {"%REQ(x", false},
	    {"%REQ(x)", false},
	    {"%REQ(x)%%", false},
	    {"%REQ(x)more%", false},
	    {"%RESP(x):a%", false},
	    {"%PROTOCOL(x)%", false},
	    {"%PROTOCOL:5%", false},
	    {"%DYNAMIC_METADATA()%", false},
	    {"%FILTER_STATE(a:b)%", false},
	    {"%FILTER_STATE(:PLAIN)%", false},
	    {"%CEL(request.path)%", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(command_operators_are_known(cases[i].in) == cases[i].want, "%s", cases[i].in);
}
END_TEST

START_TEST(an_escaped_value_is_known_and_means_itself)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ck_assert_str_eq(command_operators_escape(arena, "50% of %FOO%"), "50%% of %%FOO%%");
	ck_assert(command_operators_are_known(command_operators_escape(arena, "%REQ(x %% %")));
}
END_TEST

UNIT_MAIN("command_operator", what_proxies_take_is_known, an_escaped_value_is_known_and_means_itself)
