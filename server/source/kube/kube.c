#include "server/source/kube/kube.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/slot.h"
#include "server/source/kube/kube_lease.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define WAIT_MAX_MS 1000
#define RELEASE_MS 1000    /* for letting go of the lease at the end */
#define EPISODE_FAILURES 2 /* failures of a kind in a row that are worth a line in the log */

/* One kind: its watch, and the request that it has under way. */
struct kube_kind {
	struct kube_source *source;
	struct kube_watch *watch; /* NULL: not read from here */
	struct kube_call *call;
};

struct kube_source {
	struct kube_config *config;
	char *root_namespace;
	int64_t stale_ns;
	int wake_fd;
	_Atomic bool is_stopping, is_synced, is_relisting;
	pthread_t thread;
	bool is_started;
	struct kube_feed *feed;

	/* of the kube thread */
	struct kube_credentials *credentials;
	struct kube_http *http;
	struct kube_kind kinds[KIND_COUNT];
	struct kube_call *probe;
	int64_t probe_ns; /* when the last one began */
	bool is_unwell;   /* said in the log */
	struct kube_lease *lease;
	bool is_leader, is_lease_under_way;
	struct kube_status *status;
	uint64_t changes_seen; /* of objects that have a status */
	struct slot *reports;  /* from the pipeline's thread */

	/* of the pipeline's thread */
	uint64_t taken_seq; /* what poll took in */
	bool is_reported;   /* all that changed by it has been reported */

	_Atomic uint64_t same_seq; /* taken in, and nothing changed by it since the last report */

	pthread_mutex_t lock;
	struct kube_source_stats stats; /* what others may see */
};

bool kube_source_reads(enum kind kind)
{
	return !kinds[kind].is_from_files_only;
}

/* Whether proxies' configuration depends on the kind. */
static bool is_needed(enum kind kind)
{
	return kube_source_reads(kind) && !kinds[kind].is_unread;
}

static int64_t now_ns(void)
{
	return clock_now_ns(clock_system());
}

static void wake(struct kube_source *source)
{
	uint64_t one = 1;
	ssize_t n = write(source->wake_fd, &one, sizeof one);
	assert(n == sizeof one || errno == EAGAIN); /* full: it is readable already */
}

/* ---- the watches' requests ---- */

static void kind_on_start(void *context)
{
	struct kube_kind *kind = context;
	kube_watch_started(kind->watch, now_ns());
}

static bool kind_on_body(void *context, const char *s, size_t n)
{
	struct kube_kind *kind = context;
	return kube_watch_body(kind->watch, s, n, now_ns());
}

static void kind_on_end(void *context, const struct kube_response *response)
{
	struct kube_kind *kind = context;
	kind->call = NULL;
	kube_watch_ended(kind->watch, response, now_ns());
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
		                 now_ns());
}

