#pragma once
/*
 * What the parts of the codec share; nobody else includes this.
 *
 *     codec_decode.c      JSON tree to message         codec_scalar.c  one value of it
 *     codec_print.c       message to JSON
 *     codec_wellknown.c   types with a JSON of their own, one table row each
 *     codec_field.c       names, maps, presence        codec_issue.c   paths and what is said to the user
 *     codec_time.c        durations and timestamps as text
 */
#include "proto/codec.h"

#define CODEC_DEPTH_MAX JSON_DEPTH_MAX
#define CODEC_FIELDS_MAX 256  /* in one message type */
#define CODEC_ANY_DEPTH_MAX 8 /* an Any inside an Any inside …: deeper ones print as base64 */
#define CODEC_QUOTE_MAX 64    /* bytes of a user's text repeated in a path or a message */

/* A step on the way down; steps live on the stack and become text only when there is something to say. */
struct codec_place {
	const struct codec_place *up;
	const char *name; /* of a member; NULL: an element */
	size_t index;
	bool is_key; /* of a map: "labels[app]" */
};

struct codec_decoder {
	struct arena *arena;
	const char *path;
	bool is_open;
	unsigned depth;
	struct codec_issues *issues;
};

struct codec_printer {
	struct text *out;
	int indent;
	unsigned level;
	unsigned any_depth;
	struct arena *scratch; /* NULL until something needs it */
};

/* A type whose JSON is not "an object of its fields". decode: NULL after an issue. */
struct codec_wellknown {
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *(*decode)(struct codec_decoder *decoder, const struct codec_place *place,
	                            const ProtobufCMessageDescriptor *type, const struct json *value);
	void (*print)(struct codec_printer *printer, const ProtobufCMessage *message);
	bool takes_null; /* null is a value of it, not "absent" */
};
const struct codec_wellknown *codec_wellknown_find(const ProtobufCMessageDescriptor *type);

/* codec_decode.c, codec_scalar.c: NULL after an issue that left nothing to keep. */
ProtobufCMessage *codec_decode_message(struct codec_decoder *decoder, const struct codec_place *place,
                                       const ProtobufCMessageDescriptor *type, const struct json *value);
/* The object's members as fields of a fresh message, the member `skip` (may be NULL) left out. */
ProtobufCMessage *codec_decode_fields(struct codec_decoder *decoder, const struct codec_place *place,
                                      const ProtobufCMessageDescriptor *type, const struct json *value,
                                      const char *skip);
/* One value, not repeated, into a field's slot; false after an issue. */
bool codec_decode_value(struct codec_decoder *decoder, const struct codec_place *place,
                        const ProtobufCFieldDescriptor *field, const struct json *value, void *slot);
/* A list, or a map sorted by key, into its field; nothing is set after an issue with the whole of it. */
void codec_decode_repeated(struct codec_decoder *decoder, const struct codec_place *place,
                           const ProtobufCFieldDescriptor *field, const struct json *value, ProtobufCMessage *message);
/* Whether the value is of that type, with an issue when it is not. */
bool codec_decode_is(struct codec_decoder *decoder, const struct codec_place *place, const struct json *value,
                     enum json_type want);

/* codec_print.c */
void codec_print_message(struct codec_printer *printer, const ProtobufCMessage *message);
void codec_print_fields(struct codec_printer *printer, const ProtobufCMessage *message, bool *is_first);
void codec_print_value(struct codec_printer *printer, const ProtobufCFieldDescriptor *field, const void *slot);
void codec_print_repeated(struct codec_printer *printer, const ProtobufCFieldDescriptor *field,
                          const ProtobufCMessage *message);
void codec_print_open(struct codec_printer *printer, char c);
void codec_print_close(struct codec_printer *printer, char c, bool was_empty);
void codec_print_key(struct codec_printer *printer, const char *key, bool *is_first);
void codec_print_base64(struct text *out, const uint8_t *data, size_t n);
struct arena *codec_print_scratch(struct codec_printer *printer);

/* codec_field.c */
const ProtobufCFieldDescriptor *codec_field_find(const ProtobufCMessageDescriptor *type, const char *key);
const ProtobufCFieldDescriptor *codec_field_by_id(const ProtobufCMessageDescriptor *type, uint32_t id);
void codec_field_json_name(const ProtobufCFieldDescriptor *field, struct text *out);
bool codec_field_is_map(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field);
bool codec_field_is_oneof(const ProtobufCFieldDescriptor *field);
bool codec_field_is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);
/* Storage of one value of the field's type. */
size_t codec_field_size(const ProtobufCFieldDescriptor *field);
void *codec_field_slot(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message);
const void *codec_field_const_slot(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);
size_t codec_field_count(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);
void codec_field_set_count(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message, size_t n);
/* Kubernetes' JSON differs from proto3's: 64-bit integers are numbers, and numbers are never strings. */
bool codec_type_is_kubernetes(const ProtobufCMessageDescriptor *type);
ProtobufCMessage *codec_message_new(struct arena *arena, const ProtobufCMessageDescriptor *type);
/* A map entry's key as JSON has it: its string, or its number (uint32) as text in `room`. */
#define CODEC_KEY_ROOM 11
const char *codec_map_key(const void *entry, char room[CODEC_KEY_ROOM]);
int codec_map_compare(const void *a, const void *b); /* two entries by the text of their keys */

/* codec_issue.c: column and line are value's (may be NULL) */
__attribute__((format(printf, 4, 5))) void codec_issue(struct codec_decoder *decoder, const struct codec_place *place,
                                                       const struct json *value, const char *format, ...);
void codec_issue_unknown(struct codec_decoder *decoder, const struct codec_place *place,
                         const ProtobufCMessageDescriptor *type, const struct json_member *member);
void codec_issue_enum(struct codec_decoder *decoder, const struct codec_place *place,
                      const ProtobufCEnumDescriptor *type, const struct json *value);
/* s for a message: at most CODEC_QUOTE_MAX bytes of it, whole characters. */
const char *codec_quote(struct arena *arena, const char *s);

/* codec_time.c */
bool codec_parse_duration(const char *s, int64_t *seconds, int32_t *nanos);
bool codec_parse_timestamp(const char *s, int64_t *seconds, int32_t *nanos);
void codec_print_duration(struct text *out, int64_t seconds, int32_t nanos);
void codec_print_timestamp(struct text *out, int64_t seconds, int32_t nanos);
