#pragma once
/*
 * A check of a peer's bytes against a message's descriptor, before protobuf-c unpacks them. protobuf-c has no limit on
 * recursion, cuts strings at a NUL, takes invalid UTF-8, and makes a few bytes into large structs; all of that is
 * refused here, so what passes unpacks within known stack and memory. Fields that the descriptor does not know are
 * tolerated within the same limits.
 *
 * Stricter than protobuf in two points that no real encoder meets: a message field that is not repeated may come only
 * once (protobuf would merge the two), and a known field must have its own wire type (protobuf would keep it as
 * unknown, protobuf-c fails).
 */
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

#define GUARD_BYTES_MAX (16u << 20)   /* of one message */
#define GUARD_DEPTH_MAX 100           /* messages within messages: protobuf's own customary limit */
#define GUARD_FIELDS_MAX (1u << 19)   /* of a message and all within it */
#define GUARD_MEMORY_MAX (128u << 20) /* what unpacking it takes, estimated from above */

/* False with the reason, naming the field. */
bool guard_check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n, struct error *error);
