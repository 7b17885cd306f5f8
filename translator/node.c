/* What a proxy says of itself: its node id and metadata. */
#include "base/vec.h"
#include "translator/address.h"
#include "translator/view.h"

#include <stdlib.h>
#include <string.h>

#define NODE_ID_BYTES_MAX 1024
#define NODE_ADDRESSES_MAX 32
#define NODE_LABELS_MAX 512
#define NODE_NETWORKS_MAX 64
#define PORT_MAX 65535

/* ---- the id: "sidecar~10.0.0.1~app-1.default~default.svc.cluster.local" ---- */

static const struct {
	const char *name;
	enum proxy_role role;
} roles[] = {{"sidecar", PROXY_SIDECAR}, {"router", PROXY_GATEWAY}};

struct id_parts {
	const char *role, *address, *name, *domain;
};

static bool split_id(struct arena *arena, const char *id, struct id_parts *parts, struct error *error)
{
	if (strlen(id) > NODE_ID_BYTES_MAX)
		return error_set(error, "the node id is longer than %d bytes", NODE_ID_BYTES_MAX);
	char *rest = arena_strdup(arena, id);
	const char **fields[] = {&parts->role, &parts->address, &parts->name, &parts->domain};
	size_t n = sizeof fields / sizeof fields[0];
	for (size_t i = 0; i < n; i++) {
		*fields[i] = strsep(&rest, "~");
		if (!*fields[i] || (i == n - 1 && rest))
			return error_set(error, "node id \"%s\" is not ROLE~IP~NAME.NAMESPACE~DOMAIN", id);
	}
	return true;
}

static bool set_role(const char *name, struct node *node, struct error *error)
{
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(roles[i].name, name) == 0) {
			node->role = roles[i].role;
			return true;
		}
	return error_set(error, "proxies of type \"%s\" are not served (sidecar, router are)", name);
}

/* ---- metadata ---- */

/* NULL when absent; an error when it is no string. */
static bool get_string(const struct json *metadata, const char *key, const char **value, struct error *error)
{
	const struct json *member = json_get(metadata, key);
	if (!member || member->type == JSON_NULL)
		return true;
	if (member->type != JSON_STRING)
		return error_set(error, "node metadata %s: expected a string, got %s", key,
		                 json_type_name(member->type));
	*value = member->string.s;
	return true;
}

/* Istio's agents write booleans as strings; "1" too, for HTTP10. */
static bool get_bool(const struct json *metadata, const char *key, bool *value, struct error *error)
{
	const struct json *member = json_get(metadata, key);
	if (member && member->type == JSON_BOOL) {
		*value = member->boolean;
		return true;
	}
	const char *s = NULL;
	if (!get_string(metadata, key, &s, error))
		return false;
	*value = text_equal(s, "true") || text_equal(s, "1");
	return true;
}

static bool get_port(const struct json *metadata, const char *key, uint32_t *value, struct error *error)
{
	const struct json *member = json_get(metadata, key);
	uint64_t number = 0;
	if (!member || member->type == JSON_NULL)
		return true;
	if (member->type == JSON_INT && member->integer >= 0)
		number = (uint64_t)member->integer;
	else if (member->type != JSON_STRING || !text_parse_uint(member->string.s, PORT_MAX, &number))
		number = PORT_MAX + 1;
	if (number > PORT_MAX)
		return error_set(error, "node metadata %s: expected a port number", key);
	*value = (uint32_t)number;
	return true;
}

