#include "server/jwks/jwks_entry.h"

#include "tests/unit/unit.h"

#include <string.h>

#define REFRESH_S 1200
#define KEY(kid)                                                                                                       \
	"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg\","       \
	"\"kid\":\"" kid "\"}]}"

static struct jwks_entry *entry_new(void)
{
	const struct key_source source = {.url = "https://a/keys", .timeout_ms = 5000};
	struct jwks_entry *entry = jwks_entry_new(&source, REFRESH_S * CLOCK_S, 7);
	jwks_entry_want(entry, true, 0);
	return entry;
}

static bool take(struct jwks_entry *entry, const char *body, const char *error, const struct clock *clock)
{
	const struct jwks_answer answer = {
	    .body = body, .n = body ? strlen(body) : 0, .url = "https://a/keys", .error = error};
	entry->is_asking = true;
	bool is_news = jwks_entry_take(entry, &answer, clock);
	ck_assert(!entry->is_asking);
	return is_news;
}

static void assert_next_within(const struct jwks_entry *entry, const struct clock *clock, int64_t least_s,
                               int64_t most_s)
{
	int64_t left_ns = entry->schedule.next_ns - clock->now_ns;
	ck_assert_int_ge(left_ns, least_s * CLOCK_S * 9 / 10);
	ck_assert_int_le(left_ns, most_s * CLOCK_S * 11 / 10);
}

START_TEST(good_keys_are_news_once_and_refreshed)
{
	struct clock clock = clock_fake(CLOCK_S);
	struct jwks_entry *entry = entry_new();
	ck_assert(jwks_entry_is_due(entry, clock.now_ns));
	ck_assert(take(entry, KEY("a"), NULL, &clock));
	ck_assert_str_eq(entry->keys, KEY("a"));
	ck_assert_uint_eq(entry->n_keys, 1);
	ck_assert(!jwks_entry_is_due(entry, clock.now_ns));
	assert_next_within(entry, &clock, REFRESH_S, REFRESH_S);
	clock.now_ns = entry->schedule.next_ns;
	ck_assert(jwks_entry_is_due(entry, clock.now_ns));
	ck_assert(!take(entry, KEY("a"), NULL, &clock));
	ck_assert(take(entry, KEY("b"), NULL, &clock));
	ck_assert_str_eq(entry->keys, KEY("b"));
	jwks_entry_free(entry);
}
END_TEST

START_TEST(whose_keys_they_are_is_news_too)
{
	struct clock clock = clock_fake(CLOCK_S);
	struct jwks_entry *entry = entry_new();
	struct jwks_answer answer = {.body = KEY("a"), .n = strlen(KEY("a")), .url = "https://a/keys"};
	static const struct {
		const char *issuer;
		bool want;
	} rows[] = {{NULL, true}, {"https://a", true}, {"https://a", false}, {"https://b", true}, {NULL, true}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		answer.issuer = rows[i].issuer;
		ck_assert_msg(jwks_entry_take(entry, &answer, &clock) == rows[i].want, "%zu", i);
		ck_assert(text_equal(entry->issuer, rows[i].issuer));
	}
	answer = (struct jwks_answer){.url = "https://a/keys", .issuer = "https://c", .error = "gone"};
	ck_assert(!jwks_entry_take(entry, &answer, &clock));
	ck_assert(!entry->issuer);
	jwks_entry_free(entry);
}
END_TEST

START_TEST(a_bad_answer_keeps_the_keys)
{
	static const struct {
		const char *body, *error, *want;
	} rows[] = {
	    {NULL, "https://a/keys: status 500", "status 500"},
	    {"<html>", NULL, "the key set"},
	    {"{\"keys\":[]}", NULL, "no key that proxies can use"},
	    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"YQ\"}]}", NULL, "can sign"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clock clock = clock_fake(CLOCK_S);
		struct jwks_entry *entry = entry_new();
		take(entry, KEY("a"), NULL, &clock);
		ck_assert(!take(entry, rows[i].body, rows[i].error, &clock));
		ck_assert_str_eq(entry->keys, KEY("a"));
		ck_assert_msg(strstr(entry->error.message, rows[i].want) != NULL, "%s", entry->error.message);
		ck_assert_uint_eq(entry->failures, 1);
		assert_next_within(entry, &clock, 1, 1);
		ck_assert(!take(entry, KEY("a"), NULL, &clock));
		ck_assert_str_eq(entry->error.message, "");
		jwks_entry_free(entry);
	}
}
END_TEST

