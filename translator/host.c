#include "translator/host.h"

#include "base/text.h"

#include <string.h>

bool host_is_wildcard(const char *host)
{
	return host[0] == '*';
}

bool host_is_within(const char *host, const char *of)
{
	if (!host_is_wildcard(of))
		return strcmp(host, of) == 0;
	return text_has_suffix(host_is_wildcard(host) ? host + 1 : host, of + 1);
}

/* A wildcard whose suffix starts at a label is found by hashing; "*" has the empty suffix. */
static bool is_label_suffix(const char *suffix)
{
	return suffix[0] == '\0' || suffix[0] == '.';
}

void **host_index_slot(struct arena *arena, struct host_index *index, const char *host)
{
	if (!host_is_wildcard(host))
		return map_slot(arena, &index->exact, host);
	return map_slot(arena, is_label_suffix(host + 1) ? &index->suffixes : &index->others, host + 1);
}

void *host_index_get(const struct host_index *index, const char *host)
{
	if (!host_is_wildcard(host))
		return map_get(&index->exact, host);
	return map_get(is_label_suffix(host + 1) ? &index->suffixes : &index->others, host + 1);
}

bool host_index_has_wildcards(const struct host_index *index)
{
	return index->suffixes.n > 0 || index->others.n > 0;
}

void *host_index_find(const struct host_index *index, const char *host)
{
	void *best = host_index_get(index, host);
	if (best || !host_index_has_wildcards(index))
		return best;
	struct host_walk walk = host_walk_start(index, host);
	size_t n, best_n = 0;
	for (void *value = host_walk_next(&walk, &n); value; value = host_walk_next(&walk, &n)) {
		if (!best || n > best_n) {
			best = value;
			best_n = n;
		}
	}
	return best;
}

struct host_walk host_walk_start(const struct host_index *index, const char *host)
{
	const char *name = host_is_wildcard(host) ? host + 1 : host;
	return (struct host_walk){.index = index, .name = name, .at = name};
}

void *host_walk_next(struct host_walk *walk, size_t *suffix_n)
{
	while (walk->at && walk->index->suffixes.n > 0) {
		const char *suffix = strchr(walk->at, '.');
		if (!suffix)
			suffix = walk->at + strlen(walk->at);
		walk->at = *suffix ? suffix + 1 : NULL;
		void *value = map_get(&walk->index->suffixes, suffix);
		if (value) {
			*suffix_n = strlen(suffix);
			return value;
		}
	}
	walk->at = NULL;
	while (walk->other < walk->index->others.n) {
		const struct map_entry *entry = &walk->index->others.entries[walk->other++];
		if (entry->value && text_has_suffix(walk->name, entry->key)) {
			*suffix_n = strlen(entry->key);
			return entry->value;
		}
	}
	return NULL;
}
