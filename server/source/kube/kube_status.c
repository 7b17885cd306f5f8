#include "server/source/kube/kube_status.h"

#include "base/heap.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

/* A condition that is to be written. */
struct kube_write {
	enum kind kind;
	char *key;
	struct digest digest;
	bool is_true;
	char since[KUBE_CONDITION_TIME_MAX];
	struct text path, body;
	struct kube_request request;
};

struct kube_status {
	struct kube_watch *watches[KIND_COUNT];
	const struct clock *clock;
	struct kube_report *report;      /* NULL: none yet */
	bool is_due;                     /* objects or the report changed since all were looked at */
	int64_t look_ns;                 /* not before */
	VEC(struct kube_write *) writes; /* to be done, in order */
	size_t n_begun;                  /* of them */
	struct arena *arena;             /* of the list */
	size_t n_under_way;
	double tokens; /* of the bucket */
	int64_t tokens_ns;
	int64_t pause_ns;    /* nothing is written before */
	unsigned n_failures; /* in a row */
	struct kube_status_stats stats;
	struct text note;
};

/* ---- reports ---- */

struct kube_report *kube_report_new(struct snapshot *snapshot, const struct report *report, uint64_t seq)
{
	struct arena *arena = arena_new();
	struct kube_report *copy = ARENA_NEW(arena, struct kube_report);
	struct report rows = {.arena = arena};

	for (size_t i = 0; i < report->n; i++)
		report_add_row(&rows, &report->rows[i]);
	*copy = (struct kube_report){
	    .arena = arena,
	    .snapshot = snapshot_ref(snapshot),
	    .rows = rows.rows,
	    .n_rows = rows.n,
	    .seq = seq,
	};
	return copy;
}

void kube_report_free(void *report)
{
	struct kube_report *mine = report;
	if (!mine)
		return;
	snapshot_unref(mine->snapshot);
	arena_free(mine->arena);
}

/* ---- life ---- */

struct kube_status *kube_status_new(struct kube_watch *const watches[KIND_COUNT], const struct clock *clock)
{
	struct kube_status *status = HEAP_NEW(struct kube_status);
	memcpy(status->watches, watches, sizeof status->watches);
	status->clock = clock;
	status->tokens = KUBE_STATUS_BURST;
	status->tokens_ns = clock_now_ns(clock);
	return status;
}

static void write_free(struct kube_write *write)
{
	free(write->key);
	text_done(&write->path);
	text_done(&write->body);
	free(write);
}

/* Those under way belong to whoever has begun them. */
static void forget_writes(struct kube_status *status)
{
	for (size_t i = status->n_begun; i < status->writes.n; i++)
		write_free(status->writes.v[i]);
	arena_free(status->arena);
	status->arena = NULL;
	status->writes.v = NULL;
	status->writes.n = status->writes.cap = status->n_begun = 0;
}

void kube_status_free(struct kube_status *status)
{
	if (!status)
		return;
	forget_writes(status);
	kube_report_free(status->report);
	text_done(&status->note);
	free(status);
}

void kube_status_set_report(struct kube_status *status, struct kube_report *report)
{
	kube_report_free(status->report);
	status->report = report;
	status->is_due = true;
}

void kube_status_set_seq(struct kube_status *status, uint64_t seq)
{
	if (!status->report || seq <= status->report->seq)
		return;
	status->report->seq = seq;
	status->is_due = true;
}

void kube_status_look_again(struct kube_status *status)
{
	status->is_due = true;
}

void kube_status_stats(const struct kube_status *status, struct kube_status_stats *stats)
{
	*stats = status->stats;
}

/* ---- what is to be written ---- */

/* One look at the objects of a kind. */
struct look {
	struct kube_status *status;
	const struct kube_rows *rows;
	struct arena *scratch;
	enum kind kind;
};

static void print_path(const struct kube_watch *watch, const struct kube_object_name *object, struct text *out)
{
	const struct kind_info *info = &kinds[object->kind];
	text_printf(out, "/apis/%s/%s/", info->group, kube_watch_version(watch));
	if (!info->is_cluster_scoped)
		text_printf(out, "namespaces/%s/", object->namespace);
	text_printf(out, "%s/%s/status?fieldManager=" KUBE_STATUS_MANAGER "&force=true", info->plural, object->name);
}

static void add_write(struct look *look, const struct kube_item *item, const struct kube_object_name *object,
                      const struct kube_condition *condition)
{
	struct kube_status *status = look->status;
	const struct kube_watch *watch = status->watches[look->kind];
	struct kube_write *write = HEAP_NEW(struct kube_write);
	const char *api_version =
	    arena_printf(look->scratch, "%s/%s", kinds[look->kind].group, kube_watch_version(watch));

	write->kind = look->kind;
	write->key = heap_strdup(item->key);
	write->digest = kube_condition_digest(condition);
	write->is_true = condition->is_true;
	if (!digest_is_zero(item->accepted.digest) && item->accepted.is_true == condition->is_true &&
	    *item->accepted.since)
		memcpy(write->since, item->accepted.since, sizeof write->since);
	else
		clock_print(clock_wall_ns(status->clock), 0, write->since);
	print_path(watch, object, &write->path);
	kube_condition_print(condition, object, api_version, write->since, &write->body);
	write->request = (struct kube_request){
	    .method = "PATCH",
	    .path = write->path.s,
	    .content_type = "application/apply-patch+yaml",
	    .body = write->body.s,
	    .n_body = write->body.n,
	    .timeout_ms = KUBE_STATUS_TIMEOUT_MS,
	};
	VEC_PUSH(status->arena, &status->writes, write);
}

