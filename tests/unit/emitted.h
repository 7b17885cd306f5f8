#pragma once
/*
 * What one proxy of a world (world.h) is sent, each resource as its message:
 *
 *     struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NULL, NULL);
 *     const envoy_cluster *cluster = EMITTED(&sent, envoy_cluster, RESOURCE_CLUSTER,
 * "outbound|80||a.default.svc.cluster.local"); emitted_done(&sent);
 */
#include "proto/envoy.h"
#include "proto/pack.h"
#include "tests/unit/world.h"
#include "translator/emit.h"

struct emitted_config {
	struct arena *arena;
	struct emit_cache *cache; /* own, or NULL: the caller's was used */
	struct resource_set *view[RESOURCE_TYPE_COUNT], *workload[RESOURCE_TYPE_COUNT];
};

__attribute__((unused)) static struct emitted_config emitted_of(const struct world *world, const char *id,
                                                                const char *metadata, struct emit_cache *cache)
{
	struct emitted_config sent = {.arena = world->arena, .cache = cache ? NULL : emit_cache_new()};
	struct node node = world_node(world, id, metadata);
	struct emit_cache *used = cache ? cache : sent.cache;
	const struct view *view = view_of(world->arena, world->model, &node);
	emit_view(scope_of(world->arena, world->model, view), used, sent.view);
	emit_workload(world->model, workload_class_of(world->arena, world->model, &node), used, sent.workload);
	return sent;
}

__attribute__((unused)) static void emitted_done(struct emitted_config *sent)
{
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		resource_set_unref(sent->view[i]);
		resource_set_unref(sent->workload[i]);
	}
	emit_cache_free(sent->cache);
}

/* The view's or the workload's; NULL when neither has it. */
__attribute__((unused)) static const struct resource *emitted_resource(const struct emitted_config *sent,
                                                                       enum resource_type type, const char *name)
{
	const struct resource *resource = resource_set_get(sent->view[type], name);
	if (!resource && sent->workload[type])
		resource = resource_set_get(sent->workload[type], name);
	return resource;
}

__attribute__((unused)) static const void *emitted_message(const struct emitted_config *sent,
                                                           const ProtobufCMessageDescriptor *descriptor,
                                                           enum resource_type type, const char *name)
{
	const struct resource *resource = emitted_resource(sent, type, name);
	ck_assert_msg(resource != NULL, "no %s %s", resource_types[type].plural, name);
	return unpack_own(sent->arena, descriptor, resource->body + resource->value_at,
	                  resource->body_n - resource->value_at);
}

#define EMITTED(sent, alias, type, name) ((const alias *)emitted_message((sent), alias##_type(), (type), (name)))
/* What is in an Any. */
#define EMITTED_ANY(arena, alias, any)                                                                                 \
	((const alias *)unpack_own((arena), alias##_type(), (any)->value.data, (any)->value.len))
