/*
 * One kind against an API server that sends anything: objects go only by an event that says so or by a whole list,
 * what the feed is told is what the watch knows, and however the bytes are fed the same becomes of them.
 *
 * The input: how many bytes are fed at once, then answers, each a byte that says how it ends (end_status) and its body,
 * with a byte 0x1e between two.
 */
#include "server/source/kube/kube_watch.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

#define BETWEEN 0x1e
#define ANSWERS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct world {
	struct clock clock;
	struct kube_feed *feed;
	struct kube_watch *watch;
	struct text log; /* all that happened, to compare with */
};

/* 0: it breaks off. */
static int end_status(char c)
{
	static const struct {
		char c;
		int status;
	} ends[] = {{'0', 0}, {'4', 404}, {'5', 500}, {'g', 410}, {'u', 401}, {'t', 504}};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (ends[i].c == c)
			return ends[i].status;
	return 200;
}

/* ---- what must hold ---- */

struct known {
	struct arena *arena;
	struct map keys;
};

static void add_known(void *context, const struct kube_item *item)
{
	struct known *known = context;
	assert(strchr(item->key, '/') != NULL && item->seq > 0);
	map_put(known->arena, &known->keys, arena_strdup(known->arena, item->key), known);
}

static struct known known_now(const struct world *world)
{
	struct known known = {.arena = arena_new()};
	kube_items_walk(kube_watch_items(world->watch), add_known, &known);
	assert(known.keys.n == kube_watch_items(world->watch)->n);
	return known;
}

/* How many were known and are no more. */
static size_t count_gone(const struct world *world, const struct known *before)
{
	size_t n = 0;
	for (size_t i = 0; i < before->keys.n; i++)
		n += !kube_items_get(kube_watch_items(world->watch), before->keys.entries[i].key);
	return n;
}

/* Times that the body can mean DELETED: with \u it may be written in other words. */
static size_t count_deleted(const char *s, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += s[i] == '\\' || (i + 7 <= n && memcmp(s + i, "DELETED", 7) == 0);
	return count;
}

/* The feed says of each object what the watch does; the kind's own row ("~Pod/") is of no object. */
static void check_feed(struct world *world, const struct known *before)
{
	struct kube_batch *batch = kube_feed_take(world->feed);
	for (size_t i = 0; batch && i < batch->changes.n; i++) {
		const struct kube_change *change = batch->changes.entries[i].value;
		const char *group = batch->changes.entries[i].key, *key = group + strlen("~Pod/");
		assert(text_has_prefix(group, "~Pod/"));
		if (*key)
			assert((change->arena != NULL) ==
			       (kube_items_get(kube_watch_items(world->watch), key) != NULL));
		text_printf(&world->log, "%s%c", group, change->arena ? '+' : '-');
	}
	for (size_t i = 0; i < before->keys.n; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const char *key = before->keys.entries[i].key;
		if (!kube_items_get(kube_watch_items(world->watch), key))
			assert(batch && map_get(&batch->changes, kube_watch_group(arena, KIND_POD, key)));
	}
	kube_batch_free(batch);
}

/* ---- answers ---- */

static bool feed_body(struct world *world, const char *s, size_t n, size_t step)
{
	for (size_t at = 0; at < n; at += step)
		if (!kube_watch_body(world->watch, s + at, at + step < n ? step : n - at, world->clock.now_ns))
			return false;
	return true;
}

static void end(struct world *world, int status)
{
	struct kube_response response = {
	    .status = status, .error = status == 200 ? NULL : "an error", .retry_after_ms = -1, .body = ""};
	kube_watch_ended(world->watch, &response, world->clock.now_ns);
}

static void answer(struct world *world, char how, const char *s, size_t n, size_t step)
{
	struct kube_watch_status was, is;
	int64_t at_ns;

	if (!kube_watch_next(world->watch, world->clock.now_ns, &at_ns)) {
		assert(at_ns > world->clock.now_ns && at_ns < INT64_MAX);
		world->clock.now_ns = at_ns;
		const char *path = kube_watch_next(world->watch, at_ns, &at_ns);
		assert(path && *path == '/');
	}
	kube_watch_status(world->watch, &was);
	struct known before = known_now(world);
	int status = end_status(how);
	bool is_success = status == 0 || status == 200;
	if (is_success)
		kube_watch_started(world->watch, world->clock.now_ns);
	bool is_refused = is_success && !feed_body(world, s, n, step);
	size_t n_gone = count_gone(world, &before);
	assert(n_gone <= (was.state == KUBE_WATCH_WATCHING ? count_deleted(s, n) : 0));
	world->clock.now_ns += 2 * CLOCK_S;
	end(world, is_refused ? 0 : status);
	kube_watch_status(world->watch, &is);
	bool is_listed = is.lists > was.lists, is_absent = is.state == KUBE_WATCH_ABSENT;
	assert(is_listed || is_absent || count_gone(world, &before) == n_gone);
	assert(!is_listed || (status == 200 && !is_refused && was.state != KUBE_WATCH_WATCHING));
	assert(!is_absent || status == 404 || was.state == KUBE_WATCH_ABSENT);
	assert(text_is_utf8(is.error, strlen(is.error)));
	check_feed(world, &before);
	text_printf(&world->log, "%d %zu %s;", (int)is.state, is.n_objects, is.error);
	arena_free(before.arena);
}

/* All answers; what happened. */
static void play(const char *s, size_t n, size_t step, struct text *log)
{
	struct world world = {.clock = clock_fake(1000 * CLOCK_S)};
	world.feed = kube_feed_new(&world.clock);
	world.watch = kube_watch_new(&(struct kube_watch_options){
	    .kind = KIND_POD,
	    .root_namespace = "istio-system",
	    .feed = world.feed,
	    .relist_ns = 900 * CLOCK_S,
	    .seed = 1,
	});
	for (unsigned i = 0; n > 0 && i < ANSWERS_MAX; i++) {
		const char *end = memchr(s, BETWEEN, n);
		size_t n_answer = end ? (size_t)(end - s) : n;
		if (n_answer > 0)
			answer(&world, s[0], s + 1, n_answer - 1, step ? step : n);
		size_t n_taken = end ? n_answer + 1 : n;
		s += n_taken;
		n -= n_taken;
	}
	kube_watch_free(world.watch);
	kube_feed_free(world.feed);
	*log = world.log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(text_done) struct text whole = {0}, steps = {0};
	if (n < 2)
		return 0;
	play((const char *)data + 1, n - 1, 0, &whole);
	play((const char *)data + 1, n - 1, 1 + data[0] % 31, &steps);
	assert(strcmp(text_get(&whole), text_get(&steps)) == 0);
	return 0;
}
