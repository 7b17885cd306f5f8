#include "server/xds/reply.h"

#include "proto/wire.h"

#include <assert.h>
#include <string.h>

/* envoy.service.discovery.v3.DeltaDiscoveryResponse; its resources are in the bodies */
enum { DELTA_SYSTEM_VERSION_INFO = 1, DELTA_TYPE_URL = 4, DELTA_NONCE = 5, DELTA_REMOVED_RESOURCES = 6 };

static struct buffer *delta_head(const struct reply_input *input)
{
	const char *type_url = resource_types[input->type].type_url;
	char nonce[REPLY_NONCE_MAX];

	reply_nonce(input->nonce, nonce);
	size_t n = wire_field_size(strlen(input->version)) + wire_field_size(strlen(type_url)) +
	           wire_field_size(strlen(nonce));
	for (size_t i = 0; i < input->n_removed; i++)
		n += wire_field_size(strlen(input->removed[i]));

	struct buffer *head = buffer_new(n);
	uint8_t *at = wire_field(head->data, DELTA_SYSTEM_VERSION_INFO, input->version, strlen(input->version));
	at = wire_field(at, DELTA_TYPE_URL, type_url, strlen(type_url));
	at = wire_field(at, DELTA_NONCE, nonce, strlen(nonce));
	for (size_t i = 0; i < input->n_removed; i++)
		at = wire_field(at, DELTA_REMOVED_RESOURCES, input->removed[i], strlen(input->removed[i]));
	assert(at == head->data + n);
	return head;
}

void reply_delta(const struct reply_input *input, struct reply *reply)
{
	struct buffer *bodies[2] = {NULL, NULL};

	for (size_t i = 0; i < 2; i++) {
		if (input->diffs[i])
			bodies[i] = body_delta(input->diffs[i]);
	}
	reply_take(reply, delta_head(input), bodies);
}
