#pragma once
/*
 * One kind at the API server: listed page by page, then watched, for ever. A state machine without I/O: it says what to
 * ask for and is told what came.
 *
 *     path = kube_watch_next(watch, now_ns, &at_ns)         a GET to start now; NULL: ask again at at_ns, or when told
 *     kube_watch_started / kube_watch_body / kube_watch_ended   what became of it
 *
 * What it promises (https://kubernetes.io/docs/reference/using-api/api-concepts):
 * - An object is taken as gone when the server says so (DELETED), or when a list that came to its end does not have it.
 *   A list that breaks off, an answer that cannot be read, a server that is away remove nothing.
 * - A watch goes on from the last version that was heard of (bookmarks too). 410 leads to a new list, which is
 *   compared with what is known; unchanged versions are not even decoded.
 * - A kind that the server does not serve (404) is empty and asked for again and again, in each of its versions. Where
 *   objects of it are known, that takes KUBE_ABSENT_CONFIRMS answers: a server that is starting may not know yet.
 * - A kind that may not be read (403) and need not (may_be_forbidden) holds up nothing: it counts as read, what is
 *   known of it stays, and it is tried again each half minute, since rights can be given later.
 * - Failures are retried after a jittered, growing time, or what the server asks for (Retry-After). Each relist
 *   interval it lists anyhow, so that an event that got lost does no lasting harm.
 *
 * Changes go to a feed, each object in a group of the store of its own (kube_watch_group).
 */
#include "crds/kinds.h"
#include "server/source/kube/kube_feed.h"
#include "server/source/kube/kube_http.h"
#include "server/source/kube/kube_items.h"

#define KUBE_PAGE 500           /* objects asked for at once */
#define KUBE_WATCH_S 300        /* a watch lasts so long, and up to twice that */
#define KUBE_ANSWER_S 15        /* for the beginning of an answer to a watch */
#define KUBE_OBJECTS_MAX 200000 /* of one kind; what is beyond is not taken in */
#define KUBE_OBJECT_BYTES_MAX JSON_BYTES_MAX
#define KUBE_CONTINUE_BYTES_MAX 4096
#define KUBE_BACKOFF_MS 100      /* after the first failure; doubled with each, */
#define KUBE_BACKOFF_MAX_MS 5000 /* at most this, and up to half of it more */
#define KUBE_ABSENT_MS 3000      /* how often a kind that is not served is asked for */
#define KUBE_ABSENT_CONFIRMS 3
#define KUBE_FORBIDDEN_MS                                                                                              \
	30000 /* how often a kind that may not be read is asked for in the end, where that is possible */

struct kube_watch;

struct kube_watch_options {
	enum kind kind;
	const char *root_namespace; /* kinds with an only_name are read there */
	struct kube_feed *feed;
	int64_t relist_ns;
	unsigned seed; /* of the jitter */
};

enum kube_watch_state {
	KUBE_WATCH_LISTING,  /* a list is under way, or is to be tried */
	KUBE_WATCH_WATCHING, /* a watch is under way, or is to be resumed */
	KUBE_WATCH_ABSENT,   /* the server does not serve the kind */
};

struct kube_watch_status {
	enum kube_watch_state state;
	bool is_synced; /* one list has come to its end, or the kind is not served, or may not be read and need not */
	bool is_forbidden; /* it may not be read, and need not: tried again now and then */
	bool is_live;      /* a watch is under way that the server has answered; or the kind is not served */
	int64_t heard_ns;  /* when the server was last heard of this kind: any good answer, event or bookmark */
	uint64_t n_objects;
	uint64_t lists, watches, events; /* lists that came to their end, watches that began, events (not bookmarks) */
	uint64_t gone;                   /* lists because a watch had expired (410) */
	uint64_t repairs;                /* objects that a list had otherwise than the watch before it */
	uint64_t unreadable;             /* objects that are no JSON we can read */
	uint64_t failures;
	unsigned n_failures; /* of them, since the last success */
	const char *error;   /* the last failure, while it holds; "" else. Until the next call. */
};

struct kube_watch *kube_watch_new(const struct kube_watch_options *options);
void kube_watch_free(struct kube_watch *watch);

const char *kube_watch_next(struct kube_watch *watch, int64_t now_ns, int64_t *at_ns);
/* When the request under way should be given up and kube_watch_next be asked again: for a list that is due, or since
 * the server should have ended it. */
int64_t kube_watch_deadline_ns(const struct kube_watch *watch);
void kube_watch_give_up(struct kube_watch *watch, int64_t now_ns);

/* Lists anew as soon as the request under way allows. */
void kube_watch_list_now(struct kube_watch *watch);

void kube_watch_started(struct kube_watch *watch, int64_t now_ns);
bool kube_watch_body(struct kube_watch *watch, const char *s, size_t n, int64_t now_ns); /* false: end it */
void kube_watch_ended(struct kube_watch *watch, const struct kube_response *response, int64_t now_ns);

void kube_watch_status(const struct kube_watch *watch, struct kube_watch_status *status);
const char *kube_watch_version(const struct kube_watch *watch); /* that the server serves: "v1" */
const struct kube_items *kube_watch_items(const struct kube_watch *watch);
/* "~VirtualService/default/reviews": the store's group of one object; after all paths, so that files come first. */
const char *kube_watch_group(struct arena *arena, enum kind kind, const char *key);
