#include "server/emission.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_KEY_MAX (DIGEST_HEX + 4)
#define CONFIG_KEY_MAX (2 * DIGEST_HEX)

/* What is made at the moment. */
struct run {
	struct emission *emission;
	const struct emission_input *input;
	const struct model *model;
	bool is_policies_same, is_services_same, is_routes_same, is_connections_same, is_peers_same, is_access_same,
	    is_secrets_same;   /* as in the former emission's model */
	const size_t *changed; /* services in the model whose endpoints alone are others; with is_services_same */
	size_t n_changed;
};

static const char *key_of(struct arena *arena, struct digest digest)
{
	char hex[DIGEST_HEX];
	digest_hex(digest, hex);
	return arena_strdup(arena, hex);
}

/* ---- sets ---- */

static struct resource_set *former_set(const struct run *run, const char *key)
{
	return run->input->former ? map_get(&run->input->former->sets, key) : NULL;
}

/* One object per content: the reference on set moves in, one on the set that stands for it comes out. */
static struct resource_set *intern_set(const struct run *run, struct resource_set *set)
{
	struct emission *emission = run->emission;
	char hex[DIGEST_HEX], key[SET_KEY_MAX];

	digest_hex(set->version, hex);
	snprintf(key, sizeof key, "%d/%s", (int)set->type, hex);
	struct resource_set *known = map_get(&emission->sets, key);
	if (!known) {
		known = former_set(run, key);
		if (!known) {
			known = set;
			emission->n_changed[set->type]++;
		}
		map_put(emission->arena, &emission->sets, arena_strdup(emission->arena, key), known);
	}
	if (known != set) {
		resource_set_ref(known);
		resource_set_unref(set);
	}
	return known;
}

static struct emitted *emitted_put(const struct run *run, struct map *map, const char *key,
                                   struct resource_set *const *sets)
{
	struct emission *emission = run->emission;
	struct emitted *emitted = ARENA_NEW(emission->arena, struct emitted);

	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		emitted->sets[i] = sets[i] ? intern_set(run, sets[i]) : NULL;
	map_put(emission->arena, map, key, emitted);
	return emitted;
}

/* ---- what is left of the former emission ---- */

static const struct emitted *former_emitted(const struct map *former, struct digest key)
{
	char hex[DIGEST_HEX];

	digest_hex(key, hex);
	return map_get(former, hex);
}

/* The types that must be emitted again for a view that the former emission had. See model_digests.h. */
static unsigned stale_types(const struct run *run, const struct view *view)
{
	unsigned stale = run->is_peers_same ? 0 : 1u << RESOURCE_CLUSTER;
	if (!run->is_secrets_same)
		stale |= 1u << RESOURCE_SECRET;
	if (!run->is_access_same && view->role == PROXY_GATEWAY)
		stale |= 1u << RESOURCE_LISTENER;
	if (run->is_routes_same)
		return stale;
	if (!run->is_services_same || view->role != PROXY_SIDECAR)
		return EMIT_ALL;
	if (!run->is_connections_same)
		stale |= 1u << RESOURCE_LISTENER;
	return stale | 1u << RESOURCE_ROUTE;
}

static struct resource_set *endpoints_take_over(const struct run *run, const struct view *view,
                                                struct resource_set *former)
{
	if (!run->n_changed)
		return resource_set_ref(former);
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	const struct scope *changed = scope_of_services(scratch, run->model, view, run->changed, run->n_changed);
	return emit_view_endpoints(changed, run->input->cache, former);
}

/* ---- one view, one class ---- */

static struct emitted *emitted_view(const struct run *run, const struct view *view)
{
	struct emission *emission = run->emission;
	const char *key = key_of(emission->arena, view->key);
	struct emitted *emitted = map_get(&emission->views, key);
	if (emitted)
		return emitted;

	const struct emitted *former =
	    run->input->former ? former_emitted(&run->input->former->views, view->key) : NULL;
	unsigned stale = former ? stale_types(run, view) : EMIT_ALL;
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {0};
	if (stale) {
		CLEANUP(arena_freep) struct arena *scratch = arena_new();
		emit_view_types(scope_of(scratch, run->model, view), stale, run->input->cache, sets);
		emission->n_emitted++;
	}
	for (size_t type = 0; former && type < RESOURCE_TYPE_COUNT; type++) {
		if (stale & 1u << type)
			continue;
		sets[type] = type == RESOURCE_ENDPOINTS ? endpoints_take_over(run, view, former->sets[type])
		                                        : resource_set_ref(former->sets[type]);
	}
	return emitted_put(run, &emission->views, key, sets);
}

static struct emitted *emitted_workload(const struct run *run, const struct workload_class *workload)
{
	struct emission *emission = run->emission;
	const char *key = key_of(emission->arena, workload->key);
	struct emitted *emitted = map_get(&emission->workloads, key);
	if (emitted)
		return emitted;

