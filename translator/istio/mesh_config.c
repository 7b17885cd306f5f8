#include "translator/istio/mesh_config.h"

#include "proto/kubernetes.h"

#include <string.h>

#define CONFIG_MAP_NAME "istio"
#define CONFIG_MAP_KEY "mesh"

const struct object *mesh_config_object(const struct snapshot *snapshot)
{
	return snapshot_get(snapshot, KIND_CONFIG_MAP, snapshot->root_namespace, CONFIG_MAP_NAME);
}

const char *mesh_config_text(const struct object *config_map)
{
	const k8s_config_map *message = config_map ? (const k8s_config_map *)config_map->message : NULL;
	for (size_t i = 0; message && i < message->n_data; i++)
		if (strcmp(message->data[i]->key, CONFIG_MAP_KEY) == 0)
			return message->data[i]->value;
	return "";
}

bool mesh_config_parse(struct arena *arena, const char *text, struct yaml_document *document)
{
	struct yaml_reader reader;
	yaml_reader_init(&reader, text, strlen(text));
	return yaml_reader_next(&reader, arena, document);
}
