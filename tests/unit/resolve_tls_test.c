/* TLS towards destinations as the model has it: what a rule says, for which port and subset, and who takes mutual TLS.
 */
#include "tests/unit/world.h"

#define SERVICES                                                                                                       \
	"apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\n"                                                   \
	"spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: http-b, port: 81}]}\n---\n"
#define RULE(spec)                                                                                                     \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: " spec "\n---\n"
#define FILES "clientCertificate: /c, privateKey: /k, caCertificates: /r"

static const struct client_tls *tls_of(const struct world *world, const char *subset, uint32_t port)
{
	const struct destination_subset *found = destination_policy_subset(world->model->policies[0], subset);
	ck_assert_msg(found != NULL, "no subset %s", subset);
	return &destination_subset_policy(found, port)->tls;
}

START_TEST(test_fields)
{
	struct world world =
	    world_of(SERVICES RULE("{host: reviews, trafficPolicy: {tls: {mode: MUTUAL, " FILES ", caCrl: /l,"
	                           " sni: s.example.com, subjectAltNames: [a, b]}}}"));
	ck_assert_uint_eq(world.issues.n, 0);
	const struct client_tls *tls = tls_of(&world, "", 80);
	ck_assert_int_eq(tls->mode, CLIENT_TLS_MUTUAL);
	ck_assert_str_eq(tls->certificate_file, "/c");
	ck_assert_str_eq(tls->key_file, "/k");
	ck_assert_str_eq(tls->authorities_file, "/r");
	ck_assert_str_eq(tls->crl_file, "/l");
	ck_assert_str_eq(tls->sni, "s.example.com");
	ck_assert_uint_eq(tls->subject_alt_names.n, 2);
	ck_assert_str_eq(tls->subject_alt_names.v[1], "b");
	ck_assert(!tls->is_unverified);
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

START_TEST(test_inheritance)
{
	static const struct {
		const char *name, *rule, *subset;
		uint32_t port;
		enum client_tls_mode want;
	} cases[] = {
	    {"nothing said", RULE("{host: reviews, subsets: [{name: v1}]}"), "", 80, CLIENT_TLS_UNSET},
	    {"an empty tls", RULE("{host: reviews, trafficPolicy: {tls: {}}}"), "", 80, CLIENT_TLS_NONE},
	    {"DISABLE", RULE("{host: reviews, trafficPolicy: {tls: {mode: DISABLE}}}"), "", 80, CLIENT_TLS_NONE},
	    {"SIMPLE", RULE("{host: reviews, trafficPolicy: {tls: {mode: SIMPLE}}}"), "", 80, CLIENT_TLS_SIMPLE},
	    {"a subset has the destination's",
	     RULE("{host: reviews, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}, subsets: [{name: v1}]}"), "v1", 80,
	     CLIENT_TLS_MESH},
	    {"or its own",
	     RULE("{host: reviews, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}, subsets: [{name: v1, trafficPolicy: "
	          "{tls: {mode: DISABLE}}}]}"),
	     "v1", 80, CLIENT_TLS_NONE},
	    {"a port's settings are all there is",
	     RULE("{host: reviews, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, portLevelSettings: [{port: {number: 80}, "
	          "loadBalancer: {simple: RANDOM}}]}}"),
	     "", 80, CLIENT_TLS_UNSET},
	    {"for that port",
	     RULE("{host: reviews, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, portLevelSettings: [{port: {number: 80}, "
	          "loadBalancer: {simple: RANDOM}}]}}"),
	     "", 81, CLIENT_TLS_MESH},
	    {"a port's tls",
	     RULE("{host: reviews, trafficPolicy: {tls: {mode: DISABLE}, portLevelSettings: [{port: {number: 81}, "
	          "tls: {mode: SIMPLE}}]}}"),
	     "", 81, CLIENT_TLS_SIMPLE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world = world_of(arena_printf(arena, "%s%s", SERVICES, cases[i].rule));
		enum client_tls_mode got = tls_of(&world, cases[i].subset, cases[i].port)->mode;
		ck_assert_msg(got == cases[i].want, "%s: %d", cases[i].name, (int)got);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_digest)
{
	static const char *const policies[] = {
	    "{mode: DISABLE}",
	    "{mode: SIMPLE}",
	    "{mode: ISTIO_MUTUAL}",
	    "{mode: MUTUAL, clientCertificate: /c, privateKey: /k}",
	    "{mode: MUTUAL, clientCertificate: /d, privateKey: /k}",
	    "{mode: MUTUAL, clientCertificate: /c, privateKey: /l}",
	    "{mode: SIMPLE, caCertificates: /r}",
	    "{mode: SIMPLE, caCertificates: /r, caCrl: /l}",
	    "{mode: SIMPLE, credentialName: c}",
	    "{mode: SIMPLE, sni: s}",
	    "{mode: SIMPLE, subjectAltNames: [s]}",
	    "{mode: SIMPLE, insecureSkipVerify: true}",
	};
	struct digest seen[sizeof policies / sizeof policies[0]];
	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world = world_of(
		    arena_printf(arena, SERVICES RULE("{host: reviews, trafficPolicy: {tls: %s}}"), policies[i]));
		const struct destination_subset *whole = &world.model->policies[0]->whole;
		seen[i] = destination_subset_policy(whole, 80)->digest;
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(!digest_equal(seen[i], seen[k]), "%s and %s", policies[i], policies[k]);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_credentials_are_for_gateways)
{
	static const struct {
		const char *rule;
		bool want;
	} cases[] = {
	    {RULE("{host: reviews, trafficPolicy: {tls: {mode: SIMPLE, credentialName: c}}}"), true},
	    {RULE("{host: reviews, workloadSelector: {matchLabels: {a: b}}, trafficPolicy: {tls: {mode: SIMPLE, "
	          "credentialName: c}}}"),
	     false},
	    {RULE("{host: reviews, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}"), false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world = world_of(arena_printf(arena, "%s%s", SERVICES, cases[i].rule));
		bool got = world_has_row(&world, REASON_NO_EFFECT, "spec.trafficPolicy.tls.credentialName");
		ck_assert_msg(got == cases[i].want, "%s", cases[i].rule);
		world_done(&world);
	}
}
END_TEST

/* ---- endpoints ---- */

#define POD(name, address, account, labels)                                                                            \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", labels: " labels                                        \
	"}\nspec: {serviceAccountName: " account "}\nstatus: {podIP: " address ", podIPs: [{ip: " address "}]}\n---\n"
#define MTLS "{security.istio.io/tlsMode: istio}"
#define SLICE(addresses)                                                                                               \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"                                    \
	"metadata: {name: r-1, labels: {kubernetes.io/service-name: reviews}}\n"                                       \
	"endpoints: [" addresses "]\nports: [{name: http, port: 8080}]\n---\n"
#define ENTRY(endpoints)                                                                                               \
	"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: reviews}\n"                          \
	"spec: {hosts: [reviews.default.svc.cluster.local], resolution: STATIC, subjectAltNames: [b, a, b], ports: "   \
	"[{number: 80, name: http, protocol: HTTP}], endpoints: [" endpoints "]}\n---\n"

START_TEST(test_peers)
{
	static const struct {
		const char *name, *yaml, *accounts;
		bool is_mtls;
	} cases[] = {
	    {"nobody", SERVICES SLICE(""), "", false},
	    {"without a proxy", SERVICES POD("a", "10.1.0.1", "x", "{}") SLICE("{addresses: [10.1.0.1]}"), "default/x ",
	     false},
	    {"with one", SERVICES POD("a", "10.1.0.1", "x", MTLS) SLICE("{addresses: [10.1.0.1]}"), "default/x ", true},
	    {"another mode",
	     SERVICES POD("a", "10.1.0.1", "x", "{security.istio.io/tlsMode: disabled}")
	         SLICE("{addresses: [10.1.0.1]}"),
	     "default/x ", false},
	    {"some",
	     SERVICES POD("a", "10.1.0.1", "x", MTLS) POD("b", "10.1.0.2", "w", "{}") POD("c", "10.1.0.3", "x", MTLS)
	         SLICE("{addresses: [10.1.0.1]}, {addresses: [10.1.0.2]}, {addresses: [10.1.0.3]}"),
	     "default/w default/x ", false},
	    {"an address of nobody", SERVICES SLICE("{addresses: [10.1.0.1]}"), "", false},
	    {"an account means a proxy", ENTRY("{address: 10.1.0.1, serviceAccount: x}"), "default/x ", true},
	    {"unless a label says otherwise",
	     ENTRY("{address: 10.1.0.1, serviceAccount: x, labels: {security.istio.io/tlsMode: disabled}}"),
	     "default/x ", false},
	    {"a label without an account", ENTRY("{address: 10.1.0.1, labels: " MTLS "}"), "", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of(cases[i].yaml);
		const struct service *service = world_service(&world, "reviews.default.svc.cluster.local");
		CLEANUP(text_done) struct text accounts = {0};
		for (size_t k = 0; k < service->accounts.n; k++)
			text_printf(&accounts, "%s ", service->accounts.v[k]);
		ck_assert_msg(strcmp(text_get(&accounts), cases[i].accounts) == 0, "%s: %s", cases[i].name,
		              text_get(&accounts));
		ck_assert_msg(service_port_get(service, 80)->is_mtls == cases[i].is_mtls, "%s", cases[i].name);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_names_of_a_service_entry)
{
	struct world world = world_of(ENTRY("{address: 10.1.0.1}"));
	const struct service *service = world_service(&world, "reviews.default.svc.cluster.local");
	ck_assert_uint_eq(service->subject_alt_names.n, 2);
	ck_assert_str_eq(service->subject_alt_names.v[0], "a");
	ck_assert_str_eq(service->subject_alt_names.v[1], "b");
	world_done(&world);
}
END_TEST

UNIT_MAIN("resolve_tls", test_fields, test_inheritance, test_digest, test_credentials_are_for_gateways, test_peers,
          test_names_of_a_service_entry)
