#include "tests/unit/world.h"
#include "translator/istio/connection_lowering.h"

#define RULE(name, created, spec)                                                                                      \
	"apiVersion: networking.istio.io/v1\nkind: VirtualService\n"                                                   \
	"metadata: {name: " name ", creationTimestamp: '2024-01-0" created "T00:00:00Z'}\nspec: {" spec "}\n---\n"
#define TO "route: [{destination: {host: reviews}}]"

/* Rows that say that something is taken by others. */
static size_t count_taken(const struct world *world)
{
	size_t n = 0;
	for (size_t i = 0; i < world->model->report.n; i++) {
		enum report_reason reason = world->model->report.rows[i].reason;
		n += reason == REASON_CONFLICT || reason == REASON_NO_EFFECT;
	}
	return n;
}

/* All routes for connections count, beside each other and beside HTTP routes; those that nothing gets to are said. */
START_TEST(what_others_take)
{
	static const struct {
		const char *name, *yaml, *field; /* NULL: there is nothing to say */
		enum report_reason reason;
	} cases[] = {
	    {"HTTP and TCP of one host",
	     RULE("a", "1", "hosts: [reviews], http: [{" TO "}]") RULE("b", "2", "hosts: [reviews], tcp: [{" TO "}]"),
	     NULL, REASON_COUNT},
	    {"names within each other",
	     RULE("a", "1",
	          "hosts: ['*.com'], tls: [{match: [{sniHosts: ['*.com']}], " TO "}, {match: [{sniHosts: [a.com]}], " TO
	          "}]"),
	     NULL, REASON_COUNT},
	    {"one name twice",
	     RULE("a", "1",
	          "hosts: [a.com], tls: [{match: [{sniHosts: [a.com]}], " TO
	          "}, {match: [{sniHosts: [a.com], sourceLabels: {a: b}, port: 443}], " TO "}]"),
	     "spec.tls[1].match[0]", REASON_NO_EFFECT},
	    {"one name for some clients, then for all",
	     RULE("a", "1",
	          "hosts: [a.com], tls: [{match: [{sniHosts: [a.com], sourceLabels: {a: b}}], " TO
	          "}, {match: [{sniHosts: [a.com]}], " TO "}]"),
	     NULL, REASON_COUNT},
	    {"one of two names",
	     RULE("a", "1", "hosts: [a.com], tls: [{match: [{sniHosts: [a.com]}], " TO "}]")
	         RULE("b", "2", "hosts: [a.com, b.com], tls: [{match: [{sniHosts: [a.com, b.com]}], " TO "}]"),
	     "spec.tls[0].match[0]", REASON_CONFLICT},
	    {"for sidecars, and for a gateway",
	     RULE("a", "1", "hosts: [a.com], tls: [{match: [{sniHosts: [a.com]}], " TO "}]")
	         RULE("b", "2", "hosts: [a.com], gateways: [gw], tls: [{match: [{sniHosts: [a.com]}], " TO "}]"),
	     NULL, REASON_COUNT},
	    {"twice for a gateway, by matches",
	     RULE("a", "1",
	          "hosts: [a.com], gateways: [mesh, gw], tls: [{match: [{sniHosts: [a.com], gateways: [gw]}], " TO
	          "}, {match: [{sniHosts: [a.com], gateways: [gw], sourceLabels: {a: b}}], " TO "}]"),
	     "spec.tls[1].match[0]", REASON_NO_EFFECT},
	    {"for nobody who sees both",
	     RULE("a", "1", "hosts: [reviews], exportTo: [one], tcp: [{" TO "}]")
	         RULE("b", "2", "hosts: [reviews], exportTo: [two], tcp: [{" TO "}]"),
	     NULL, REASON_COUNT},
	    {"for its own namespace, where that comes first",
	     RULE("a", "1", "hosts: [reviews], tcp: [{" TO "}]")
	         RULE("b", "2", "hosts: [reviews], exportTo: [.], tcp: [{" TO "}]"),
	     NULL, REASON_COUNT},
	    {"behind a TCP route for everything",
	     RULE("a", "1", "hosts: [reviews], tcp: [{" TO "}, {match: [{destinationSubnets: [10.0.0.0/8]}], " TO "}]"),
	     "spec.tcp[1].match[0]", REASON_NO_EFFECT},
	    {"the same twice, which decoding says",
	     RULE("a", "1", "hosts: [reviews], tcp: [{match: [{port: 80}], " TO "}, {match: [{port: 80}], " TO "}]"),
	     NULL, REASON_COUNT},
	    {"behind another's TCP route for everything",
	     RULE("a", "1", "hosts: [reviews], tcp: [{" TO "}]") RULE("b", "2", "hosts: [reviews], tcp: [{" TO "}]"),
	     "spec.tcp[0]", REASON_NO_EFFECT},
	    {"other subnets, other ports",
	     RULE("a", "1",
	          "hosts: [reviews], tcp: [{match: [{destinationSubnets: [10.0.0.0/8]}, {port: 81}], " TO
	          "}, {match: [{destinationSubnets: [11.0.0.0/8]}], " TO "}, {" TO "}]"),
	     NULL, REASON_COUNT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		for (size_t j = 0; j < world.issues.n; j++)
			ck_assert_msg(world.issues.v[j].is_warning, "%s: %s", cases[i].name, world.issues.v[j].message);
		if (cases[i].field)
			ck_assert_msg(world_has_row(&world, cases[i].reason, cases[i].field), "%s", cases[i].name);
		ck_assert_msg(count_taken(&world) == (cases[i].field ? 1 : 0), "%s", cases[i].name);
		world_done(&world);
	}
}
END_TEST

/* A list of n names or subnets. */
static void print_list(struct text *out, const char *format, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_add(out, i ? ", " : "[");
		text_printf(out, format, i / 256, i % 256);
	}
	text_add(out, "]");
}

