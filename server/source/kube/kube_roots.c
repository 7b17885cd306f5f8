#include "server/source/kube/kube_roots.h"

#include "base/heap.h"
#include "base/json_split.h"

#include <stdlib.h>
#include <string.h>

enum reading { READING_LIST, READING_WATCH };

struct kube_roots {
	const struct kube_watch *namespaces;
	const struct clock *clock;
	bool is_leader;
	struct text pem;
	struct digest wanted; /* zero: nothing to write yet */

	/* what stands there */
	struct kube_items items; /* by "/namespace"; of each what it says as a digest: accepted.digest */
	enum reading reading;
	bool is_reading, is_known;
	uint64_t round;
	char *version, *continuation;
	struct json_split split;
	bool is_broken; /* what came cannot be read, or is an error: list again */
	unsigned n_read_failures;
	int64_t read_ns; /* not before */
	struct text read_path;
	struct kube_request read_request;

	/* what is to be written */
	bool is_due;
	uint64_t namespaces_seen; /* changes of namespaces */
	char **queue;
	size_t n_queue, queue_cap, n_begun;
	size_t n_under_way;
	double tokens;
	int64_t tokens_ns, pause_ns;
	bool is_failing;
	struct text path, body, note;
	struct kube_request request;
	struct kube_roots_stats stats;
};

struct kube_roots *kube_roots_new(const struct kube_watch *namespaces, const struct clock *clock)
{
	struct kube_roots *roots = HEAP_NEW(struct kube_roots);
	roots->namespaces = namespaces;
	roots->clock = clock;
	roots->tokens = KUBE_ROOTS_BURST;
	return roots;
}

static void set(char **string, const char *value)
{
	free(*string);
	*string = value ? heap_strdup(value) : NULL;
}

static void forget_queue(struct kube_roots *roots)
{
	for (size_t i = roots->n_begun; i < roots->n_queue; i++)
		free(roots->queue[i]);
	roots->n_queue = roots->n_begun = 0;
}

void kube_roots_free(struct kube_roots *roots)
{
	if (!roots)
		return;
	forget_queue(roots);
	free(roots->queue);
	kube_items_done(&roots->items);
	json_split_done(&roots->split);
	set(&roots->version, NULL);
	set(&roots->continuation, NULL);
	text_done(&roots->pem);
	text_done(&roots->read_path);
	text_done(&roots->path);
	text_done(&roots->body);
	text_done(&roots->note);
	free(roots);
}

void kube_roots_set(struct kube_roots *roots, const char *pem, size_t n)
{
	roots->pem.n = 0;
	text_add_n(&roots->pem, pem, n);
	roots->wanted = digest_of(pem, n);
	roots->is_due = true;
}

void kube_roots_lead(struct kube_roots *roots, bool is_leader)
{
	roots->is_leader = is_leader;
}

void kube_roots_stats(const struct kube_roots *roots, struct kube_roots_stats *stats)
{
	*stats = roots->stats;
}

/* ---- what stands there ---- */

static struct digest digest_of_map(const struct json *map)
{
	const char *label = json_get_string(json_get(json_get(map, "metadata"), "labels"), "istio.io/config");
	const char *pem = json_get_string(json_get(map, "data"), KUBE_ROOTS_KEY);
	return pem && text_equal(label, "true") ? digest_of(pem, strlen(pem)) : (struct digest){{0}};
}

static void take_map(struct kube_roots *roots, const struct json *map, bool is_gone)
{
	CLEANUP(text_done) struct text key = {0};
	const struct json *metadata = json_get(map, "metadata");
	const char *namespace = json_get_string(metadata, "namespace");
	const char *version = json_get_string(metadata, "resourceVersion");

	if (!namespace || !text_equal(json_get_string(metadata, "name"), KUBE_ROOTS_NAME) ||
	    roots->items.n >= KUBE_OBJECTS_MAX)
		return;
	text_printf(&key, "/%s", namespace);
	struct kube_item *item = kube_items_add(&roots->items, key.s);
	item->round = roots->round;
	item->accepted.digest = is_gone ? (struct digest){{0}} : digest_of_map(map);
	if (roots->reading == READING_WATCH && version)
		set(&roots->version, version);
	roots->is_due = true;
}

static void take_event(struct kube_roots *roots, const struct json *event)
{
	const char *type = json_get_string(event, "type");
	const struct json *object = json_get(event, "object");
	const char *version = json_get_string(json_get(object, "metadata"), "resourceVersion");

	if (text_equal(type, "BOOKMARK") && version)
		set(&roots->version, version);
	else if (text_equal(type, "ADDED") || text_equal(type, "MODIFIED") || text_equal(type, "DELETED"))
		take_map(roots, object, *type == 'D');
	else
		roots->is_broken = true;
}

