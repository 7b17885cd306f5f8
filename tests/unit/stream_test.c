#include "xds_fake.h"

/* Each script runs in both forms; what a proxy has at the end, and the order in which types came, must not depend on
 * it. */
#define BOTH_FORMS(form) for (enum request_form form = REQUEST_SOTW; (form) <= REQUEST_DELTA; (form)++)
#define IS_SOTW(proxy) ((proxy).form == REQUEST_SOTW)
/* What a response holds does differ. */
#define LOG(proxy, sotw, delta) ck_assert_str_eq(proxy_log(&(proxy)), IS_SOTW(proxy) ? (sotw) : (delta))

/* A proxy that has "CDS a=1 in=1 | EDS a=1 | LDS l=1 | RDS r=1". */
static const char *const START = "CDS a=1 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=1";

static void start_with(struct proxy *proxy, struct world *world, enum request_form form, const char *config)
{
	world_init(world);
	proxy_init(proxy, world, form);
	proxy_subscribe(proxy, "CDS", NULL);
	proxy_config(proxy, config);
}

static void start(struct proxy *proxy, struct world *world, enum request_form form)
{
	start_with(proxy, world, form, START);
	proxy_subscribe(proxy, "EDS", "a");
	proxy_subscribe(proxy, "LDS", NULL);
	proxy_subscribe(proxy, "RDS", "r");
	ck_assert_str_eq(proxy_state(proxy), "CDS a=1 in=1 | EDS a=1 | LDS l=1 | RDS r=1");
	proxy_log(proxy);
}

static void stop(struct proxy *proxy, struct world *world)
{
	proxy_done(proxy);
	world_done(world);
}

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

/* ---- refusals ---- */

START_TEST(holds_back_what_was_refused_and_lets_the_others_flow)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start_with(&proxy, &world, form, "CDS a=1 b=1");
		proxy_log(&proxy);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS a=2 b=2");
		proxy_nack(&proxy, "CDS", "Error adding/updating cluster(s) a: bad weight");
		ck_assert_str_eq(proxy.stream->subs[RESOURCE_CLUSTER].nack->resource, "a");
		LOG(proxy, "CDS a=2 b=2 | CDS a=1 b=2", "CDS a=2 b=2 | CDS b=2");
		proxy_ack(&proxy, "CDS");
		ck_assert(proxy.stream->is_settled);
		/* other changes go on */
		proxy_config(&proxy, "CDS a=2 b=3 c=1");
		LOG(proxy, "CDS a=1 b=3 c=1", "CDS b=3 c=1");
		proxy_ack(&proxy, "CDS");
		ck_assert_str_eq(proxy_state(&proxy), "CDS a=1 b=3 c=1");
		ck_assert_ptr_nonnull(proxy.stream->subs[RESOURCE_CLUSTER].nack);
		/* and so does the refused one once it is another */
		proxy_config(&proxy, "CDS a=3 b=3 c=1");
		LOG(proxy, "CDS a=3 b=3 c=1", "CDS a=3");
		proxy_ack(&proxy, "CDS");
		ck_assert_ptr_null(proxy.stream->subs[RESOURCE_CLUSTER].nack);
		ck_assert_uint_eq(world.stats.nacks[RESOURCE_CLUSTER], 1);
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(leaves_out_what_is_refused_from_the_start)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		world_init(&world);
		proxy_init(&proxy, &world, form);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS a=1 b=1 c=1");
		proxy_subscribe(&proxy, "CDS", NULL);
		proxy_nack(&proxy, "CDS", "Error adding/updating cluster(s) c: no, a: no");
		ck_assert_str_eq(proxy_log(&proxy), "CDS a=1 b=1 c=1 | CDS b=1");
		proxy_ack(&proxy, "CDS");
		proxy_config(&proxy, "CDS a=1 b=1 c=2");
		LOG(proxy, "CDS b=1 c=2", "CDS c=2");
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(does_not_send_a_refused_version_again)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start(&proxy, &world, form);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS a=1 | EDS a=1 | LDS l=1 | RDS r=2 | CDS' in=1");
		proxy_nack(&proxy, "RDS", "something is wrong");
		ck_assert_str_eq(proxy_log(&proxy), "RDS r=2"); /* nobody is named, but there is only one */
		ck_assert_str_eq(proxy.stream->subs[RESOURCE_ROUTE].nack->resource, "r");
		ck_assert(proxy.stream->is_settled);
		proxy_wait(&proxy, 100000);
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=2 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=2");
		proxy_ack(&proxy, "EDS");
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=1 | CDS' in=1"); /* taken back */
		ck_assert_str_eq(proxy_log(&proxy), "");
		proxy_config(&proxy, "CDS a=1 | EDS a=2 | LDS l=1 | RDS r=3 | CDS' in=1");
		ck_assert_str_eq(proxy_log(&proxy), "RDS r=3");
		stop(&proxy, &world);
	}
}
END_TEST