START_TEST(the_first_failure_is_news_and_tried_again_soon)
{
	struct clock clock = clock_fake(CLOCK_S);
	struct jwks_entry *entry = entry_new();
	ck_assert(take(entry, NULL, "away", &clock));
	ck_assert(entry->keys == NULL && entry->was_asked);
	for (int64_t wait_s = 1; wait_s <= 64; wait_s *= 2) {
		int64_t want_s = wait_s * 1000 < JWKS_RETRY_NEW_MAX_MS ? wait_s : JWKS_RETRY_NEW_MAX_MS / 1000;
		assert_next_within(entry, &clock, want_s, want_s);
		clock.now_ns = entry->schedule.next_ns;
		ck_assert(!take(entry, NULL, "away", &clock));
	}
	ck_assert(take(entry, KEY("a"), NULL, &clock));
	for (int i = 0; i < 20; i++)
		take(entry, NULL, "away", &clock);
	assert_next_within(entry, &clock, JWKS_RETRY_MAX_MS / 1000, JWKS_RETRY_MAX_MS / 1000);
	jwks_entry_free(entry);
}
END_TEST

START_TEST(what_nobody_wants_is_not_asked_for)
{
	struct clock clock = clock_fake(CLOCK_S);
	struct jwks_entry *entry = entry_new();
	take(entry, KEY("a"), NULL, &clock);
	jwks_entry_want(entry, false, clock.now_ns);
	clock.now_ns += 2 * REFRESH_S * CLOCK_S;
	ck_assert(!jwks_entry_is_due(entry, clock.now_ns));
	ck_assert_int_eq(entry->unwanted_ns, CLOCK_S);
	jwks_entry_want(entry, true, clock.now_ns);
	ck_assert(jwks_entry_is_due(entry, clock.now_ns));
	ck_assert_str_eq(entry->keys, KEY("a"));
	jwks_entry_free(entry);
}
END_TEST

START_TEST(kept_keys_hold_until_the_issuer_answers)
{
	static const struct {
		int64_t age_s;
		const char *keys;
		bool want;
	} rows[] = {
	    {0, KEY("a"), true},
	    {KEPT_KEYS_MAX_S, KEY("a"), true},
	    {-3600, KEY("a"), true}, /* the clock was set back */
	    {KEPT_KEYS_MAX_S + 1, KEY("a"), false},
	    {0, "{\"keys\":[]}", false},
	    {0, "nonsense", false},
	    {0, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", false},
	};
	struct clock clock = clock_fake(CLOCK_S);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct jwks_entry *entry = entry_new();
		int64_t at_s = clock_wall_ns(&clock) / CLOCK_S - rows[i].age_s;
		const struct kept_set set = {"https://a/keys", false, "https://b/keys", at_s, rows[i].keys};
		ck_assert_int_eq(jwks_entry_recall(entry, &set, &clock), rows[i].want);
		ck_assert_int_eq(entry->keys != NULL, rows[i].want);
		ck_assert(!jwks_entry_is_to_be_kept(entry));
		ck_assert(jwks_entry_is_due(entry, clock.now_ns));
		take(entry, NULL, "no answer", &clock);
		ck_assert_int_eq(entry->keys != NULL, rows[i].want);
		ck_assert(take(entry, KEY("b"), NULL, &clock));
		ck_assert_str_eq(entry->keys, KEY("b"));
		ck_assert(jwks_entry_is_to_be_kept(entry));
		jwks_entry_free(entry);
	}
}
END_TEST

START_TEST(the_same_keys_are_kept_again_after_a_time)
{
	struct clock clock = clock_fake(CLOCK_S);
	struct jwks_entry *entry = entry_new();
	take(entry, KEY("a"), NULL, &clock);
	ck_assert(jwks_entry_is_to_be_kept(entry));
	entry->kept_wall_ns = entry->good_wall_ns;
	take(entry, KEY("a"), NULL, &clock);
	ck_assert(!jwks_entry_is_to_be_kept(entry));
	entry->kept_wall_ns -= 3600 * CLOCK_S;
	ck_assert(jwks_entry_is_to_be_kept(entry));
	jwks_entry_free(entry);
}
END_TEST

UNIT_MAIN("jwks_entry", whose_keys_they_are_is_news_too, kept_keys_hold_until_the_issuer_answers,
          the_same_keys_are_kept_again_after_a_time, good_keys_are_news_once_and_refreshed, a_bad_answer_keeps_the_keys,
          the_first_failure_is_news_and_tried_again_soon, what_nobody_wants_is_not_asked_for)