static void take_rest(struct kube_roots *roots, const struct json *list)
{
	const struct json *metadata = json_get(list, "metadata");
	const char *more = json_get_string(metadata, "continue");

	set(&roots->version, json_get_string(metadata, "resourceVersion"));
	set(&roots->continuation, text_is_empty(more) ? NULL : more);
}

bool kube_roots_body(struct kube_roots *roots, const char *s, size_t n)
{
	struct json_piece piece;
	struct error error;

	json_split_feed(&roots->split, s, n);
	while (!roots->is_broken) {
		enum json_split_outcome outcome = json_split_next(&roots->split, &piece, &error);
		if (outcome == JSON_SPLIT_MORE)
			return true;
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct json *value =
		    outcome == JSON_SPLIT_BROKEN ? NULL : json_parse(arena, piece.s, piece.n, &error);
		if (!value)
			roots->is_broken = true;
		else if (outcome == JSON_SPLIT_REST)
			take_rest(roots, value);
		else if (roots->reading == READING_LIST)
			take_map(roots, value, false);
		else
			take_event(roots, value);
	}
	return false;
}

const struct kube_request *kube_roots_read(struct kube_roots *roots, int64_t *at_ns)
{
	static const char select[] = "/api/v1/configmaps?fieldSelector=metadata.name%3D" KUBE_ROOTS_NAME;
	bool is_list = roots->reading == READING_LIST;

	*at_ns = INT64_MAX;
	if (!roots->is_leader || digest_is_zero(roots->wanted) || roots->is_reading)
		return NULL;
	*at_ns = roots->read_ns;
	if (clock_now_ns(roots->clock) < roots->read_ns)
		return NULL;
	roots->read_path.n = 0;
	if (is_list && !roots->continuation)
		roots->round++;
	if (is_list)
		text_printf(&roots->read_path, "%s&limit=%d%s%s", select, KUBE_PAGE,
		            roots->continuation ? "&continue=" : "", roots->continuation ? roots->continuation : "");
	else
		text_printf(&roots->read_path,
		            "%s&watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s", select,
		            KUBE_ROOTS_WATCH_S, roots->version);
	json_split_done(&roots->split);
	json_split_init(&roots->split, is_list ? JSON_SPLIT_ITEMS : JSON_SPLIT_VALUES, KUBE_ROOTS_BYTES_MAX);
	roots->is_broken = false;
	roots->is_reading = true;
	roots->read_request = (struct kube_request){
	    .method = "GET", .path = roots->read_path.s, .timeout_ms = is_list ? KUBE_ROOTS_TIMEOUT_MS : 0};
	return &roots->read_request;
}

struct visit {
	struct kube_roots *roots;
	struct text *gone; /* keys, each with its NUL */
};

static void visit_old(void *context, const struct kube_item *item)
{
	const struct visit *visit = context;
	if (item->round != visit->roots->round)
		text_add_n(visit->gone, item->key, strlen(item->key) + 1);
}

/* A list came to its end: what it did not have is not there. */
static void end_list(struct kube_roots *roots)
{
	CLEANUP(text_done) struct text gone = {0};
	struct visit visit = {roots, &gone};

	kube_items_walk(&roots->items, visit_old, &visit);
	for (size_t i = 0; i < gone.n; i += strlen(gone.s + i) + 1)
		kube_items_remove(&roots->items, gone.s + i);
	roots->is_known = roots->is_due = true;
	roots->reading = READING_WATCH;
}

void kube_roots_read_ended(struct kube_roots *roots, const struct kube_response *response)
{
	bool is_good = response->status >= 200 && response->status < 300 && !roots->is_broken && roots->version;
	int64_t wait_ms = KUBE_ROOTS_BACKOFF_MS;

	roots->is_reading = false;
	roots->is_known &= roots->is_leader;
	roots->read_ns = 0;
	if (is_good && roots->reading == READING_LIST && json_split_is_complete(&roots->split)) {
		roots->n_read_failures = 0;
		if (!roots->continuation)
			end_list(roots);
		return;
	}
	if (!is_good || roots->reading == READING_LIST) {
		for (unsigned i = 0; i < roots->n_read_failures && wait_ms < KUBE_ROOTS_BACKOFF_MAX_MS; i++)
			wait_ms *= 2;
		roots->n_read_failures++;
		if (response->retry_after_ms > wait_ms)
			wait_ms = response->retry_after_ms;
		roots->read_ns = clock_now_ns(roots->clock) + wait_ms * CLOCK_MS;
	}
	roots->reading = READING_LIST;
	set(&roots->continuation, NULL);
}

/* ---- writing ---- */

