#include "server/pipeline.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/slot.h"
#include "base/wake.h"
#include "server/changelog.h"
#include "server/emission.h"
#include "server/present.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The emit cache forgets with each new model what that one did not use. Without new models views still come and go with
 * their proxies, so after so many rosters it forgets then too.
 */
#define PIPELINE_ROSTERS_PER_SWEEP 1000

struct pipeline {
	struct pipeline_options options;
	struct slot *rosters, *trust, *key_sets;
	struct wake wake; /* look at the flags */
	_Atomic bool is_stopping, is_reloading;
	pthread_t thread;
	bool is_started;

	/* of the pipeline thread */
	struct store *store;
	struct file_source *files; /* NULL: none */
	struct kube_source *kube;  /* NULL: none */
	struct emit_cache *cache;
	struct resolved *resolved; /* NULL before the first sync */
	struct roster *roster;
	struct key_sets *known_keys; /* NULL: none were fetched yet */
	struct emission *emission;
	struct changelog changelog;
	uint64_t number;
	unsigned n_rosters_unswept;

	struct present present; /* for other threads */
};

/* What waits to be done. */
struct pending {
	bool is_changed;  /* the store's content, maybe */
	int64_t event_ns; /* since when; 0: not a change that anybody waits for */
	bool is_roster;
	int64_t roster_at_ns; /* not before */
	int settle_ms;        /* of the sources; -1: none */
};

static void roster_drop(void *roster)
{
	roster_unref(roster);
}

static void trust_drop(void *roots)
{
	text_done(roots);
	free(roots);
}

static void key_sets_drop(void *sets)
{
	key_sets_unref(sets);
}

static int64_t now_ns(void)
{
	return clock_now_ns(clock_system());
}

static double seconds(int64_t ns)
{
	return (double)ns / (double)CLOCK_S;
}

/* ---- one generation ---- */

enum outcome { OUTCOME_SAME, OUTCOME_SAME_OBJECTS, OUTCOME_NEW };

/* Whether the store now says something else. With OUTCOME_SAME_OBJECTS only the rows of the sources differ. */
static enum outcome pipeline_resolve(struct pipeline *pipeline)
{
	struct resolved *former = pipeline->resolved;
	CLEANUP(snapshot_unrefp) struct snapshot *snapshot = store_freeze(pipeline->store);
	CLEANUP(text_done) struct text changes = {0};

	if (former && digest_equal(former->snapshot->digest, snapshot->digest))
		return OUTCOME_SAME;
	pipeline->resolved = resolved_new(snapshot);
	size_t n_changes = changelog_objects(former ? former->snapshot : NULL, snapshot, &changes);
	if (n_changes)
		log_info("pipeline", "%s", text_get(&changes));
	changelog_report(&pipeline->changelog, pipeline->resolved, !former);
	resolved_unref(former);
	if (pipeline->options.on_key_sources)
		pipeline->options.on_key_sources(pipeline->options.context, pipeline->resolved->model->key_sources,
		                                 pipeline->resolved->model->n_key_sources);
	return former && !n_changes ? OUTCOME_SAME_OBJECTS : OUTCOME_NEW;
}

static void pipeline_log(const struct pipeline *pipeline, const struct generation *generation, bool is_new,
                         double resolve_s, double emit_s)
{
	const struct emission *emission = pipeline->emission;
	const struct resolved *resolved = pipeline->resolved;
	CLEANUP(text_done) struct text sets = {0};
	size_t n_objects = 0;

	for (size_t i = 0; i < KIND_COUNT; i++)
		n_objects += resolved->snapshot->kinds[i].n;
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		if (emission->n_changed[i])
			text_printf(&sets, "%s%zu %s", sets.n ? ", " : "", emission->n_changed[i],
			            resource_types[i].short_name);
	}
	log_write(is_new ? LOG_INFO : LOG_DEBUG, "pipeline",
	          "generation %llu in %.1f ms (resolve %.1f, emit %.1f): %zu objects, %zu report rows, %zu proxies in "
	          "%zu views and %zu workload classes, %zu of them emitted; changed sets: %s",
	          (unsigned long long)generation->number, (resolve_s + emit_s) * 1e3, resolve_s * 1e3, emit_s * 1e3,
	          n_objects, resolved->model->report.n, pipeline->roster->n, emission->views.n, emission->workloads.n,
	          emission->n_emitted, sets.n ? sets.s : "none");
}

