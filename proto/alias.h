#pragma once
/*
 * PROTO_ALIAS(name, Type, prefix): the short name of a message that protoc-c generated.
 *
 *     PROTO_ALIAS(envoy_cluster, Envoy__Config__Cluster__V3__Cluster, envoy__config__cluster__v3__cluster)
 *
 * gives
 *     envoy_cluster               the type
 *     envoy_cluster_new(arena)    a fresh message in the arena, fields at their defaults
 *     envoy_cluster_type()        its descriptor
 *
 * Messages made this way live as long as the arena; never call protobuf-c's free functions on them.
 * BUILD_ADD appends to a repeated field, growing it in the arena:
 *
 *     BUILD_ADD(arena, config, virtual_hosts, host);     appends, counting in config->n_virtual_hosts
 */
#include "base/arena.h"

#include <protobuf-c/protobuf-c.h>
#include <string.h>

#define PROTO_ALIAS(alias, type, prefix)                                                                               \
	typedef type alias;                                                                                            \
	__attribute__((unused)) static inline __typeof__(type) *alias##_new(struct arena *arena)                       \
	{                                                                                                              \
		__typeof__(type) *message = arena_alloc(arena, sizeof *message);                                       \
		prefix##__init(message);                                                                               \
		return message;                                                                                        \
	}                                                                                                              \
	__attribute__((unused)) static inline const ProtobufCMessageDescriptor *alias##_type(void)                     \
	{                                                                                                              \
		return &prefix##__descriptor;                                                                          \
	}

/* Capacity is always the next power of two, so the count alone tells when to grow. */
#define BUILD_ADD(arena, message, field, item)                                                                         \
	do {                                                                                                           \
		__typeof__(message) build_m = (message);                                                               \
		if ((build_m->n_##field & (build_m->n_##field - 1)) == 0) {                                            \
			size_t build_cap = build_m->n_##field ? build_m->n_##field * 2 : 1;                            \
			__typeof__(build_m->field) build_v = arena_alloc((arena), build_cap * sizeof *build_v);        \
			if (build_m->n_##field)                                                                        \
				memcpy(build_v, build_m->field, build_m->n_##field * sizeof *build_v);                 \
			build_m->field = build_v;                                                                      \
		}                                                                                                      \
		build_m->field[build_m->n_##field++] = (item);                                                         \
	} while (0)