/* When it should be called again, at the latest. */
static int64_t kind_move(struct kube_kind *kind)
{
	int64_t now = now_ns(), at_ns = 0;

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

/* ---- is the server there? ---- */

static void probe_on_end(void *context, const struct kube_response *response)
{
	(void)response; /* that something came is in the http's statistics */
	((struct kube_source *)context)->probe = NULL;
}

/*
 * A connection whose other end is gone without a word looks like one on which nothing happens. So a silent one is
 * asked something small; when nothing comes, it is closed, and all requests begin anew on another.
 */
static void probe_move(struct kube_source *source)
{
	struct kube_http_stats stats;
	struct error error;
	int64_t now = now_ns();

	kube_http_stats(source->http, &stats);
	if (source->probe && now - source->probe_ns > KUBE_PROBE_WAIT_MS * CLOCK_MS &&
	    stats.last_byte_ns < source->probe_ns) {
		log_warn("kube", "%s has been silent for %lld s; connecting again", source->config->server,
		         (long long)((now - stats.last_byte_ns) / CLOCK_S));
		source->probe_ns = now;
		kube_http_reset(source->http, "the server is silent");
		return;
	}
	int64_t since_ns = stats.last_byte_ns > source->probe_ns ? stats.last_byte_ns : source->probe_ns;
	if (source->probe || now - since_ns < KUBE_PROBE_MS * CLOCK_MS)
		return;
	source->probe_ns = now;
	source->probe = kube_http_start(source->http,
	                                &(struct kube_request){
	                                    .method = "GET",
	                                    .path = "/version",
	                                    .timeout_ms = 2 * KUBE_PROBE_WAIT_MS,
	                                    .on_end = probe_on_end,
	                                    .context = source,
	                                },
	                                &error);
}

/* ---- who writes, and what ---- */

static void lease_on_end(void *context, const struct kube_response *response)
{
	struct kube_source *source = context;
	source->is_lease_under_way = false;
	kube_lease_ended(source->lease, response);
}

static void lease_start(struct kube_source *source, const struct kube_request *request)
{
	struct kube_request full = *request;
	struct error error;

	full.on_end = lease_on_end;
	full.context = source;
	source->is_lease_under_way = true;
	if (!kube_http_start(source->http, &full, &error))
		lease_on_end(source, &(struct kube_response){.error = error.message, .body = ""});
}

static int64_t lease_move(struct kube_source *source)
{
	int64_t at_ns;
	const struct kube_request *request = kube_lease_next(source->lease, &at_ns);
	bool is_leader = kube_lease_is_held(source->lease);

	if (request)
		lease_start(source, request);
	if (is_leader != source->is_leader) {
		log_info("kube", is_leader ? "this replica writes the objects' status"
		                           : "another replica may write the objects' status");
		kube_status_look_again(source->status);
	}
	source->is_leader = is_leader;
	return request ? INT64_MAX : at_ns;
}

struct write_call {
	struct kube_source *source;
	struct kube_write *write;
};

static void write_on_end(void *context, const struct kube_response *response)
{
	struct write_call *call = context;
	const char *note = kube_status_ended(call->source->status, call->write, response);
	if (note)
		log_warn("kube", "%s", note);
	free(call);
}

static int64_t status_move(struct kube_source *source)
{
	int64_t at_ns = INT64_MAX;
	struct kube_report *report = slot_take(source->reports);
	const struct kube_request *request;
	struct kube_write *write;
	struct error error;

	if (report)
		kube_status_set_report(source->status, report);
	kube_status_set_seq(source->status, source->same_seq);
	while (source->is_leader && (request = kube_status_next(source->status, &write, &at_ns))) {
		struct kube_request full = *request;
		struct write_call *call = HEAP_NEW(struct write_call);
		*call = (struct write_call){.source = source, .write = write};
		full.on_end = write_on_end;
		full.context = call;
		if (!kube_http_start(source->http, &full, &error))
			write_on_end(call,
			             &(struct kube_response){.error = error.message, .body = "", .retry_after_ms = -1});
	}
	return at_ns;
}

/* Objects that have a status changed at the server: perhaps it is no longer what it should be. */
static void note_changes(struct kube_source *source)
{
	uint64_t changes = 0;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_watch_status *status = &source->stats.kinds[i].status;
		if (kinds[i].spec_field)
			changes += status->events + status->lists;
	}
	if (changes != source->changes_seen)
		kube_status_look_again(source->status);
	source->changes_seen = changes;
}

/* The others need not wait for the lease to run out. */
static void let_go(struct kube_source *source)
{
	int64_t until_ns = now_ns() + RELEASE_MS * CLOCK_MS;
	const struct kube_request *request = kube_lease_release(source->lease);

	if (request)
		lease_start(source, request);
	while (source->is_lease_under_way && now_ns() < until_ns)
		kube_http_poll(source->http, -1, 100);
}

/* ---- what others may see ---- */

/* When the kind was last heard of: a watch that lives is as good as the connection it is on. */
static int64_t kind_heard_ns(const struct kube_watch_status *status, const struct kube_http_stats *http)
{
	return status->is_live && http->last_byte_ns > status->heard_ns ? http->last_byte_ns : status->heard_ns;
}

