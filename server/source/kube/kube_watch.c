#include "server/source/kube/kube_watch_private.h"

#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRED_MOST 2   /* lists that may expire between two pages before one is asked for in one piece */
#define WATCH_LEAST_S 1  /* that a watch lasts when all is well */
#define WATCH_GRACE_S 30 /* that a watch may last beyond what was asked for */

struct kube_watch *kube_watch_new(const struct kube_watch_options *options)
{
	struct kube_watch *watch = HEAP_NEW(struct kube_watch);
	*watch = (struct kube_watch){
	    .kind = options->kind,
	    .info = &kinds[options->kind],
	    .root_namespace = heap_strdup(options->root_namespace),
	    .feed = options->feed,
	    .relist_ns = options->relist_ns,
	    .seed = options->seed,
	};
	return watch;
}

void kube_watch_free(struct kube_watch *watch)
{
	if (!watch)
		return;
	kube_items_done(&watch->items);
	json_split_done(&watch->split);
	text_done(&watch->path);
	free(watch->root_namespace);
	free(watch->resource_version);
	free(watch->next_page);
	free(watch->page_version);
	free(watch);
}

void kube_watch_set(char **string, const char *value)
{
	free(*string);
	*string = value ? heap_strdup(value) : NULL;
}

const char *kube_watch_group(struct arena *arena, enum kind kind, const char *key)
{
	return arena_printf(arena, "~%s/%s", kinds[kind].kind, key);
}

/* ---- what to ask for ---- */

/* RFC 3986: everything but the unreserved. */
static void add_escaped(struct text *out, const char *s)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (; *s; s++) {
		if (strchr(unreserved, *s))
			text_add_char(out, *s);
		else
			text_printf(out, "%%%02X", (unsigned char)*s);
	}
}

static void add_collection(const struct kube_watch *watch, struct text *out)
{
	const struct kind_info *info = watch->info;
	text_printf(out, *info->group ? "/apis/%s/" : "/api%s/", info->group);
	text_printf(out, "%s/", info->versions[watch->version]);
	if (info->only_name)
		text_printf(out, "namespaces/%s/", watch->root_namespace);
	text_printf(out, "%s?", info->plural);
	if (info->only_name)
		text_printf(out, "fieldSelector=metadata.name%%3D%s&", info->only_name);
	if (info->field_selector) {
		text_add(out, "fieldSelector=");
		add_escaped(out, info->field_selector);
		text_add_char(out, '&');
	}
}

static int64_t jitter(struct kube_watch *watch, int64_t ns)
{
	return ns + (int64_t)((double)ns / 2 * rand_r(&watch->seed) / RAND_MAX);
}

static void ask_for_list(struct kube_watch *watch)
{
	if (!watch->next_page) {
		watch->round++;
		watch->has_unreadable = false;
	}
	watch->is_list_whole = false;
	add_collection(watch, &watch->path);
	text_printf(&watch->path, "limit=%d", watch->n_expired < EXPIRED_MOST ? KUBE_PAGE : 0);
	if (watch->next_page) {
		text_add(&watch->path, "&continue=");
		add_escaped(&watch->path, watch->next_page);
	}
	json_split_done(&watch->split);
	json_split_init(&watch->split, JSON_SPLIT_ITEMS, KUBE_OBJECT_BYTES_MAX);
}

static void ask_for_watch(struct kube_watch *watch, int64_t now_ns)
{
	int64_t timeout_s = KUBE_WATCH_S + rand_r(&watch->seed) % KUBE_WATCH_S;
	watch->watch_until_ns = now_ns + (timeout_s + WATCH_GRACE_S) * CLOCK_S;
	watch->answer_until_ns = now_ns + KUBE_ANSWER_S * CLOCK_S;
	watch->is_expired = false;
	add_collection(watch, &watch->path);
	text_printf(&watch->path,
	            "watch=1&allowWatchBookmarks=true&timeoutSeconds=%lld&resourceVersion=", (long long)timeout_s);
	add_escaped(&watch->path, watch->resource_version);
	json_split_done(&watch->split);
	json_split_init(&watch->split, JSON_SPLIT_VALUES, KUBE_OBJECT_BYTES_MAX);
}

