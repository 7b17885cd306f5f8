#include "server/source/kube/kube.h"

#include "base/heap.h"
#include "base/slot.h"
#include "server/source/kube/kube_private.h"
#include "token/token_key.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_MAX_MS 1000

bool kube_source_reads(enum kind kind)
{
	return !kinds[kind].is_from_files_only;
}

bool kube_is_needed(enum kind kind)
{
	return kube_source_reads(kind) && !kinds[kind].is_unread;
}

/* ---- the watches' requests ---- */

static void kind_on_start(void *context)
{
	struct kube_kind *kind = context;
	kube_watch_started(kind->watch, kube_now_ns());
}

static bool kind_on_body(void *context, const char *s, size_t n)
{
	struct kube_kind *kind = context;
	return kube_watch_body(kind->watch, s, n, kube_now_ns());
}

static void kind_on_end(void *context, const struct kube_response *response)
{
	struct kube_kind *kind = context;
	kind->call = NULL;
	kube_watch_ended(kind->watch, response, kube_now_ns());
}

static void kind_start(struct kube_kind *kind, const char *path)
{
	struct error error;
	struct kube_watch_status status;
	kube_watch_status(kind->watch, &status);
	bool is_watch = status.state == KUBE_WATCH_WATCHING;

	kind->call = kube_http_start(kind->source->http,
	                             &(struct kube_request){
	                                 .method = "GET",
	                                 .path = path,
	                                 .silence_ms = is_watch ? 0 : KUBE_SILENCE_MS,
	                                 .on_start = kind_on_start,
	                                 .on_body = kind_on_body,
	                                 .on_end = kind_on_end,
	                                 .context = kind,
	                             },
	                             &error);
	if (!kind->call)
		kube_watch_ended(kind->watch,
		                 &(struct kube_response){.retry_after_ms = -1, .error = error.message, .body = ""},
		                 kube_now_ns());
}

/* When it should be called again, at the latest. */
static int64_t kind_move(struct kube_kind *kind)
{
	int64_t now = kube_now_ns(), at_ns = 0;

	if (kind->call && now >= kube_watch_deadline_ns(kind->watch)) {
		kube_http_cancel(kind->call);
		kind->call = NULL;
		kube_watch_give_up(kind->watch, now);
	}
	const char *path = kube_watch_next(kind->watch, now, &at_ns);
	if (path) {
		kind_start(kind, path);
		return kind->call ? kube_watch_deadline_ns(kind->watch) : now;
	}
	int64_t deadline_ns = kube_watch_deadline_ns(kind->watch);
	return at_ns < deadline_ns ? at_ns : deadline_ns;
}

/* ---- the thread ---- */

static void relist_all(struct kube_source *source)
{
	if (!atomic_exchange(&source->is_relisting, false))
		return;
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (source->kinds[i].watch)
			kube_watch_list_now(source->kinds[i].watch);
}

static int timeout_ms(int64_t at_ns)
{
	int64_t wait_ns = at_ns - kube_now_ns();
	if (wait_ns <= 0)
		return 0;
	return wait_ns > WAIT_MAX_MS * CLOCK_MS ? WAIT_MAX_MS : (int)((wait_ns + CLOCK_MS - 1) / CLOCK_MS);
}

static void *run(void *context)
{
	struct kube_source *source = context;
	bool was_synced = false;

	while (!source->is_stopping) {
		int64_t at_ns = INT64_MAX;
		relist_all(source);
		for (size_t i = 0; i < KIND_COUNT; i++) {
			int64_t kind_ns = source->kinds[i].watch ? kind_move(&source->kinds[i]) : INT64_MAX;
			at_ns = kind_ns < at_ns ? kind_ns : at_ns;
		}
		kube_probe_move(source);
		int64_t lease_ns = kube_write_lease(source), status_ns = kube_write_status(source);
		kube_ask_reviews(source);
		at_ns = lease_ns < at_ns ? lease_ns : at_ns;
		at_ns = status_ns < at_ns ? status_ns : at_ns;
		int64_t secrets_ns = kube_keep_secrets(source);
		at_ns = secrets_ns < at_ns ? secrets_ns : at_ns;
		int64_t roots_ns = kube_keep_roots(source);
		at_ns = roots_ns < at_ns ? roots_ns : at_ns;
		kube_http_poll(source->http, wake_fd(&source->wake), timeout_ms(at_ns));
		wake_quieten(&source->wake);
		kube_health_publish(source);
		kube_write_note_changes(source);
		kube_health_log(source);
		if (source->is_synced && !was_synced)
			kube_health_log_synced(source);
		was_synced = source->is_synced;
	}
	kube_http_reset(source->http, "weftd is stopping");
	kube_write_let_go(source);
	return NULL;
}

