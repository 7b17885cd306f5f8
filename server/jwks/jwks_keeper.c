#include "server/jwks/jwks_keeper.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/slot.h"
#include "base/vec.h"
#include "base/wake.h"
#include "server/jwks/jwks_entry.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLEEP_MAX_MS 60000 /* what nobody wants is looked for as often, too */

struct jwks_keeper {
	struct jwks_keeper_options options;
	struct jwks_fetcher *fetcher;
	struct slot *wanted; /* struct key_sets without keys: a list of sources */
	struct wake wake;
	_Atomic bool is_stopping;
	pthread_t thread;
	bool is_started;
	struct key_sets *last_wanted; /* of whoever wants */

	pthread_mutex_t lock;        /* over the entries, which the thread alone changes */
	struct jwks_entry **entries; /* by source */
	size_t n, cap;
	bool is_news; /* something is to be told */
	bool is_keeping_failing;
};

static void wanted_drop(void *wanted)
{
	key_sets_unref(wanted);
}

static uint64_t seed(void)
{
	uint64_t number = 0;
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		number = (uint64_t)clock_now_ns(clock_system());
	return number;
}

/* ---- what is wanted ---- */

/* The place of the source, or where it would be. */
static size_t place_of(const struct jwks_keeper *keeper, const struct key_source *source)
{
	size_t low = 0, high = keeper->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (key_source_compare(&keeper->entries[middle]->source, source) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct jwks_entry *entry_of(struct jwks_keeper *keeper, const struct key_source *source)
{
	size_t at = place_of(keeper, source);
	if (at < keeper->n && key_source_compare(&keeper->entries[at]->source, source) == 0)
		return keeper->entries[at];
	if (keeper->n >= JWKS_SOURCES_MAX)
		return NULL;
	keeper->entries = heap_grow(keeper->entries, &keeper->cap, keeper->n + 1, sizeof(struct jwks_entry *));
	memmove(&keeper->entries[at + 1], &keeper->entries[at], (keeper->n - at) * sizeof(struct jwks_entry *));
	keeper->entries[at] = jwks_entry_new(source, keeper->options.refresh_s * CLOCK_S, seed());
	keeper->entries[at]->keeper = keeper;
	keeper->n++;
	return keeper->entries[at];
}

static void take_wanted(struct jwks_keeper *keeper, int64_t now_ns)
{
	struct key_sets *wanted = slot_take(keeper->wanted);
	size_t n_refused = 0;
	if (!wanted)
		return;
	for (size_t i = 0; i < keeper->n; i++)
		if (!key_sets_get(wanted, &keeper->entries[i]->source))
			jwks_entry_want(keeper->entries[i], false, now_ns);
	for (size_t i = 0; i < wanted->n; i++) {
		struct jwks_entry *entry = entry_of(keeper, &wanted->v[i].source);
		if (entry) {
			entry->source.timeout_ms = wanted->v[i].source.timeout_ms;
			jwks_entry_want(entry, true, now_ns);
		}
		n_refused += !entry;
	}
	if (n_refused)
		log_error("jwks",
		          "%zu sources of keys are more than the %d that are fetched; no token of theirs is believed",
		          n_refused, JWKS_SOURCES_MAX);
	key_sets_unref(wanted);
}

static void forget(struct jwks_keeper *keeper, int64_t now_ns)
{
	size_t kept = 0;
	for (size_t i = 0; i < keeper->n; i++) {
		struct jwks_entry *entry = keeper->entries[i];
		bool is_old =
		    !entry->is_wanted && !entry->is_asking && now_ns - entry->unwanted_ns >= JWKS_UNWANTED_S * CLOCK_S;
		keeper->is_news |= is_old;
		if (is_old)
			jwks_entry_free(entry);
		else
			keeper->entries[kept++] = entry;
	}
	keeper->n = kept;
}

/* ---- asking and telling ---- */

static void on_answer(void *context, const struct jwks_answer *answer)
{
	struct jwks_entry *entry = context;
	struct jwks_keeper *keeper = entry->keeper;
	pthread_mutex_lock(&keeper->lock);
	keeper->is_news |= jwks_entry_take(entry, answer, clock_system());
	pthread_mutex_unlock(&keeper->lock);
}

/* Milliseconds until the next one is due. Those for which there is no room now are asked when another has ended. */
static int ask(struct jwks_keeper *keeper, int64_t now_ns)
{
	int64_t sleep_ns = SLEEP_MAX_MS * CLOCK_MS;
	for (size_t i = 0; i < keeper->n; i++) {
		struct jwks_entry *entry = keeper->entries[i];
		if (jwks_entry_is_due(entry, now_ns))
			entry->is_asking = jwks_fetcher_start(keeper->fetcher, &entry->source, on_answer, entry);
		else if (entry->is_wanted && !entry->is_asking && entry->schedule.next_ns - now_ns < sleep_ns)
			sleep_ns = entry->schedule.next_ns - now_ns;
	}
	return (int)((sleep_ns + CLOCK_MS - 1) / CLOCK_MS);
}

static struct key_sets *news(struct jwks_keeper *keeper)
{
	if (!keeper->is_news)
		return NULL;
	keeper->is_news = false;
	struct key_set *found = HEAP_NEW_N(struct key_set, keeper->n);
	size_t n = 0;
	for (size_t i = 0; i < keeper->n; i++) {
		const struct jwks_entry *entry = keeper->entries[i];
		if (entry->was_asked || entry->keys)
			found[n++] = (struct key_set){.source = entry->source,
			                              .keys = entry->keys,
			                              .keys_n = entry->keys_n,
			                              .issuer = entry->issuer};
	}
	struct key_sets *sets = key_sets_new(found, n);
	free(found);
	return sets;
}

/* ---- over restarts ---- */

/* Before there is a thread. What is recalled and nobody wants is forgotten in time, as everything is. */
static void recall(struct jwks_keeper *keeper)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct clock *clock = clock_system();
	struct kept_keys kept;
	struct error error;
	if (!kept_keys_load(keeper->options.state_dir, arena, &kept, &error))
		log_warn("jwks", "%s; keys of before are not known, and are fetched", error.message);
	for (size_t i = 0; i < kept.sets.n; i++) {
		const struct kept_set *set = &kept.sets.v[i];
		const struct key_source source = {.url = set->url, .is_discovery = set->is_discovery};
		struct jwks_entry *entry = entry_of(keeper, &source);
		if (!entry || entry->keys)
			continue;
		entry->unwanted_ns = clock_now_ns(clock);
		if (!jwks_entry_recall(entry, set, clock))
			continue;
		log_info("jwks", "%s: %zu keys from before the start, until it answers", entry->keys_url,
		         entry->n_keys);
		keeper->is_news = true;
	}
}

static bool has_to_keep(const struct jwks_keeper *keeper)
{
	for (size_t i = 0; i < keeper->n; i++)
		if (jwks_entry_is_to_be_kept(keeper->entries[i]))
			return true;
	return false;
}

static void keep(struct jwks_keeper *keeper)
{
	if (!keeper->options.state_dir || !has_to_keep(keeper))
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text text = {0};
	struct kept_keys kept = {0};
	struct error error;
	for (size_t i = 0; i < keeper->n; i++) {
		struct jwks_entry *entry = keeper->entries[i];
		if (!entry->keys)
			continue;
		entry->kept_wall_ns = entry->good_wall_ns; /* in failure too, or each answer would try again */
		VEC_PUSH(arena, &kept.sets,
		         (struct kept_set){.url = entry->source.url,
		                           .is_discovery = entry->source.is_discovery,
		                           .keys_url = entry->keys_url,
		                           .at_s = entry->good_wall_ns / CLOCK_S,
		                           .keys = entry->keys});
	}
	size_t n = kept_keys_print(&kept, &text);
	if (n < kept.sets.n)
		log_warn("jwks", "%zu key sets are too large to be kept over a restart", kept.sets.n - n);
	bool is_kept = kept_keys_store(keeper->options.state_dir, &text, &error);
	if (!is_kept && !keeper->is_keeping_failing)
		log_warn("jwks", "%s; after a restart keys are known only once their issuers have answered",
		         error.message);
	keeper->is_keeping_failing = !is_kept;
}

/* ---- the thread ---- */

static void *run(void *context)
{
	struct jwks_keeper *keeper = context;
	struct key_sets *recalled = news(keeper);
	if (recalled)
		keeper->options.on_keys(keeper->options.context, recalled);
	while (!keeper->is_stopping) {
		int64_t now_ns = clock_now_ns(clock_system());
		wake_quieten(&keeper->wake);
		pthread_mutex_lock(&keeper->lock);
		take_wanted(keeper, now_ns);
		forget(keeper, now_ns);
		int sleep_ms = ask(keeper, now_ns);
		pthread_mutex_unlock(&keeper->lock);
		jwks_fetcher_poll(keeper->fetcher, wake_fd(&keeper->wake), sleep_ms);
		struct key_sets *sets = news(keeper);
		if (sets)
			keeper->options.on_keys(keeper->options.context, sets);
		keep(keeper);
	}
	return NULL;
}

struct jwks_keeper *jwks_keeper_new(const struct jwks_keeper_options *options)
{
	struct jwks_keeper *keeper = HEAP_NEW(struct jwks_keeper);
	keeper->options = *options;
	keeper->fetcher = jwks_fetcher_new(&(struct jwks_fetcher_options){
	    .is_private_allowed = options->is_private_allowed, .ca_file = options->ca_file});
	keeper->wanted = slot_new(wanted_drop);
	wake_init(&keeper->wake);
	pthread_mutex_init(&keeper->lock, NULL);
	if (options->state_dir)
		recall(keeper);
	return keeper;
}

void jwks_keeper_start(struct jwks_keeper *keeper)
{
	int failure = pthread_create(&keeper->thread, NULL, run, keeper);
	assert(!failure);
	keeper->is_started = true;
}

void jwks_keeper_stop(struct jwks_keeper *keeper)
{
	if (!keeper || !keeper->is_started)
		return;
	keeper->is_stopping = true;
	wake_up(&keeper->wake);
	pthread_join(keeper->thread, NULL);
	keeper->is_started = false;
}

void jwks_keeper_free(struct jwks_keeper *keeper)
{
	if (!keeper)
		return;
	jwks_keeper_stop(keeper);
	jwks_fetcher_free(keeper->fetcher);
	for (size_t i = 0; i < keeper->n; i++)
		jwks_entry_free(keeper->entries[i]);
	free(keeper->entries);
	slot_free(keeper->wanted);
	key_sets_unref(keeper->last_wanted);
	wake_done(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

/* ---- any thread ---- */

static bool is_wanted_already(const struct jwks_keeper *keeper, const struct key_source *v, size_t n)
{
	const struct key_sets *last = keeper->last_wanted;
	if ((last ? last->n : 0) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (key_source_compare(&last->v[i].source, &v[i]) != 0 ||
		    last->v[i].source.timeout_ms != v[i].timeout_ms)
			return false;
	return true;
}

void jwks_keeper_want(struct jwks_keeper *keeper, const struct key_source *v, size_t n)
{
	if (is_wanted_already(keeper, v, n))
		return;
	struct key_set *wanted = HEAP_NEW_N(struct key_set, n);
	for (size_t i = 0; i < n; i++)
		wanted[i].source = v[i];
	key_sets_unref(keeper->last_wanted);
	keeper->last_wanted = key_sets_new(wanted, n);
	free(wanted);
	slot_put(keeper->wanted, key_sets_ref(keeper->last_wanted));
	wake_up(&keeper->wake);
}

void jwks_keeper_stats(struct jwks_keeper *keeper, struct jwks_stats *stats)
{
	*stats = (struct jwks_stats){0};
	pthread_mutex_lock(&keeper->lock);
	for (size_t i = 0; i < keeper->n; i++) {
		const struct jwks_entry *entry = keeper->entries[i];
		stats->fetches += entry->fetches;
		stats->failures += entry->failures;
		if (!entry->is_wanted)
			continue;
		stats->wanted++;
		stats->without_keys += !entry->keys;
		stats->failing += entry->error.message[0] != '\0';
	}
	pthread_mutex_unlock(&keeper->lock);
}

const struct jwks_source_stats *jwks_keeper_sources(struct jwks_keeper *keeper, struct arena *arena, size_t *n)
{
	int64_t now_ns = clock_now_ns(clock_system());
	VEC(struct jwks_source_stats) sources = {0};
	pthread_mutex_lock(&keeper->lock);
	for (size_t i = 0; i < keeper->n; i++) {
		const struct jwks_entry *entry = keeper->entries[i];
		int64_t left_ns = entry->is_asking ? 0 : entry->schedule.next_ns - now_ns;
		if (entry->is_wanted)
			VEC_PUSH(arena, &sources,
			         (struct jwks_source_stats){
			             .url = arena_strdup(arena, entry->source.url),
			             .is_discovery = entry->source.is_discovery,
			             .is_failing = entry->error.message[0] != '\0',
			             .n_keys = entry->n_keys,
			             .good_wall_ns = entry->good_wall_ns,
			             .next_s = left_ns > 0 ? (double)left_ns / (double)CLOCK_S : 0,
			         });
	}
	pthread_mutex_unlock(&keeper->lock);
	*n = sources.n;
	return sources.v;
}

void jwks_keeper_print(struct jwks_keeper *keeper, struct text *out)
{
	pthread_mutex_lock(&keeper->lock);
	text_add_char(out, '[');
	for (size_t i = 0; i < keeper->n; i++) {
		text_add(out, i ? "," : "");
		jwks_entry_print(keeper->entries[i], clock_system(), out);
	}
	text_add(out, "]\n");
	pthread_mutex_unlock(&keeper->lock);
}
