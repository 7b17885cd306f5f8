#pragma once
/*
 * A mesh from the YAML that a user would write, through the production path: yaml -> objects -> snapshot -> model, and
 * from there the scope of one proxy.
 *
 *     struct world world = world_of("apiVersion: v1\nkind: Service\n…---\n…");
 *     const struct service *reviews = world_service(&world, "reviews.default.svc.cluster.local");
 *     const struct scope *scope = world_scope(&world, WORLD_SIDECAR);
 *     ck_assert(world_has_row(&world, REASON_CONFLICT, "spec.hosts[0]"));
 *     world_done(&world);
 *
 * Objects that cannot be decoded leave their issues in `issues`; a test that wants none asks for issues.n == 0.
 */
#include "base/yaml.h"
#include "crds/object.h"
#include "tests/unit/unit.h"
#include "translator/resolve.h"
#include "translator/scope.h"

#include <string.h>

#define WORLD_ROOT_NAMESPACE "istio-system"
#define WORLD_OBJECTS_MAX 256
/* A proxy at an address that nothing else has. */
#define WORLD_SIDECAR "sidecar~192.0.2.1~client.default~default.svc.cluster.local"
#define WORLD_SIDECAR_OTHER "sidecar~192.0.2.2~client.other~other.svc.cluster.local"

struct world {
	struct arena *arena;
	struct codec_issues issues;
	struct snapshot *snapshot;
	struct model *model;
};

__attribute__((unused)) static struct world world_of_at(const char *yaml, int64_t as_of_s)
{
	struct world world = {.arena = arena_new()};
	struct object *objects[WORLD_OBJECTS_MAX];
	size_t n = 0;
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, yaml, strlen(yaml));
	while (yaml_reader_next(&reader, world.arena, &document)) {
		ck_assert_msg(document.value != NULL, "%s", document.error.message);
		const struct origin origin = {.file = "world.yaml", .line = document.line};
		struct object *object = object_decode(world.arena, document.value, &origin, &world.issues);
		ck_assert(n < WORLD_OBJECTS_MAX);
		if (object)
			objects[n++] = object;
	}
	const struct snapshot_input input = {
	    .objects = objects, .n_objects = n, .root_namespace = WORLD_ROOT_NAMESPACE, .as_of_s = as_of_s};
	world.snapshot = snapshot_new(&input);
	for (size_t i = 0; i < n; i++)
		object_unref(objects[i]);
	world.model = resolve(world.arena, world.snapshot);
	return world;
}

__attribute__((unused)) static struct world world_of(const char *yaml)
{
	return world_of_at(yaml, 0);
}

__attribute__((unused)) static void world_done(struct world *world)
{
	snapshot_unref(world->snapshot);
	arena_free(world->arena);
}

/* The service must exist. */
__attribute__((unused)) static const struct service *world_service(const struct world *world, const char *hostname)
{
	const struct service *service = model_service(world->model, hostname);
	ck_assert_msg(service != NULL, "no service %s", hostname);
	return service;
}

__attribute__((unused)) static const struct service_port *world_port(const struct world *world, const char *hostname,
                                                                     uint32_t number)
{
	const struct service_port *port = service_port_get(world_service(world, hostname), number);
	ck_assert_msg(port != NULL, "%s has no port %u", hostname, number);
	return port;
}

/* metadata: JSON (single quotes will do), or NULL. */
__attribute__((unused)) static struct node world_node(const struct world *world, const char *id, const char *metadata)
{
	struct node node;
	struct error error;
	const struct json *tree = NULL;
	if (metadata) {
		char *text = arena_strdup(world->arena, metadata);
		for (char *c = text; *c; c++)
			if (*c == '\'')
				*c = '"';
		tree = json_parse(world->arena, text, strlen(text), &error);
		ck_assert_msg(tree != NULL, "%s", error.message);
	}
	ck_assert_msg(node_parse(world->arena, id, tree, &node, &error), "%s", error.message);
	return node;
}

__attribute__((unused)) static const struct scope *world_scope_with(const struct world *world, const char *id,
                                                                    const char *metadata)
{
	struct node node = world_node(world, id, metadata);
	return scope_of(world->arena, world->model, view_of(world->arena, world->model, &node));
}

__attribute__((unused)) static const struct scope *world_scope(const struct world *world, const char *id)
{
	return world_scope_with(world, id, NULL);
}

__attribute__((unused)) static const struct workload_class *world_workload(const struct world *world, const char *id)
{
	struct node node = world_node(world, id, NULL);
	return workload_class_of(world->arena, world->model, &node);
}

/* Whether the report has a row with this reason and field (NULL: any). */
__attribute__((unused)) static bool world_has_row(const struct world *world, enum report_reason reason,
                                                  const char *field)
{
	for (size_t i = 0; i < world->model->report.n; i++) {
		const struct report_row *row = &world->model->report.rows[i];
		if (row->reason == reason && (!field || (row->field && strcmp(row->field, field) == 0)))
			return true;
	}
	return false;
}
