#include "server/jwks/jwks_entry.h"

#include "base/heap.h"
#include "base/log.h"
#include "token/jwks_sift.h"

#include <stdlib.h>
#include <string.h>

#define JWKS_KEPT_STAMP_S 3600 /* before the same keys are written again for their time */

struct jwks_entry *jwks_entry_new(const struct key_source *source, int64_t refresh_ns, uint64_t seed)
{
	struct jwks_entry *entry = HEAP_NEW(struct jwks_entry);
	entry->source = *source;
	entry->source.url = heap_strdup(source->url);
	jwks_schedule_init(&entry->schedule, refresh_ns, seed);
	return entry;
}

void jwks_entry_free(struct jwks_entry *entry)
{
	if (!entry)
		return;
	free((char *)(uintptr_t)entry->source.url);
	free(entry->keys);
	free(entry->keys_url);
	free(entry->issuer);
	free(entry);
}

void jwks_entry_want(struct jwks_entry *entry, bool is_wanted, int64_t now_ns)
{
	if (entry->is_wanted == is_wanted)
		return;
	entry->is_wanted = is_wanted;
	entry->unwanted_ns = now_ns;
	entry->schedule.next_ns = 0;
}

bool jwks_entry_is_due(const struct jwks_entry *entry, int64_t now_ns)
{
	return entry->is_wanted && !entry->is_asking && now_ns >= entry->schedule.next_ns;
}

/* ---- answers ---- */

/* Whether they are others than before. */
static bool set_keys(struct jwks_entry *entry, const struct jwks_sifted *sifted, const char *url)
{
	bool is_changed = !entry->keys || entry->keys_n != sifted->n || memcmp(entry->keys, sifted->s, sifted->n) != 0;
	if (is_changed) {
		free(entry->keys);
		entry->keys = heap_strndup(sifted->s, sifted->n);
		entry->keys_n = sifted->n;
		entry->n_keys = sifted->n_keys;
	}
	free(entry->keys_url);
	entry->keys_url = heap_strdup(url);
	return is_changed;
}

struct change {
	bool is_of_keys, is_of_issuer;
};

/* False with what is wrong, and the former keys stay. */
static bool take_keys(struct jwks_entry *entry, const struct jwks_answer *answer, struct change *change)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct jwks_sifted sifted;
	struct error *error = &entry->error;
	if (!answer->body)
		return error_set(error, "%s", answer->error);
	if (!jwks_sift(arena, answer->body, answer->n, JWKS_TRIED | JWKS_PUBLIC, &sifted, error))
		return error_wrap(error, "%s", answer->url);
	if (!sifted.n_keys)
		return error_set(error, "%s: no key that proxies can use%s%s", answer->url,
		                 sifted.why.message[0] ? ": " : "", sifted.why.message);
	change->is_of_keys = set_keys(entry, &sifted, answer->url);
	change->is_of_issuer = !text_equal(entry->issuer, answer->issuer);
	if (change->is_of_issuer) {
		free(entry->issuer);
		entry->issuer = answer->issuer ? heap_strdup(answer->issuer) : NULL;
	}
	return true;
}

static void log_answer(const struct jwks_entry *entry, bool is_good, bool is_changed, bool was_failing)
{
	if (!is_good && !was_failing)
		log_warn("jwks", "%s; %s", entry->error.message,
		         entry->keys ? "keeping the keys that it had"
		                     : "no token of this issuer is believed until then");
	if (is_changed)
		log_info("jwks", "%s: %zu keys", entry->keys_url, entry->n_keys);
	else if (is_good && was_failing)
		log_info("jwks", "%s: good again", entry->keys_url);
}

bool jwks_entry_take(struct jwks_entry *entry, const struct jwks_answer *answer, const struct clock *clock)
{
	bool was_failing = entry->error.message[0], is_first = !entry->was_asked;
	struct change change = {0};
	entry->error.message[0] = '\0';
	bool is_good = take_keys(entry, answer, &change);
	entry->is_asking = false;
	entry->was_asked = true;
	entry->fetches++;
	entry->failures += !is_good;
	if (change.is_of_keys)
		entry->kept_wall_ns = 0;
	if (is_good) {
		entry->good_ns = clock_now_ns(clock);
		entry->good_wall_ns = clock_wall_ns(clock);
	}
	jwks_schedule_done(&entry->schedule, is_good, clock_now_ns(clock));
	log_answer(entry, is_good, change.is_of_keys, was_failing);
	return change.is_of_keys || change.is_of_issuer || is_first;
}

/* ---- over restarts ---- */

bool jwks_entry_recall(struct jwks_entry *entry, const struct kept_set *set, const struct clock *clock)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct jwks_sifted sifted;
	struct error error;
	bool is_old = clock_wall_ns(clock) - set->at_s * CLOCK_S > KEPT_KEYS_MAX_S * CLOCK_S;
	if (is_old || !jwks_sift(arena, set->keys, strlen(set->keys), JWKS_TRIED | JWKS_PUBLIC, &sifted, &error) ||
	    !sifted.n_keys)
		return false;
	set_keys(entry, &sifted, set->keys_url);
	entry->good_wall_ns = entry->kept_wall_ns = set->at_s * CLOCK_S;
	return true;
}

bool jwks_entry_is_to_be_kept(const struct jwks_entry *entry)
{
	return entry->keys &&
	       (!entry->kept_wall_ns || entry->good_wall_ns - entry->kept_wall_ns >= JWKS_KEPT_STAMP_S * CLOCK_S);
}

/* ---- people ---- */

void jwks_entry_print(const struct jwks_entry *entry, const struct clock *clock, struct text *out)
{
	char when[CLOCK_TEXT];
	int64_t left_ns = entry->schedule.next_ns - clock_now_ns(clock);
	text_add_char(out, '{');
	text_add_json_member(out, "url", entry->source.url);
	text_printf(out, ",\"discovery\":%s,\"wanted\":%s,\"keys\":%zu", entry->source.is_discovery ? "true" : "false",
	            entry->is_wanted ? "true" : "false", entry->n_keys);
	text_add_json_member(out, "keysUrl", entry->keys_url);
	text_add_json_member(out, "issuer", entry->issuer);
	if (entry->good_wall_ns)
		clock_print(entry->good_wall_ns, 3, when);
	text_add_json_member(out, "lastSuccess", entry->good_wall_ns ? when : NULL);
	text_add_json_member(out, "lastError", entry->error.message[0] ? entry->error.message : NULL);
	text_printf(out, ",\"fetches\":%llu,\"failures\":%llu,\"nextTrySeconds\":", (unsigned long long)entry->fetches,
	            (unsigned long long)entry->failures);
	if (entry->is_wanted && !entry->is_asking && entry->was_asked)
		text_printf(out, "%.1f", left_ns > 0 ? (double)left_ns / (double)CLOCK_S : 0);
	else
		text_add(out, entry->is_wanted ? "0" : "null");
	text_add_char(out, '}');
}
