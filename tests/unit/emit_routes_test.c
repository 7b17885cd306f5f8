#include "tests/unit/emitted.h"

#define SERVICE(name, address)                                                                                         \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default}\n"                              \
	"spec:\n  clusterIP: " address "\n  ports: [{name: http, port: 80}]\n---\n"
#define RULE(http)                                                                                                     \
	"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: default}\n"          \
	"spec:\n  hosts: [a]\n  http:\n" http "---\n"
#define HOST_A "a.default.svc.cluster.local:80"

static const envoy_virtual_host *host_of(const envoy_route_configuration *table, const char *name)
{
	for (size_t i = 0; i < table->n_virtual_hosts; i++)
		if (strcmp(table->virtual_hosts[i]->name, name) == 0)
			return table->virtual_hosts[i];
	return NULL;
}

START_TEST(default_route)
{
	struct world world = world_of(SERVICE("a", "10.0.0.1"));
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_route_configuration *table = EMITTED(&sent, envoy_route_configuration, RESOURCE_ROUTE, "80");
	ck_assert(table->ignore_port_in_host_matching);
	ck_assert(!table->validate_clusters->value);
	const envoy_virtual_host *host = host_of(table, HOST_A);
	ck_assert_uint_eq(host->n_routes, 1);
	ck_assert(host->include_request_attempt_count);
	const envoy_route *route = host->routes[0];
	ck_assert_str_eq(route->route->cluster, "outbound|80||a.default.svc.cluster.local");
	ck_assert_str_eq(route->decorator->operation, "a.default.svc.cluster.local:80/*");
	ck_assert_uint_eq(route->route->retry_policy->num_retries->value, 2);
	ck_assert_str_eq(table->virtual_hosts[table->n_virtual_hosts - 1]->name, "allow_any");
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(actions)
{
	struct world world = world_of(SERVICE("a", "10.0.0.1") SERVICE("b", "10.0.0.2") RULE(
	    "  - name: redirect\n    match: [{uri: {exact: /r}}]\n    redirect: {uri: /to, authority: x.example.com, "
	    "redirectCode: 307}\n"
	    "  - match: [{uri: {regex: '/t.*'}, ignoreUriCase: true}]\n    directResponse: {status: 418, body: "
	    "{string: teapot}}\n"
	    "  - name: split\n    match: [{name: m, uri: {prefix: /s}, headers: {x-a: {regex: 'v.'}}, queryParams: {q: "
	    "{exact: '1'}}}]\n"
	    "    timeout: 3s\n    retries: {attempts: 0}\n    fault: {delay: {fixedDelay: 1s, percentage: {value: "
	    "25}}}\n"
	    "    corsPolicy: {allowOrigins: [{exact: 'http://o'}], allowMethods: [GET, PUT]}\n"
	    "    mirrors: [{destination: {host: b}, percentage: {value: 0.5}}]\n"
	    "    headers: {request: {set: {x-set: '1'}, remove: [x-gone]}}\n"
	    "    route: [{destination: {host: a}, weight: 90}, {destination: {host: b}, weight: 10, headers: "
	    "{response: {add: {x-b: '1'}}}}]\n"
	    "  - rewrite: {uri: /new, authority: other.example.com}\n    route: [{destination: {host: b, subset: "
	    "v9}}]\n"
	    "  - name: never\n    route: [{destination: {host: a}}]\n"));
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_virtual_host *host =
	    host_of(EMITTED(&sent, envoy_route_configuration, RESOURCE_ROUTE, "80"), HOST_A);
	ck_assert_uint_eq(host->n_routes, 4); /* nothing behind the one that takes everything */

	const envoy_route *redirect = host->routes[0];
	ck_assert_str_eq(redirect->name, "redirect");
	ck_assert_str_eq(redirect->match->path, "/r");
	ck_assert_str_eq(redirect->redirect->path_redirect, "/to");
	ck_assert_int_eq(redirect->redirect->response_code,
	                 ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__TEMPORARY_REDIRECT);

	const envoy_route *teapot = host->routes[1];
	ck_assert_str_eq(teapot->match->safe_regex->regex, "/t.*");
	ck_assert(!teapot->match->case_sensitive->value);
	ck_assert_uint_eq(teapot->direct_response->status, 418);
	ck_assert_str_eq(teapot->direct_response->body->inline_string, "teapot");

	const envoy_route *split = host->routes[2];
	ck_assert_str_eq(split->name, "split.m");
	ck_assert_str_eq(split->decorator->operation, "a:80/s*");
	ck_assert_str_eq(split->match->headers[0]->string_match->safe_regex->regex, "v.");
	ck_assert_str_eq(split->match->query_parameters[0]->string_match->exact, "1");
	ck_assert_uint_eq(split->route->weighted_clusters->n_clusters, 2);
	ck_assert_uint_eq(split->route->weighted_clusters->clusters[1]->weight->value, 10);
	ck_assert_uint_eq(split->route->weighted_clusters->clusters[1]->n_response_headers_to_add, 1);
	ck_assert_ptr_null(split->route->retry_policy);
	ck_assert_int_eq(split->route->timeout->seconds, 3);
	ck_assert_int_eq(split->route->max_grpc_timeout->seconds, 3);
	ck_assert_uint_eq(split->route->request_mirror_policies[0]->runtime_fraction->default_value->numerator, 5000);
	ck_assert_int_eq(
	    split->request_headers_to_add[0]->append_action,
	    ENVOY__CONFIG__CORE__V3__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__OVERWRITE_IF_EXISTS_OR_ADD);
	ck_assert_str_eq(split->request_headers_to_remove[0], "x-gone");
	ck_assert_uint_eq(split->n_typed_per_filter_config, 2);
	ck_assert_str_eq(split->typed_per_filter_config[0]->key, "envoy.filters.http.cors");
	const envoy_http_fault *fault =
	    EMITTED_ANY(world.arena, envoy_http_fault, split->typed_per_filter_config[1]->value);
	ck_assert_uint_eq(fault->delay->percentage->numerator, 250000);

	const envoy_route *last = host->routes[3];
	ck_assert_str_eq(last->route->prefix_rewrite, "/new");
	ck_assert_str_eq(last->route->host_rewrite_literal, "other.example.com");
	ck_assert_str_eq(last->route->cluster,
	                 "outbound|80|v9|b.default.svc.cluster.local"); /* 503, not another subset */
	ck_assert_ptr_null(last->match->case_sensitive);
	ck_assert_ptr_nonnull(last->metadata);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

/* Envoy refuses a table in which two hosts claim one domain. */
START_TEST(a_domain_belongs_to_one_host)
{
	struct world world = world_of(SERVICE(
	    "a", "10.0.0.1") "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: s, namespace: "
	                     "default}\n"
	                     "spec: {hosts: [a.default, zzz.example.com], addresses: [10.0.0.1], resolution: STATIC, "
	                     "ports: [{number: 80, name: http, protocol: HTTP}]}\n---\n"
	                     "apiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: default}\n"
	                     "spec: {type: ExternalName, externalName: a.default.svc.cluster.local}\n");
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
	const envoy_route_configuration *table = EMITTED(&sent, envoy_route_configuration, RESOURCE_ROUTE, "80");
	struct map claims = {0};
	for (size_t i = 0; i < table->n_virtual_hosts; i++) {
		const envoy_virtual_host *host = table->virtual_hosts[i];
		for (size_t k = 0; k < host->n_domains; k++)
			ck_assert_msg(!map_put(world.arena, &claims, host->domains[k], host->name), "%s twice",
			              host->domains[k]);
	}
	/* a name that a host really has goes before a short form; an address goes to the first host */
	ck_assert_str_eq(map_get(&claims, "a.default"), "a.default:80");
	ck_assert_str_eq(map_get(&claims, "a.default.svc"), HOST_A);
	ck_assert_str_eq(map_get(&claims, "10.0.0.1"), "a.default:80");
	ck_assert_str_eq(map_get(&claims, "alias"), HOST_A);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(gateway_tables)
{
	struct world world = world_of(SERVICE(
	    "a",
	    "10.0.0.1") "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: default}\n"
	                "spec:\n  selector: {istio: gw}\n  servers:\n  - {port: {number: 80, name: http, protocol: "
	                "HTTP}, hosts: ['*.example.com']}\n"
	                "  - {port: {number: 81, name: other, protocol: HTTP}, hosts: ['x.example.com']}\n---\n"
	                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: all, namespace: "
	                "default}\n"
	                "spec: {hosts: [a.example.com], gateways: [g], http: [{route: [{destination: {host: "
	                "a}}]}]}\n---\n"
	                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: some, namespace: "
	                "default}\n"
	                "spec: {hosts: [a.example.com], gateways: [g], http: [{match: [{uri: {prefix: /x}}], route: "
	                "[{destination: {host: a}}]}]}\n");
	struct emitted_config sent = emitted_of(&world, "router~192.0.2.3~gw.default~default.svc.cluster.local",
	                                        "{'LABELS': {'istio': 'gw'}}", NULL);
	const envoy_route_configuration *table = EMITTED(&sent, envoy_route_configuration, RESOURCE_ROUTE, "http.80");
	const envoy_virtual_host *host = host_of(table, "a.example.com:80");
	ck_assert_uint_eq(table->n_virtual_hosts, 1); /* no catch-all */
	ck_assert_uint_eq(host->n_domains, 1);
	ck_assert_uint_eq(host->n_routes, 2);
	ck_assert_str_eq(host->routes[0]->match->prefix, "/x"); /* what takes everything goes last */
	const envoy_route_configuration *empty = EMITTED(&sent, envoy_route_configuration, RESOURCE_ROUTE, "http.81");
	ck_assert_str_eq(empty->virtual_hosts[0]->name, "blackhole:81");
	ck_assert_uint_eq(empty->virtual_hosts[0]->n_routes, 0);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

/* A route that asks for a claim takes not everything: it is not put behind the others, and they are there. */
START_TEST(claims)
{
	struct world world = world_of(SERVICE(
	    "a",
	    "10.0.0.1") "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: default}\n"
	                "spec: {selector: {istio: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, "
	                "hosts: "
	                "['*']}]}\n---\n"
	                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: "
	                "default}\n"
	                "spec:\n  hosts: [a.example.com]\n  gateways: [g]\n  http:\n"
	                "  - match: [{headers: {'@request.auth.claims[b][c]': {exact: x}}, "
	                "withoutHeaders: {'@request.auth.claims.d': {}}}]\n    route: [{destination: {host: a}}]\n"
	                "  - route: [{destination: {host: a}}]\n");
	struct emitted_config sent = emitted_of(&world, "router~192.0.2.3~gw.default~default.svc.cluster.local",
	                                        "{'LABELS': {'istio': 'gw'}}", NULL);
	const envoy_virtual_host *host =
	    host_of(EMITTED(&sent, envoy_route_configuration, RESOURCE_ROUTE, "http.80"), "a.example.com:80");
	ck_assert_uint_eq(host->n_routes, 2);
	const envoy_route_match *match = host->routes[0]->match;
	ck_assert_uint_eq(match->n_headers, 0);
	ck_assert_uint_eq(match->n_dynamic_metadata, 2);
	const envoy_metadata_matcher *nested = match->dynamic_metadata[0], *without = match->dynamic_metadata[1];
	static const char *const path[] = {"payload", "b", "c"};
	ck_assert_str_eq(nested->filter, "envoy.filters.http.jwt_authn");
	ck_assert_uint_eq(nested->n_path, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(nested->path[i]->key, path[i]);
	ck_assert_uint_eq(nested->value->or_match->n_value_matchers, 2);
	ck_assert_str_eq(nested->value->or_match->value_matchers[0]->list_match->one_of->string_match->exact, "x");
	ck_assert_str_eq(nested->value->or_match->value_matchers[1]->string_match->exact, "x");
	ck_assert(!nested->invert);
	ck_assert(without->value->present_match && without->invert);
	ck_assert_uint_eq(host->routes[1]->match->n_dynamic_metadata, 0);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

UNIT_MAIN("emit_routes", default_route, actions, a_domain_belongs_to_one_host, gateway_tables, claims)
