/*
 * A peer's bytes as the requests that the xDS server takes. What the guard lets through must unpack, and must be the
 * same after it was packed and unpacked again.
 */
#include "proto/codec.h"
#include "proto/envoy.h"
#include "proto/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_type(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text out = {0}, again = {0};
	struct error error;
	const ProtobufCMessage *message = unpack(arena, type, data, n, &error);
	if (!message)
		return;
	codec_print(message, 2, &out);
	struct bytes bytes = pack(arena, message);
	codec_print(unpack_own(arena, type, bytes.data, bytes.n), 2, &again);
	assert(strcmp(text_get(&out), text_get(&again)) == 0);
	struct bytes twice = pack(arena, unpack_own(arena, type, bytes.data, bytes.n));
	assert(twice.n == bytes.n && memcmp(twice.data, bytes.data, bytes.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + !n); /* a buffer of its own, so that reading past it is seen */
	assert(copy);
	memcpy(copy, data, n);
	check_type(envoy_discovery_request_type(), copy, n);
	check_type(envoy_delta_discovery_request_type(), copy, n);
	free(copy);
	return 0;
}