/* ---- life ---- */

struct kube_source *kube_source_new(const struct kube_source_options *options)
{
	struct kube_source *source = HEAP_NEW(struct kube_source);
	struct kube_watch *watches[KIND_COUNT] = {0};

	source->config = options->config;
	source->root_namespace = heap_strdup(options->root_namespace);
	source->stale_ns = options->stale_s * CLOCK_S;
	wake_init(&source->wake);
	source->feed = kube_feed_new(clock_system());
	source->credentials = kube_credentials_new(source->config, clock_system());
	source->http = kube_http_new(source->config, source->credentials, clock_system());
	pthread_mutex_init(&source->lock, NULL);
	source->stats.is_used = true;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct kube_kind *kind = &source->kinds[i];
		kind->source = source;
		if (kube_source_reads((enum kind)i))
			kind->watch = kube_watch_new(&(struct kube_watch_options){
			    .kind = (enum kind)i,
			    .root_namespace = source->root_namespace,
			    .feed = source->feed,
			    .relist_ns = options->relist_s * CLOCK_S,
			    .seed = (unsigned)(kube_now_ns() + getpid()) + (unsigned)i,
			});
		source->stats.kinds[i].status.error = "";
		watches[i] = kind->watch;
	}
	source->lease = kube_write_new_lease(source);
	source->status = kube_status_new(watches, clock_system());
	source->review = kube_review_new(options->audience ? options->audience : TOKEN_AUDIENCE_DEFAULT);
	source->reports = slot_new(kube_report_free);
	kube_keep_init(source, options);
	return source;
}

void kube_source_start(struct kube_source *source)
{
	int failure = pthread_create(&source->thread, NULL, run, source);
	assert(!failure);
	source->is_started = true;
}

void kube_source_free(struct kube_source *source)
{
	if (!source)
		return;
	source->is_stopping = true;
	wake_up(&source->wake);
	if (source->is_started)
		pthread_join(source->thread, NULL);
	kube_http_free(source->http);
	kube_review_free(source->review);
	kube_status_free(source->status);
	kube_lease_free(source->lease);
	kube_keep_done(source);
	slot_free(source->reports);
	for (size_t i = 0; i < KIND_COUNT; i++)
		kube_watch_free(source->kinds[i].watch);
	kube_credentials_free(source->credentials);
	kube_feed_free(source->feed);
	kube_config_free(source->config);
	pthread_mutex_destroy(&source->lock);
	wake_done(&source->wake);
	free(source->root_namespace);
	free(source);
}

void kube_source_relist(struct kube_source *source)
{
	source->is_relisting = true;
	wake_up(&source->wake);
}

/* ---- the pipeline's side ---- */

int kube_source_fd(const struct kube_source *source)
{
	return kube_feed_fd(source->feed);
}

static bool apply(struct store *store, const struct kube_batch *batch)
{
	bool is_changed = false;
	for (size_t i = 0; i < batch->changes.n; i++) {
		const struct map_entry *entry = &batch->changes.entries[i];
		const struct kube_change *change = entry->value;
		if (!change->arena) {
			is_changed |= store_remove_group(store, entry->key);
			continue;
		}
		struct store_content content = manifest_content(&change->manifest);
		is_changed |= store_set_group(store, entry->key, &content);
	}
	return is_changed;
}

int kube_source_poll(struct kube_source *source, struct store *store, bool *is_changed, int64_t *event_ns)
{
	int64_t first_ns, last_ns, now = kube_now_ns();

	*is_changed = false;
	*event_ns = 0;
	if (!kube_feed_times(source->feed, &first_ns, &last_ns))
		return -1;
	int64_t quiet_ns = last_ns + KUBE_SETTLE_MS * CLOCK_MS, most_ns = first_ns + KUBE_SETTLE_MAX_MS * CLOCK_MS;
	int64_t at_ns = quiet_ns < most_ns ? quiet_ns : most_ns;
	if (now < at_ns)
		return (int)((at_ns - now + CLOCK_MS - 1) / CLOCK_MS);
	struct kube_batch *batch = kube_feed_take(source->feed);
	*is_changed = apply(store, batch);
	*event_ns = batch->event_ns;
	source->taken_seq = batch->seq;
	source->is_reported &= !*is_changed;
	if (source->is_reported) {
		source->same_seq = batch->seq;
		wake_up(&source->wake);
	}
	kube_batch_free(batch);
	return -1;
}

void kube_source_report(struct kube_source *source, struct snapshot *snapshot, const struct report *report)
{
	slot_put(source->reports, kube_report_new(snapshot, report, source->taken_seq));
	source->is_reported = true;
	wake_up(&source->wake);
}

bool kube_source_is_synced(const struct kube_source *source)
{
	return source->is_synced;
}
