#include "translator/istio/endpoint_list.h"

#include "translator/draft.h"

#include <string.h>

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

void endpoint_list_seal(struct arena *arena, struct endpoint_list *list, struct service_port *port)
{
	VEC_SORT(&list->items, compare_items);
	struct endpoint *endpoints = ARENA_NEW_N(arena, struct endpoint, list->items.n);
	size_t n = 0;
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < list->items.n; i++) {
		const struct endpoint_item *item = &list->items.v[i];
		if (n && is_same_place(&endpoints[n - 1], &item->endpoint))
			continue;
		endpoints[n++] = item->endpoint;
		digest_add_str(&state, item->endpoint.address);
		digest_add_u64(&state, item->endpoint.port);
		digest_add_u64(&state, item->endpoint.weight);
		digest_add_u64(&state, item->endpoint.health);
		digest_add_digest(&state, item->identity);
	}
	port->endpoints = endpoints;
	port->n_endpoints = n;
	port->endpoints_digest = digest_final(&state);
}
