#pragma once
/*
 * An emission: the proxy_configs of one generation, each distinct view and workload class emitted once. Belongs to the
 * pipeline thread.
 *
 * It is made from the emission before it. With the same model (only the roster changed) what that one emitted for a
 * view or class is taken over, so a proxy that joins costs what is new about it. With another model everything is
 * emitted again (the emit cache saves the work on unchanged units), and a set whose content is equal to one that exists
 * (in this emission or the former) gives way to it: equal sets are one object, also across views.
 *
 *     struct emission *next = emission_new(&(struct emission_input){.generation = g, .roster = r, .cache = c, .former =
 * e}); emission_free(e);
 */
#include "server/generation.h"
#include "translator/emit.h"

struct emission_input {
	struct generation *generation; /* its model is emitted; each node of the roster gets its config in it */
	const struct roster *roster;
	struct emit_cache *cache;
	const struct emission *former; /* NULL: none */
	bool is_same_model;            /* the former was made of equal objects */
};

struct emission {
	struct arena *arena;  /* the maps and their keys */
	struct map views;     /* view key in hex -> struct emitted */
	struct map workloads; /* workload class key in hex -> struct emitted */
	struct map configs;   /* view key, workload key -> struct proxy_config */
	struct map nodes;     /* roster_node key in hex -> struct proxy_config (borrowed from configs) */
	struct map sets;      /* type and version -> struct resource_set (borrowed from emitted) */
	size_t n_emitted;     /* views and classes that were emitted, not taken over */
	size_t n_changed[RESOURCE_TYPE_COUNT]; /* sets that the former emission did not have */
};

struct emitted {
	struct resource_set *sets[RESOURCE_TYPE_COUNT]; /* members may be NULL */
};

struct emission *emission_new(const struct emission_input *input);
void emission_free(struct emission *emission); /* NULL is fine */
