#include "server/xds/reply.h"

#include <stdio.h>

void reply_nonce(uint64_t nonce, char text[REPLY_NONCE_MAX])
{
	snprintf(text, REPLY_NONCE_MAX, "%llx", (unsigned long long)nonce);
}

void reply_take(struct reply *reply, struct buffer *head, struct buffer *const bodies[2])
{
	*reply = (struct reply){.parts = {head}, .n_parts = 1, .bytes = head->n};
	for (size_t i = 0; i < 2; i++) {
		if (!bodies[i] || !bodies[i]->n)
			continue;
		reply->parts[reply->n_parts++] = buffer_ref(bodies[i]);
		reply->bytes += bodies[i]->n;
	}
}

void reply_done(struct reply *reply)
{
	for (size_t i = 0; i < reply->n_parts; i++)
		buffer_unref(reply->parts[i]);
	*reply = (struct reply){0};
}
