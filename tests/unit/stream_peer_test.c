#include "xds_fake.h"

/* ---- reconnection ---- */

static void reconnect_delta(struct proxy *proxy)
{
	const struct proxy_request all = {.has_claims = true};
	const struct proxy_request endpoints = {.has_claims = true, .subscribe = "a"};
	const struct proxy_request routes = {.has_claims = true, .subscribe = "r"};
	proxy_reconnect(proxy);
	proxy_send(proxy, RESOURCE_CLUSTER, &all);
	proxy_send(proxy, RESOURCE_LISTENER, &all);
	proxy_send(proxy, RESOURCE_ENDPOINTS, &endpoints);
	proxy_send(proxy, RESOURCE_ROUTE, &routes);
}

START_TEST(sends_at_reconnection_only_what_differs)
{
	static const struct {
		const char *name, *config, *want;
	} cases[] = {
	    {"nothing", "CDS a=1 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=1", "CDS | EDS | LDS | RDS"},
	    {"endpoints", "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1", "CDS | EDS a=2 | LDS | RDS"},
	    {"a cluster, whose endpoints are needed again", "CDS a=2 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=1",
	     "CDS a=2 | EDS a=1 | LDS | RDS"},
	    {"of the workload", "CDS a=1 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=2", "CDS in=2 | EDS | LDS | RDS"},
	    {"a new one and a removed one, last", "CDS b=1 | LDS l=1 | RDS r=2 | CDS' in=1",
	     "CDS b=1 | EDS | LDS | RDS r=2 | CDS -a | EDS -a"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, REQUEST_DELTA);
		reconnect_delta(&proxy);
		proxy_log(&proxy);
		proxy_config(&proxy, cases[i].config);
		ck_assert_msg(strcmp(proxy_log(&proxy), cases[i].want) == 0, "%s", cases[i].name);
		ck_assert(proxy.stream->is_settled);
		stop(&proxy, &world);
	}
}
END_TEST

/* The config is known at once; nothing that the proxy has goes before the types that name it were heard of. */
START_TEST(waits_at_reconnection_before_removing)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_DELTA);
	proxy_reconnect(&proxy);
	struct proxy_config *config = world_config(&world, "LDS m=1 | CDS' in=1");
	stream_set_config(proxy.stream, config);
	proxy_config_unref(config);
	proxy_send(&proxy, RESOURCE_CLUSTER, &(struct proxy_request){.has_claims = true});
	proxy_send(&proxy, RESOURCE_LISTENER, &(struct proxy_request){.has_claims = true});
	ck_assert_str_eq(proxy_log(&proxy), "CDS | LDS m=1 -l");
	proxy_wait(&proxy, 5000); /* it asks for no routes */
	ck_assert_str_eq(proxy_log(&proxy), "CDS -a");
	stop(&proxy, &world);
}
END_TEST

START_TEST(believes_no_false_claims)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_DELTA);
	snprintf(proxy.types[RESOURCE_CLUSTER].items[0].version, 64, "not a version");
	snprintf(proxy.types[RESOURCE_LISTENER].items[0].name, 64, "never-was");
	reconnect_delta(&proxy);
	proxy_config(&proxy, START);
	ck_assert_str_eq(proxy_log(&proxy), "CDS a=1 | EDS a=1 | LDS l=1 -never-was | RDS");
	stop(&proxy, &world);
}
END_TEST

START_TEST(sends_all_at_reconnection_in_state_of_the_world)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_SOTW);
	proxy_reconnect(&proxy);
	proxy_send(&proxy, RESOURCE_CLUSTER, &(struct proxy_request){.nonce = "77"});
	proxy_send(&proxy, RESOURCE_ENDPOINTS, &(struct proxy_request){.nonce = "78"});
	proxy_config(&proxy, START);
	ck_assert_str_eq(proxy_log(&proxy), "CDS a=1 in=1 | EDS a=1");
	stop(&proxy, &world);
}
END_TEST