static void look_at(void *context, const struct kube_item *namespace)
{
	struct kube_roots *roots = context;
	const struct kube_item *item = kube_items_get(&roots->items, namespace->key);

	if (item && digest_equal(item->accepted.digest, roots->wanted))
		return;
	roots->queue = heap_grow(roots->queue, &roots->queue_cap, roots->n_queue + 1, sizeof *roots->queue);
	roots->queue[roots->n_queue++] = heap_strdup(namespace->key + 1);
}

static void look_at_all(struct kube_roots *roots)
{
	struct kube_watch_status status;

	kube_watch_status(roots->namespaces, &status);
	uint64_t changes = status.events + status.lists;
	if (!roots->is_due && changes == roots->namespaces_seen)
		return;
	forget_queue(roots);
	kube_items_walk(kube_watch_items(roots->namespaces), look_at, roots);
	roots->namespaces_seen = changes;
	roots->is_due = false;
}

static bool take_token(struct kube_roots *roots, int64_t now_ns)
{
	roots->tokens += (double)(now_ns - roots->tokens_ns) / (double)CLOCK_S * KUBE_ROOTS_PER_S;
	roots->tokens_ns = now_ns;
	if (roots->tokens > KUBE_ROOTS_BURST)
		roots->tokens = KUBE_ROOTS_BURST;
	if (roots->tokens < 1)
		return false;
	roots->tokens -= 1;
	return true;
}

static const struct kube_request *request(struct kube_roots *roots, const char *namespace)
{
	roots->path.n = roots->body.n = 0;
	text_printf(&roots->path, "/api/v1/namespaces/%s/configmaps/" KUBE_ROOTS_NAME "?fieldManager=weftd&force=true",
	            namespace);
	text_add(&roots->body, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" KUBE_ROOTS_NAME
	                       "\",\"labels\":{\"istio.io/config\":\"true\"}},\"data\":{\"" KUBE_ROOTS_KEY "\":");
	text_add_json_string(&roots->body, roots->pem.s, roots->pem.n);
	text_add(&roots->body, "}}");
	roots->request = (struct kube_request){
	    .method = "PATCH",
	    .path = roots->path.s,
	    .content_type = "application/apply-patch+yaml",
	    .body = roots->body.s,
	    .n_body = roots->body.n,
	    .timeout_ms = KUBE_ROOTS_TIMEOUT_MS,
	};
	roots->n_under_way++;
	return &roots->request;
}

const struct kube_request *kube_roots_write(struct kube_roots *roots, char **namespace, int64_t *at_ns)
{
	int64_t now_ns = clock_now_ns(roots->clock);

	*at_ns = INT64_MAX;
	if (!roots->is_leader || !roots->is_known || digest_is_zero(roots->wanted) ||
	    roots->n_under_way >= KUBE_ROOTS_CALLS_MAX)
		return NULL;
	if (roots->n_under_way == 0)
		look_at_all(roots); /* writes under way change what is seen, so all of them come first */
	if (roots->n_begun == roots->n_queue)
		return NULL;
	*at_ns = roots->pause_ns;
	if (now_ns < roots->pause_ns)
		return NULL;
	*at_ns = now_ns + CLOCK_S / KUBE_ROOTS_PER_S;
	if (!take_token(roots, now_ns))
		return NULL;
	*namespace = roots->queue[roots->n_begun++];
	return request(roots, *namespace);
}

const char *kube_roots_written(struct kube_roots *roots, const char *namespace, const struct kube_response *response)
{
	CLEANUP(text_done) struct text key = {0};
	bool is_done = response->status >= 200 && response->status < 300;
	bool is_refused = response->status == 404 || response->status == 409 || response->status == 422 ||
	                  (response->status == 403 && strstr(response->error, "being terminated"));

	roots->n_under_way--;
	roots->stats.writes += is_done;
	roots->stats.failures += !is_done;
	roots->note.n = 0;
	if (is_done || is_refused) {
		text_printf(&key, "/%s", namespace);
		struct kube_item *item = kube_items_add(&roots->items, key.s);
		item->accepted.digest = digest_of(roots->pem.s, roots->pem.n);
		item->round = roots->round;
		roots->is_failing &= !is_done;
		return NULL;
	}
	roots->pause_ns = clock_now_ns(roots->clock) + KUBE_ROOTS_PAUSE_S * CLOCK_S;
	roots->is_due = true;
	if (!roots->is_failing)
		text_printf(&roots->note, "ConfigMap %s/" KUBE_ROOTS_NAME ": %s; trying again in %d s", namespace,
		            response->error, KUBE_ROOTS_PAUSE_S);
	roots->is_failing = true;
	return roots->note.n ? roots->note.s : NULL;
}