/* Emits the present model for the present roster and hands the generation on. */
static void pipeline_emit(struct pipeline *pipeline, enum outcome outcome, int64_t event_ns, double resolve_s)
{
	bool is_new = outcome == OUTCOME_NEW;
	int64_t start_ns = now_ns();
	struct generation *generation = generation_new(pipeline->resolved);
	struct emission *former = pipeline->emission;

	generation->number = ++pipeline->number;
	generation->event_ns = is_new ? event_ns : 0;
	pipeline->emission = emission_new(&(struct emission_input){.generation = generation,
	                                                           .roster = pipeline->roster,
	                                                           .cache = pipeline->cache,
	                                                           .former = former,
	                                                           .is_same_model = !is_new});
	emission_free(former);
	if (is_new || ++pipeline->n_rosters_unswept >= PIPELINE_ROSTERS_PER_SWEEP) {
		emit_cache_sweep(pipeline->cache);
		pipeline->n_rosters_unswept = 0;
	}
	double emit_s = seconds(now_ns() - start_ns);

	present_set(&pipeline->present, generation, pipeline->roster, pipeline->emission,
	            &(struct present_cost){.is_new = is_new, .resolve_s = resolve_s, .emit_s = emit_s});
	pipeline_log(pipeline, generation, is_new, resolve_s, emit_s);
	pipeline->options.on_generation(pipeline->options.context, generation);
}

/* ---- the thread ---- */

/* What the thread waits for: being told to stop or re-read, or that and keys, or that and everything else. */
enum wait { WAIT_WAKE = 1, WAIT_KEYS = 2, WAIT_ALL = 6 };

/* Sleeps until something happens, or timeout_ms pass (-1: for ever). */
static void pipeline_wait(const struct pipeline *pipeline, enum wait wait, int timeout_ms)
{
	struct pollfd fds[] = {
	    {.fd = wake_fd(&pipeline->wake), .events = POLLIN},
	    {.fd = slot_fd(pipeline->key_sets), .events = POLLIN},
	    {.fd = slot_fd(pipeline->rosters), .events = POLLIN},
	    {.fd = slot_fd(pipeline->trust), .events = POLLIN},
	    {.fd = pipeline->files ? file_source_fd(pipeline->files) : -1, .events = POLLIN},
	    {.fd = pipeline->kube ? kube_source_fd(pipeline->kube) : -1, .events = POLLIN},
	};

	if (poll(fds, (nfds_t)wait, timeout_ms) > 0 && fds[0].revents)
		wake_quieten(&pipeline->wake);
}

static bool pipeline_read_files(struct pipeline *pipeline, struct error *error)
{
	if (pipeline->files && !file_source_read_all(pipeline->files, pipeline->store, error))
		return false;
	present_note_synced(&pipeline->present);
	return true;
}

/* False when stopped before it succeeded. */
static bool pipeline_sync_files(struct pipeline *pipeline)
{
	while (!pipeline->is_stopping) {
		struct error error;
		if (pipeline_read_files(pipeline, &error))
			return true;
		log_error("pipeline", "%s; retrying in %d ms", error.message, PIPELINE_RETRY_MS);
		present_note_failure(&pipeline->present, error.message);
		pipeline_wait(pipeline, WAIT_WAKE, PIPELINE_RETRY_MS);
	}
	return false;
}

/* Takes in what there is at the API server, and settles; false when stopped before all of it was there. */
static bool pipeline_sync_kube(struct pipeline *pipeline)
{
	bool is_changed;
	int64_t event_ns;

	while (pipeline->kube && !pipeline->is_stopping) {
		bool is_synced = kube_source_is_synced(pipeline->kube);
		int settle_ms = kube_source_poll(pipeline->kube, pipeline->store, &is_changed, &event_ns);
		if (is_synced && settle_ms < 0)
			break;
		pipeline_wait(pipeline, WAIT_ALL, settle_ms < 0 ? PIPELINE_RETRY_MS : settle_ms);
	}
	return !pipeline->is_stopping;
}

