#pragma once
/*
 * Messages to bytes and back, and Any.
 *
 * `pack` output is deterministic for messages whose map fields are sorted (BUILD_ADD them in key order). A type URL is
 * "type.googleapis.com/" and the message's full name.
 */
#include "base/arena.h"
#include "base/error.h"
#include "proto/google.h"

#include <protobuf-c/protobuf-c.h>

struct bytes {
	const uint8_t *data;
	size_t n;
};

#define PACK_TYPE_URL_PREFIX "type.googleapis.com/"

/* The linker sees it under another name: the Check library, with which tests link, has a `pack` of its own. */
struct bytes pack(struct arena *arena, const ProtobufCMessage *message) __asm__("weft_pack");
/* The message inside an Any message. */
google_any *pack_any(struct arena *arena, const ProtobufCMessage *message);
/* Every message type in proto/, sorted by full name; written by types.cmake from what protoc-c made. */
extern const ProtobufCMessageDescriptor *const pack_types[];
extern const size_t pack_n_types;
/* The descriptor for a type URL or full name among those in proto/, or NULL. */
const ProtobufCMessageDescriptor *pack_find_type(const char *type_url);

/*
 * Bytes of a peer to a message in the arena, checked first (guard.h): depth, number of fields, UTF-8, no NUL in
 * strings, bounds. protobuf-c alone checks none of these. NULL with the reason on error. Never BUILD_ADD to a message
 * that was unpacked: its lists have no room to grow.
 */
ProtobufCMessage *unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n,
                         struct error *error);
/* The same for our own bytes: a failure is a bug and aborts. */
ProtobufCMessage *unpack_own(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *data,
                             size_t n);
