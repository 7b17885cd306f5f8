#include "server/jwks/jwks_keeper.h"

#include "base/slot.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/http_server.h"
#include "tests/unit/unit.h"

#define WAIT_MS 20000
#define KEYS "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg\"}]}"
#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body

static const struct route routes[] = {
    {"/keys", OK(KEYS), 0, CLOSE, NULL},
    {"/silent", "", 0, HANG, NULL},
};

static void drop_sets(void *sets)
{
	key_sets_unref(sets);
}

static void on_keys(void *context, struct key_sets *sets)
{
	slot_put(context, sets);
}

struct fixture {
	struct server server;
	struct slot *told;
	struct jwks_keeper *keeper;
	struct key_source sources[2];
	struct text urls[2];
};

static void fixture_init(struct fixture *fixture)
{
	static const char *const paths[] = {"/gone", "/keys"};
	*fixture = (struct fixture){.told = slot_new(drop_sets)};
	server_start(&fixture->server, routes, sizeof routes / sizeof routes[0]);
	for (size_t i = 0; i < 2; i++) {
		text_printf(&fixture->urls[i], "http://127.0.0.1:%u%s", fixture->server.port, paths[i]);
		fixture->sources[i] = (struct key_source){.url = fixture->urls[i].s, .timeout_ms = WAIT_MS};
	}
	fixture->keeper = jwks_keeper_new(
	    &(struct jwks_keeper_options){.refresh_s = 1200, .on_keys = on_keys, .context = fixture->told});
	jwks_keeper_start(fixture->keeper);
}

static void fixture_done(struct fixture *fixture)
{
	jwks_keeper_free(fixture->keeper);
	slot_free(fixture->told);
	server_stop(&fixture->server);
	text_done(&fixture->urls[0]);
	text_done(&fixture->urls[1]);
}

/* Waits until that many sources were asked; the caller's. */
static struct key_sets *told(struct fixture *fixture, size_t n)
{
	for (;;) {
		struct pollfd ready = {.fd = slot_fd(fixture->told), .events = POLLIN};
		ck_assert_msg(poll(&ready, 1, WAIT_MS) == 1, "nothing was told");
		struct key_sets *sets = slot_take(fixture->told);
		if (sets && sets->n == n)
			return sets;
		key_sets_unref(sets);
	}
}

START_TEST(what_is_wanted_is_fetched_and_told)
{
	struct fixture fixture;
	struct jwks_stats stats;
	CLEANUP(text_done) struct text page = {0};
	fixture_init(&fixture);
	jwks_keeper_want(fixture.keeper, fixture.sources, 2);
	struct key_sets *sets = told(&fixture, 2);
	ck_assert(key_sets_get(sets, &fixture.sources[0])->keys == NULL);
	ck_assert_str_eq(key_sets_get(sets, &fixture.sources[1])->keys, KEYS);
	jwks_keeper_stats(fixture.keeper, &stats);
	ck_assert_uint_eq(stats.wanted, 2);
	ck_assert_uint_eq(stats.without_keys, 1);
	ck_assert_uint_eq(stats.failing, 1);
	ck_assert_uint_ge(stats.fetches, 2);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t n = 0;
	const struct jwks_source_stats *each = jwks_keeper_sources(fixture.keeper, arena, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert(each[0].is_failing && !each[0].n_keys && !each[0].good_wall_ns);
	ck_assert(!each[1].is_failing && each[1].n_keys == 1 && each[1].good_wall_ns && each[1].next_s > 0);
	ck_assert_str_eq(each[1].url, fixture.urls[1].s);
	jwks_keeper_print(fixture.keeper, &page);
	ck_assert_msg(strstr(page.s, "\"lastError\":\"http://127.0.0.1:") &&
	                  strstr(page.s, "/gone\",\"discovery\":false"),
	              "%s", page.s);
	key_sets_unref(sets);
	fixture_done(&fixture);
}
END_TEST

START_TEST(what_is_wanted_no_more_is_kept_for_a_time)
{
	struct fixture fixture;
	struct jwks_stats stats;
	fixture_init(&fixture);
	jwks_keeper_want(fixture.keeper, &fixture.sources[1], 1);
	key_sets_unref(told(&fixture, 1));
	jwks_keeper_want(fixture.keeper, &fixture.sources[0], 1);
	struct key_sets *sets = told(&fixture, 2);
	ck_assert_str_eq(key_sets_get(sets, &fixture.sources[1])->keys, KEYS);
	jwks_keeper_stats(fixture.keeper, &stats);
	ck_assert_uint_eq(stats.wanted, 1);
	key_sets_unref(sets);
	fixture_done(&fixture);
}
END_TEST

START_TEST(stops_while_something_is_under_way)
{
	struct fixture fixture;
	fixture_init(&fixture);
	CLEANUP(text_done) struct text url = {0};
	text_printf(&url, "http://127.0.0.1:%u/silent", fixture.server.port);
	const struct key_source silent = {.url = url.s, .timeout_ms = WAIT_MS};
	jwks_keeper_want(fixture.keeper, &silent, 1);
	while (!server_heard(&fixture.server))
		poll(NULL, 0, 1);
	fixture_done(&fixture);
}
END_TEST

static struct jwks_keeper *keeper_in(struct fixture *fixture, const struct config_dir *dir)
{
	const struct jwks_keeper_options options = {
	    .refresh_s = 1200, .on_keys = on_keys, .context = fixture->told, .state_dir = dir->path};
	struct jwks_keeper *keeper = jwks_keeper_new(&options);
	jwks_keeper_start(keeper);
	return keeper;
}

START_TEST(keys_outlive_the_keeper_whoever_is_away)
{
	struct fixture fixture;
	struct config_dir dir;
	fixture_init(&fixture);
	config_dir_init(&dir);
	jwks_keeper_free(fixture.keeper);
	fixture.keeper = keeper_in(&fixture, &dir);
	jwks_keeper_want(fixture.keeper, &fixture.sources[1], 1);
	key_sets_unref(told(&fixture, 1));
	jwks_keeper_free(fixture.keeper); /* what was told is kept: its thread has come round */
	server_stop(&fixture.server);
	fixture.keeper = keeper_in(&fixture, &dir);
	struct key_sets *sets = told(&fixture, 1);
	ck_assert_str_eq(key_sets_get(sets, &fixture.sources[1])->keys, KEYS);
	key_sets_unref(sets);
	jwks_keeper_want(fixture.keeper, fixture.sources, 2);
	sets = told(&fixture, 2); /* once the other was asked; nobody answers any more */
	ck_assert_str_eq(key_sets_get(sets, &fixture.sources[1])->keys, KEYS);
	ck_assert(key_sets_get(sets, &fixture.sources[0])->keys == NULL);
	key_sets_unref(sets);
	server_start(&fixture.server, routes, sizeof routes / sizeof routes[0]);
	fixture_done(&fixture);
	config_dir_done(&dir);
}
END_TEST

UNIT_MAIN("jwks_keeper", what_is_wanted_is_fetched_and_told, what_is_wanted_no_more_is_kept_for_a_time,
          stops_while_something_is_under_way, keys_outlive_the_keeper_whoever_is_away)