static void pipeline_take_reload(struct pipeline *pipeline, struct pending *pending)
{
	struct error error;

	if (!atomic_exchange(&pipeline->is_reloading, false))
		return;
	log_info("pipeline", "reading all configuration again");
	if (pipeline->kube)
		kube_source_relist(pipeline->kube);
	if (pipeline_read_files(pipeline, &error)) {
		pending->is_changed = true;
		pending->event_ns = pending->event_ns ? pending->event_ns : now_ns();
		return;
	}
	log_warn("pipeline", "%s; keeping last state", error.message);
	error_wrap(&error, "keeping last state, the last re-read failed");
	present_note_failure(&pipeline->present, error.message);
}

/* A source has put something into the store, or will have in settle_ms. */
static void pending_add(struct pending *pending, int settle_ms, bool is_changed, int64_t event_ns)
{
	if (settle_ms >= 0 && (pending->settle_ms < 0 || settle_ms < pending->settle_ms))
		pending->settle_ms = settle_ms;
	if (is_changed && event_ns && (!pending->event_ns || event_ns < pending->event_ns))
		pending->event_ns = event_ns;
	pending->is_changed |= is_changed;
}

static void pipeline_take_files(struct pipeline *pipeline, struct pending *pending)
{
	bool is_changed = false;
	int64_t event_ns = 0;

	if (!pipeline->files)
		return;
	int settle_ms = file_source_poll(pipeline->files, pipeline->store, clock_system(), &is_changed, &event_ns);
	pending_add(pending, settle_ms, is_changed, event_ns);
	if (is_changed)
		present_note_synced(&pipeline->present);
}

static void pipeline_take_kube(struct pipeline *pipeline, struct pending *pending)
{
	bool is_changed = false;
	int64_t event_ns = 0;

	if (!pipeline->kube)
		return;
	int settle_ms = kube_source_poll(pipeline->kube, pipeline->store, &is_changed, &event_ns);
	pending_add(pending, settle_ms, is_changed, event_ns);
}

static void pipeline_take_roster(struct pipeline *pipeline, struct pending *pending)
{
	struct roster *roster = slot_take(pipeline->rosters);

	if (!roster)
		return;
	roster_unref(pipeline->roster);
	pipeline->roster = roster;
	pending->is_roster = true;
}

static void pipeline_take_trust(struct pipeline *pipeline, struct pending *pending)
{
	struct text *roots = slot_take(pipeline->trust);

	if (!roots)
		return;
	bool is_changed = store_set_trust(pipeline->store, text_get(roots), roots->n);
	pending_add(pending, -1, is_changed, now_ns());
	trust_drop(roots);
}

static bool pipeline_take_key_sets(struct pipeline *pipeline)
{
	struct key_sets *sets = slot_take(pipeline->key_sets);

	if (!sets)
		return false;
	key_sets_unref(pipeline->known_keys);
	pipeline->known_keys = sets;
	return store_set_key_sets(pipeline->store, sets);
}

/* Once time makes other rows than the report has, the next snapshot is of another time. */
static void pipeline_take_time(struct pipeline *pipeline, struct pending *pending)
{
	const struct model *model = pipeline->resolved ? pipeline->resolved->model : NULL;
	int64_t now_s = clock_wall_ns(clock_system()) / CLOCK_S;

	if (!model || now_s < model->holds_from_s || now_s >= model->holds_until_s)
		pending->is_changed |= store_set_time(pipeline->store, now_s);
}

/* Whether the time will come, or may be set to where it makes other rows. */
static bool pipeline_is_timed(const struct pipeline *pipeline)
{
	const struct model *model = pipeline->resolved ? pipeline->resolved->model : NULL;
	return model && (model->holds_from_s != INT64_MIN || model->holds_until_s != INT64_MAX);
}

