#pragma once
/*
 * Where MeshConfig is: the YAML text under key `mesh` of the ConfigMap `istio` in the root namespace. resolve_mesh.c
 * lowers it into the model; discovery.c reads of it which namespaces there are, before there is a model.
 */
#include "base/yaml.h"
#include "translator/snapshot.h"

#define MESH_CONFIG_FIELD "data.mesh" /* the prefix of fields in report rows */

/* The ConfigMap, or NULL. */
const struct object *mesh_config_object(const struct snapshot *snapshot);
/* Its text; "" when there is none, also for NULL. */
const char *mesh_config_text(const struct object *config_map);
/* The text's first document. False when it has none; the document's value is NULL when it cannot be read. */
bool mesh_config_parse(struct arena *arena, const char *text, struct yaml_document *document);
