#include "server/xds/request.h"

#include "base/text.h"
#include "proto/envoy.h"
#include "proto/pack.h"

#include <string.h>

static enum resource_type request_type(const char *type_url)
{
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++) {
		if (strcmp(resource_types[type].type_url, type_url) == 0)
			return type;
	}
	return RESOURCE_TYPE_COUNT;
}

static bool check_name(const char *name, struct error *error)
{
	if (strnlen(name, REQUEST_NAME_BYTES_MAX + 1) > REQUEST_NAME_BYTES_MAX)
		return error_set(error, "a resource name is longer than %d bytes", REQUEST_NAME_BYTES_MAX);
	return true;
}

static bool check_count(size_t n, struct error *error)
{
	if (n > REQUEST_NAMES_MAX)
		return error_set(error, "%zu resource names in one request: the limit is %d", n, REQUEST_NAMES_MAX);
	return true;
}

static bool request_names(char *const *v, size_t n, struct strings *names, struct error *error)
{
	if (!check_count(n, error))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!check_name(v[i], error))
			return false;
	}
	*names = (struct strings){.v = (const char *const *)v, .n = n};
	return true;
}

static bool request_node(const envoy_node *node, struct request *request, struct error *error)
{
	if (!node || text_is_empty(node->id))
		return true;
	if (strlen(node->id) > REQUEST_NODE_ID_BYTES_MAX)
		return error_set(error, "the node id is longer than %d bytes", REQUEST_NODE_ID_BYTES_MAX);
	if (node->metadata) {
		size_t n = protobuf_c_message_get_packed_size(&node->metadata->base);
		if (n > REQUEST_METADATA_BYTES_MAX)
			return error_set(error, "the node's metadata is %zu bytes: the limit is %d", n,
			                 REQUEST_METADATA_BYTES_MAX);
	}
	request->node_id = node->id;
	request->metadata = node->metadata;
	return true;
}

static const char *request_error(const google_status *status)
{
	return status ? status->message : NULL;
}

static bool request_sotw(struct arena *arena, const uint8_t *data, size_t n, struct request *request,
                         struct error *error)
{
	const envoy_discovery_request *message =
	    (const envoy_discovery_request *)unpack(arena, envoy_discovery_request_type(), data, n, error);

	if (!message)
		return false;
	*request = (struct request){.type_url = message->type_url,
	                            .nonce = message->response_nonce,
	                            .error = request_error(message->error_detail)};
	return request_node(message->node, request, error) &&
	       request_names(message->resource_names, message->n_resource_names, &request->names, error);
}

static bool request_claims(struct arena *arena, const envoy_delta_discovery_request *message, struct request *request,
                           struct error *error)
{
	size_t n = message->n_initial_resource_versions;

	if (!check_count(n, error))
		return false;
	struct request_claim *claims = ARENA_NEW_N(arena, struct request_claim, n);
	for (size_t i = 0; i < n; i++) {
		claims[i].name = message->initial_resource_versions[i]->key;
		claims[i].version = message->initial_resource_versions[i]->value;
		if (!check_name(claims[i].name, error))
			return false;
	}
	request->claims = claims;
	request->n_claims = n;
	return true;
}

static bool request_delta(struct arena *arena, const uint8_t *data, size_t n, struct request *request,
                          struct error *error)
{
	const envoy_delta_discovery_request *message =
	    (const envoy_delta_discovery_request *)unpack(arena, envoy_delta_discovery_request_type(), data, n, error);

	if (!message)
		return false;
	*request = (struct request){.type_url = message->type_url,
	                            .nonce = message->response_nonce,
	                            .error = request_error(message->error_detail)};
	return request_node(message->node, request, error) &&
	       request_names(message->resource_names_subscribe, message->n_resource_names_subscribe, &request->names,
	                     error) &&
	       request_names(message->resource_names_unsubscribe, message->n_resource_names_unsubscribe, &request->gone,
	                     error) &&
	       request_claims(arena, message, request, error);
}

bool request_parse(struct arena *arena, enum request_form form, const uint8_t *data, size_t n, struct request *request,
                   struct error *error)
{
	if (form == REQUEST_SOTW ? !request_sotw(arena, data, n, request, error)
	                         : !request_delta(arena, data, n, request, error))
		return error_wrap(error, "bad request");
	request->type = request_type(request->type_url);
	return true;
}
