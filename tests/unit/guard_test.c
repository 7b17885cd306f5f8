#include "proto/guard.h"

#include "base/text.h"
#include "proto/envoy.h"
#include "proto/istio.h"
#include "proto/pack.h"
#include "tests/unit/unit.h"

#define STRING_VALUE &google__protobuf__string_value__descriptor
#define INT64_VALUE &google__protobuf__int64_value__descriptor
#define STRUCT &google__protobuf__struct__descriptor
#define VALUE &google__protobuf__value__descriptor
#define LIST_VALUE &google__protobuf__list_value__descriptor
#define VIRTUAL_SERVICE &istio__networking__v1alpha3__virtual_service__descriptor
#define OUTLIER_DETECTION &istio__networking__v1alpha3__outlier_detection__descriptor
#define DISCOVERY_REQUEST &envoy__service__discovery__v3__discovery_request__descriptor

#define BYTES(s) .in = (s), .n = sizeof(s) - 1

START_TEST(test_rows)
{
	static const struct {
		const char *name;
		const ProtobufCMessageDescriptor *type;
		const char *in;
		size_t n;
		const char *want; /* NULL: accepted, and unpacks */
	} rows[] = {
	    {.name = "nothing", .type = STRING_VALUE, BYTES("")},
	    {.name = "a string", .type = STRING_VALUE, BYTES("\x0a\x02\xc3\xa9")},
	    {.name = "an empty string", .type = STRING_VALUE, BYTES("\x0a\x00")},
	    {.name = "a scalar twice: the last counts", .type = STRING_VALUE, BYTES("\x0a\x01x\x0a\x01y")},
	    {.name = "a NUL in a string",
	     .type = STRING_VALUE,
	     BYTES("\x0a\x03x\x00y"),
	     .want = "google.protobuf.StringValue.value: a string with a NUL or bytes that are not UTF-8"},
	    {.name = "a lone continuation byte",
	     .type = STRING_VALUE,
	     BYTES("\x0a\x01\x80"),
	     .want = "google.protobuf.StringValue.value: a string with a NUL or bytes that are not UTF-8"},
	    {.name = "an overlong form",
	     .type = STRING_VALUE,
	     BYTES("\x0a\x02\xc0\xaf"),
	     .want = "google.protobuf.StringValue.value: a string with a NUL or bytes that are not UTF-8"},
	    {.name = "a surrogate",
	     .type = STRING_VALUE,
	     BYTES("\x0a\x03\xed\xa0\x80"),
	     .want = "google.protobuf.StringValue.value: a string with a NUL or bytes that are not UTF-8"},
	    {.name = "any bytes in bytes",
	     .type = &google__protobuf__bytes_value__descriptor,
	     BYTES("\x0a\x02\x00\xff")},
	    {.name = "a length past the end",
	     .type = STRING_VALUE,
	     BYTES("\x0a\x02x"),
	     .want = "google.protobuf.StringValue field 1: a value is cut off"},
	    {.name = "a huge length",
	     .type = STRING_VALUE,
	     BYTES("\x0a\xff\xff\xff\xff\x0fx"),
	     .want = "google.protobuf.StringValue field 1: a value is cut off"},
	    {.name = "a length that is too long",
	     .type = STRING_VALUE,
	     BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	     .want = "google.protobuf.StringValue field 1: a length is cut off or too long"},
	    {.name = "no length",
	     .type = STRING_VALUE,
	     BYTES("\x0a"),
	     .want = "google.protobuf.StringValue field 1: a length is cut off or too long"},
	    {.name = "field number 0",
	     .type = STRING_VALUE,
	     BYTES("\x02\x00"),
	     .want = "google.protobuf.StringValue: a field's tag is malformed"},
	    {.name = "a tag without end",
	     .type = STRING_VALUE,
	     BYTES("\xff\xff\xff\xff\xff\x01"),
	     .want = "google.protobuf.StringValue: a field's tag is malformed"},
	    {.name = "a field number out of range",
	     .type = STRING_VALUE,
	     BYTES("\xf8\xff\xff\xff\x7f\x00"),
	     .want = "google.protobuf.StringValue: a field's tag is malformed"},
	    {.name = "the largest field number", .type = STRING_VALUE, BYTES("\xf8\xff\xff\xff\x0f\x00")},
	    {.name = "a group",
	     .type = STRING_VALUE,
	     BYTES("\x13\x14"),
	     .want = "google.protobuf.StringValue field 2: unknown wire type 3"},
	    {.name = "a wrong wire type",
	     .type = STRING_VALUE,
	     BYTES("\x08\x01"),
	     .want = "google.protobuf.StringValue.value: wire type 0 where 2 belongs"},
	    {.name = "a fixed number for a varint",
	     .type = INT64_VALUE,
	     BYTES("\x09\x01\x02\x03\x04\x05\x06\x07\x08"),
	     .want = "google.protobuf.Int64Value.value: wire type 1 where 0 belongs"},
	    {.name = "the longest number", .type = INT64_VALUE, BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
	    {.name = "a number without end",
	     .type = INT64_VALUE,
	     BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	     .want = "google.protobuf.Int64Value field 1: a number is cut off or too long"},
	    {.name = "a double that is cut off",
	     .type = VALUE,
	     BYTES("\x11\x00\x00\x00\x00"),
	     .want = "google.protobuf.Value field 2: a value is cut off"},
	    {.name = "unknown fields of each kind",
	     .type = STRING_VALUE,
	     BYTES("\x78\x01\x79\x01\x02\x03\x04\x05\x06\x07\x08\x7a\x02\x00\xff\x7d\x01\x02\x03\x04")},
	    {.name = "an unknown field that is cut off",
	     .type = STRING_VALUE,
	     BYTES("\x7a\x03\x00"),
	     .want = "google.protobuf.StringValue field 15: a value is cut off"},
	    {.name = "packed numbers", .type = OUTLIER_DETECTION, BYTES("\x52\x03\x01\x80\x01")},
	    {.name = "the same numbers one by one", .type = OUTLIER_DETECTION, BYTES("\x50\x01\x50\x80\x01")},
	    {.name = "packed numbers that are cut off",
	     .type = OUTLIER_DETECTION,
	     BYTES("\x52\x02\x01\x80"),
	     .want = "istio.networking.v1alpha3.OutlierDetection.outlier_detection_http_error_codes: a number in a "
	             "list is cut off or too long"},
	    {
	        .name = "a message in a message",
	        .type = OUTLIER_DETECTION,
	        BYTES("\x12\x02\x08\x0a"),
	    },
	    {.name = "a message that ends inside its field",
	     .type = OUTLIER_DETECTION,
	     BYTES("\x12\x01\x08\x0a"),
	     .want = "google.protobuf.Duration field 1: a number is cut off or too long"},
	    {.name = "a message twice",
	     .type = OUTLIER_DETECTION,
	     BYTES("\x12\x02\x08\x0a\x12\x02\x08\x0b"),
	     .want = "istio.networking.v1alpha3.OutlierDetection.interval is given twice"},
	    {.name = "a repeated message twice", .type = LIST_VALUE, BYTES("\x0a\x02\x20\x01\x0a\x02\x20\x00")},
	    {.name = "two members of a oneof: the last counts",
	     .type = VALUE,
	     BYTES("\x1a\x01x\x2a\x00\x32\x00\x20\x01\x1a\x01y")},
	    {.name = "a request",
	     .type = DISCOVERY_REQUEST,
	     BYTES("\x0a\x01"
	           "1"
	           "\x12\x03\x0a\x01n\x22\x01t\x2a\x01z")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error = {.message = ""};
		const uint8_t *in = arena_memdup(arena, rows[i].in, rows[i].n);
		bool is_fine = guard_check(rows[i].type, in, rows[i].n, &error);
		ck_assert_msg(is_fine == !rows[i].want && strcmp(error.message, rows[i].want ? rows[i].want : "") == 0,
		              "%s: got \"%s\" want \"%s\"", rows[i].name, error.message, rows[i].want);
		struct error unpacking;
		ck_assert_msg(!unpack(arena, rows[i].type, in, rows[i].n, &unpacking) == !is_fine, "%s", rows[i].name);
	}
}
END_TEST

/* A ListValue in a ListValue in a …; each level is a ListValue and a Value. */
static struct bytes nested_lists(struct arena *arena, size_t levels)
{
	size_t cap = levels * 12 + 1;
	uint8_t *buffer = arena_alloc(arena, cap), *at = buffer + cap;
	size_t n = 0;
	static const uint8_t tags[] = {0x32, 0x0a}; /* Value.list_value, ListValue.values */
	for (size_t i = 0; i < levels * 2; i++) {
		uint8_t head[6] = {tags[i % 2]};
		size_t n_head = 1, rest = n;
		do {
			head[n_head++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
			rest >>= 7;
		} while (rest);
		at -= n_head;
		memcpy(at, head, n_head);
		n += n_head;
	}
	return (struct bytes){.data = at, .n = n};
}

START_TEST(test_depth_is_capped)
{
	static const struct {
		size_t levels;
		bool want;
	} rows[] = {{1, true}, {49, true}, {50, false}, {1000, false}, {100000, false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct bytes in = nested_lists(arena, rows[i].levels);
		struct error error;
		ck_assert_msg((unpack(arena, LIST_VALUE, in.data, in.n, &error) != NULL) == rows[i].want, "%zu levels",
		              rows[i].levels);
		if (!rows[i].want)
			ck_assert_ptr_nonnull(strstr(error.message, "nested more than 100 messages deep"));
	}
}
END_TEST

/* Bytes that are small on the wire and large in memory. */
START_TEST(test_fields_and_memory_are_capped)
{
	static const struct {
		const char *name;
		const ProtobufCMessageDescriptor *type;
		uint8_t unit[2];
		size_t units;
		const char *want;
	} rows[] = {
	    {.name = "few fields", .type = LIST_VALUE, .unit = {0x0a, 0x00}, .units = 1000},
	    {.name = "empty messages, large in memory",
	     .type = VIRTUAL_SERVICE,
	     .unit = {0x1a, 0x00},
	     .units = 500000,
	     .want = "would take more than"},
	    {.name = "unknown fields",
	     .type = STRING_VALUE,
	     .unit = {0x78, 0x01},
	     .units = GUARD_FIELDS_MAX + 1,
	     .want = "more than 524288 fields"},
	    {.name = "too many bytes",
	     .type = STRING_VALUE,
	     .unit = {0x78, 0x01},
	     .units = GUARD_BYTES_MAX / 2 + 1,
	     .want = "bytes are more than 16777216"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		uint8_t *in = arena_alloc(arena, rows[i].units * 2);
		for (size_t j = 0; j < rows[i].units; j++)
			memcpy(in + j * 2, rows[i].unit, 2);
		struct error error = {.message = ""};
		bool is_fine = guard_check(rows[i].type, in, rows[i].units * 2, &error);
		ck_assert_msg(is_fine == !rows[i].want, "%s: %s", rows[i].name, error.message);
		if (rows[i].want)
			ck_assert_msg(strstr(error.message, rows[i].want), "%s: %s", rows[i].name, error.message);
	}
}
END_TEST

/* What the guard lets through takes less than it reckoned. */
START_TEST(test_memory_is_an_upper_bound)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t units = 500000;
	uint8_t *in = arena_alloc(arena, units * 2);
	for (size_t i = 0; i < units; i++)
		memcpy(in + i * 2, (uint8_t[]){0x1a, 0x00}, 2);
	struct error error;
	while (!guard_check(VIRTUAL_SERVICE, in, units * 2, &error)) /* down to the most that passes */
		units -= 5000;
	size_t before = arena_size(arena);
	ck_assert_ptr_nonnull(unpack(arena, VIRTUAL_SERVICE, in, units * 2, &error));
	ck_assert_uint_lt(arena_size(arena) - before, GUARD_MEMORY_MAX + GUARD_MEMORY_MAX / 4);
}
END_TEST

UNIT_MAIN("guard", test_rows, test_depth_is_capped, test_fields_and_memory_are_capped, test_memory_is_an_upper_bound)
