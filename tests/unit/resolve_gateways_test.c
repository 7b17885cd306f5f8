#include "tests/unit/world.h"

#define GATEWAY(name, spec)                                                                                            \
	"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " name "}\nspec: " spec "\n---\n"

START_TEST(test_servers)
{
	struct world world = world_of(GATEWAY("gw", "{selector: {b: x, a: z}, servers: ["
	                                            "{port: {number: 80, name: http, protocol: HTTP}, bind: 10.1.1.1,"
	                                            " hosts: ['A.com', ./b.com, '*/c.com', ns/d.com, '*']},"
	                                            "{port: {number: 81, name: grpc, protocol: GRPC}, hosts: ['*'],"
	                                            " tls: {httpsRedirect: true}}]}"));
	ck_assert_uint_eq(world.model->n_gateways, 1);
	const struct gateway *gateway = world.model->gateways[0];
	ck_assert_uint_eq(gateway->selector.n, 2);
	ck_assert_str_eq(gateway->selector.v[0].key, "a");
	ck_assert_uint_eq(gateway->n_servers, 2);
	const struct gateway_server *server = &gateway->servers[0];
	static const struct gateway_host hosts[] = {
	    {"*", "a.com"}, {"default", "b.com"}, {"*", "c.com"}, {"ns", "d.com"}, {"*", "*"}};
	ck_assert_uint_eq(server->port, 80);
	ck_assert_str_eq(server->bind, "10.1.1.1");
	ck_assert_uint_eq(server->n_hosts, 5);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_str_eq(server->hosts[i].namespace, hosts[i].namespace);
		ck_assert_str_eq(server->hosts[i].host, hosts[i].host);
	}
	ck_assert(!server->is_https_redirect);
	ck_assert(gateway->servers[1].is_https_redirect);
	ck_assert_int_eq(gateway->servers[1].protocol, PROTOCOL_GRPC);
	ck_assert_ptr_null(gateway->servers[1].bind);
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

/* What is not served yet is said, and the other servers stay. */
START_TEST(test_left_out)
{
	static const struct {
		const char *server, *field;
	} cases[] = {
	    {"{port: {number: 81, name: b, protocol: UDP}, hosts: ['*.a']}", "spec.servers[1].port.protocol"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(arena_printf(
		    arena,
		    GATEWAY("gw", "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}, %s]}"),
		    cases[i].server));
		ck_assert_uint_eq(world.model->n_gateways, 1);
		ck_assert_uint_eq(world.model->gateways[0]->n_servers, 1);
		ck_assert_msg(world_has_row(&world, REASON_NOT_SUPPORTED, cases[i].field), "%s", cases[i].server);
		world_done(&world);
	}
}
END_TEST

UNIT_MAIN("resolve_gateways", test_servers, test_left_out)