static bool set_interception(const struct json *metadata, struct node *node, struct error *error)
{
	const char *mode = NULL;
	if (!get_string(metadata, "INTERCEPTION_MODE", &mode, error))
		return false;
	if (text_equal(mode, "TPROXY"))
		node->interception = INTERCEPT_TPROXY;
	else if (text_equal(mode, "NONE"))
		node->interception = INTERCEPT_NONE;
	else
		node->interception = INTERCEPT_REDIRECT;
	return true;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static bool set_labels(struct arena *arena, const struct json *metadata, struct node *node, struct error *error)
{
	const struct json *object = json_get(metadata, "LABELS");
	if (!object || object->type == JSON_NULL)
		return true;
	if (object->type != JSON_OBJECT)
		return error_set(error, "node metadata LABELS: expected an object, got %s",
		                 json_type_name(object->type));
	if (object->object.n > NODE_LABELS_MAX)
		return error_set(error, "node metadata LABELS: more than %d labels", NODE_LABELS_MAX);
	VEC(struct label) labels = {0};
	for (size_t i = 0; i < object->object.n; i++) {
		const struct json_member *member = &object->object.v[i];
		if (member->value->type != JSON_STRING)
			return error_set(error, "node metadata LABELS[%s]: expected a string, got %s", member->key,
			                 json_type_name(member->value->type));
		VEC_PUSH(
		    arena, &labels,
		    (struct label){arena_strdup(arena, member->key), arena_strdup(arena, member->value->string.s)});
	}
	VEC_SORT(&labels, compare_labels);
	node->labels = (struct labels){labels.v, labels.n};
	return true;
}

/* INSTANCE_IPS is a list with commas: all of a dual-stack pod's. Else the id's. */
static bool set_addresses(struct arena *arena, const struct json *metadata, const char *id_address, struct node *node,
                          struct error *error)
{
	const char *list = NULL;
	if (!get_string(metadata, "INSTANCE_IPS", &list, error))
		return false;
	VEC(const char *) addresses = {0};
	char *rest = arena_strdup(arena, list ? list : "");
	for (const char *item; (item = strsep(&rest, ",")) && addresses.n < NODE_ADDRESSES_MAX;) {
		const char *address = address_canonical(arena, item);
		if (address)
			VEC_PUSH(arena, &addresses, address);
	}
	if (!addresses.n) {
		const char *address = address_canonical(arena, id_address);
		if (!address)
			return error_set(error, "node id: \"%s\" is no IP address, and INSTANCE_IPS has none",
			                 id_address);
		VEC_PUSH(arena, &addresses, address);
	}
	node->address = addresses.v[0];
	node->addresses = (struct strings){addresses.v, addresses.n};
	return true;
}

/* A list with commas. */
static bool set_networks(struct arena *arena, const struct json *metadata, struct node *node, struct error *error)
{
	const char *list = NULL;
	if (!get_string(metadata, "REQUESTED_NETWORK_VIEW", &list, error))
		return false;
	VEC(const char *) networks = {0};
	struct map seen = {0};
	char *rest = arena_strdup(arena, list ? list : "");
	for (const char *item; (item = strsep(&rest, ","));) {
		if (!*item || map_put(arena, &seen, item, node))
			continue;
		if (networks.n == NODE_NETWORKS_MAX)
			return error_set(error, "node metadata: REQUESTED_NETWORK_VIEW names more than %d networks",
			                 NODE_NETWORKS_MAX);
		VEC_PUSH(arena, &networks, item);
	}
	VEC_SORT(&networks, text_compare);
	node->networks = (struct strings){networks.v, networks.n};
	return true;
}

/* "app-1.default": pod names may have dots, namespaces may not. The metadata's namespace counts more, then the
 * domain's. */
static bool set_name(struct arena *arena, const struct id_parts *parts, const char *metadata_namespace,
                     struct node *node, struct error *error)
{
	const char *dot = strrchr(parts->name, '.');
	node->name = dot ? arena_strndup(arena, parts->name, (size_t)(dot - parts->name)) : parts->name;
	node->pod_namespace = dot ? dot + 1 : "";
	const char *domain_dot = strchr(parts->domain, '.');
	if (!text_is_empty(metadata_namespace))
		node->namespace = arena_strdup(arena, metadata_namespace);
	else if (domain_dot && domain_dot > parts->domain)
		node->namespace = arena_strndup(arena, parts->domain, (size_t)(domain_dot - parts->domain));
	else
		node->namespace = node->pod_namespace;
	if (!*node->namespace)
		return error_set(error, "neither the node's metadata nor its id names a namespace");
	return true;
}

bool node_parse(struct arena *arena, const char *id, const struct json *metadata, struct node *node,
                struct error *error)
{
	*node = (struct node){.id = arena_strdup(arena, id)};
	struct id_parts parts = {.role = "", .address = "", .name = "", .domain = ""};
	if (!split_id(arena, id, &parts, error) || !set_role(parts.role, node, error))
		return false;
	node->domain = parts.domain;
	const char *namespace = NULL;
	const struct {
		const char *key;
		const char **value;
	} strings[] = {
	    {"NAMESPACE", &namespace},   {"SERVICE_ACCOUNT", &node->service_account}, {"CLUSTER_ID", &node->cluster_id},
	    {"NETWORK", &node->network}, {"ISTIO_VERSION", &node->version},
	};
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
		const char *value = "";
		if (!get_string(metadata, strings[i].key, &value, error))
			return false;
		*strings[i].value = arena_strdup(arena, value);
	}
	node->is_mtls_capable = *node->version != '\0';
	return set_addresses(arena, metadata, parts.address, node, error) &&
	       set_name(arena, &parts, namespace, node, error) && set_labels(arena, metadata, node, error) &&
	       set_interception(metadata, node, error) && set_networks(arena, metadata, node, error) &&
	       get_bool(metadata, "UNPRIVILEGED_POD", &node->is_unprivileged, error) &&
	       get_bool(metadata, "HTTP10", &node->is_http10, error) &&
	       get_bool(metadata, "INBOUND_LISTENER_EXACT_BALANCE", &node->is_inbound_exact_balance, error) &&
	       get_bool(metadata, "OUTBOUND_LISTENER_EXACT_BALANCE", &node->is_outbound_exact_balance, error) &&
	       get_port(metadata, "ENVOY_STATUS_PORT", &node->status_port, error) &&
	       get_port(metadata, "ENVOY_PROMETHEUS_PORT", &node->prometheus_port, error);
}
