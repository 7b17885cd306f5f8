#include "proto/pack.h"

#include "proto/codec.h"
#include "proto/envoy.h"
#include "proto/istio.h"
#include "proto/kubernetes.h"
#include "tests/unit/unit.h"

#define FILL_DEPTH 4

START_TEST(test_find_type)
{
	static const struct {
		const char *in;
		const ProtobufCMessageDescriptor *want;
	} rows[] = {
	    {"type.googleapis.com/envoy.config.cluster.v3.Cluster", &envoy__config__cluster__v3__cluster__descriptor},
	    {"envoy.config.cluster.v3.Cluster", &envoy__config__cluster__v3__cluster__descriptor},
	    {"a/b/google.protobuf.Any", &google__protobuf__any__descriptor},
	    {"k8s.io.api.core.v1.Service", &k8s__io__api__core__v1__service__descriptor},
	    {"type.googleapis.com/envoy.config.cluster.v3.Cluste", NULL},
	    {"type.googleapis.com/envoy.config.cluster.v3.Cluster.", NULL},
	    {"type.googleapis.com/", NULL},
	    {"", NULL},
	    {NULL, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(pack_find_type(rows[i].in) == rows[i].want, "%s", rows[i].in);
}
END_TEST

/* The table has every type that any type in it needs, each once, and finds each. */
START_TEST(test_types_are_complete)
{
	ck_assert_uint_gt(pack_n_types, 300);
	for (size_t i = 0; i < pack_n_types; i++) {
		const ProtobufCMessageDescriptor *type = pack_types[i];
		ck_assert_msg(i == 0 || strcmp(pack_types[i - 1]->name, type->name) < 0, "%s out of order", type->name);
		ck_assert_ptr_eq(pack_find_type(type->name), type);
		ck_assert_msg(type->n_fields <= 256, "%s: more fields than codec and guard allow", type->name);
		for (unsigned j = 0; j < type->n_fields; j++) {
			if (type->fields[j].type != PROTOBUF_C_TYPE_MESSAGE)
				continue;
			const ProtobufCMessageDescriptor *inner = type->fields[j].descriptor;
			ck_assert_msg(pack_find_type(inner->name) == inner, "%s is missing", inner->name);
		}
	}
}
END_TEST

static ProtobufCMessage *fill(struct arena *arena, const ProtobufCMessageDescriptor *type, unsigned depth);

/* Some value of the field's type that is not its default. */
static void fill_value(struct arena *arena, const ProtobufCFieldDescriptor *field, void *slot, unsigned depth)
{
	const ProtobufCEnumDescriptor *names = field->descriptor;
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(uint32_t *)slot = field->id;
		return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(uint64_t *)slot = (UINT64_C(1) << 36) + field->id;
		return;
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)slot = 0.1f * (float)field->id;
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)slot = 0.1 * field->id;
		return;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)slot = 1;
		return;
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)slot = names->values[names->n_values - 1].value;
		return;
	case PROTOBUF_C_TYPE_STRING:
		*(char **)slot = arena_printf(arena, "%s \"\xe2\x82\xac\"", field->name);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)slot = (ProtobufCBinaryData){.data = arena_alloc(arena, 3), .len = 3};
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)slot = fill(arena, field->descriptor, depth + 1);
		return;
	}
}

static void fill_field(struct arena *arena, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message,
                       unsigned depth)
{
	char *base = (char *)message;
	bool is_entry = text_has_suffix(message->descriptor->short_name, "Entry"); /* a map's value is never left out */
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && depth >= FILL_DEPTH && !is_entry)
		return;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		void *slot = arena_alloc(arena, sizeof(ProtobufCBinaryData));
		fill_value(arena, field, slot, depth);
		*(void **)(base + field->offset) = slot;
		*(size_t *)(base + field->quantifier_offset) = 1;
		return;
	}
	bool is_oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
	if (is_oneof && *(uint32_t *)(base + field->quantifier_offset))
		return;
	fill_value(arena, field, base + field->offset, depth);
	if (is_oneof)
		*(uint32_t *)(base + field->quantifier_offset) = field->id;
	else if (field->quantifier_offset)
		*(protobuf_c_boolean *)(base + field->quantifier_offset) = 1;
}