/* Milliseconds until there is something to do without anything happening; 0: now; -1: never. */
static int pending_timeout_ms(const struct pending *pending)
{
	if (pending->is_changed)
		return 0;
	int timeout_ms = pending->settle_ms;
	if (pending->is_roster) {
		int64_t wait_ns = pending->roster_at_ns - now_ns();
		int wait_ms = wait_ns <= 0 ? 0 : (int)((wait_ns + CLOCK_MS - 1) / CLOCK_MS);
		timeout_ms = timeout_ms < 0 || wait_ms < timeout_ms ? wait_ms : timeout_ms;
	}
	return timeout_ms;
}

static bool pending_is_due(const struct pending *pending)
{
	return pending->is_changed || (pending->is_roster && now_ns() >= pending->roster_at_ns);
}

static bool pipeline_lacks_keys(const struct pipeline *pipeline)
{
	const struct model *model = pipeline->resolved->model;

	for (size_t i = 0; i < model->n_key_sources; i++)
		if (!key_sets_get(pipeline->known_keys, &model->key_sources[i]))
			return true;
	return false;
}

/*
 * Before the first generation: proxies that know the keys of token issuers must not lose them because weftd was started
 * anew. Waits, for a time, until each issuer has been asked. Whether there are keys now that there were not.
 */
static bool pipeline_await_keys(struct pipeline *pipeline)
{
	int64_t until_ns = now_ns() + PIPELINE_KEYS_WAIT_MS * CLOCK_MS, left_ns;
	bool is_changed = false;

	if (!pipeline->options.on_key_sources)
		return false;
	while (pipeline_lacks_keys(pipeline) && !pipeline->is_stopping && (left_ns = until_ns - now_ns()) > 0) {
		pipeline_wait(pipeline, WAIT_KEYS, (int)(left_ns / CLOCK_MS) + 1);
		is_changed |= pipeline_take_key_sets(pipeline);
	}
	wake_up(&pipeline->wake); /* what it may have said meanwhile is still to be looked at */
	return is_changed;
}

static void pipeline_pass(struct pipeline *pipeline, const struct pending *pending)
{
	int64_t start_ns = now_ns();
	enum outcome outcome = pending->is_changed ? pipeline_resolve(pipeline) : OUTCOME_SAME;

	if (!pipeline->emission && pipeline_await_keys(pipeline))
		pipeline_resolve(pipeline);
	if (!pipeline->emission && pipeline->is_stopping)
		return; /* nothing is better than what lacks keys */
	if (pending->is_changed && outcome == OUTCOME_SAME)
		present_count_unchanged(&pipeline->present);
	if (pending->is_changed && pipeline->kube)
		kube_source_report(pipeline->kube, pipeline->resolved->snapshot, &pipeline->resolved->model->report);
	if (outcome != OUTCOME_SAME || pending->is_roster)
		pipeline_emit(pipeline, outcome, pending->event_ns, seconds(now_ns() - start_ns));
}

static void pipeline_loop(struct pipeline *pipeline)
{
	/* Starting is no change that anybody waits for, so it has no event time. */
	struct pending pending = {.is_changed = true, .settle_ms = -1};

	while (!pipeline->is_stopping) {
		pipeline_take_roster(pipeline, &pending);
		pipeline_take_trust(pipeline, &pending);
		pending_add(&pending, -1, pipeline_take_key_sets(pipeline), now_ns());
		pipeline_take_time(pipeline, &pending);
		if (pending_is_due(&pending)) {
			pipeline_pass(pipeline, &pending);
			pending = (struct pending){.settle_ms = pending.settle_ms,
			                           .roster_at_ns = now_ns() + PIPELINE_ROSTER_GAP_MS * CLOCK_MS};
		}
		int timeout_ms = pending_timeout_ms(&pending);
		if (timeout_ms < 0 && pipeline_is_timed(pipeline))
			timeout_ms = PIPELINE_TIME_MS;
		pipeline_wait(pipeline, WAIT_ALL, timeout_ms);
		pending.settle_ms = -1;
		pipeline_take_reload(pipeline, &pending);
		pipeline_take_files(pipeline, &pending);
		pipeline_take_kube(pipeline, &pending);
	}
}

