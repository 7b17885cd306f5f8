#include "server/identity/token_cache.h"

#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

#define CHAINS 4096

struct waiter {
	void *who;
	struct waiter *next;
};

struct entry {
	struct digest token;
	bool is_open;
	struct waiter *waiters; /* while it is open */
	struct token_verdict verdict;
	int64_t until_ns;
	struct entry *chain_next;
	struct entry *older, *newer; /* settled ones, by when they were */
};

struct token_cache {
	const struct clock *clock;
	struct entry *chains[CHAINS];
	struct entry *oldest, *newest;
	struct token_cache_stats stats;
};

struct token_cache *token_cache_new(const struct clock *clock)
{
	struct token_cache *cache = HEAP_NEW(struct token_cache);
	cache->clock = clock;
	return cache;
}

static struct entry **chain_of(struct token_cache *cache, struct digest token)
{
	return &cache->chains[token.w[0] % CHAINS];
}

static struct entry *entry_get(struct token_cache *cache, struct digest token)
{
	struct entry *entry = *chain_of(cache, token);
	while (entry && !digest_equal(entry->token, token))
		entry = entry->chain_next;
	return entry;
}

static void age_remove(struct token_cache *cache, struct entry *entry)
{
	*(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
}

static void age_append(struct token_cache *cache, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
}

static void entry_free(struct token_cache *cache, struct entry *entry)
{
	struct entry **at = chain_of(cache, entry->token);
	while (*at != entry)
		at = &(*at)->chain_next;
	*at = entry->chain_next;
	if (!entry->is_open)
		age_remove(cache, entry);
	cache->stats.tokens--;
	free(entry);
}

void token_cache_free(struct token_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < CHAINS; i++)
		while (cache->chains[i]) {
			assert(!cache->chains[i]->waiters);
			entry_free(cache, cache->chains[i]);
		}
	free(cache);
}

static void wait(struct entry *entry, void *who)
{
	struct waiter *waiter = HEAP_NEW(struct waiter);
	*waiter = (struct waiter){who, entry->waiters};
	entry->waiters = waiter;
}

static void entry_add(struct token_cache *cache, struct digest token, void *waiter)
{
	struct entry *entry = HEAP_NEW(struct entry), **chain = chain_of(cache, token);
	entry->token = token;
	entry->is_open = true;
	entry->chain_next = *chain;
	*chain = entry;
	wait(entry, waiter);
	cache->stats.tokens++;
	cache->stats.open++;
	cache->stats.questions++;
}

enum token_cache_outcome token_cache_look(struct token_cache *cache, struct digest token, void *waiter,
                                          const struct token_verdict **verdict)
{
	struct entry *entry = entry_get(cache, token);
	if (entry && entry->is_open) {
		wait(entry, waiter);
		return TOKEN_CACHE_WAIT;
	}
	if (entry && clock_now_ns(cache->clock) < entry->until_ns) {
		*verdict = &entry->verdict;
		cache->stats.hits++;
		return TOKEN_CACHE_KNOWN;
	}
	if (entry)
		entry_free(cache, entry);
	if (cache->stats.open >= TOKEN_CACHE_OPEN)
		return TOKEN_CACHE_CROWD;
	if (cache->stats.tokens >= TOKEN_CACHE_MAX)
		entry_free(cache, cache->oldest);
	entry_add(cache, token, waiter);
	return TOKEN_CACHE_ASK;
}

static int64_t until_ns(const struct token_cache *cache, const struct token_verdict *verdict, int64_t end_s)
{
	int64_t left_ns = INT64_MAX, keep_ns = TOKEN_CACHE_BAD_S * CLOCK_S;
	if (verdict->knowledge == TOKEN_KNOWN_GOOD) {
		int64_t now_s = clock_wall_ns(cache->clock) / CLOCK_S;
		left_ns = end_s <= now_s                       ? 0
		          : end_s - now_s > TOKEN_CACHE_GOOD_S ? INT64_MAX
		                                               : (end_s - now_s) * CLOCK_S;
		keep_ns = TOKEN_CACHE_GOOD_S * CLOCK_S;
	}
	return clock_now_ns(cache->clock) + (left_ns < keep_ns ? left_ns : keep_ns);
}

void token_cache_settle(struct token_cache *cache, struct digest token, const struct token_verdict *verdict,
                        int64_t end_s, void (*tell)(void *waiter, const struct token_verdict *verdict))
{
	struct entry *entry = entry_get(cache, token);
	assert(entry && entry->is_open);
	struct waiter *waiter = entry->waiters, *next;
	entry->is_open = false;
	entry->waiters = NULL;
	entry->verdict = *verdict;
	entry->until_ns = until_ns(cache, verdict, end_s);
	cache->stats.open--;
	age_append(cache, entry);
	if (verdict->knowledge == TOKEN_NOT_KNOWN)
		entry_free(cache, entry);
	for (; waiter; waiter = next) {
		next = waiter->next;
		tell(waiter->who, verdict);
		free(waiter);
	}
}

void token_cache_stats(const struct token_cache *cache, struct token_cache_stats *stats)
{
	*stats = cache->stats;
}
