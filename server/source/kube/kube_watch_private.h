#pragma once
/*
 * What the two parts of a watch share; nobody else includes this.
 *
 *     kube_watch.c        what to ask for, and what becomes of an answer as a whole
 *     kube_watch_take.c   what stands in an answer: objects, pages, events
 */
#include "base/json_split.h"
#include "server/source/kube/kube_watch.h"

struct kube_watch {
	enum kind kind;
	const struct kind_info *info;
	char *root_namespace;
	struct kube_feed *feed;
	int64_t relist_ns;
	unsigned seed;

	enum kube_watch_state state;
	size_t version; /* index in info->versions */
	struct kube_items items;
	char *resource_version; /* that a watch goes on from */

	bool is_under_way;
	int64_t at_ns; /* nothing is asked for before */
	int64_t relist_at_ns, watch_until_ns, answer_until_ns;
	unsigned n_failures, n_absent, n_expired, n_forbidden;
	struct text path;

	/* of the request under way */
	struct json_split split;
	uint64_t round;
	bool is_list_whole;  /* the list's page was read to its end */
	bool is_expired;     /* the watch's version is no longer known to the server */
	bool has_unreadable; /* in this round */
	char *next_page;     /* NULL: this is the last page */
	char *page_version;

	int64_t started_ns; /* the watch was answered */
	struct error found; /* wrong in what came; "": nothing */

	struct kube_watch_status status;
	struct error error; /* the last failure, while it holds; "" else */
};

/* A copy in the place of the former; NULL: none. */
void kube_watch_set(char **string, const char *value);
/* All is well, for now. */
void kube_watch_note_success(struct kube_watch *watch, int64_t now_ns);

/* One object of a list. False, as below: nothing of use follows, and watch->found says why. */
bool kube_watch_take_listed(struct kube_watch *watch, const struct json_piece *piece, int64_t now_ns);
/* What the list says of itself. False: it is no list. */
bool kube_watch_take_list_end(struct kube_watch *watch, const struct json_piece *piece);
bool kube_watch_take_event(struct kube_watch *watch, const struct json_piece *piece, int64_t now_ns);
/* Removes what is not of the round; 0: everything. */
void kube_watch_sweep(struct kube_watch *watch, uint64_t round, int64_t now_ns);
/* The row about objects that could not be read. */
void kube_watch_take_back_unreadable(struct kube_watch *watch);
