#pragma once
/*
 * Host names and wildcards ("*", "*.example.com", "*-eu.example.com"), and an index from them to pointers.
 *
 * A wildcard stands for every name that ends with what follows its star. Names are compared as they are: front ends
 * make them lower case first.
 *
 *     struct host_index index = {0};
 *     *host_index_slot(arena, &index, "*.example.com") = policy;
 *     host_index_find(&index, "a.example.com");       the entry of the most specific host, exact before wildcard
 *
 *     struct host_walk walk = host_walk_start(&index, "a.example.com");
 *     while ((value = host_walk_next(&walk, &suffix_n))) …      every wildcard that covers the name
 *
 * Looking up costs one hash lookup a label; only wildcards that cut a label ("*-eu.example.com") are scanned.
 */
#include "base/map.h"

bool host_is_wildcard(const char *host);
/* Every name that is `host` is `of` too. */
bool host_is_within(const char *host, const char *of);

/* Zero-initialised is empty. Hosts are borrowed. */
struct host_index {
	struct map exact;    /* host -> value */
	struct map suffixes; /* ".example.com" of "*.example.com", "" of "*" -> value */
	struct map others;   /* "-eu.example.com" -> value */
};

/* The host's own value, made NULL when absent; valid until the next call. */
void **host_index_slot(struct arena *arena, struct host_index *index, const char *host);
void *host_index_get(const struct host_index *index, const char *host);
/* The most specific entry that covers the host, or NULL. */
void *host_index_find(const struct host_index *index, const char *host);
bool host_index_has_wildcards(const struct host_index *index);

struct host_walk {
	const struct host_index *index;
	const char *name, *at; /* at: the rest whose suffixes come next; NULL: only `others` are left */
	size_t other;
};

struct host_walk host_walk_start(const struct host_index *index, const char *host);
/* The next wildcard's value and its suffix's length (a longer one is more specific); NULL at the end. */
void *host_walk_next(struct host_walk *walk, size_t *suffix_n);
