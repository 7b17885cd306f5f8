#include "tests/unit/world.h"

#define SERVICES                                                                                                       \
	"apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\n"                                                   \
	"spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 9080}]}\n---\n"                                        \
	"apiVersion: v1\nkind: Service\nmetadata: {name: ratings}\n"                                                   \
	"spec: {clusterIP: 10.0.0.2, ports: [{name: http, port: 9080}]}\n---\n"
#define VIRTUAL_SERVICE(name)                                                                                          \
	"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " name "}\nspec:\n"

/* A world whose objects all are valid. */
static struct world valid_world(const char *yaml)
{
	struct world world = world_of(yaml);
	for (size_t i = 0; i < world.issues.n; i++) {
		if (!world.issues.v[i].is_warning)
			ck_abort_msg("%s: %s", world.issues.v[i].path, world.issues.v[i].message);
	}
	return world;
}

/* The world with one VirtualService for reviews whose only http entry is the text (indented by four). */
static struct world world_of_route(const char *route)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return valid_world(
	    arena_printf(arena, "%s%s  hosts: [reviews]\n  http:\n%s", SERVICES, VIRTUAL_SERVICE("reviews"), route));
}

static const struct http_route *only_route(const struct world *world)
{
	ck_assert_uint_eq(world->model->n_rules, 1);
	ck_assert_uint_eq(world->model->rules[0]->n_http, 1);
	return &world->model->rules[0]->http[0];
}

#define TO_REVIEWS "    route: [{destination: {host: reviews}}]\n"

