#include "proto/pack.h"

#include "base/text.h"
#include "proto/guard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct bytes pack(struct arena *arena, const ProtobufCMessage *message)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t *data = arena_alloc(arena, n);
	size_t written = protobuf_c_message_pack(message, data);
	assert(written == n);
	return (struct bytes){.data = data, .n = n};
}

google_any *pack_any(struct arena *arena, const ProtobufCMessage *message)
{
	google_any *any = google_any_new(arena);
	any->type_url = arena_printf(arena, PACK_TYPE_URL_PREFIX "%s", message->descriptor->name);
	any->value.len = protobuf_c_message_get_packed_size(message);
	any->value.data = arena_alloc(arena, any->value.len);
	protobuf_c_message_pack(message, any->value.data);
	return any;
}

static int compare_name(const void *key, const void *type)
{
	return strcmp(key, (*(const ProtobufCMessageDescriptor *const *)type)->name);
}

const ProtobufCMessageDescriptor *pack_find_type(const char *type_url)
{
	if (!type_url)
		return NULL;
	const char *slash = strrchr(type_url, '/');
	const char *name = slash ? slash + 1 : type_url;
	const ProtobufCMessageDescriptor *const *found =
	    bsearch(name, pack_types, pack_n_types, sizeof(const ProtobufCMessageDescriptor *), compare_name);
	return found ? *found : NULL;
}

/*
 * protobuf-c's allocator on an arena: nothing is freed by itself. What a message may ask for is bounded by the guard;
 * a single request beyond that means that the bytes were not checked, and fails instead of taking the program down.
 */
static void *allocate(void *data, size_t size)
{
	return size <= GUARD_MEMORY_MAX ? arena_alloc(data, size) : NULL;
}

static void forget(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

static ProtobufCMessage *unpack_checked(struct arena *arena, const ProtobufCMessageDescriptor *type,
                                        const uint8_t *data, size_t n)
{
	ProtobufCAllocator allocator = {.alloc = allocate, .free = forget, .allocator_data = arena};
	return protobuf_c_message_unpack(type, &allocator, n, data);
}

ProtobufCMessage *unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n,
                         struct error *error)
{
	if (!guard_check(type, data, n, error))
		return NULL;
	ProtobufCMessage *message = unpack_checked(arena, type, data, n);
	if (!message)
		error_set(error, "%s: malformed", type->name);
	return message;
}

ProtobufCMessage *unpack_own(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n)
{
	ProtobufCMessage *message = unpack_checked(arena, type, data, n);
	assert(message);
	return message;
}
