#pragma once
/*
 * A generation: the outcome of one snapshot for the proxies that are connected. Made by the pipeline thread, read by
 * the xDS threads, const in between, counted; the last reader frees it with its arena and snapshot.
 *
 * For each connected node it holds a proxy_config: the sets of its view (shared by all proxies of that view) and those
 * of its workload class (shared by replicas). Sets whose content did not change are the very same pointers as in the
 * generation before, so "nothing to do" is a pointer comparison.
 */
#include "base/map.h"
#include "ca/spiffe_id.h"
#include "translator/resource.h"
#include "translator/snapshot.h"
#include "translator/view.h"

/* The nodes that are connected, as the xDS side knows them. Immutable, counted. */
struct roster_node {
	struct node node;
	struct digest key; /* of all that node_parse kept: two proxies with one key get one config */
	struct arena *arena;
	_Atomic unsigned refs;
};

struct roster_node *roster_node_new(const char *id, const struct json *metadata, struct error *error);
/*
 * Of a proxy that proved to be the caller: its node is verified, and has the caller's service account when it names
 * none. NULL with *is_denied when it says, in its id too, that it is of another namespace or service account.
 */
struct roster_node *roster_node_new_verified(const char *id, const struct json *metadata,
                                             const struct spiffe_id *caller, bool *is_denied, struct error *error);
struct roster_node *roster_node_ref(struct roster_node *node);
void roster_node_unref(struct roster_node *node);

struct roster {
	struct roster_node **v; /* distinct keys, sorted by key */
	size_t n;
	_Atomic unsigned refs;
};

/* Takes its own references on the nodes. */
struct roster *roster_new(struct roster_node *const *nodes, size_t n);
struct roster *roster_ref(struct roster *roster);
void roster_unref(struct roster *roster);

struct proxy_config {
	struct resource_set *view[RESOURCE_TYPE_COUNT];
	struct resource_set *workload[RESOURCE_TYPE_COUNT]; /* NULL where there is none */
	struct digest view_key, workload_key;
	_Atomic unsigned refs;
};

/* Takes its own references on the sets; arrays of RESOURCE_TYPE_COUNT, members may be NULL. */
struct proxy_config *proxy_config_new(struct resource_set *const *view, struct digest view_key,
                                      struct resource_set *const *workload, struct digest workload_key);
struct proxy_config *proxy_config_ref(struct proxy_config *config);
void proxy_config_unref(struct proxy_config *config);

/* A snapshot and the model that borrows from it, with the arena that holds the model. Counted: generations that differ
 * in the roster only share one. */
struct resolved {
	struct snapshot *snapshot;
	const struct model *model;
	struct arena *arena;
	_Atomic unsigned refs;
};

/* Resolves. Takes its own reference on the snapshot. */
struct resolved *resolved_new(struct snapshot *snapshot);
struct resolved *resolved_ref(struct resolved *resolved);
void resolved_unref(struct resolved *resolved);

struct generation {
	uint64_t number;        /* of this process, from 1: for people; versions are digests */
	struct digest snapshot; /* the snapshot's digest */
	int64_t event_ns;       /* monotonic: when the first event that led here was seen; 0: only the roster changed */
	const struct model *model;
	struct map configs;      /* roster_node key in hex -> struct proxy_config */
	struct arena *arena;     /* of the map */
	struct resolved *source; /* what `model` lives in; may be NULL (tests) */
	_Atomic unsigned refs;
};

/* Empty: no configs yet. Takes its own reference on source (NULL is fine). Only its maker writes it, before it is
 * shared. */
struct generation *generation_new(struct resolved *source);
/* Takes its own reference on config. */
void generation_add_config(struct generation *generation, const struct roster_node *node, struct proxy_config *config);
struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation);
/* The node's config (borrowed), or NULL when it joined after this generation was made. */
struct proxy_config *generation_config(const struct generation *generation, const struct roster_node *node);