const char *kube_watch_next(struct kube_watch *watch, int64_t now_ns, int64_t *at_ns)
{
	*at_ns = watch->is_under_way ? INT64_MAX : watch->at_ns;
	if (now_ns < *at_ns)
		return NULL;
	if (watch->state == KUBE_WATCH_WATCHING && now_ns >= watch->relist_at_ns)
		watch->state = KUBE_WATCH_LISTING;
	watch->is_under_way = true;
	watch->found.message[0] = '\0';
	watch->path.n = 0;
	if (watch->state == KUBE_WATCH_WATCHING)
		ask_for_watch(watch, now_ns);
	else
		ask_for_list(watch);
	return text_get(&watch->path);
}

int64_t kube_watch_deadline_ns(const struct kube_watch *watch)
{
	if (!watch->is_under_way || watch->state != KUBE_WATCH_WATCHING)
		return INT64_MAX;
	int64_t until_ns = watch->status.is_live ? watch->watch_until_ns : watch->answer_until_ns;
	return watch->relist_at_ns < until_ns ? watch->relist_at_ns : until_ns;
}

void kube_watch_list_now(struct kube_watch *watch)
{
	watch->relist_at_ns = 0;
}

void kube_watch_give_up(struct kube_watch *watch, int64_t now_ns)
{
	watch->is_under_way = false;
	watch->status.is_live = false;
	watch->at_ns = now_ns;
}

static void note_heard(struct kube_watch *watch, int64_t now_ns)
{
	watch->error.message[0] = '\0';
	watch->status.heard_ns = now_ns;
}

void kube_watch_note_success(struct kube_watch *watch, int64_t now_ns)
{
	note_heard(watch, now_ns);
	watch->n_failures = 0;
}

static void end_list(struct kube_watch *watch, int64_t now_ns)
{
	kube_watch_note_success(watch, now_ns);
	watch->at_ns = now_ns;
	if (watch->next_page)
		return;
	if (!watch->has_unreadable) {
		kube_watch_sweep(watch, watch->round, now_ns);
		kube_watch_take_back_unreadable(watch);
	}
	kube_watch_set(&watch->resource_version, watch->page_version);
	watch->state = KUBE_WATCH_WATCHING;
	watch->relist_at_ns = now_ns + jitter(watch, watch->relist_ns);
	watch->n_absent = watch->n_expired = watch->n_forbidden = 0;
	watch->status.is_synced = true;
	watch->status.is_forbidden = false;
	watch->status.lists++;
}

/* ---- what came ---- */

void kube_watch_started(struct kube_watch *watch, int64_t now_ns)
{
	if (watch->state != KUBE_WATCH_WATCHING)
		return;
	note_heard(watch, now_ns); /* a success once something comes, or it lasts */
	watch->started_ns = now_ns;
	watch->status.is_live = true;
	watch->status.watches++;
}

static bool take_piece(struct kube_watch *watch, enum json_split_outcome outcome, const struct json_piece *piece,
                       int64_t now_ns)
{
	if (watch->state == KUBE_WATCH_WATCHING)
		return kube_watch_take_event(watch, piece, now_ns);
	if (outcome == JSON_SPLIT_REST)
		return kube_watch_take_list_end(watch, piece) || error_set(&watch->found, "the answer is no list");
	return kube_watch_take_listed(watch, piece, now_ns);
}

bool kube_watch_body(struct kube_watch *watch, const char *s, size_t n, int64_t now_ns)
{
	struct json_piece piece;
	enum json_split_outcome outcome;

	json_split_feed(&watch->split, s, n);
	while ((outcome = json_split_next(&watch->split, &piece, &watch->found)) != JSON_SPLIT_MORE) {
		if (outcome == JSON_SPLIT_BROKEN || !take_piece(watch, outcome, &piece, now_ns))
			return false;
	}
	return true;
}

static void retry(struct kube_watch *watch, int64_t now_ns, int64_t least_ms)
{
	unsigned doublings = watch->n_failures < 10 ? watch->n_failures : 10;
	int64_t backoff_ms = KUBE_BACKOFF_MS << doublings;
	if (backoff_ms > KUBE_BACKOFF_MAX_MS)
		backoff_ms = KUBE_BACKOFF_MAX_MS;
	if (backoff_ms < least_ms)
		backoff_ms = least_ms;
	watch->n_failures++;
	watch->status.failures++;
	watch->at_ns = now_ns + jitter(watch, backoff_ms * CLOCK_MS);
}

static void list_again(struct kube_watch *watch)
{
	watch->state = KUBE_WATCH_LISTING;
	kube_watch_set(&watch->next_page, NULL);
}

