#include "xds_fake.h"

START_TEST(sends_nothing_before_the_config_is_known)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		world_init(&world);
		proxy_init(&proxy, &world, form);
		proxy_subscribe(&proxy, "CDS", NULL);
		proxy_subscribe(&proxy, "EDS", "a");
		proxy_subscribe(&proxy, "LDS", NULL);
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_config(&proxy, START);
		ck_assert_str_eq(proxy_log(&proxy), "CDS a=1 in=1 | EDS a=1 | LDS l=1");
		proxy_subscribe(&proxy, "RDS", "r");
		ck_assert_str_eq(proxy_log(&proxy), "RDS r=1");
		ck_assert(proxy.stream->is_settled);
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(answers_an_empty_config)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start_with(&proxy, &world, form, "CDS");
		ck_assert_str_eq(proxy_log(&proxy), "CDS");
		proxy_subscribe(&proxy, "LDS", NULL);
		ck_assert_str_eq(proxy_log(&proxy), "LDS");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(sends_only_the_type_that_changed)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=2");
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 m=1 | RDS r=1 | CDS' in=1");
		LOG(proxy, "LDS l=1 m=1", "LDS m=1");
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS m=1 | RDS r=1 | CDS' in=1");
		LOG(proxy, "LDS m=1", "LDS -l");
		ck_assert_str_eq(proxy_state(&proxy), "CDS a=1 in=1 | EDS a=2 | LDS m=1 | RDS r=1");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(makes_before_it_breaks)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS b=1 | EDS b=1 | LDS l=2 | RDS r=2 | CDS' in=1");
		LOG(proxy, "CDS a=1 b=1 in=1", "CDS b=1");
		/* the cluster warms: its endpoints come although it is not acknowledged, listeners do not */
		proxy_subscribe(&proxy, "EDS", "b");
		ck_assert_str_eq(proxy_log(&proxy), "EDS b=1");
		proxy_ack(&proxy, "EDS");
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_ack(&proxy, "CDS");
		ck_assert_str_eq(proxy_log(&proxy), "LDS l=2");
		proxy_ack(&proxy, "LDS");
		ck_assert_str_eq(proxy_log(&proxy), "RDS r=2");
		ck_assert_str_eq(proxy_state(&proxy), "CDS a=1 b=1 in=1 | EDS a=1 b=1 | LDS l=2 | RDS r=1");
		ck_assert(!proxy.stream->is_settled);
		proxy_ack(&proxy, "RDS");
		LOG(proxy, "CDS b=1 in=1", "CDS -a");
		proxy_unsubscribe(&proxy, "EDS", "a");
		proxy_ack(&proxy, "CDS");
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy.types[RESOURCE_ENDPOINTS].n = 1; /* Envoy drops what it does not ask for */
		ck_assert(proxy.stream->is_settled);
		stop(&proxy, &world);
	}
}
END_TEST

/* From the view's set to the workload's: that is no removal. */
START_TEST(keeps_a_name_that_changes_sets)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_DELTA);
	proxy_config(&proxy, "EDS a=1 | LDS l=1 | RDS r=1 | CDS' a=2 in=1");
	ck_assert_str_eq(proxy_state(&proxy), "CDS a=2 in=1 | EDS a=1 | LDS l=1 | RDS r=1");
	ck_assert(proxy.stream->is_settled);
	stop(&proxy, &world);
}
END_TEST

START_TEST(removes_endpoints_last)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_DELTA);
	proxy_config(&proxy, "CDS b=1 | LDS l=1 | RDS r=2 | CDS' in=1");
	ck_assert_str_eq(proxy_log(&proxy), "CDS b=1 | RDS r=2 | CDS -a | EDS -a");
	ck_assert(proxy.stream->is_settled);
	stop(&proxy, &world);
}
END_TEST