static void look_at_item(void *context, const struct kube_item *item)
{
	struct look *look = context;
	const struct kube_report *report = look->status->report;
	const char *slash = strchr(item->key, '/');
	struct kube_object_name object = {
	    .kind = look->kind,
	    .namespace = arena_strndup(look->scratch, item->key, (size_t)(slash - item->key)),
	    .name = slash + 1,
	};
	struct kube_condition condition;

	if (item->seq > report->seq)
		return; /* the report is about its former form; another follows */
	if (!kube_condition_of(look->scratch, report->snapshot, look->rows, &object, &condition))
		return;
	condition.generation = item->generation;
	if (!digest_equal(kube_condition_digest(&condition), item->accepted.digest))
		add_write(look, item, &object, &condition);
}

static void look_at_all(struct kube_status *status)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct kube_rows rows = kube_rows_of(scratch, status->report->rows, status->report->n_rows);

	forget_writes(status);
	status->arena = arena_new();
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct look look = {.status = status, .rows = &rows, .scratch = scratch, .kind = (enum kind)i};
		if (kinds[i].spec_field && status->watches[i])
			kube_items_walk(kube_watch_items(status->watches[i]), look_at_item, &look);
	}
	status->is_due = false;
	status->look_ns = clock_now_ns(status->clock) + KUBE_STATUS_GAP_MS * CLOCK_MS;
}

/* ---- writing ---- */

/* Whether there is a token, or when there will be one. */
static bool take_token(struct kube_status *status, int64_t now_ns, int64_t *at_ns)
{
	status->tokens += (double)(now_ns - status->tokens_ns) / (double)CLOCK_S * KUBE_STATUS_PER_S;
	status->tokens_ns = now_ns;
	if (status->tokens > KUBE_STATUS_BURST)
		status->tokens = KUBE_STATUS_BURST;
	if (status->tokens < 1) {
		*at_ns = now_ns + CLOCK_S / KUBE_STATUS_PER_S;
		return false;
	}
	status->tokens -= 1;
	return true;
}

const struct kube_request *kube_status_next(struct kube_status *status, struct kube_write **write, int64_t *at_ns)
{
	int64_t now_ns = clock_now_ns(status->clock);

	*at_ns = INT64_MAX;
	if (!status->report || status->n_under_way >= KUBE_STATUS_CALLS_MAX)
		return NULL;
	if (now_ns < status->pause_ns) {
		*at_ns = status->pause_ns;
		return NULL;
	}
	/* writes under way change what is seen, so all of them come first */
	if (status->is_due && status->n_under_way == 0) {
		*at_ns = status->look_ns;
		if (now_ns < status->look_ns)
			return NULL;
		look_at_all(status);
		*at_ns = INT64_MAX;
	}
	if (status->n_begun == status->writes.n || !take_token(status, now_ns, at_ns))
		return NULL;
	*write = status->writes.v[status->n_begun++];
	status->n_under_way++;
	return &(*write)->request;
}

/* Nothing is written for a while: longer with each failure, or for what the server asks. */
static int64_t pause_writing(struct kube_status *status, const struct kube_response *response)
{
	unsigned doublings = status->n_failures < 4 ? status->n_failures : 4;
	int64_t pause_s = (int64_t)KUBE_STATUS_PAUSE_S << doublings;

	if (response->status == 403 || pause_s > KUBE_STATUS_PAUSE_MAX_S)
		pause_s = KUBE_STATUS_PAUSE_MAX_S;
	if (response->retry_after_ms > pause_s * 1000)
		pause_s = response->retry_after_ms / 1000;
	status->pause_ns = clock_now_ns(status->clock) + pause_s * CLOCK_S;
	status->is_due = true;
	return pause_s;
}

const char *kube_status_ended(struct kube_status *status, struct kube_write *write,
                              const struct kube_response *response)
{
	struct kube_item *item = kube_items_get(kube_watch_items(status->watches[write->kind]), write->key);
	bool is_done = response->status >= 200 && response->status < 300;

	status->n_under_way--;
	status->note.n = 0;
	status->stats.writes += is_done;
	status->stats.failures += !is_done;
	/* 404: it is gone, or its kind has no status; 409, 422: a refusal that would come again. Until it changes. */
	if (item && (is_done || response->status == 404 || response->status == 409 || response->status == 422)) {
		item->accepted = (struct kube_condition_seen){.digest = write->digest, .is_true = write->is_true};
		memcpy(item->accepted.since, write->since, sizeof write->since);
	}
	if (is_done) {
		status->n_failures = 0;
	} else if (response->status != 404) {
		int64_t pause_s = pause_writing(status, response);
		if (status->n_failures++ == 0)
			text_printf(&status->note, "status of %s %s: %s; trying again in %lld s",
			            kinds[write->kind].kind, write->key, response->error, (long long)pause_s);
	}
	write_free(write);
	return status->note.n ? status->note.s : NULL;
}
