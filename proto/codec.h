#pragma once
/*
 * JSON trees to messages and messages to JSON, by protobuf-c's descriptors (proto3 JSON mapping).
 *
 * Decoding takes camelCase and snake_case names, durations ("1.5s", "100ms" and Go's "1h2m" as Istio's APIs accept),
 * timestamps, wrappers, enums by name or number, oneofs, maps, Struct/Value/ListValue, bytes in base64, 64-bit
 * integers as numbers or strings, Any with "@type" of a message we know (pack_find_type). Kubernetes: IntOrString takes
 * a number or a string, Time an RFC 3339 string.
 *
 * Mistakes never stop it: each becomes a codec_issue with the field's path ("spec.http[0].route[1].weight"), and the
 * rest is still decoded, so a user sees all of them at once.
 *
 * Printing is canonical: fields in order of their numbers, camelCase names, maps sorted by key, Any opened as
 * {"@type": …, fields…}, defaults left out; same message, same bytes. Reading what was printed gives the same message
 * again. 64-bit integers are strings, as proto3's JSON has them (numbers in Kubernetes' messages).
 *
 * Decoded maps are sorted by key and lists have BUILD_ADD's room, so documents that differ in order only pack to the
 * same bytes. A list's element that could not be decoded stays in it, empty, so places agree with the document.
 */
#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

#include <protobuf-c/protobuf-c.h>

#define CODEC_ISSUES_MAX 50 /* of one document; a last one says that there were more */

struct codec_issue {
	const char *path;    /* "spec.hosts[1]" */
	const char *message; /* "expected a string, got a number" */
	uint32_t line, column;
	bool is_unknown_field;
	bool is_warning; /* never set by codec_decode: the checks of crds/ use it for what is in force all the same */
};

struct codec_issues {
	struct codec_issue *v;
	size_t n, cap;
};

struct codec_options {
	const char *path; /* prefix of every path, such as "spec"; NULL: none */
	bool is_open;     /* unknown fields are left out silently (Kubernetes' own kinds, of which we hold a subset) */
};

/* Never NULL: what could be decoded. Issues are added in document order; strings and issues live in the arena. */
ProtobufCMessage *codec_decode(struct arena *arena, const ProtobufCMessageDescriptor *type, const struct json *value,
                               const struct codec_options *options, struct codec_issues *issues);

/* Adds one issue; when there are CODEC_ISSUES_MAX the last one says that there were more. */
void codec_issues_add(struct arena *arena, struct codec_issues *issues, const struct codec_issue *issue);

/* indent as in json_print. An Any of an unknown type prints as {"@type": …, "value": base64}. */
void codec_print(const ProtobufCMessage *message, int indent, struct text *out);