/* ---- what a peer may not do ---- */

START_TEST(closes_a_stream_without_a_node)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		world_init(&world);
		proxy_init(&proxy, &world, form);
		proxy.is_node_sent = true;
		proxy_subscribe(&proxy, "CDS", NULL);
		ck_assert_int_eq(proxy.status, TRANSPORT_INVALID_ARGUMENT);
		ck_assert_str_eq(proxy.status_message, "the first request must carry a node with an id");
		proxy_subscribe(&proxy, "CDS", NULL); /* what comes still is not looked at */
		ck_assert_uint_eq(world.stats.rejected_requests, 1);
		stop(&proxy, &world);
	}
}
END_TEST

/* The fake proxy says that it is of namespace default, and names no service account. */
START_TEST(serves_a_proxy_as_who_it_proved_to_be_only)
{
	static const struct {
		const char *ns;
		bool is_served;
	} cases[] = {{"default", true}, {"other", false}};
	for (size_t i = 0; i < 2; i++) {
		BOTH_FORMS(form)
		{
			struct world world;
			struct proxy proxy;
			struct spiffe_id caller;
			struct error error;
			ck_assert(spiffe_id_make("cluster.local", cases[i].ns, "app", &caller, &error));
			world_init(&world);
			proxy_init(&proxy, &world, form);
			proxy.base.caller = &caller;
			proxy_subscribe(&proxy, "CDS", NULL);
			ck_assert_int_eq(proxy.status, cases[i].is_served ? -1 : TRANSPORT_PERMISSION_DENIED);
			ck_assert_uint_eq(world.stats.denied_streams, !cases[i].is_served);
			ck_assert_uint_eq(world.stats.rejected_requests, 0);
			ck_assert((proxy.stream->node != NULL) == cases[i].is_served);
			if (cases[i].is_served) {
				ck_assert(proxy.stream->node->node.is_verified);
				ck_assert_str_eq(proxy.stream->node->node.service_account, "app");
			} else {
				ck_assert_str_eq(
				    proxy.status_message,
				    "the proxy says that it is of namespace \"default\" and service account "
				    "\"app\", but proved to be spiffe://cluster.local/ns/other/sa/app");
			}
			stop(&proxy, &world);
		}
	}
}
END_TEST

START_TEST(closes_a_stream_on_bad_bytes)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		stream_message(proxy.stream, (const uint8_t *)"\xff\xff\xff", 3);
		ck_assert_int_eq(proxy.status, TRANSPORT_INVALID_ARGUMENT);
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(closes_a_stream_that_asks_for_too_much)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_DELTA);
	for (unsigned i = 0; i < 3 && proxy.status < 0; i++) {
		struct text names = {0};
		for (unsigned j = 0; j < 30000; j++)
			text_printf(&names, "n-%u-%u ", i, j);
		proxy.is_manual = true;
		proxy.is_stuck = true;
		proxy_subscribe(&proxy, "EDS", names.s);
		text_done(&names);
	}
	ck_assert_int_eq(proxy.status, TRANSPORT_RESOURCE_EXHAUSTED);
	ck_assert_str_eq(proxy.status_message, "90001 resources subscribed to: the limit is 65536");
	stop(&proxy, &world);
}
END_TEST

