#include "xds_fake.h"

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

UNIT_MAIN("stream_refusal", holds_back_what_was_refused_and_lets_the_others_flow,
          leaves_out_what_is_refused_from_the_start, does_not_send_a_refused_version_again,
          finds_the_refused_one_among_many, stops_when_everything_is_refused)