static void publish(struct kube_source *source)
{
	bool is_synced = true;

	pthread_mutex_lock(&source->lock);
	kube_http_stats(source->http, &source->stats.http);
	kube_status_stats(source->status, &source->stats.writes);
	source->stats.is_leader = source->is_leader;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct kube_kind_stats *stats = &source->stats.kinds[i];
		if (!source->kinds[i].watch)
			continue;
		kube_watch_status(source->kinds[i].watch, &stats->status);
		stats->status.heard_ns = kind_heard_ns(&stats->status, &source->stats.http);
		if (strcmp(stats->error.message, stats->status.error) != 0)
			error_set(&stats->error, "%s", stats->status.error);
		stats->status.error = stats->error.message;
		is_synced &= stats->status.is_synced || !is_needed((enum kind)i);
	}
	pthread_mutex_unlock(&source->lock);
	if (is_synced && !source->is_synced) {
		source->is_synced = true;
		kube_feed_wake(source->feed);
	}
}

/* One line when things begin to go wrong, one when all is well again. */
static void log_episode(struct kube_source *source)
{
	const struct kube_kind_stats *worst = NULL;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_kind_stats *stats = &source->stats.kinds[i];
		if (!*stats->error.message || stats->status.n_failures < EPISODE_FAILURES)
			continue;
		if (!worst || stats->status.n_failures > worst->status.n_failures) {
			worst = stats;
			at = i;
		}
		n++;
	}
	if (worst && !source->is_unwell)
		log_warn("kube", "%s: %s: %s (%zu kinds cannot be read); %s, retrying", source->config->server,
		         kinds[at].plural, worst->error.message, n,
		         source->is_synced ? "keeping last state" : "nothing is sent to proxies yet");
	else if (!worst && source->is_unwell)
		log_info("kube", "%s: all kinds are being watched again", source->config->server);
	source->is_unwell = worst != NULL;
}

static void log_synced(const struct kube_source *source)
{
	CLEANUP(text_done) struct text absent = {0};
	uint64_t n_objects = 0, n_kinds = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_watch_status *status = &source->stats.kinds[i].status;
		if (!source->kinds[i].watch)
			continue;
		n_objects += status->n_objects;
		n_kinds += status->state != KUBE_WATCH_ABSENT;
		if (status->state == KUBE_WATCH_ABSENT)
			text_printf(&absent, "%s%s", absent.n ? ", " : "", kinds[i].plural);
	}
	log_info("kube", "%llu objects of %llu kinds from %s%s%s", (unsigned long long)n_objects,
	         (unsigned long long)n_kinds, source->config->server,
	         absent.n ? "; not served there, waited for: " : "", text_get(&absent));
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
	int64_t wait_ns = at_ns - now_ns();
	if (wait_ns <= 0)
		return 0;
	return wait_ns > WAIT_MAX_MS * CLOCK_MS ? WAIT_MAX_MS : (int)((wait_ns + CLOCK_MS - 1) / CLOCK_MS);
}

static void *run(void *context)
{
	struct kube_source *source = context;
	bool was_synced = false;
	uint64_t count;

	while (!source->is_stopping) {
		int64_t at_ns = INT64_MAX;
		relist_all(source);
		for (size_t i = 0; i < KIND_COUNT; i++) {
			int64_t kind_ns = source->kinds[i].watch ? kind_move(&source->kinds[i]) : INT64_MAX;
			at_ns = kind_ns < at_ns ? kind_ns : at_ns;
		}
		probe_move(source);
		int64_t lease_ns = lease_move(source), status_ns = status_move(source);
		at_ns = lease_ns < at_ns ? lease_ns : at_ns;
		at_ns = status_ns < at_ns ? status_ns : at_ns;
		kube_http_poll(source->http, source->wake_fd, timeout_ms(at_ns));
		ssize_t n = read(source->wake_fd, &count, sizeof count);
		(void)n; /* the flags say what to do */
		publish(source);
		note_changes(source);
		log_episode(source);
		if (source->is_synced && !was_synced)
			log_synced(source);
		was_synced = source->is_synced;
	}
	kube_http_reset(source->http, "weftd is stopping");
	let_go(source);
	return NULL;
}

/* ---- life ---- */

/* Unlike any other replica's, and unlike this one's own before a restart. */
static struct kube_lease *source_lease(const struct kube_source *source)
{
	char host[65] = "", identity[128];
	uint64_t number = 0;

