#include "translator/resource.h"

#include "base/heap.h"
#include "proto/wire.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_URL(name) "type.googleapis.com/" name

const struct resource_type_info resource_types[RESOURCE_TYPE_COUNT] = {
    [RESOURCE_CLUSTER] = {.type_url = TYPE_URL("envoy.config.cluster.v3.Cluster"),
                          .short_name = "CDS",
                          .plural = "clusters"},
    [RESOURCE_ENDPOINTS] = {.type_url = TYPE_URL("envoy.config.endpoint.v3.ClusterLoadAssignment"),
                            .short_name = "EDS",
                            .plural = "endpoints",
                            .is_by_name = true},
    [RESOURCE_SECRET] = {.type_url = TYPE_URL("envoy.extensions.transport_sockets.tls.v3.Secret"),
                         .short_name = "SDS",
                         .plural = "secrets",
                         .is_confidential = true,
                         .is_by_name = true},
    [RESOURCE_LISTENER] = {.type_url = TYPE_URL("envoy.config.listener.v3.Listener"),
                           .short_name = "LDS",
                           .plural = "listeners"},
    [RESOURCE_ROUTE] = {.type_url = TYPE_URL("envoy.config.route.v3.RouteConfiguration"),
                        .short_name = "RDS",
                        .plural = "routes",
                        .is_by_name = true},
};

/* google.protobuf.Any */
enum { ANY_TYPE_URL = 1, ANY_VALUE = 2 };

/* The resource, its name and its body are one allocation. */
struct resource *resource_new(enum resource_type type, const char *name, const void *value, size_t n)
{
	const char *type_url = resource_types[type].type_url;
	size_t url_n = strlen(type_url), name_size = strlen(name) + 1;
	size_t body_n = wire_field_size(url_n) + wire_field_size(n);
	struct resource *resource = heap_alloc(sizeof *resource + name_size + body_n);
	char *name_copy = memcpy(resource + 1, name, name_size);
	uint8_t *body = (uint8_t *)name_copy + name_size;
	uint8_t *end = wire_field(wire_field(body, ANY_TYPE_URL, type_url, url_n), ANY_VALUE, value, n);

	assert(end == body + body_n);
	resource->type = type;
	resource->name = name_copy;
	resource->version = digest_of(body, body_n);
	resource->body = body;
	resource->body_n = body_n;
	resource->value_at = body_n - n;
	atomic_init(&resource->refs, 1);
	return resource;
}

struct resource *resource_ref(struct resource *resource)
{
	atomic_fetch_add_explicit(&resource->refs, 1, memory_order_relaxed);
	return resource;
}

void resource_unref(struct resource *resource)
{
	if (!resource)
		return;
	unsigned before = atomic_fetch_sub_explicit(&resource->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before == 1)
		free(resource);
}

/* A resource with its place in what the caller gave, so that of two with one name the first can win. */
struct ranked {
	struct resource *resource;
	size_t rank;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = strcmp(x->resource->name, y->resource->name);
	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static bool is_sorted(struct resource *const *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(v[i - 1]->name, v[i]->name) >= 0)
			return false;
	return true;
}

static void sort(struct resource **v, size_t n)
{
	struct ranked *ranked = HEAP_NEW_N(struct ranked, n);
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){.resource = v[i], .rank = i};
	qsort(ranked, n, sizeof *ranked, compare_ranked);
	for (size_t i = 0; i < n; i++)
		v[i] = ranked[i].resource;
	free(ranked);
}

struct resource_set *resource_set_new(enum resource_type type, struct resource **v, size_t n)
{
	if (!is_sorted(v, n))
		sort(v, n);
	struct resource_set *set = heap_alloc(sizeof *set + n * sizeof *set->v);
	*set = (struct resource_set){.type = type, .v = (struct resource **)(set + 1)};
	atomic_init(&set->refs, 1);
	struct digest_state state;
	digest_init(&state);
	for (size_t i = 0; i < n; i++) {
		assert(v[i]->type == type);
		if (set->n && strcmp(set->v[set->n - 1]->name, v[i]->name) == 0) {
			resource_unref(v[i]);
			continue;
		}
		set->v[set->n++] = v[i];
		set->bytes += v[i]->body_n;
		digest_add_str(&state, v[i]->name);
		digest_add_digest(&state, v[i]->version);
	}
	set->version = digest_final(&state);
	return set;
}

struct resource_set *resource_set_ref(struct resource_set *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void resource_set_unref(struct resource_set *set)
{
	if (!set)
		return;
	unsigned before = atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before > 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		resource_unref(set->v[i]);
	free(set);
}

static int compare_name(const void *name, const void *resource)
{
	return strcmp(name, (*(struct resource *const *)resource)->name);
}

struct resource *resource_set_get(const struct resource_set *set, const char *name)
{
	if (!set->n)
		return NULL;
	struct resource *const *found = bsearch(name, set->v, set->n, sizeof(struct resource *), compare_name);
	return found ? *found : NULL;
}