/* 404: the server does not serve this version of the kind. */
static void note_absent(struct kube_watch *watch, int64_t now_ns)
{
	const struct kind_info *info = watch->info;

	if (watch->state != KUBE_WATCH_ABSENT)
		list_again(watch);
	watch->at_ns = now_ns;
	watch->version++;
	if (info->versions[watch->version])
		return;
	watch->version = 0;
	watch->n_absent++;
	watch->at_ns = now_ns + jitter(watch, KUBE_ABSENT_MS * CLOCK_MS);
	if (watch->items.n && watch->n_absent < KUBE_ABSENT_CONFIRMS)
		return;
	kube_watch_note_success(watch, now_ns);
	kube_watch_sweep(watch, 0, now_ns);
	watch->state = KUBE_WATCH_ABSENT;
	watch->status.is_synced = true;
}

/* 403 where that is nobody's mistake: there is nothing to wait for, and what was read once stays. An API server that
 * has just started says so too, for a moment: so it is asked again soon at first. */
static void note_forbidden(struct kube_watch *watch, const struct kube_response *response, int64_t now_ns)
{
	error_set(&watch->error, "%s", response->error ? response->error : "not allowed");
	list_again(watch);
	watch->status.is_forbidden = true;
	watch->status.is_synced = true;
	watch->status.heard_ns = now_ns;
	watch->n_failures = 0;
	int64_t backoff_ms = (int64_t)KUBE_BACKOFF_MS << watch->n_forbidden;
	if (backoff_ms < KUBE_FORBIDDEN_MS)
		watch->n_forbidden++;
	else
		backoff_ms = KUBE_FORBIDDEN_MS;
	watch->at_ns = now_ns + jitter(watch, backoff_ms * CLOCK_MS);
}

static void end_badly(struct kube_watch *watch, const struct kube_response *response, int64_t now_ns)
{
	bool was_watch = watch->state == KUBE_WATCH_WATCHING;
	const char *found = *watch->found.message ? watch->found.message : "the answer broke off";

	/* what we found wrong says more than that we hung up for it */
	error_set(&watch->error, "%s",
	          response->status || !*watch->found.message ? response->error ? response->error : found : found);
	/* any other refusal of a version: only a list can say what is there now */
	bool is_refused = was_watch && response->status >= 400 && response->status < 500 && response->status != 401 &&
	                  response->status != 429;
	if (is_refused || response->status == 410 || response->status == 504)
		list_again(watch);
	if (response->status == 410 && !was_watch)
		watch->n_expired++;
	retry(watch, now_ns, response->retry_after_ms);
}

void kube_watch_ended(struct kube_watch *watch, const struct kube_response *response, int64_t now_ns)
{
	bool was_watch = watch->state == KUBE_WATCH_WATCHING;
	bool is_good = response->status >= 200 && response->status < 300;
	/* its time was up; one that ends at once is no answer */
	bool is_over =
	    is_good && was_watch && !*watch->found.message && now_ns - watch->started_ns >= WATCH_LEAST_S * CLOCK_S;

	watch->is_under_way = false;
	watch->status.is_live = false;
	if (was_watch && (watch->is_expired || response->status == 410)) {
		watch->status.gone++;
		list_again(watch);
		watch->at_ns = now_ns + jitter(watch, KUBE_BACKOFF_MS * CLOCK_MS);
	} else if (response->status == 404) {
		note_absent(watch, now_ns);
	} else if (response->status == 403 && watch->info->may_be_forbidden) {
		note_forbidden(watch, response, now_ns);
	} else if (is_over) {
		kube_watch_note_success(watch, now_ns);
		watch->at_ns = now_ns + jitter(watch, KUBE_BACKOFF_MS * CLOCK_MS);
	} else if (is_good && !was_watch && watch->is_list_whole) {
		end_list(watch, now_ns);
	} else {
		end_badly(watch, response, now_ns);
	}
}

void kube_watch_status(const struct kube_watch *watch, struct kube_watch_status *status)
{
	*status = watch->status;
	status->state = watch->state;
	status->is_live |= watch->state == KUBE_WATCH_ABSENT;
	status->n_objects = watch->items.n;
	status->n_failures = watch->n_failures;
	status->error = watch->error.message;
}

const char *kube_watch_version(const struct kube_watch *watch)
{
	return watch->info->versions[watch->version];
}

const struct kube_items *kube_watch_items(const struct kube_watch *watch)
{
	return &watch->items;
}