/* Refuses each response that holds the bad one, in words that name nobody. */
static unsigned refuse_until_found(struct proxy *proxy, const char *type, const char *bad)
{
	unsigned n_nacks = 0;
	for (unsigned i = 0; i < 100 && proxy->types[fake_type(type)].has_response; i++) {
		const struct proxy_type *state = &proxy->types[fake_type(type)];
		bool is_bad = false;
		for (size_t j = 0; j < state->n_added; j++)
			is_bad |= strcmp(state->added[j].content, bad) == 0;
		n_nacks += is_bad;
		if (is_bad)
			proxy_nack(proxy, type, "nobody is named here");
		else
			proxy_ack(proxy, type);
	}
	ck_assert(!proxy->types[fake_type(type)].has_response);
	return n_nacks;
}

START_TEST(finds_the_refused_one_among_many)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start_with(&proxy, &world, form, "CDS c=1");
		proxy_subscribe(&proxy, "EDS", "a b c d e f g h");
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS c=1 | EDS a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1");
		ck_assert_uint_le(refuse_until_found(&proxy, "EDS", "f=1"), 6);
		ck_assert_str_eq(proxy_state(&proxy), "CDS c=1 | EDS a=1 b=1 c=1 d=1 e=1 g=1 h=1");
		ck_assert_str_eq(proxy.stream->subs[RESOURCE_ENDPOINTS].nack->resource, "f");
		ck_assert(proxy.stream->is_settled);
		proxy_log(&proxy);
		proxy_config(&proxy, "CDS c=1 | EDS a=2 b=2 c=2 d=2 e=1 f=2 g=1 h=1");
		ck_assert_str_eq(proxy_log(&proxy), "EDS a=2 b=2 c=2 d=2 f=2"); /* all at once again */
		stop(&proxy, &world);
	}
}
END_TEST

START_TEST(stops_when_everything_is_refused)
{
	BOTH_FORMS(form)
	{
		struct world world;
		struct proxy proxy;
		start_with(&proxy, &world, form, "CDS a=1 b=1 c=1 d=1");
		proxy_log(&proxy);
		proxy.is_manual = true;
		proxy_config(&proxy, "CDS a=2 c=2 d=2"); /* with a removal, too */
		for (unsigned i = 0; i < 50 && proxy.types[RESOURCE_CLUSTER].has_response; i++)
			proxy_nack(&proxy, "CDS", "never");
		ck_assert(!proxy.types[RESOURCE_CLUSTER].has_response);
		proxy_wait(&proxy, 5000); /* the removal */
		for (unsigned i = 0; i < 50 && proxy.types[RESOURCE_CLUSTER].has_response; i++)
			proxy_nack(&proxy, "CDS", "never");
		ck_assert(!proxy.types[RESOURCE_CLUSTER].has_response);
		ck_assert_str_eq(proxy_state(&proxy), "CDS a=1 b=1 c=1 d=1");
		proxy_log(&proxy);
		proxy_wait(&proxy, 100000);
		ck_assert_str_eq(proxy_log(&proxy), "");
		stop(&proxy, &world);
	}
}
END_TEST

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
		proxy_config(&proxy, "CDS x=1 | EDS x=1 | LDS x=1 | RDS x=1");
		proxy_config(&proxy, "CDS y=1 | EDS y=1 | LDS y=1 | RDS y=1");
		/* nothing else is on this stream to wait for */
		static const char *const want[] = {"",
		                                   "",
		                                   "CDS x=1 | CDS x=1 y=1 | CDS y=1",
		                                   "CDS x=1 | CDS y=1 | CDS -x",
		                                   "EDS x=1",
		                                   "EDS x=1 | EDS -x",
		                                   "LDS x=1 | LDS y=1",
		                                   "LDS x=1 | LDS y=1 -x",
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

UNIT_MAIN("stream", sends_nothing_before_the_config_is_known, answers_an_empty_config, sends_only_the_type_that_changed,
          makes_before_it_breaks, keeps_a_name_that_changes_sets, removes_endpoints_last, bounds_each_wait,
          bounds_the_wait_for_listeners_before_removing, sends_the_newest_when_the_last_is_acknowledged,
          sends_nothing_before_the_last_message_left, sends_endpoints_again_when_their_cluster_changes,
          answers_names_that_do_not_exist, forgets_what_is_unsubscribed, sends_again_what_is_asked_for_again,
          serves_listed_clusters, ends_the_legacy_wildcard_with_the_first_names, ignores_stale_nonces,
          takes_names_from_a_request_that_crossed_the_response, holds_back_what_was_refused_and_lets_the_others_flow,
          leaves_out_what_is_refused_from_the_start, does_not_send_a_refused_version_again,
          finds_the_refused_one_among_many, stops_when_everything_is_refused, sends_at_reconnection_only_what_differs,
          waits_at_reconnection_before_removing, believes_no_false_claims,
          sends_all_at_reconnection_in_state_of_the_world, closes_a_stream_without_a_node, closes_a_stream_on_bad_bytes,
          closes_a_stream_that_asks_for_too_much, leaves_unknown_types_unanswered, serves_the_separate_services,
          shares_work_between_streams)
