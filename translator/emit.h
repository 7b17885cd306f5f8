#pragma once
/*
 * emit: scope -> resources. Pure but for the cache, which only saves work: with an empty cache the same bytes come out.
 *
 * Each emitted unit (a cluster, a load assignment, a virtual host, a route table, a listener) has a key: the digest of what it
 * reads. The cache maps keys to resources of the last generation, so a unit whose inputs did not change is carried over
 * without being built. A cache belongs to one thread.
 */
#include "translator/resource.h"
#include "translator/scope.h"

struct emit_cache;

struct emit_cache *emit_cache_new(void);
void emit_cache_free(struct emit_cache *cache);
/* Between generations: forgets what was neither used since the last call nor is in a set that somebody holds. */
void emit_cache_sweep(struct emit_cache *cache);

/* All four types for a view: outbound clusters, their endpoints, listeners, route tables. Each set is the caller's. */
void emit_view(const struct scope *scope, struct emit_cache *cache, struct resource_set *sets[RESOURCE_TYPE_COUNT]);

/* What is the workload's own: inbound listener and clusters; the other types are NULL. */
void emit_workload(const struct model *model, const struct workload_class *workload, struct emit_cache *cache,
		   struct resource_set *sets[RESOURCE_TYPE_COUNT]);
