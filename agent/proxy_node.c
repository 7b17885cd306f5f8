#include "agent/proxy_node.h"

#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "proto/build.h"

#include <string.h>

#define VARIABLE_PREFIX "ISTIO_META_"

static const char *const role_names[] = {[AGENT_SIDECAR] = "sidecar", [AGENT_ROUTER] = "router"};

/* ---- labels ---- */

/* KEY="VALUE": the value is quoted as Go does it, which for what labels may hold is JSON. */
static bool label_read(struct arena *arena, struct map *labels, const char *line, size_t n, unsigned number,
                       struct error *error)
{
	struct error why;
	const char *equals = memchr(line, '=', n);
	if (!equals || equals == line)
		return error_set(error, "line %u: write KEY=\"VALUE\"", number);
	size_t key_n = (size_t)(equals - line);
	const struct json *value = json_parse(arena, equals + 1, n - key_n - 1, &why);
	if (!value || value->type != JSON_STRING)
		return error_set(error, "line %u: the value must be in quotes", number);
	if (labels->n == PROXY_NODE_LABELS_MAX)
		return error_set(error, "more than %d labels", PROXY_NODE_LABELS_MAX);
	if (!text_is_utf8(line, key_n))
		return error_set(error, "line %u: the key is not UTF-8", number);
	map_put(arena, labels, arena_strndup(arena, line, key_n), arena_strdup(arena, value->string.s));
	return true;
}

static bool labels_read(struct arena *arena, struct map *labels, const char *s, struct error *error)
{
	unsigned number = 0;
	if (s && strlen(s) > PROXY_NODE_LABELS_BYTES_MAX)
		return error_set(error, "labels: more than %u bytes", PROXY_NODE_LABELS_BYTES_MAX);
	while (s && *s) {
		size_t n = strcspn(s, "\n");
		number++;
		if (n && !label_read(arena, labels, s, n, number, error))
			return error_wrap(error, "labels");
		s += n + (s[n] == '\n');
	}
	return true;
}

/* ---- metadata ---- */

static int entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

static struct map_entry *sorted(struct arena *arena, const struct map *map)
{
	struct map_entry *entries = arena_memdup(arena, map->entries, map->n * sizeof *entries);
	qsort(entries, map->n, sizeof *entries, entry_compare);
	return entries;
}

static google_value *labels_value(struct arena *arena, const struct map *labels)
{
	google_struct *object = build_struct(arena);
	const struct map_entry *entries = labels->n ? sorted(arena, labels) : NULL;
	for (size_t i = 0; i < labels->n; i++)
		build_struct_string(arena, object, entries[i].key, entries[i].value);
	return build_value_struct(arena, object);
}

static bool add_variables(struct arena *arena, struct map *members, char *const *environment, struct error *error)
{
	for (char *const *variable = environment; variable && *variable; variable++) {
		const char *equals = strchr(*variable, '=');
		if (!text_has_prefix(*variable, VARIABLE_PREFIX) || !equals || !equals[1])
			continue;
		const char *key = *variable + strlen(VARIABLE_PREFIX);
		if (members->n == PROXY_NODE_VARIABLES_MAX)
			return error_set(error, "more than %d variables " VARIABLE_PREFIX "…",
			                 PROXY_NODE_VARIABLES_MAX);
		if (!text_is_utf8(*variable, strlen(*variable)))
			return error_set(error, "environment variable %.*s is not UTF-8", (int)(equals - *variable),
			                 *variable);
		map_put(arena, members, arena_strndup(arena, key, (size_t)(equals - key)),
		        build_value_string(arena, equals + 1));
	}
	return true;
}

static void add_strings(struct arena *arena, struct map *members, const struct agent_options *options)
{
	const struct {
		const char *key, *value;
	} rows[] = {
	    {"CLUSTER_ID", options->cluster_id},
	    {"INSTANCE_IPS", options->instance_ip},
	    {"ISTIO_VERSION", WEFT_VERSION}, /* that there is an agent: without it no mutual TLS is configured */
	    {"NAME", options->pod_name},
	    {"NAMESPACE", options->pod_namespace},
	    {"NETWORK", options->network},
	    {"SERVICE_ACCOUNT", options->service_account},
	    {"TRUST_DOMAIN", options->trust_domain},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].value)
			map_put(arena, members, rows[i].key, build_value_string(arena, rows[i].value));
}

static google_struct *metadata(struct arena *arena, const struct map *members)
{
	google_struct *object = build_struct(arena);
	const struct map_entry *entries = sorted(arena, members);
	for (size_t i = 0; i < members->n; i++)
		build_struct_value(arena, object, entries[i].key, entries[i].value);
	return object;
}

/* As Istio's: the workload's `app` and its namespace. */
static char *cluster_name(struct arena *arena, const struct agent_options *options, const struct map *labels)
{
	const char *app = map_get(labels, "app");
	return arena_printf(arena, "%s.%s", app ? app : options->service_account, options->pod_namespace);
}

envoy_node *proxy_node_build(struct arena *arena, const struct agent_options *options, char *const *environment,
                             const char *labels, struct error *error)
{
	struct map label_map = {0}, members = {0};
	if (!labels_read(arena, &label_map, labels, error) || !add_variables(arena, &members, environment, error))
		return NULL;
	add_strings(arena, &members, options);
	map_put(arena, &members, "LABELS", labels_value(arena, &label_map));

	envoy_node *node = envoy_node_new(arena);
	node->id = arena_printf(arena, "%s~%.*s~%s.%s~%s.svc.%s", role_names[options->role],
	                        (int)strcspn(options->instance_ip, ","), options->instance_ip, options->pod_name,
	                        options->pod_namespace, options->pod_namespace, options->domain);
	node->cluster = cluster_name(arena, options, &label_map);
	node->metadata = metadata(arena, &members);
	return node;
}
