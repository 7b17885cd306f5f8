#pragma once
/*
 * Small messages that every back end needs, in one call. Fields that take a wrapper or a Duration read well:
 *
 *     cluster->connect_timeout = build_duration_ms(arena, 10000);
 *     thresholds->max_connections = build_uint32(arena, 100);
 *     build_struct_string(arena, metadata, "host", service->hostname);
 */
#include "base/arena.h"
#include "proto/google.h"

#include <stdbool.h>

google_duration *build_duration_ms(struct arena *arena, int64_t ms); /* 292 years at most: Envoy refuses more */
google_uint32_value *build_uint32(struct arena *arena, uint32_t value);
google_bool_value *build_bool(struct arena *arena, bool value);
google_string_value *build_string(struct arena *arena, const char *value);
google_double_value *build_double(struct arena *arena, double value);

google_struct *build_struct(struct arena *arena);
/* Add members in key order where the bytes must be deterministic. */
void build_struct_string(struct arena *arena, google_struct *object, const char *key, const char *value);
void build_struct_bool(struct arena *arena, google_struct *object, const char *key, bool value);
void build_struct_value(struct arena *arena, google_struct *object, const char *key, google_value *value);
google_value *build_value_string(struct arena *arena, const char *value);
google_value *build_value_struct(struct arena *arena, google_struct *object);
google_value *build_value_list(struct arena *arena, google_value **values, size_t n);

/* The string at a path of member names in a Struct, or NULL: build_struct_get(node->metadata, "NAMESPACE"). */
const google_value *build_struct_get(const google_struct *object, const char *key);
const char *build_struct_get_string(const google_struct *object, const char *key);
int64_t build_duration_get_ms(const google_duration *duration); /* rounds down; 0 for NULL */
