#include "server/generation.h"

#include "base/heap.h"
#include "translator/resolve.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Whether this was the last reference. Acquire-release: what other threads did with the thing happens before it is
 * freed. */
static bool refs_drop(_Atomic unsigned *refs)
{
	unsigned former = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel);
	assert(former > 0);
	return former == 1;
}

static void refs_take(_Atomic unsigned *refs)
{
	atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* ---- nodes and rosters ---- */

static void digest_strings(struct digest_state *state, const struct strings *strings)
{
	digest_add_u64(state, strings->n);
	for (size_t i = 0; i < strings->n; i++)
		digest_add_str(state, strings->v[i]);
}

static void digest_labels(struct digest_state *state, const struct labels *labels)
{
	digest_add_u64(state, labels->n);
	for (size_t i = 0; i < labels->n; i++) {
		digest_add_str(state, labels->v[i].key);
		digest_add_str(state, labels->v[i].value);
	}
}

/* Every field of struct node: one that is left out here would be one that proxies could not differ in. */
static struct digest node_key(const struct node *node)
{
	struct digest_state state;

	digest_init(&state);
	digest_add_str(&state, node->id);
	digest_add_u64(&state, node->role);
	digest_add_str(&state, node->address);
	digest_strings(&state, &node->addresses);
	digest_add_str(&state, node->name);
	digest_add_str(&state, node->namespace);
	digest_add_str(&state, node->domain);
	digest_labels(&state, &node->labels);
	digest_add_str(&state, node->service_account);
	digest_add_str(&state, node->cluster_id);
	digest_add_str(&state, node->network);
	digest_add_str(&state, node->version);
	digest_add_u64(&state, node->is_verified);
	digest_add_u64(&state, node->is_unprivileged);
	digest_add_u64(&state, node->is_http10);
	digest_add_u64(&state, node->interception);
	digest_add_u64(&state, node->is_inbound_exact_balance);
	digest_add_u64(&state, node->is_outbound_exact_balance);
	digest_add_u64(&state, node->status_port);
	digest_add_u64(&state, node->prometheus_port);
	return digest_final(&state);
}

/* Whether the node says what the caller proved. */
static bool node_verify(struct arena *arena, struct node *node, const struct spiffe_id *caller, struct error *error)
{
	char identity[SPIFFE_ID_TEXT];

	if (!*node->service_account)
		node->service_account = arena_strdup(arena, caller->account);
	bool is_own = !strcmp(node->namespace, caller->ns) && !strcmp(node->service_account, caller->account);
	bool is_own_id = !*node->pod_namespace || !strcmp(node->pod_namespace, caller->ns);
	node->is_verified = is_own && is_own_id;
	if (node->is_verified)
		return true;
	spiffe_id_print(caller, identity);
	if (is_own)
		return error_set(error, "the proxy's node id is of namespace \"%s\", but it proved to be %s",
		                 node->pod_namespace, identity);
	return error_set(error,
	                 "the proxy says that it is of namespace \"%s\" and service account \"%s\", but proved "
	                 "to be %s",
	                 node->namespace, node->service_account, identity);
}

/* caller: NULL when nobody proved anything. */
static struct roster_node *node_new(const char *id, const struct json *metadata, const struct spiffe_id *caller,
                                    bool *is_denied, struct error *error)
{
	struct arena *arena = arena_new();
	struct roster_node *node = ARENA_NEW(arena, struct roster_node);

	*is_denied = false;
	bool is_good = node_parse(arena, id, metadata, &node->node, error);
	if (is_good && caller) {
		is_good = node_verify(arena, &node->node, caller, error);
		*is_denied = !is_good;
	}
	if (!is_good) {
		arena_free(arena);
		return NULL;
	}
	node->arena = arena;
	node->key = node_key(&node->node);
	atomic_init(&node->refs, 1);
	return node;
}

struct roster_node *roster_node_new(const char *id, const struct json *metadata, struct error *error)
{
	bool is_denied;
	return node_new(id, metadata, NULL, &is_denied, error);
}

struct roster_node *roster_node_new_verified(const char *id, const struct json *metadata,
                                             const struct spiffe_id *caller, bool *is_denied, struct error *error)
{
	return node_new(id, metadata, caller, is_denied, error);
}

struct roster_node *roster_node_ref(struct roster_node *node)
{
	refs_take(&node->refs);
	return node;
}

void roster_node_unref(struct roster_node *node)
{
	if (node && refs_drop(&node->refs))
		arena_free(node->arena); /* the node lives in its own arena */
}

static int digest_compare(struct digest a, struct digest b)
{
	for (size_t i = 0; i < 2; i++) {
		if (a.w[i] != b.w[i])
			return a.w[i] < b.w[i] ? -1 : 1;
	}
	return 0;
}

static int roster_node_compare(const void *a, const void *b)
{
	const struct roster_node *const *left = a, *const *right = b;
	return digest_compare((*left)->key, (*right)->key);
}

struct roster *roster_new(struct roster_node *const *nodes, size_t n)
{
	struct roster *roster = HEAP_NEW(struct roster);
	atomic_init(&roster->refs, 1);
	if (!n)
		return roster;
	roster->v = HEAP_NEW_N(struct roster_node *, n);
	memcpy(roster->v, nodes, n * sizeof roster->v[0]);
	qsort(roster->v, n, sizeof roster->v[0], roster_node_compare);
	for (size_t i = 0; i < n; i++) {
		struct roster_node *node = roster->v[i];
		if (!roster->n || !digest_equal(roster->v[roster->n - 1]->key, node->key))
			roster->v[roster->n++] = roster_node_ref(node);
	}
	return roster;
}

struct roster *roster_ref(struct roster *roster)
{
	refs_take(&roster->refs);
	return roster;
}

void roster_unref(struct roster *roster)
{
	if (!roster || !refs_drop(&roster->refs))
		return;
	for (size_t i = 0; i < roster->n; i++)
		roster_node_unref(roster->v[i]);
	free(roster->v);
	free(roster);
}

/* ---- configs ---- */

static void sets_ref(struct resource_set *const *from, struct resource_set **to)
{
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		to[i] = from[i] ? resource_set_ref(from[i]) : NULL;
}

static void sets_unref(struct resource_set *const *sets)
{
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		if (sets[i])
			resource_set_unref(sets[i]);
	}
}

