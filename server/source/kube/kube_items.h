#pragma once
/*
 * The objects of one kind that the API server has told of: their names and versions, not their content (that is the
 * store's). What a list no longer has is found by its round.
 */
#include "server/source/kube/kube_condition.h"

#include <stddef.h>
#include <stdint.h>

struct kube_item {
	char *key;                           /* "namespace/name"; "/name" of cluster-scoped kinds */
	char *resource_version;              /* opaque; compared for equality only */
	uint64_t round;                      /* of the last list that had it */
	uint64_t seq;                        /* of its last change in the feed */
	int64_t generation;                  /* metadata.generation */
	struct kube_condition_seen accepted; /* what its status says of it */
};

struct kube_items {
	void *tree; /* tsearch(3) */
	size_t n;
};

/* Zero-initialised is empty. */
void kube_items_done(struct kube_items *items);
struct kube_item *kube_items_get(const struct kube_items *items, const char *key); /* NULL when absent */
struct kube_item *kube_items_add(struct kube_items *items, const char *key);       /* or the one that is there */
void kube_items_remove(struct kube_items *items, const char *key);
void kube_item_set_version(struct kube_item *item, const char *resource_version);
/* All items by key. */
void kube_items_walk(const struct kube_items *items, void (*visit)(void *context, const struct kube_item *item),
                     void *context);