START_TEST(leaves_unknown_types_unanswered)
{
	BOTH_FORMS(form)
	{
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		envoy_discovery_request *sotw = envoy_discovery_request_new(arena);
		envoy_delta_discovery_request *delta = envoy_delta_discovery_request_new(arena);
		sotw->type_url = delta->type_url = arena_strdup(arena, "type.googleapis.com/some.Secret");
		struct bytes bytes = pack(arena, form == REQUEST_SOTW ? &sotw->base : &delta->base);
		for (unsigned i = 0; i < 3; i++)
			stream_message(proxy.stream, bytes.data, bytes.n);
		ck_assert_str_eq(proxy_log(&proxy), "");
		ck_assert_int_eq(proxy.status, -1);
		ck_assert_uint_eq(world.env.n_unknown_types, 1);
		proxy_config(&proxy, "CDS a=1 | EDS a=9 | LDS l=1 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=9");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(serves_the_separate_services)
{
	for (size_t method = 2; method < STREAM_METHODS; method++) {
		struct world world;
		struct proxy proxy = {0};
		const struct stream_method *of = &stream_methods[method];
		world_init(&world);
		proxy_init(&proxy, &world, of->form);
		stream_free(proxy.stream);
		proxy.stream = stream_new(&world.env, &proxy.base, of);
		bool is_by_name = resource_types[of->type].is_by_name;
		proxy_send(&proxy, of->type, &(struct proxy_request){.subscribe = is_by_name ? "x" : NULL});
		proxy_config(&proxy, "CDS x=1 | EDS x=1 | SDS x=1 | LDS x=1 | RDS x=1");
		proxy_config(&proxy, "CDS y=1 | EDS y=1 | SDS y=1 | LDS y=1 | RDS y=1");
		/* nothing else is on this stream to wait for */
		static const char *const want[] = {"",
		                                   "",
		                                   "CDS x=1 | CDS x=1 y=1 | CDS y=1",
		                                   "CDS x=1 | CDS y=1 | CDS -x",
		                                   "EDS x=1",
		                                   "EDS x=1 | EDS -x",
		                                   "LDS x=1 | LDS y=1",
		                                   "LDS x=1 | LDS y=1 -x",
		                                   "SDS x=1",
		                                   "SDS x=1 | SDS -x",
		                                   "RDS x=1",
		                                   "RDS x=1 | RDS -x"};
		ck_assert_str_eq(proxy_log(&proxy), want[method]);
		proxy_send(&proxy, (of->type + 1) % RESOURCE_TYPE_COUNT, &(struct proxy_request){0});
		ck_assert_int_eq(proxy.status, TRANSPORT_INVALID_ARGUMENT);
		stop(&proxy, &world);
	}
}
END_TEST

/* A thousand proxies of one config pay for one comparison and one body. */
START_TEST(shares_work_between_streams)
{
	struct world world;
	world_init(&world);
	static struct proxy proxies[50];
	struct proxy_config *first = world_config(&world, START);
	struct proxy_config *second = world_config(&world, "CDS a=2 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=1");
	size_t n_cached = 0, n_names = 0;
	for (size_t i = 0; i < 50; i++) {
		proxy_init(&proxies[i], &world, REQUEST_DELTA);
		stream_set_config(proxies[i].stream, first);
		proxy_subscribe(&proxies[i], "CDS", NULL);
		proxy_subscribe(&proxies[i], "EDS", "a");
		stream_set_config(proxies[i].stream, second);
		proxy_pump(&proxies[i]);
		ck_assert_str_eq(proxy_log(&proxies[i]), "CDS a=1 in=1 | EDS a=1 | CDS a=2 | EDS a=1");
		if (!i) {
			n_cached = set_cache_count(world.env.shared.sets);
			n_names = name_table_count(world.env.shared.names);
		}
	}
	ck_assert_uint_eq(set_cache_count(world.env.shared.sets), n_cached);
	ck_assert_uint_eq(name_table_count(world.env.shared.names), n_names);
	for (size_t i = 0; i < 50; i++)
		proxy_done(&proxies[i]);
	proxy_config_unref(first);
	proxy_config_unref(second);
	world_done(&world);
}
END_TEST

UNIT_MAIN("stream_peer", sends_at_reconnection_only_what_differs, waits_at_reconnection_before_removing,
          believes_no_false_claims, sends_all_at_reconnection_in_state_of_the_world, closes_a_stream_without_a_node,
          serves_a_proxy_as_who_it_proved_to_be_only, closes_a_stream_on_bad_bytes,
          closes_a_stream_that_asks_for_too_much, leaves_unknown_types_unanswered, serves_the_separate_services,
          shares_work_between_streams)
