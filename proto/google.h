#pragma once
/*
 * Short names for Google's well-known types and google.rpc.Status (see alias.h).
 */
#include "proto/alias.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/status.pb-c.h"

PROTO_ALIAS(google_any, Google__Protobuf__Any, google__protobuf__any)
PROTO_ALIAS(google_duration, Google__Protobuf__Duration, google__protobuf__duration)
PROTO_ALIAS(google_empty, Google__Protobuf__Empty, google__protobuf__empty)
PROTO_ALIAS(google_list_value, Google__Protobuf__ListValue, google__protobuf__list_value)
PROTO_ALIAS(google_struct, Google__Protobuf__Struct, google__protobuf__struct)
PROTO_ALIAS(google_value, Google__Protobuf__Value, google__protobuf__value)
PROTO_ALIAS(google_timestamp, Google__Protobuf__Timestamp, google__protobuf__timestamp)
PROTO_ALIAS(google_bool_value, Google__Protobuf__BoolValue, google__protobuf__bool_value)
PROTO_ALIAS(google_bytes_value, Google__Protobuf__BytesValue, google__protobuf__bytes_value)
PROTO_ALIAS(google_double_value, Google__Protobuf__DoubleValue, google__protobuf__double_value)
PROTO_ALIAS(google_float_value, Google__Protobuf__FloatValue, google__protobuf__float_value)
PROTO_ALIAS(google_int32_value, Google__Protobuf__Int32Value, google__protobuf__int32_value)
PROTO_ALIAS(google_int64_value, Google__Protobuf__Int64Value, google__protobuf__int64_value)
PROTO_ALIAS(google_string_value, Google__Protobuf__StringValue, google__protobuf__string_value)
PROTO_ALIAS(google_uint32_value, Google__Protobuf__UInt32Value, google__protobuf__uint32_value)
PROTO_ALIAS(google_uint64_value, Google__Protobuf__UInt64Value, google__protobuf__uint64_value)
PROTO_ALIAS(google_status, Google__Rpc__Status, google__rpc__status)