START_TEST(names_times_subnets_are_capped)
{
	CLEANUP(text_done) struct text yaml = {0};
	/* two matches, each as large as one VirtualService may be */
	text_add(&yaml, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
	                "spec: {hosts: ['*.com'], tls: [{match: [");
	for (int i = 0; i < 2; i++) {
		text_add(&yaml, i ? ", {sniHosts: " : "{sniHosts: ");
		print_list(&yaml, i ? "m%zu-%zu.com" : "n%zu-%zu.com", 100);
		text_add(&yaml, ", destinationSubnets: ");
		print_list(&yaml, "10.0.%zu.%zu", CONNECTION_PAIRS_MAX / 100);
		text_add(&yaml, "}");
	}
	text_add(&yaml, "], " TO "}]}\n");
	struct world world = world_of(text_get(&yaml));
	ck_assert_msg(world.issues.n == 0, "%s", world.issues.v[0].message);
	ck_assert_uint_eq(world.model->rules[0]->tls[0].n_matches, 1);
	ck_assert(world_has_row(&world, REASON_INVALID_VALUE, "spec.tls[0].match[1]"));
	world_done(&world);
}
END_TEST

/* Sidecars whose labels are read in routes of connections are told apart by them. */
START_TEST(labels_of_clients_are_in_views)
{
	struct world world =
	    world_of(RULE("a", "1",
	                  "hosts: [a.com], tls: [{match: [{sniHosts: [a.com], sourceLabels: {tls: x}}], " TO
	                  "}], tcp: [{match: [{sourceLabels: {tcp: x}}], " TO "}]"));
	const struct strings *keys = &world.model->client_label_keys;
	ck_assert_uint_eq(keys->n, 2);
	ck_assert_str_eq(keys->v[0], "tcp");
	ck_assert_str_eq(keys->v[1], "tls");
	world_done(&world);
}
END_TEST

UNIT_MAIN("resolve_connection_routes", what_others_take, names_times_subnets_are_capped, labels_of_clients_are_in_views)
