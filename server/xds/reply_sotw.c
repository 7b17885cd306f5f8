#include "server/xds/reply.h"

#include "proto/wire.h"

#include <assert.h>
#include <string.h>

/* envoy.service.discovery.v3.DiscoveryResponse */
enum { SOTW_VERSION_INFO = 1, SOTW_RESOURCES = 2, SOTW_TYPE_URL = 4, SOTW_NONCE = 5 };
/* google.protobuf.Any */
enum { ANY_TYPE_URL = 1, ANY_VALUE = 2 };
/* envoy.config.endpoint.v3.ClusterLoadAssignment */
enum { CLUSTER_LOAD_ASSIGNMENT_NAME = 1 };

/* A cluster without endpoints, as an Any. */
static size_t empty_size(const char *type_url, const char *name)
{
	return wire_field_size(strlen(type_url)) + wire_field_size(wire_field_size(strlen(name)));
}

static uint8_t *empty_write(uint8_t *at, const char *type_url, const char *name)
{
	size_t name_n = strlen(name);

	at = wire_open(at, SOTW_RESOURCES, empty_size(type_url, name));
	at = wire_field(at, ANY_TYPE_URL, type_url, strlen(type_url));
	at = wire_open(at, ANY_VALUE, wire_field_size(name_n));
	return wire_field(at, CLUSTER_LOAD_ASSIGNMENT_NAME, name, name_n);
}

static struct buffer *sotw_head(const struct reply_input *input)
{
	const char *type_url = resource_types[input->type].type_url;
	char nonce[REPLY_NONCE_MAX];

	assert(!input->n_empty || input->type == RESOURCE_ENDPOINTS);
	reply_nonce(input->nonce, nonce);
	size_t n = wire_field_size(strlen(input->version)) + wire_field_size(strlen(type_url)) +
	           wire_field_size(strlen(nonce));
	for (size_t i = 0; i < input->n_empty; i++)
		n += wire_field_size(empty_size(type_url, input->empty[i]));

	struct buffer *head = buffer_new(n);
	uint8_t *at = wire_field(head->data, SOTW_VERSION_INFO, input->version, strlen(input->version));
	at = wire_field(at, SOTW_TYPE_URL, type_url, strlen(type_url));
	at = wire_field(at, SOTW_NONCE, nonce, strlen(nonce));
	for (size_t i = 0; i < input->n_empty; i++)
		at = empty_write(at, type_url, input->empty[i]);
	assert(at == head->data + n);
	return head;
}

void reply_sotw(const struct reply_input *input, struct reply *reply)
{
	struct buffer *bodies[2] = {NULL, NULL};

	for (size_t i = 0; i < 2; i++) {
		if (input->diffs[i])
			bodies[i] = body_sotw(input->diffs[i]);
	}
	reply_take(reply, sotw_head(input), bodies);
}
