#include "translator/istio/endpoint_list.h"

#include "base/text.h"
#include "translator/draft.h"

#include <string.h>

#define TOPOLOGY_LABELS 5

void endpoint_add_topology(struct arena *arena, struct endpoint *endpoint, const char *node)
{
	const struct label all[TOPOLOGY_LABELS] = {
	    /* by key */
	    {"kubernetes.io/hostname", node},
	    {"topology.istio.io/network", endpoint->network},
	    {"topology.istio.io/subzone", endpoint->locality.sub_zone},
	    {"topology.kubernetes.io/region", endpoint->locality.region},
	    {"topology.kubernetes.io/zone", endpoint->locality.zone},
	};
	struct label added[TOPOLOGY_LABELS];
	size_t n_added = 0;
	for (size_t i = 0; i < TOPOLOGY_LABELS; i++)
		if (!text_is_empty(all[i].value))
			added[n_added++] = all[i];
	if (!n_added)
		return;
	const struct labels *own = &endpoint->labels;
	struct label *out = ARENA_NEW_N(arena, struct label, own->n + n_added);
	size_t n = 0, i = 0, j = 0;
	while (i < own->n || j < n_added) {
		int order = j == n_added ? -1 : i == own->n ? 1 : strcmp(own->v[i].key, added[j].key);
		i += order <= 0;
		out[n++] = order < 0 ? own->v[i - 1] : added[j];
		j += order >= 0;
	}
	endpoint->labels = (struct labels){out, n};
}

struct digest endpoint_identity(const struct endpoint *endpoint)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, endpoint->namespace);
	digest_add_str(&state, endpoint->workload);
	digest_add_str(&state, endpoint->service_account);
	digest_add_str(&state, endpoint->network);
	digest_add_labels(&state, &endpoint->labels);
	digest_add_str(&state, endpoint->locality.region);
	digest_add_str(&state, endpoint->locality.zone);
	digest_add_str(&state, endpoint->locality.sub_zone);
	return digest_final(&state);
}

void endpoint_list_reserve(struct arena *arena, struct endpoint_list *list, size_t n)
{
	VEC_RESERVE(arena, &list->items, list->items.n + n);
}

void endpoint_list_add(struct arena *arena, struct endpoint_list *list, const struct endpoint *endpoint,
                       struct digest identity)
{
	VEC_PUSH(arena, &list->items, (struct endpoint_item){*endpoint, identity});
}

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* Neighbours mostly share their locality's very strings. */
static int compare_strings(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

/* Total: whatever order the objects came in, the same list comes out. */
static int compare_items(const void *pa, const void *pb)
{
	const struct endpoint_item *ia = pa, *ib = pb;
	const struct endpoint *a = &ia->endpoint, *b = &ib->endpoint;
	int order = compare_strings(a->locality.region, b->locality.region);
	if (!order)
		order = compare_strings(a->locality.zone, b->locality.zone);
	if (!order)
		order = compare_strings(a->locality.sub_zone, b->locality.sub_zone);
	if (!order)
		order = strcmp(a->address, b->address);
	if (!order)
		order = compare_u32(a->port, b->port);
	if (!order)
		order = compare_u32(a->health, b->health);
	if (!order)
		order = compare_u32(a->weight, b->weight);
	return order ? order : memcmp(&ia->identity, &ib->identity, sizeof ia->identity);
}

static bool is_same_place(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && strcmp(a->address, b->address) == 0;
}

static bool takes_mtls(const struct model *model, const struct endpoint *endpoint)
{
	return model_takes_mtls(model, endpoint->namespace, &endpoint->labels, endpoint->port);
}

void endpoint_list_seal(const struct draft *draft, struct endpoint_list *list, struct service_port *port)
{
	VEC_SORT(&list->items, compare_items);
	struct endpoint *endpoints = ARENA_NEW_N(draft->arena, struct endpoint, list->items.n);
	size_t n = 0;
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < list->items.n; i++) {
		struct endpoint_item *item = &list->items.v[i];
		if (n && is_same_place(&endpoints[n - 1], &item->endpoint))
			continue;
		item->endpoint.is_mtls = item->endpoint.is_mtls && takes_mtls(draft->model, &item->endpoint);
		endpoints[n++] = item->endpoint;
		digest_add_str(&state, item->endpoint.address);
		digest_add_u64(&state, item->endpoint.port);
		digest_add_u64(&state, item->endpoint.weight);
		digest_add_u64(&state, item->endpoint.health);
		digest_add_bool(&state, item->endpoint.is_mtls);
		digest_add_digest(&state, item->identity);
	}
	port->endpoints = endpoints;
	port->n_endpoints = n;
	port->endpoints_digest = digest_final(&state);
}
