#include "tests/unit/unit.h"
#include "translator/envoy/names.h"

START_TEST(names_are_istios)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct {
		const char *got, *want;
	} rows[] = {
	    {name_outbound_cluster(arena, 80, "", "a.b.svc.cluster.local"), "outbound|80||a.b.svc.cluster.local"},
	    {name_outbound_cluster(arena, 65535, "v1", "*.example.com"), "outbound|65535|v1|*.example.com"},
	    {name_inbound_cluster(arena, 8080), "inbound|8080||"},
	    {name_stat(arena, "inbound|8080||"), "inbound|8080||;"},
	    {name_listener(arena, "0.0.0.0", 80), "0.0.0.0_80"},
	    {name_listener(arena, "::", 80), "::_80"},
	    {name_outbound_stat(arena, "10.0.0.1", 80), "outbound_10.0.0.1_80;"},
	    {name_inbound_stat(arena, "0.0.0.0", 80), "inbound_0.0.0.0_80;"},
	    {name_virtual_host(arena, "a.b", 80), "a.b:80"},
	    {name_virtual_host(arena, "::1", 80), "[::1]:80"},
	    {name_black_hole_host(arena, 80), "blackhole:80"},
	    {name_inbound_host(arena, 80), "inbound|http|80"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_str_eq(rows[i].got, rows[i].want);
}
END_TEST

UNIT_MAIN("names", names_are_istios)