START_TEST(test_hosts_and_gateways)
{
	struct world world =
	    valid_world(VIRTUAL_SERVICE("a") "  hosts: [reviews, Reviews.other.svc.cluster.local, '*.example.com']\n"
	                                     "  gateways: [mesh, gw, ns/gw3, gw4.ns4.svc.cluster.local, gw5.ns5]\n"
	                                     "  exportTo: [., other]\n"
	                                     "  http: [{route: [{destination: {host: reviews}}]}]\n");
	const struct route_rule *rule = world.model->rules[0];
	static const char *const hosts[] = {"reviews.default.svc.cluster.local", "reviews.other.svc.cluster.local",
	                                    "*.example.com"};
	static const char *const gateways[] = {"default/gw", "ns/gw3", "ns4/gw4", "ns5/gw5"};
	ck_assert_uint_eq(rule->hosts.n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(rule->hosts.v[i], hosts[i]);
	ck_assert(rule->is_mesh);
	ck_assert_uint_eq(rule->gateways.n, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(rule->gateways.v[i], gateways[i]);
	ck_assert(!rule->visibility.is_public);
	ck_assert(visibility_allows(&rule->visibility, "default"));
	ck_assert(visibility_allows(&rule->visibility, "other"));
	ck_assert(!visibility_allows(&rule->visibility, "third"));
	ck_assert_str_eq(rule->source.path, "/apis/networking.istio.io/v1/namespaces/default/virtual-service/a");
	world_done(&world);
}
END_TEST

START_TEST(test_match)
{
	struct world world = world_of_route("  - match:\n"
	                                    "    - name: first\n"
	                                    "      uri: {prefix: /api}\n"
	                                    "      ignoreUriCase: true\n"
	                                    "      method: {exact: GET}\n"
	                                    "      authority: {regex: 'r.*'}\n"
	                                    "      scheme: {exact: https}\n"
	                                    "      headers: {z: {prefix: zz}, b: {regex: 'b+'}, a: {}}\n"
	                                    "      withoutHeaders: {c: {exact: cc}}\n"
	                                    "      queryParams: {q: {exact: qq}}\n"
	                                    "      port: 9080\n"
	                                    "      sourceLabels: {app: web}\n"
	                                    "      sourceNamespace: other\n"
	                                    "      gateways: [mesh, gw]\n" TO_REVIEWS);
	const struct http_route *route = only_route(&world);
	ck_assert_uint_eq(route->n_matches, 1);
	const struct http_match *match = &route->matches[0];
	ck_assert_str_eq(match->name, "first");
	ck_assert(match->has_path && match->path.type == MATCH_PREFIX && match->path.is_case_ignored);
	ck_assert_str_eq(match->path.value, "/api");
	static const struct {
		const char *name;
		enum match_type type;
		bool is_inverted;
	} headers[] = {
	    {"a", MATCH_PRESENT, false},     {"b", MATCH_REGEX, false},       {"c", MATCH_EXACT, true},
	    {"z", MATCH_PREFIX, false},      {":method", MATCH_EXACT, false}, {":authority", MATCH_REGEX, false},
	    {":scheme", MATCH_EXACT, false},
	};
	ck_assert_uint_eq(match->n_headers, sizeof headers / sizeof headers[0]);
	for (size_t i = 0; i < match->n_headers; i++) {
		ck_assert_str_eq(match->headers[i].name, headers[i].name);
		ck_assert_int_eq(match->headers[i].match.type, headers[i].type);
		ck_assert_int_eq(match->headers[i].is_inverted, headers[i].is_inverted);
	}
	ck_assert_uint_eq(match->n_query_params, 1);
	ck_assert_uint_eq(match->port, 9080);
	ck_assert_uint_eq(match->source_labels.n, 1);
	ck_assert_str_eq(match->source_namespace, "other");
	ck_assert(match->has_gateways && match->is_mesh);
	ck_assert_uint_eq(match->gateways.n, 1);
	ck_assert_str_eq(match->gateways.v[0], "default/gw");
	ck_assert_uint_eq(world.model->client_label_keys.n, 1);
	ck_assert_str_eq(world.model->client_label_keys.v[0], "app");
	world_done(&world);
}
END_TEST

/* Claims are no headers; what a query parameter is called is its own. */
START_TEST(test_claims)
{
	struct world world = valid_world(
	    VIRTUAL_SERVICE("a") "  hosts: ['*']\n"
	                         "  gateways: [gw]\n"
	                         "  http:\n"
	                         "  - match:\n"
	                         "    - headers: {z: {exact: zz}, '@request.auth.claims[https://x.y/b][c]': "
	                         "{regex: 'b+'}, '@Request.Auth.Claims.b': {prefix: bb}}\n"
	                         "      withoutHeaders: {'@request.auth.claims.b.C.d': {}, "
	                         "'@request.auth.claims.b': {regex: '*'}}\n"
	                         "      queryParams: {'@request.auth.claims.q': {exact: q}}\n" TO_REVIEWS);
	static const struct {
		const char *path[3];
		enum match_type type;
		const char *value;
		bool is_inverted;
	} claims[] = {
	    {{"b"}, MATCH_PREFIX, "bb", false},
	    {{"b"}, MATCH_PRESENT, "", true},
	    {{"b", "C", "d"}, MATCH_PRESENT, "", true},
	    {{"https://x.y/b", "c"}, MATCH_REGEX, "b+", false},
	};
	const struct http_match *match = &only_route(&world)->matches[0];
	ck_assert_uint_eq(match->n_claims, sizeof claims / sizeof claims[0]);
	for (size_t i = 0; i < match->n_claims; i++) {
		const struct claim_match *claim = &match->claims[i];
		for (size_t j = 0; j < 3; j++)
			ck_assert(text_equal(j < claim->path.n ? claim->path.v[j] : NULL, claims[i].path[j]));
		ck_assert_int_eq(claim->match.type, claims[i].type);
		ck_assert_str_eq(claim->match.value, claims[i].value);
		ck_assert_int_eq(claim->is_inverted, claims[i].is_inverted);
	}
	ck_assert_uint_eq(match->n_headers, 1);
	ck_assert_str_eq(match->headers[0].name, "z");
	ck_assert_uint_eq(match->n_query_params, 1);
	ck_assert_str_eq(match->query_params[0].name, "@request.auth.claims.q");
	world_done(&world);
}
END_TEST

#define GATEWAY(name, selector)                                                                                        \
	"---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " name "}\n"                         \
	"spec: {selector: {" selector                                                                                  \
	"}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
#define TOKENS(selector)                                                                                               \
	"---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: t}\n"                    \
	"spec: {selector: {matchLabels: {" selector "}}, jwtRules: [{issuer: 'https://a'}]}\n"
#define POD(name, labels)                                                                                              \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", labels: {" labels "}}\n"                           \
	"status: {podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}]}\n"

/* At which gateways nobody reads the tokens whose claims are asked for. */
START_TEST(test_claims_that_nobody_reads)
{
	static const struct {
		const char *name, *gateways, *match, *more, *want; /* NULL: nothing is said */
	} cases[] = {
	    {"no tokens at all", "gw", "", "", "default/gw"},
	    {"of proxies to come", "gw", "", TOKENS("istio: gw"), NULL},
	    {"of the proxies that are there", "gw", "", POD("a", "istio: gw, x: one") TOKENS("x: one"), NULL},
	    {"of others", "gw", "", POD("a", "istio: gw") TOKENS("istio: gw2"), "default/gw"},
	    {"of some of them", "gw", "", POD("a", "istio: gw") POD("b", "istio: gw, x: one") TOKENS("x: one"), NULL},
	    {"at one of two gateways", "gw, gw2", "", POD("a", "istio: gw") POD("b", "istio: gw2") TOKENS("istio: gw"),
	     "default/gw2"},
	    {"not asked for there", "gw, gw2", ", gateways: [gw]",
	     POD("a", "istio: gw") POD("b", "istio: gw2") TOKENS("istio: gw"), NULL},
	    {"of who knows whom", "any", "", POD("a", "istio: gw") TOKENS("x: one"), NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world = valid_world(arena_printf(
		    arena,
		    "%s%s  hosts: [a.example.com]\n  gateways: [%s]\n  http:\n"
		    "  - match: [{headers: {'@request.auth.claims.a': {}}%s}]\n" TO_REVIEWS "%s%s%s%s",
		    SERVICES, VIRTUAL_SERVICE("v"), cases[i].gateways, cases[i].match, GATEWAY("gw", "istio: gw"),
		    GATEWAY("gw2", "istio: gw2"), GATEWAY("any", ""), cases[i].more));
		const struct report *report = &world.model->report;
		const struct report_row *found = NULL;
		for (size_t j = 0; j < report->n; j++)
			if (text_equal(report->rows[j].field, "spec.gateways")) {
				ck_assert_msg(!found, "%s: twice", cases[i].name);
				found = &report->rows[j];
			}
		ck_assert_msg(!found == !cases[i].want, "%s", cases[i].name);
		ck_assert_msg(!found ||
		                  strstr(found->message,
		                         arena_printf(arena, "gateway %s no RequestAuthentication", cases[i].want)),
		              "%s: %s", cases[i].name, found ? found->message : "");
		world_done(&world);
	}
}
END_TEST

START_TEST(test_destinations)
{
	static const struct {
		const char *name, *route;
		size_t n;
		uint32_t weights[3];
	} cases[] = {
	    {"one without a weight", "  - route: [{destination: {host: reviews}}]\n", 1, {0}},
	    {"one with weight 0", "  - route: [{destination: {host: reviews}, weight: 0}]\n", 1, {0}},
	    {"several",
	     "  - route: [{destination: {host: reviews}, weight: 20}, {destination: {host: ratings}, weight: 80}]\n",
	     2,
	     {20, 80}},
	    {"weight 0 among several",
	     "  - route: [{destination: {host: reviews}}, {destination: {host: ratings}, weight: 100}]\n",
	     1,
	     {100}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of_route(cases[i].route);
		const struct http_route *route = only_route(&world);
		ck_assert_int_eq(route->action, HTTP_FORWARD);
		ck_assert_msg(route->n_destinations == cases[i].n, "%s: %zu", cases[i].name, route->n_destinations);
		for (size_t j = 0; j < cases[i].n; j++)
			ck_assert_uint_eq(route->destinations[j].weight, cases[i].weights[j]);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_destination_fields)
{
	struct world world = world_of_route(
	    "  - route: [{destination: {host: ratings, subset: v1, port: {number: 9080}}}]\n"
	    "    mirrors: [{destination: {host: reviews}, percentage: {value: 12.5}}, {destination: {host: ratings}},\n"
	    "              {destination: {host: ratings}, percentage: {value: 0}}]\n"
	    "    timeout: 1.5s\n");
	const struct http_route *route = only_route(&world);
	ck_assert_str_eq(route->destinations[0].destination.host, "ratings.default.svc.cluster.local");
	ck_assert_str_eq(route->destinations[0].destination.subset, "v1");
	ck_assert_uint_eq(route->destinations[0].destination.port, 9080);
	ck_assert_int_eq(route->timeout_ms, 1500);
	ck_assert_uint_eq(route->n_mirrors, 2);
	ck_assert_str_eq(route->mirrors[0].destination.host, "reviews.default.svc.cluster.local");
	ck_assert_double_eq(route->mirrors[0].percent, 12.5);
	ck_assert_double_eq(route->mirrors[1].percent, 100);
	world_done(&world);
}
END_TEST

START_TEST(test_mirror_percentages)
{
	static const struct {
		const char *percent;
		size_t n;
		double want;
	} cases[] = {
	    {"", 1, 100},
	    {"    mirrorPercentage: {value: 12.5}\n", 1, 12.5},
	    {"    mirrorPercent: 7\n", 1, 7},
	    {"    mirrorPercentage: {value: 0}\n", 0, 0},
	    {"    mirrorPercent: 0\n", 0, 0},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world =
		    world_of_route(arena_printf(arena, "  - mirror: {host: ratings}\n%s" TO_REVIEWS, cases[i].percent));
		const struct http_route *route = only_route(&world);
		ck_assert_uint_eq(route->n_mirrors, cases[i].n);
		if (cases[i].n)
			ck_assert_double_eq(route->mirrors[0].percent, cases[i].want);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_retries)
{
	static const struct {
		const char *name, *retries;
		int mode;
		uint32_t attempts, codes[2];
		size_t n_codes;
		const char *retry_on;
		bool has_previous_hosts, is_ignoring;
	} cases[] = {
	    {.name = "none said", .retries = "", .mode = RETRY_DEFAULT},
	    {.name = "off", .retries = "    retries: {attempts: 0}\n", .mode = RETRY_NONE},
	    {.name = "attempts only",
	     .retries = "    retries: {attempts: 3}\n",
	     .mode = RETRY_SET,
	     .attempts = 3,
	     .is_ignoring = true},
	    {.name = "codes bring their condition",
	     .retries = "    retries: {attempts: 3, retryOn: '503,connect-failure,502'}\n",
	     .mode = RETRY_SET,
	     .attempts = 3,
	     .codes = {503, 502},
	     .n_codes = 2,
	     .retry_on = "connect-failure,retriable-status-codes",
	     .is_ignoring = true},
	    {.name = "the condition is there",
	     .retries = "    retries: {attempts: 1, retryOn: 'retriable-status-codes,503'}\n",
	     .mode = RETRY_SET,
	     .attempts = 1,
	     .codes = {503},
	     .n_codes = 1,
	     .retry_on = "retriable-status-codes",
	     .is_ignoring = true},
	    {.name = "previous hosts",
	     .retries = "    retries: {attempts: 1, retryIgnorePreviousHosts: false}\n",
	     .mode = RETRY_SET,
	     .attempts = 1,
	     .has_previous_hosts = true},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of_route(
		    arena_printf(arena, "  - route: [{destination: {host: reviews}}]\n%s", cases[i].retries));
		const struct retry_policy *retry = &only_route(&world)->retry;
		ck_assert_msg((int)retry->mode == cases[i].mode, "%s", cases[i].name);
		ck_assert_uint_eq(retry->attempts, cases[i].attempts);
		ck_assert_uint_eq(retry->n_status_codes, cases[i].n_codes);
		for (size_t j = 0; j < cases[i].n_codes; j++)
			ck_assert_uint_eq(retry->status_codes[j], cases[i].codes[j]);
		ck_assert_msg(text_equal(retry->retry_on, cases[i].retry_on), "%s: %s", cases[i].name, retry->retry_on);
		ck_assert_int_eq(retry->has_previous_hosts, cases[i].has_previous_hosts);
		ck_assert_int_eq(retry->is_ignoring_previous_hosts, cases[i].is_ignoring);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_retry_times)
{
	struct world world = world_of_route(
	    "  - route: [{destination: {host: reviews}}]\n"
	    "    retries: {attempts: 3, perTryTimeout: 2s, backoff: 30ms, retryRemoteLocalities: true}\n");
	const struct retry_policy *retry = &only_route(&world)->retry;
	ck_assert_int_eq(retry->per_try_timeout_ms, 2000);
	ck_assert_int_eq(retry->backoff_ms, 30);
	ck_assert(retry->is_retrying_remote_localities);
	world_done(&world);
}
END_TEST

START_TEST(test_faults)
{
	struct world world =
	    world_of_route("  - fault:\n"
	                   "      delay: {fixedDelay: 5s, percentage: {value: 0.1}}\n"
	                   "      abort: {grpcStatus: UNAVAILABLE, percentage: {value: 50}}\n" TO_REVIEWS);
	const struct fault *fault = &only_route(&world)->fault;
	ck_assert(fault->has_delay && fault->has_abort && fault->is_abort_grpc);
	ck_assert_int_eq(fault->delay_ms, 5000);
	ck_assert_double_eq(fault->delay_percent, 0.1);
	ck_assert_double_eq(fault->abort_percent, 50);
	ck_assert_uint_eq(fault->abort_grpc_status, 14);
	world_done(&world);

	world = world_of_route("  - fault:\n"
	                       "      delay: {fixedDelay: 5s, percent: 7}\n"
	                       "      abort: {httpStatus: 418}\n" TO_REVIEWS);
	fault = &only_route(&world)->fault;
	ck_assert_double_eq(fault->delay_percent, 7);
	ck_assert_uint_eq(fault->abort_http_status, 418);
	ck_assert_double_eq(fault->abort_percent, 0);
	ck_assert(world_has_row(&world, REASON_NO_EFFECT, "spec.http[0].fault.abort.percentage"));
	world_done(&world);
}
END_TEST

START_TEST(test_actions)
{
	struct world world = world_of_route("  - redirect: {uri: /new, authority: a.com, scheme: https, port: 443}\n");
	const struct http_route *route = only_route(&world);
	ck_assert_int_eq(route->action, HTTP_REDIRECT);
	ck_assert_uint_eq(route->redirect.code, 301);
	ck_assert_str_eq(route->redirect.uri, "/new");
	ck_assert_str_eq(route->redirect.authority, "a.com");
	ck_assert_uint_eq(route->redirect.port, 0); /* the scheme's own */
	world_done(&world);

	world = world_of_route("  - redirect: {derivePort: FROM_REQUEST_PORT, redirectCode: 307}\n");
	route = only_route(&world);
	ck_assert(route->redirect.is_port_from_request && !route->redirect.is_port_from_scheme);
	ck_assert_uint_eq(route->redirect.code, 307);
	ck_assert_ptr_null(route->redirect.uri);
	world_done(&world);

	world = world_of_route("  - directResponse: {status: 404, body: {string: gone}}\n");
	route = only_route(&world);
	ck_assert_int_eq(route->action, HTTP_DIRECT_RESPONSE);
	ck_assert_uint_eq(route->direct_response.status, 404);
	ck_assert_uint_eq(route->direct_response.body_n, 4);
	ck_assert_mem_eq(route->direct_response.body, "gone", 4);
	world_done(&world);
}
END_TEST

/* Who says the authority: the rewrite, else the route's headers, else the one destination's. */
START_TEST(test_authority)
{
	static const struct {
		const char *name, *route, *want, *want_destination;
	} cases[] = {
	    {"rewrite wins",
	     "  - rewrite: {authority: a}\n"
	     "    route: [{destination: {host: reviews}, headers: {request: {set: {Host: c}}}}]\n",
	     "a", "c"},
	    {"then the route",
	     "  - headers: {request: {set: {':authority': b}}}\n"
	     "    route: [{destination: {host: reviews}, headers: {request: {set: {Host: c}}}}]\n",
	     "b", "c"},
	    {"then the destination",
	     "  - route: [{destination: {host: reviews}, headers: {request: {add: {Host: c}}}}]\n", "c", "c"},
	    {"nobody", "  - route: [{destination: {host: reviews}}]\n", NULL, NULL},
	    {"several destinations keep their own",
	     "  - route: [{destination: {host: reviews}, weight: 1, headers: {request: {set: {Host: c}}}},\n"
	     "            {destination: {host: ratings}, weight: 1}]\n",
	     NULL, "c"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of_route(cases[i].route);
		const struct http_route *route = only_route(&world);
		ck_assert_msg(text_equal(route->rewrite.authority, cases[i].want), "%s: %s", cases[i].name,
		              route->rewrite.authority);
		ck_assert_int_eq(route->has_rewrite, cases[i].want != NULL);
		ck_assert(text_equal(route->destinations[0].authority, cases[i].want_destination));
		ck_assert_uint_eq(route->request_headers.n_set, 0);
		ck_assert_uint_eq(route->destinations[0].request_headers.n_set, 0);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_headers_and_cors)
{
	struct world world =
	    world_of_route("  - headers:\n"
	                   "      request: {set: {b: '2', a: '1'}, add: {c: '3'}, remove: [d]}\n"
	                   "      response: {remove: [server]}\n"
	                   "    rewrite: {uriRegexRewrite: {match: '^/(.*)$', rewrite: '/x/\\1'}}\n"
	                   "    corsPolicy: {allowOrigins: [{prefix: 'https://'}], allowMethods: [GET], maxAge: 24h,\n"
	                   "                 allowCredentials: false, unmatchedPreflights: IGNORE}\n" TO_REVIEWS);
	const struct http_route *route = only_route(&world);
	ck_assert_uint_eq(route->request_headers.n_set, 2);
	ck_assert_str_eq(route->request_headers.set[0].name, "a");
	ck_assert_str_eq(route->request_headers.set[1].name, "b");
	ck_assert_str_eq(route->request_headers.add[0].value, "3");
	ck_assert_str_eq(route->request_headers.remove.v[0], "d");
	ck_assert_str_eq(route->response_headers.remove.v[0], "server");
	ck_assert_str_eq(route->rewrite.regex_rewrite, "/x/\\1");
	ck_assert_ptr_null(route->rewrite.uri);
	ck_assert_uint_eq(route->cors->n_allow_origins, 1);
	ck_assert_int_eq(route->cors->allow_origins[0].type, MATCH_PREFIX);
	ck_assert_int_eq(route->cors->max_age_s, 86400);
	ck_assert_int_eq(route->cors->credentials, CORS_CREDENTIALS_FALSE);
	ck_assert_int_eq(route->cors->unmatched_preflights, CORS_UNMATCHED_IGNORE);
	world_done(&world);
}
END_TEST

START_TEST(test_rows)
{
	static const struct {
		const char *name, *yaml;
		enum report_reason reason;
		const char *field;
	} cases[] = {
	    {"host", "  - route: [{destination: {host: nowhere}}]\n", REASON_HOST_NOT_FOUND,
	     "spec.http[0].route[0].destination.host"},
	    {"port", "  - route: [{destination: {host: reviews, port: {number: 81}}}]\n", REASON_PORT_NOT_FOUND,
	     "spec.http[0].route[0].destination.port.number"},
	    {"subset", "  - route: [{destination: {host: reviews, subset: v9}}]\n", REASON_SUBSET_NOT_FOUND,
	     "spec.http[0].route[0].destination.subset"},
	    {"mirror", "  - mirror: {host: nowhere}\n" TO_REVIEWS, REASON_HOST_NOT_FOUND, "spec.http[0].mirror.host"},
	    {"gateway of a match", "  - match: [{gateways: [gw]}]\n" TO_REVIEWS, REASON_NO_EFFECT,
	     "spec.http[0].match[0].gateways[0]"},
	    {"gateway", "  - route: [{destination: {host: reviews}}]\n  gateways: [mesh, gw]\n",
	     REASON_GATEWAY_NOT_FOUND, "spec.gateways[1]"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world = world_of_route(cases[i].yaml);
		ck_assert_msg(world_has_row(&world, cases[i].reason, cases[i].field), "%s", cases[i].name);
		/* what is named stays named */
		ck_assert_uint_eq(only_route(&world)->n_destinations, 1);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_no_rows_for_what_is_there)
{
	struct world world = valid_world(
	    SERVICES
	    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: all}\n"
	    "spec: {host: '*.default.svc.cluster.local', subsets: [{name: v1}]}\n---\n"
	    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"
	    "spec: {selector: {a: b}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}]}\n"
	    "---\n" VIRTUAL_SERVICE("reviews") "  hosts: [reviews]\n  gateways: [mesh, gw]\n  http:\n"
	                                       "  - match: [{gateways: [gw]}]\n"
	                                       "    route: [{destination: {host: reviews, subset: v1}}]\n");
	ck_assert_uint_eq(world.model->report.n, 0);
	world_done(&world);
}
END_TEST

START_TEST(test_conflict)
{
	struct world world = valid_world(SERVICES VIRTUAL_SERVICE(
	    "b") "  hosts: [reviews]\n  http: [{route: [{destination: {host: "
	         "reviews}}]}]\n---\n" VIRTUAL_SERVICE("a") "  hosts: [ratings, reviews]\n  http: [{route: "
	                                                    "[{destination: {host: ratings}}]}]\n");
	ck_assert_uint_eq(world.model->report.n, 1);
	ck_assert_str_eq(world.model->report.rows[0].name, "b"); /* same age: by name */
	ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.hosts[0]"));
	world_done(&world);
}
END_TEST

START_TEST(test_digest_is_of_content)
{
	const char *one =
	    VIRTUAL_SERVICE("a") "  hosts: [reviews]\n  http: [{route: [{destination: {host: reviews}}]}]\n";
	const char *other = VIRTUAL_SERVICE(
	    "a") "  hosts: [reviews]\n  http: [{route: [{destination: {host: reviews}}], timeout: 1s}]\n";
	struct world a = valid_world(one), b = world_of(one), c = world_of(other);
	ck_assert(digest_equal(a.model->rules[0]->digest, b.model->rules[0]->digest));
	ck_assert(!digest_equal(a.model->rules[0]->digest, c.model->rules[0]->digest));
	world_done(&a);
	world_done(&b);
	world_done(&c);
}
END_TEST

UNIT_MAIN("resolve_virtual_services", test_hosts_and_gateways, test_match, test_claims, test_claims_that_nobody_reads,
          test_destinations, test_destination_fields, test_mirror_percentages, test_retries, test_retry_times,
          test_faults, test_actions, test_authority, test_headers_and_cors, test_rows, test_no_rows_for_what_is_there,
          test_conflict, test_digest_is_of_content)