/* A message with all fields set (of each oneof the first, or the last in every other level). */
static ProtobufCMessage *fill(struct arena *arena, const ProtobufCMessageDescriptor *type, unsigned depth)
{
	ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
	type->message_init(message);
	for (unsigned i = 0; i < type->n_fields; i++)
		fill_field(arena, &type->fields[depth % 2 ? type->n_fields - 1 - i : i], message, depth);
	if (type == &google__protobuf__any__descriptor) {
		google_any *any = (google_any *)message;
		*any = *pack_any(arena, fill(arena, google_struct_type(), depth + 1));
	}
	if (type == &k8s__io__apimachinery__pkg__util__intstr__int_or_string__descriptor) {
		k8s_int_or_string *either = (k8s_int_or_string *)message;
		either->type = 1;
		either->has_intval = 0;
		either->intval = 0;
	}
	if (type == &k8s__io__apimachinery__pkg__apis__meta__v1__time__descriptor)
		((k8s_time *)message)->seconds = 1700000000;
	if (type == &google__protobuf__timestamp__descriptor)
		((google_timestamp *)message)->seconds = 1700000000;
	return message;
}

static void check_type(const ProtobufCMessageDescriptor *type, unsigned depth)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text before = {0}, wire = {0}, json = {0};
	struct error error;
	ProtobufCMessage *message = fill(arena, type, depth);
	struct bytes bytes = pack(arena, message);
	codec_print(message, 0, &before);

	ProtobufCMessage *unpacked = unpack(arena, type, bytes.data, bytes.n, &error);
	ck_assert_msg(unpacked != NULL, "%s: %s", type->name, error.message);
	codec_print(unpacked, 0, &wire);
	ck_assert_str_eq(text_get(&wire), text_get(&before));
	codec_print(unpack_own(arena, type, bytes.data, bytes.n), 0, &json);
	ck_assert_str_eq(text_get(&json), text_get(&before));

	const struct json *tree = json_parse(arena, text_get(&before), before.n, &error);
	ck_assert_msg(tree != NULL, "%s: %s", type->name, error.message);
	struct codec_issues issues = {0};
	ProtobufCMessage *decoded = codec_decode(arena, type, tree, NULL, &issues);
	ck_assert_msg(issues.n == 0, "%s: %s: %s", type->name, issues.n ? issues.v[0].path : "",
	              issues.n ? issues.v[0].message : "");
	struct bytes again = pack(arena, decoded);
	ck_assert_msg(again.n == bytes.n && memcmp(again.data, bytes.data, bytes.n) == 0, "%s: other bytes: %s",
	              type->name, text_get(&before));

	for (size_t n = 0; n < bytes.n && n < 600; n++) { /* cut anywhere: refused or fine, never a crash */
		ProtobufCMessage *cut = unpack(arena, type, bytes.data, n, &error);
		ck_assert_msg(cut || error.message[0], "%s at %zu", type->name, n);
	}
}

/* Every type there is, with every field set: bytes, JSON and back give the same. */
START_TEST(test_every_type_survives)
{
	for (size_t i = 0; i < pack_n_types; i++) {
		check_type(pack_types[i], 0);
		check_type(pack_types[i], 1);
	}
}
END_TEST

START_TEST(test_pack_any)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	google_string_value *value = google_string_value_new(arena);
	value->value = arena_strdup(arena, "x");
	const google_any *any = pack_any(arena, &value->base);
	ck_assert_str_eq(any->type_url, "type.googleapis.com/google.protobuf.StringValue");
	ck_assert_uint_eq(any->value.len, 3);
	ck_assert_mem_eq(any->value.data, "\x0a\x01x", 3);
	const google_any *empty = pack_any(arena, &google_empty_new(arena)->base);
	ck_assert_uint_eq(empty->value.len, 0);
}
END_TEST

START_TEST(test_unpack_refuses)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	static const uint8_t bad[] = {0x0a, 0x05, 'x'};
	ck_assert_ptr_null(unpack(arena, google_string_value_type(), bad, sizeof bad, &error));
	ck_assert_str_eq(error.message, "google.protobuf.StringValue field 1: a value is cut off");
	ck_assert_ptr_nonnull(unpack(arena, google_string_value_type(), NULL, 0, &error));
}
END_TEST

/* Unknown fields are carried along. */
START_TEST(test_unknown_fields_are_kept)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	static const uint8_t in[] = {0x0a, 0x01, 'x', 0x92, 0x4e, 0x02, 'a', 'b'};
	ProtobufCMessage *message = unpack(arena, google_string_value_type(), in, sizeof in, &error);
	ck_assert_ptr_nonnull(message);
	struct bytes out = pack(arena, message);
	ck_assert_uint_eq(out.n, sizeof in);
	ck_assert_mem_eq(out.data, in, sizeof in);
}
END_TEST

UNIT_MAIN("pack", test_find_type, test_types_are_complete, test_every_type_survives, test_pack_any, test_unpack_refuses,
          test_unknown_fields_are_kept)