	gethostname(host, sizeof host - 1);
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		number = (uint64_t)clock_wall_ns(clock_system());
	snprintf(identity, sizeof identity, "%s_%016llx", host, (unsigned long long)number);
	return kube_lease_new(&(struct kube_lease_options){
	    .namespace = source->root_namespace,
	    .name = KUBE_LEASE_NAME,
	    .identity = identity,
	    .clock = clock_system(),
	    .seed = (unsigned)number,
	});
}

struct kube_source *kube_source_new(const struct kube_source_options *options)
{
	struct kube_source *source = HEAP_NEW(struct kube_source);
	struct kube_watch *watches[KIND_COUNT] = {0};

	source->config = options->config;
	source->root_namespace = heap_strdup(options->root_namespace);
	source->stale_ns = options->stale_s * CLOCK_S;
	source->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (source->wake_fd < 0)
		abort();
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
			    .seed = (unsigned)(now_ns() + getpid()) + (unsigned)i,
			});
		source->stats.kinds[i].status.error = "";
		watches[i] = kind->watch;
	}
	source->lease = source_lease(source);
	source->status = kube_status_new(watches, clock_system());
	source->reports = slot_new(kube_report_free);
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
	wake(source);
	if (source->is_started)
		pthread_join(source->thread, NULL);
	kube_http_free(source->http);
	kube_status_free(source->status);
	kube_lease_free(source->lease);
	slot_free(source->reports);
	for (size_t i = 0; i < KIND_COUNT; i++)
		kube_watch_free(source->kinds[i].watch);
	kube_credentials_free(source->credentials);
	kube_feed_free(source->feed);
	kube_config_free(source->config);
	pthread_mutex_destroy(&source->lock);
	close(source->wake_fd);
	free(source->root_namespace);
	free(source);
}

void kube_source_relist(struct kube_source *source)
{
	source->is_relisting = true;
	wake(source);
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
	int64_t first_ns, last_ns, now = now_ns();

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
		wake(source);
	}
	kube_batch_free(batch);
	return -1;
}

void kube_source_report(struct kube_source *source, struct snapshot *snapshot, const struct report *report)
{
	slot_put(source->reports, kube_report_new(snapshot, report, source->taken_seq));
	source->is_reported = true;
	wake(source);
}

bool kube_source_is_synced(const struct kube_source *source)
{
	return source->is_synced;
}

/* The kind that was not heard of for the longest, if that is too long. */
static bool find_stale(const struct kube_source *source, size_t *stale, int64_t *age_ns)
{
	int64_t now = now_ns();
	*age_ns = source->stale_ns;
	bool is_found = false;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		int64_t kind_age_ns = now - source->stats.kinds[i].status.heard_ns;
		if (!is_needed((enum kind)i) || kind_age_ns <= *age_ns)
			continue;
		*age_ns = kind_age_ns;
		*stale = i;
		is_found = true;
	}
	return is_found;
}

static enum kube_health health(const struct kube_source *source, struct error *note)
{
	size_t kind = 0;
	int64_t age_ns;

	note->message[0] = '\0';
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_kind_stats *stats = &source->stats.kinds[i];
		if (!is_needed((enum kind)i) || stats->status.is_synced)
			continue;
		error_set(note, "waiting for %s of %s%s%s", kinds[i].plural, source->config->server,
		          *stats->error.message ? ": " : "", stats->error.message);
		return KUBE_SYNCING;
	}
	if (!find_stale(source, &kind, &age_ns))
		return KUBE_LIVE;
	const char *why = source->stats.kinds[kind].error.message;
	error_set(note, "nothing heard of %s at %s for %lld s%s%s; keeping last state", kinds[kind].plural,
	          source->config->server, (long long)(age_ns / CLOCK_S), *why ? ": " : "", why);
	return KUBE_STALE;
}

enum kube_health kube_source_health(struct kube_source *source, struct error *note)
{
	pthread_mutex_lock(&source->lock);
	enum kube_health result = health(source, note);
	pthread_mutex_unlock(&source->lock);
	return result;
}

void kube_source_stats(struct kube_source *source, struct kube_source_stats *stats)
{
	struct error note;
	pthread_mutex_lock(&source->lock);
	*stats = source->stats;
	stats->health = health(source, &note);
	for (size_t i = 0; i < KIND_COUNT; i++)
		stats->kinds[i].status.error = stats->kinds[i].error.message;
	pthread_mutex_unlock(&source->lock);
}