struct proxy_config *proxy_config_new(struct resource_set *const *view, struct digest view_key,
                                      struct resource_set *const *workload, struct digest workload_key)
{
	struct proxy_config *config = HEAP_NEW(struct proxy_config);

	sets_ref(view, config->view);
	sets_ref(workload, config->workload);
	config->view_key = view_key;
	config->workload_key = workload_key;
	atomic_init(&config->refs, 1);
	return config;
}

struct proxy_config *proxy_config_ref(struct proxy_config *config)
{
	refs_take(&config->refs);
	return config;
}

void proxy_config_unref(struct proxy_config *config)
{
	if (!config || !refs_drop(&config->refs))
		return;
	sets_unref(config->view);
	sets_unref(config->workload);
	free(config);
}

/* ---- generations ---- */

struct resolved *resolved_new(struct snapshot *snapshot)
{
	struct arena *arena = arena_new();
	struct resolved *resolved = ARENA_NEW(arena, struct resolved);

	resolved->arena = arena;
	resolved->snapshot = snapshot_ref(snapshot);
	resolved->model = resolve(arena, snapshot);
	atomic_init(&resolved->refs, 1);
	return resolved;
}

struct resolved *resolved_ref(struct resolved *resolved)
{
	refs_take(&resolved->refs);
	return resolved;
}

void resolved_unref(struct resolved *resolved)
{
	if (!resolved || !refs_drop(&resolved->refs))
		return;
	snapshot_unref(resolved->snapshot);
	arena_free(resolved->arena);
}

struct generation *generation_new(struct resolved *source)
{
	struct generation *generation = HEAP_NEW(struct generation);

	generation->arena = arena_new();
	atomic_init(&generation->refs, 1);
	if (source) {
		generation->source = resolved_ref(source);
		generation->model = source->model;
		generation->snapshot = source->snapshot->digest;
	}
	return generation;
}

void generation_add_config(struct generation *generation, const struct roster_node *node, struct proxy_config *config)
{
	char hex[DIGEST_HEX];

	digest_hex(node->key, hex);
	proxy_config_unref(map_put(generation->arena, &generation->configs, arena_strdup(generation->arena, hex),
	                           proxy_config_ref(config)));
}

struct generation *generation_ref(struct generation *generation)
{
	refs_take(&generation->refs);
	return generation;
}

void generation_unref(struct generation *generation)
{
	if (!generation || !refs_drop(&generation->refs))
		return;
	for (size_t i = 0; i < generation->configs.n; i++)
		proxy_config_unref(generation->configs.entries[i].value);
	arena_free(generation->arena);
	resolved_unref(generation->source);
	free(generation);
}

struct proxy_config *generation_config(const struct generation *generation, const struct roster_node *node)
{
	char hex[DIGEST_HEX];

	digest_hex(node->key, hex);
	return map_get(&generation->configs, hex);
}
