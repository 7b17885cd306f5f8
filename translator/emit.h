#pragma once
/*
 * emit: scope -> resources. Pure but for the cache, which only saves work: with an empty cache the same bytes come out.
 *
 * Each emitted unit (a cluster, a load assignment, a virtual host, a route table, a listener) has a key: the digest of
 * what it reads. The cache maps keys to resources of the last generation, so a unit whose inputs did not change is
 * carried over without being built. A cache belongs to one thread.
 */
#include "translator/resource.h"
#include "translator/scope.h"

struct emit_cache;

struct emit_cache *emit_cache_new(void);
void emit_cache_free(struct emit_cache *cache);
/* Between generations: forgets what was neither used since the last call nor is in a set that somebody holds. */
void emit_cache_sweep(struct emit_cache *cache);

/* All types for a view: outbound clusters, their endpoints, secrets, listeners, route tables. Each set is the caller's.
 */
void emit_view(const struct scope *scope, struct emit_cache *cache, struct resource_set *sets[RESOURCE_TYPE_COUNT]);

/* Some types only, a bit 1 << type each; the other sets are left alone. */
#define EMIT_ALL ((1u << RESOURCE_TYPE_COUNT) - 1)
void emit_view_types(const struct scope *scope, unsigned types, struct emit_cache *cache,
                     struct resource_set *sets[RESOURCE_TYPE_COUNT]);

/*
 * The endpoints of a view of which nothing changed since `former` was emitted but the endpoints of the services in the
 * scope (scope_of_services): theirs take the place of what is there. The set is the caller's; `former` stays his.
 */
struct resource_set *emit_view_endpoints(const struct scope *changed, struct emit_cache *cache,
                                         struct resource_set *former);

/* What is the workload's own: inbound listener and clusters; the other types are NULL. */
void emit_workload(const struct model *model, const struct workload_class *workload, struct emit_cache *cache,
                   struct resource_set *sets[RESOURCE_TYPE_COUNT]);

/* What the mesh trusts, as the resource that proxies subscribe to by the name "ROOTCA": its version says which of them
 * have taken which roots. The caller's. */
struct resource *emit_trust_roots(struct blob roots);

/* Takes out of a resource's message, for people's eyes, what must not be seen. Resources of other types are left alone.
 */
void emit_redact(struct arena *arena, const struct resource *resource, ProtobufCMessage *message);