static void *pipeline_run(void *context)
{
	struct pipeline *pipeline = context;

	if (pipeline_sync_files(pipeline) && pipeline_sync_kube(pipeline))
		pipeline_loop(pipeline);
	return NULL;
}

/* ---- life ---- */

struct pipeline *pipeline_new(const struct pipeline_options *options, struct error *error)
{
	struct file_source *files = NULL;
	if (options->files.n_paths > 0 && !(files = file_source_new(&options->files, error)))
		return NULL;
	struct pipeline *pipeline = calloc(1, sizeof *pipeline);
	if (!pipeline)
		abort();
	pipeline->options = *options;
	pipeline->files = files;
	pipeline->kube = options->kube;
	pipeline->store = store_new(options->files.root_namespace);
	pipeline->cache = emit_cache_new();
	pipeline->rosters = slot_new(roster_drop);
	pipeline->trust = slot_new(trust_drop);
	pipeline->key_sets = slot_new(key_sets_drop);
	pipeline->roster = roster_new(NULL, 0);
	wake_init(&pipeline->wake);
	present_init(&pipeline->present);
	return pipeline;
}

void pipeline_start(struct pipeline *pipeline)
{
	int failure = pthread_create(&pipeline->thread, NULL, pipeline_run, pipeline);
	assert(!failure);
	pipeline->is_started = true;
}

void pipeline_stop(struct pipeline *pipeline)
{
	if (!pipeline->is_started)
		return;
	pipeline->is_stopping = true;
	wake_up(&pipeline->wake);
	pthread_join(pipeline->thread, NULL);
	pipeline->is_started = false;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	pipeline_stop(pipeline);
	emission_free(pipeline->emission);
	roster_unref(pipeline->roster);
	resolved_unref(pipeline->resolved);
	changelog_done(&pipeline->changelog);
	emit_cache_free(pipeline->cache);
	file_source_free(pipeline->files);
	store_free(pipeline->store);
	slot_free(pipeline->rosters);
	slot_free(pipeline->trust);
	slot_free(pipeline->key_sets);
	key_sets_unref(pipeline->known_keys);
	wake_done(&pipeline->wake);
	present_done(&pipeline->present);
	free(pipeline);
}

/* ---- any thread ---- */

void pipeline_roster(struct pipeline *pipeline, struct roster *roster)
{
	slot_put(pipeline->rosters, roster);
}

void pipeline_trust(struct pipeline *pipeline, const char *roots, size_t n)
{
	struct text *copy = HEAP_NEW(struct text);

	text_add_n(copy, roots, n);
	slot_put(pipeline->trust, copy);
}

void pipeline_key_sets(struct pipeline *pipeline, struct key_sets *sets)
{
	slot_put(pipeline->key_sets, sets);
}

void pipeline_reload(struct pipeline *pipeline)
{
	pipeline->is_reloading = true;
	wake_up(&pipeline->wake);
}

bool pipeline_is_ready(struct pipeline *pipeline, struct error *note)
{
	struct error kube_note;
	enum kube_health health = pipeline->kube ? kube_source_health(pipeline->kube, &kube_note) : KUBE_LIVE;
	bool is_synced = present_is_synced(&pipeline->present, note);

	if (health != KUBE_LIVE)
		*note = kube_note;
	return is_synced && health != KUBE_STALE;
}

void pipeline_stats(struct pipeline *pipeline, struct present_stats *stats)
{
	present_get_stats(&pipeline->present, stats);
}

void pipeline_kube_stats(struct pipeline *pipeline, struct kube_source_stats *stats)
{
	*stats = (struct kube_source_stats){0};
	if (pipeline->kube)
		kube_source_stats(pipeline->kube, stats);
}

void pipeline_print_report(struct pipeline *pipeline, struct text *out)
{
	present_print_report(&pipeline->present, out);
}

bool pipeline_print_config(struct pipeline *pipeline, const char *proxy, struct text *out, struct error *error)
{
	return present_print_config(&pipeline->present, proxy, out, error);
}
