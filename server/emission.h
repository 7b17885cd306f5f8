#pragma once
/*
 * An emission: the proxy_configs of one generation, each distinct view and workload class emitted once. Belongs to the
 * pipeline thread.
 *
 * It is made from the emission before it. What reads only parts of the model that did not change (model_digests.h) is
 * taken over by its key: after a change of endpoints that is everything but the load assignments of the services
 * concerned, after a change of rules everything but the sidecars' routes. The rest is emitted again, where the emit
 * cache saves the work on units that did not change. A set whose content is equal to one that exists (in this emission
 * or the former) gives way to it: equal sets are one object, also across views.
 *
 *     struct emission *next = emission_new(&(struct emission_input){.generation = g, .roster = r, .cache = c, .former =
 * e}); emission_free(e);
 */
#include "server/generation.h"
#include "translator/emit.h"
#include "translator/model_digests.h"

struct emission_input {
	struct generation *generation; /* its model is emitted; each node of the roster gets its config in it */
	const struct roster *roster;
	struct emit_cache *cache;
	const struct emission *former; /* NULL: none */
	bool is_same_model;            /* the former was made of equal objects: nodes keep their views and classes */
};

struct emission {
	struct arena *arena;  /* the maps and their keys */
	struct map views;     /* view key in hex -> struct emitted */
	struct map workloads; /* workload class key in hex -> struct emitted */
	struct map configs;   /* view key, workload key -> struct proxy_config */
	struct map nodes;     /* roster_node key in hex -> struct proxy_config (borrowed from configs) */
	struct model_digests digests;
	struct map sets;                       /* type and version -> struct resource_set (borrowed from emitted) */
	size_t n_emitted;                      /* views and classes of which something was emitted */
	size_t n_changed[RESOURCE_TYPE_COUNT]; /* sets that the former emission did not have */
};

struct emitted {
	struct resource_set *sets[RESOURCE_TYPE_COUNT]; /* members may be NULL */
};

struct emission *emission_new(const struct emission_input *input);
void emission_free(struct emission *emission); /* NULL is fine */