START_TEST(bounds_each_wait)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS b=1 | EDS b=1 | LDS l=2 | RDS r=2 | CDS' in=1");
		LOG(proxy, "CDS a=1 b=1 in=1", "CDS b=1");
		proxy_wait(&proxy, 4999);
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_wait(&proxy, 1); /* it does not acknowledge the clusters: on with the listeners */
		ck_assert_str_eq(proxy_log(&proxy), "LDS l=2 | RDS r=2");
		proxy_ack(&proxy, "RDS");
		proxy_ack(&proxy, "CDS");
		LOG(proxy, "CDS b=1 in=1", "CDS -a");
		proxy_ack(&proxy, "CDS");
		LOG(proxy, "", "EDS -a");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(bounds_the_wait_for_listeners_before_removing)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy.is_manual = true;
		proxy_config(&proxy, "LDS l=2 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "LDS l=2");
		proxy_wait(&proxy, 4999);
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_wait(&proxy, 1);
		LOG(proxy, "CDS in=1", "CDS -a");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(sends_the_newest_when_the_last_is_acknowledged)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1");
		proxy_config(&proxy, "CDS a=1 | EDS a=3 | LDS l=1 | RDS r=1 | CDS' in=1");
		proxy_config(&proxy, "CDS a=1 | EDS a=4 | LDS l=1 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=2");
		proxy_ack(&proxy, "EDS");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=4");
		/* endpoints that only change hold nothing up */
		proxy_config(&proxy, "CDS a=1 | EDS a=4 | LDS l=2 | RDS r=2 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "LDS l=2");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(sends_nothing_before_the_last_message_left)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy.is_stuck = true;
		proxy_config(&proxy, "CDS a=1 b=1 | EDS a=2 | LDS l=1 | RDS r=2 | CDS' in=1");
		proxy_config(&proxy, "CDS a=1 b=2 | EDS a=3 | LDS l=1 | RDS r=2 | CDS' in=1");
		proxy_wait(&proxy, 60000);
		proxy.is_stuck = false;
		proxy_pump(&proxy);
		LOG(proxy, "CDS a=1 b=1 in=1 | EDS a=3 | CDS a=1 b=2 in=1 | RDS r=2",
		    "CDS b=1 | EDS a=3 | CDS b=2 | RDS r=2");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(sends_endpoints_again_when_their_cluster_changes)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy_config(&proxy, "CDS a=2 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=1");
		LOG(proxy, "CDS a=2 in=1 | EDS a=1", "CDS a=2 | EDS a=1");
		proxy_config(&proxy, "CDS a=2 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=2");
		LOG(proxy, "CDS a=2 in=2", "CDS in=2");
		stop(&proxy, &world);
	}
}
END_TEST

/* ---- names ---- */

START_TEST(answers_names_that_do_not_exist)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start_with(&proxy, &world, form, "CDS a=1 b=1 | EDS a=1 | RDS r=1 | LDS l=1");
		proxy_log(&proxy);
		/* b warms; x is of a time before this connection: it must keep what it has */
		proxy_subscribe(&proxy, "EDS", "a b x");
		LOG(proxy, "EDS b= a=1", "EDS a=1 -b -x");
		proxy_subscribe(&proxy, "RDS", "none");
		LOG(proxy, "RDS", "RDS -none");
		proxy_subscribe(&proxy, "RDS", "r");
		ck_assert_str_eq(proxy_log(&proxy), "RDS r=1");
		/* it comes into being */
		proxy_config(&proxy, "CDS a=1 b=1 | EDS a=1 b=7 | RDS none=2 r=1 | LDS l=1");
		ck_assert_str_eq(proxy_log(&proxy), "EDS b=7 | RDS none=2");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(forgets_what_is_unsubscribed)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy_unsubscribe(&proxy, "EDS", "a");
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_subscribe(&proxy, "EDS", "a");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=2");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(sends_again_what_is_asked_for_again)
{
	struct world world;
	struct proxy proxy;
	start(&proxy, &world, REQUEST_DELTA);
	proxy_subscribe(&proxy, "EDS", "a");
	ck_assert_str_eq(proxy_log(&proxy), "EDS a=1");
	proxy_subscribe(&proxy, "CDS", "a");
	ck_assert_str_eq(proxy_log(&proxy), "CDS a=1");
	/* let go by name, but still wanted with all others */
	proxy_unsubscribe(&proxy, "CDS", "a");
	ck_assert_str_eq(proxy_log(&proxy), "CDS a=1");
	proxy_unsubscribe(&proxy, "CDS", "zzz");
	ck_assert_str_eq(proxy_log(&proxy), "CDS -zzz");
	stop(&proxy, &world);
}
END_TEST

