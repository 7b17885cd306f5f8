#include "server/xds/body.h"

#include "proto/wire.h"

#include <assert.h>
#include <string.h>

enum { BODY_SOTW, BODY_DELTA };

/* envoy.service.discovery.v3: field numbers */
enum {
	RESPONSE_RESOURCES = 2, /* in both responses */
	RESOURCE_VERSION = 1,
	RESOURCE_ANY = 2,
	RESOURCE_NAME = 3,
};

static size_t delta_entry_size(const struct resource *resource)
{
	return wire_field_size(DIGEST_HEX - 1) + wire_field_size(resource->body_n) +
	       wire_field_size(strlen(resource->name));
}

static uint8_t *delta_entry(uint8_t *at, const struct resource *resource)
{
	char version[DIGEST_HEX];

	digest_hex(resource->version, version);
	at = wire_open(at, RESPONSE_RESOURCES, delta_entry_size(resource));
	at = wire_field(at, RESOURCE_VERSION, version, DIGEST_HEX - 1);
	at = wire_field(at, RESOURCE_ANY, resource->body, resource->body_n);
	return wire_field(at, RESOURCE_NAME, resource->name, strlen(resource->name));
}

struct buffer *body_sotw(struct set_diff *diff)
{
	if (diff->bodies[BODY_SOTW])
		return diff->bodies[BODY_SOTW];
	size_t n = 0;
	for (size_t i = 0; i < diff->n_changed; i++)
		n += wire_field_size(diff->changed[i]->body_n);
	struct buffer *body = buffer_new(n);
	uint8_t *at = body->data;
	for (size_t i = 0; i < diff->n_changed; i++)
		at = wire_field(at, RESPONSE_RESOURCES, diff->changed[i]->body, diff->changed[i]->body_n);
	assert(at == body->data + n);
	set_diff_keep(diff, BODY_SOTW, body);
	return body;
}

struct buffer *body_delta(struct set_diff *diff)
{
	if (diff->bodies[BODY_DELTA])
		return diff->bodies[BODY_DELTA];
	size_t n = 0;
	for (size_t i = 0; i < diff->n_changed; i++)
		n += wire_field_size(delta_entry_size(diff->changed[i]));
	struct buffer *body = buffer_new(n);
	uint8_t *at = body->data;
	for (size_t i = 0; i < diff->n_changed; i++)
		at = delta_entry(at, diff->changed[i]);
	assert(at == body->data + n);
	set_diff_keep(diff, BODY_DELTA, body);
	return body;
}