	const struct emitted *former = run->input->former && run->is_policies_same
	                                   ? former_emitted(&run->input->former->workloads, workload->key)
	                                   : NULL;
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {0};
	for (size_t type = 0; former && type < RESOURCE_TYPE_COUNT; type++)
		sets[type] = former->sets[type] ? resource_set_ref(former->sets[type]) : NULL;
	if (!former) {
		emit_workload(run->model, workload, run->input->cache, sets);
		emission->n_emitted++;
	}
	return emitted_put(run, &emission->workloads, key, sets);
}

/* ---- configs ---- */

static bool has_sets(const struct proxy_config *config, const struct emitted *view, const struct emitted *workload)
{
	return !memcmp(config->view, view->sets, sizeof config->view) &&
	       !memcmp(config->workload, workload->sets, sizeof config->workload);
}

/* One proxy_config per pair of keys, the former one when its sets are the same. */
static struct proxy_config *config_of(const struct run *run, const struct view *view,
                                      const struct workload_class *workload)
{
	struct emission *emission = run->emission;
	const struct emission *former = run->input->former;
	char view_hex[DIGEST_HEX], workload_hex[DIGEST_HEX], key[CONFIG_KEY_MAX];

	digest_hex(view->key, view_hex);
	digest_hex(workload->key, workload_hex);
	snprintf(key, sizeof key, "%s/%s", view_hex, workload_hex);
	struct proxy_config *config = map_get(&emission->configs, key);
	if (config)
		return config;

	const struct emitted *outbound = emitted_view(run, view);
	const struct emitted *inbound = emitted_workload(run, workload);
	struct proxy_config *known = former ? map_get(&former->configs, key) : NULL;
	if (known && has_sets(known, outbound, inbound))
		config = proxy_config_ref(known);
	else
		config = proxy_config_new(outbound->sets, view->key, inbound->sets, workload->key);
	map_put(emission->arena, &emission->configs, arena_strdup(emission->arena, key), config);
	return config;
}

/* Without asking the model: the node had a config in the former emission, whose model is the same. */
static struct proxy_config *config_take_over(const struct run *run, const char *node_key)
{
	const struct emission *former = run->input->former;
	struct proxy_config *known = former && run->input->is_same_model ? map_get(&former->nodes, node_key) : NULL;

	if (!known)
		return NULL;
	struct view view = {.key = known->view_key};
	struct workload_class workload = {.key = known->workload_key};
	return config_of(run, &view, &workload); /* both are found by their keys alone */
}

static struct proxy_config *config_of_node(const struct run *run, const struct roster_node *node, const char *node_key)
{
	struct proxy_config *config = config_take_over(run, node_key);
	if (config)
		return config;
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	return config_of(run, view_of(scratch, run->model, &node->node),
	                 workload_class_of(scratch, run->model, &node->node));
}

/* What the new model has in common with the former emission's. */
static void run_compare(struct run *run)
{
	const struct emission *former = run->input->former;
	const struct model_digests *now = &run->emission->digests;

	if (!former)
		return;
	run->is_policies_same = digest_equal(now->policies, former->digests.policies);
	run->is_services_same = digest_equal(now->services, former->digests.services);
	run->is_routes_same = digest_equal(now->routes, former->digests.routes);
	run->is_connections_same = digest_equal(now->connections, former->digests.connections);
	run->is_peers_same = digest_equal(now->peers, former->digests.peers);
	run->is_access_same = digest_equal(now->access, former->digests.access);
	run->is_secrets_same = digest_equal(now->secrets, former->digests.secrets);
	if (!run->is_services_same)
		return;
	assert(now->n_endpoints == former->digests.n_endpoints); /* the very same services */
	size_t *changed = ARENA_NEW_N(run->emission->arena, size_t, now->n_endpoints);
	for (size_t i = 0; i < now->n_endpoints; i++) {
		if (!digest_equal(now->endpoints[i], former->digests.endpoints[i]))
			changed[run->n_changed++] = i;
	}
	run->changed = changed;
}

struct emission *emission_new(const struct emission_input *input)
{
	struct arena *arena = arena_new();
	struct emission *emission = ARENA_NEW(arena, struct emission);
	emission->arena = arena;
	emission->digests = model_digests_of(arena, input->generation->model);
	struct run run = {.emission = emission, .input = input, .model = input->generation->model};
	run_compare(&run);

	for (size_t i = 0; i < input->roster->n; i++) {
		const struct roster_node *node = input->roster->v[i];
		const char *key = key_of(arena, node->key);
		struct proxy_config *config = config_of_node(&run, node, key);
		map_put(arena, &emission->nodes, key, config);
		generation_add_config(input->generation, node, config);
	}
	return emission;
}

static void emitted_map_done(const struct map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct emitted *emitted = map->entries[i].value;
		for (size_t k = 0; k < RESOURCE_TYPE_COUNT; k++) {
			if (emitted->sets[k])
				resource_set_unref(emitted->sets[k]);
		}
	}
}

void emission_free(struct emission *emission)
{
	if (!emission)
		return;
	emitted_map_done(&emission->views);
	emitted_map_done(&emission->workloads);
	for (size_t i = 0; i < emission->configs.n; i++)
		proxy_config_unref(emission->configs.entries[i].value);
	arena_free(emission->arena);
}