START_TEST(serves_listed_clusters)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		world_init(&world);
		proxy_init(&proxy, &world, form);
		proxy_config(&proxy, "CDS a=1 b=1 c=1");
		proxy_subscribe(&proxy, "CDS", "b");
		ck_assert_str_eq(proxy_log(&proxy), "CDS b=1");
		proxy_subscribe(&proxy, "CDS", "*");
		LOG(proxy, "CDS a=1 b=1 c=1", "CDS a=1 c=1");
		proxy_unsubscribe(&proxy, "CDS", "*");
		proxy_log(&proxy);
		proxy_config(&proxy, "CDS a=2 b=1 c=1");
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_config(&proxy, "CDS a=2 b=2 c=1");
		ck_assert_str_eq(proxy_log(&proxy), "CDS b=2");
		stop(&proxy, &world);
	}
}
END_TEST

/* State of the world: once names were listed, no names are none. */
START_TEST(ends_the_legacy_wildcard_with_the_first_names)
{
	struct world world;
	struct proxy proxy;
	start_with(&proxy, &world, REQUEST_SOTW, "CDS a=1 b=1");
	ck_assert_str_eq(proxy_log(&proxy), "CDS a=1 b=1");
	proxy_subscribe(&proxy, "CDS", "a");
	ck_assert_str_eq(proxy_log(&proxy), "CDS a=1");
	proxy_unsubscribe(&proxy, "CDS", "a");
	proxy_config(&proxy, "CDS a=2 b=2");
	ck_assert_str_eq(proxy_log(&proxy), "");
	stop(&proxy, &world);
}
END_TEST

/* ---- nonces ---- */

START_TEST(ignores_stale_nonces)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		char old[32];
		snprintf(old, sizeof old, "%s", proxy.types[RESOURCE_ENDPOINTS].nonce);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1");
		proxy_log(&proxy);
		proxy_send(&proxy, RESOURCE_ENDPOINTS, &(struct proxy_request){.nonce = old});
		proxy_send(&proxy, RESOURCE_ENDPOINTS, &(struct proxy_request){.nonce = old, .error = "no"});
		proxy_send(&proxy, RESOURCE_ENDPOINTS, &(struct proxy_request){.nonce = "ffff"});
		proxy_config(&proxy, "CDS a=1 | EDS a=3 | LDS l=1 | RDS r=1 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), ""); /* the one that is out is still out */
		ck_assert_uint_eq(world.stats.nacks[RESOURCE_ENDPOINTS], 0);
		proxy_ack(&proxy, "EDS");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=3");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(takes_names_from_a_request_that_crossed_the_response)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start_with(&proxy, &world, form, "CDS a=1 b=1 | EDS a=1 b=1");
		proxy.is_manual = true;
		proxy_subscribe(&proxy, "EDS", "a");
		proxy_send(&proxy, RESOURCE_ENDPOINTS, &(struct proxy_request){.subscribe = "b"});
		proxy_ack(&proxy, "EDS");
		ck_assert_str_eq(proxy_log(&proxy), "CDS a=1 b=1 | EDS a=1 | EDS b=1");
		stop(&proxy, &world);
	}
}
END_TEST

UNIT_MAIN("stream", sends_nothing_before_the_config_is_known, answers_an_empty_config, sends_only_the_type_that_changed,
          makes_before_it_breaks, keeps_a_name_that_changes_sets, removes_endpoints_last, bounds_each_wait,
          bounds_the_wait_for_listeners_before_removing, sends_the_newest_when_the_last_is_acknowledged,
          sends_nothing_before_the_last_message_left, sends_endpoints_again_when_their_cluster_changes,
          answers_names_that_do_not_exist, forgets_what_is_unsubscribed, sends_again_what_is_asked_for_again,
          serves_listed_clusters, ends_the_legacy_wildcard_with_the_first_names, ignores_stale_nonces,
          takes_names_from_a_request_that_crossed_the_response)
