#pragma once
/*
 * Responses: one diff, two forms. What is the proxy's own (version, nonce, removals) is a small head in front of the
 * shared bodies.
 *
 *     reply_sotw    envoy.service.discovery.v3.DiscoveryResponse       the resources of the diffs
 *     reply_delta   envoy.service.discovery.v3.DeltaDiscoveryResponse  the same, and the names that are gone
 *
 * State of the world for clusters and listeners means all of them: give diffs from NULL. For endpoints and routes what
 * a response leaves out stays as it is.
 */
#include "server/xds/body.h"

#define REPLY_NONCE_MAX 24

struct reply_input {
	enum resource_type type;
	struct set_diff *diffs[2]; /* of the view's set and the workload's; NULL: nothing of that */
	const char *version;       /* of the state that the response leads to */
	uint64_t nonce;
	const char *const *removed; /* delta: names to forget, or that do not exist */
	size_t n_removed;
	const char *const *empty; /* state of the world: clusters whose endpoints are unknown: answered with none */
	size_t n_empty;
};

struct reply {
	struct buffer *parts[3];
	size_t n_parts;
	size_t bytes;
};

void reply_sotw(const struct reply_input *input, struct reply *reply);
void reply_delta(const struct reply_input *input, struct reply *reply);
void reply_done(struct reply *reply);

/* The nonce as it is written on the wire. */
void reply_nonce(uint64_t nonce, char text[REPLY_NONCE_MAX]);
/* Both builders end with this: the head first, then what the bodies hold. Takes over the head. */
void reply_take(struct reply *reply, struct buffer *head, struct buffer *const bodies[2]);
