#include "server/identity/token_cache.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define NOW_S INT64_C(1800000000)

static char told[256]; /* who was told, in what order */

static void tell(void *waiter, const struct token_verdict *verdict)
{
	snprintf(told + strlen(told), sizeof told - strlen(told), "%s%d ", (const char *)waiter, verdict->knowledge);
}

static struct digest token(const char *name)
{
	return digest_of(name, strlen(name));
}

static struct clock clock_at_now(void)
{
	struct clock clock = clock_fake(1000 * CLOCK_S);
	clock.wall_ns = NOW_S * CLOCK_S;
	return clock;
}

static void pass(struct clock *clock, int64_t s)
{
	clock->now_ns += s * CLOCK_S;
	clock->wall_ns += s * CLOCK_S;
}

static enum token_cache_outcome look(struct token_cache *cache, const char *name, const char *who)
{
	const struct token_verdict *verdict;
	static char names[8][8];
	static unsigned next;
	char *copy = names[next++ % 8];
	snprintf(copy, sizeof names[0], "%s", who);
	return token_cache_look(cache, token(name), copy, &verdict);
}

static void settle(struct token_cache *cache, const char *name, enum token_knowledge knowledge, int64_t end_s)
{
	token_cache_settle(cache, token(name), &(struct token_verdict){.knowledge = knowledge}, end_s, tell);
}

START_TEST(who_asks_at_once_is_told_at_once)
{
	struct clock clock = clock_at_now();
	struct token_cache *cache = token_cache_new(&clock);
	told[0] = '\0';
	ck_assert_int_eq(look(cache, "t", "a"), TOKEN_CACHE_ASK);
	ck_assert_int_eq(look(cache, "t", "b"), TOKEN_CACHE_WAIT);
	ck_assert_int_eq(look(cache, "u", "c"), TOKEN_CACHE_ASK);
	settle(cache, "t", TOKEN_KNOWN_GOOD, NOW_S + 3600);
	ck_assert_msg(strstr(told, "a0") && strstr(told, "b0") && !strstr(told, "c"), "%s", told);
	ck_assert_int_eq(look(cache, "t", "d"), TOKEN_CACHE_KNOWN);
	settle(cache, "u", TOKEN_NOT_KNOWN, NOW_S + 3600);
	ck_assert_int_eq(look(cache, "u", "e"), TOKEN_CACHE_ASK);
	settle(cache, "u", TOKEN_KNOWN_BAD, NOW_S + 3600);
	token_cache_free(cache);
}
END_TEST

START_TEST(news_lasts_a_while)
{
	static const struct {
		enum token_knowledge knowledge;
		int64_t end_s; /* of the token, from now */
		int64_t lasts_s;
	} rows[] = {
	    {TOKEN_KNOWN_GOOD, 3600, TOKEN_CACHE_GOOD_S}, {TOKEN_KNOWN_GOOD, 10, 10}, {TOKEN_KNOWN_GOOD, -10, 0},
	    {TOKEN_KNOWN_BAD, 3600, TOKEN_CACHE_BAD_S},   {TOKEN_NOT_KNOWN, 3600, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clock clock = clock_at_now();
		struct token_cache *cache = token_cache_new(&clock);
		look(cache, "t", "a");
		settle(cache, "t", rows[i].knowledge, NOW_S + rows[i].end_s);
		if (rows[i].lasts_s) {
			pass(&clock, rows[i].lasts_s - 1);
			ck_assert_int_eq(look(cache, "t", "b"), TOKEN_CACHE_KNOWN);
			pass(&clock, 1);
		}
		ck_assert_int_eq(look(cache, "t", "c"), TOKEN_CACHE_ASK);
		settle(cache, "t", TOKEN_NOT_KNOWN, 0);
		token_cache_free(cache);
	}
}
END_TEST

START_TEST(it_has_bounds)
{
	struct clock clock = clock_at_now();
	struct token_cache *cache = token_cache_new(&clock);
	struct token_cache_stats stats;
	char name[16];
	for (int i = 0; i < TOKEN_CACHE_OPEN; i++) {
		snprintf(name, sizeof name, "open%d", i);
		ck_assert_int_eq(look(cache, name, "a"), TOKEN_CACHE_ASK);
	}
	ck_assert_int_eq(look(cache, "more", "a"), TOKEN_CACHE_CROWD);
	ck_assert_int_eq(look(cache, "open0", "b"), TOKEN_CACHE_WAIT);
	for (int i = 0; i < TOKEN_CACHE_OPEN; i++) {
		snprintf(name, sizeof name, "open%d", i);
		settle(cache, name, TOKEN_KNOWN_GOOD, NOW_S + 3600);
	}
	for (int i = 0; i < TOKEN_CACHE_MAX; i++) {
		snprintf(name, sizeof name, "%d", i);
		ck_assert_int_eq(look(cache, name, "a"), TOKEN_CACHE_ASK);
		settle(cache, name, TOKEN_KNOWN_GOOD, NOW_S + 3600);
	}
	token_cache_stats(cache, &stats);
	ck_assert_uint_eq(stats.tokens, TOKEN_CACHE_MAX);
	ck_assert_int_eq(look(cache, "0", "a"), TOKEN_CACHE_KNOWN); /* the older ones went */
	ck_assert_int_eq(look(cache, "open5", "a"), TOKEN_CACHE_ASK);
	settle(cache, "open5", TOKEN_NOT_KNOWN, 0);
	token_cache_free(cache);
}
END_TEST

UNIT_MAIN("token_cache", who_asks_at_once_is_told_at_once, news_lasts_a_while, it_has_bounds)
