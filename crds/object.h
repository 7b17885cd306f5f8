#pragma once
/*
 * One object as a user wrote it, decoded: metadata, and the spec as its kind's message.
 *
 * An object owns an arena, is immutable once made, and is counted (any thread may ref and unref). Its digest covers
 * what may change a proxy's configuration: kind, name, namespace, labels, annotations that matter, creation time, and
 * the message; not resourceVersion, status or other annotations. Two objects with one digest are interchangeable.
 */
#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"
#include "crds/kinds.h"
#include "proto/codec.h"
#include "proto/kubernetes.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* Where an object came from, for messages: a file and line, or the API server. */
struct origin {
	const char *file; /* NULL: the API server */
	uint32_t line;
};

struct label {
	const char *key, *value;
};

struct object {
	enum kind kind;
	const char *name, *namespace; /* namespace "" for cluster-scoped kinds */
	const char *uid, *resource_version;
	int64_t generation;
	int64_t created_s;                        /* creationTimestamp, seconds since 1970; 0 when unset */
	const struct label *labels, *annotations; /* sorted by key */
	size_t n_labels, n_annotations;
	const ProtobufCMessage *message; /* of kinds[kind].message; its own `metadata` is NULL: it stands above */
	struct origin origin;
	bool is_stand_in; /* see object_stand_in */
	struct digest digest;

	struct arena *arena;   /* private */
	_Atomic unsigned refs; /* private */
};

/*
 * Decodes one document (a whole Kubernetes object, not a List). Namespaced objects without a namespace get "default".
 * On mistakes the object is NULL and `issues` (in `scratch`) say what; NULL without issues means a kind that weft does
 * not read. Issues that are warnings (is_warning) come with an object. Names in `document` that are known so far can be
 * asked for with object_claim, also when the object is NULL.
 */
struct object *object_decode(struct arena *scratch, const struct json *document, const struct origin *origin,
                             struct codec_issues *issues);
/* Begins the names of stand-ins for documents that have none; no other object can be called so. */
#define OBJECT_UNNAMED "(unnamed"
/*
 * What is in force instead of a document that object_decode refused, or did not know for its version, where there is no
 * former form of it: an object that keeps closed what the refused one covers (close.h). NULL: for its kind nothing is,
 * or nothing is open without it.
 */
struct object *object_stand_in(struct arena *scratch, const struct json *document, const struct origin *origin);
/* What the document says it is, for the rows about it: as far as it says so, else NULL. Strings are borrowed from the
 * document. */
struct object_claim {
	const char *api_version, *kind, *namespace, *name;
};
struct object_claim object_claim(const struct json *document);

struct object *object_ref(struct object *object);
void object_unref(struct object *object); /* NULL is fine */

const char *object_label(const struct object *object, const char *key); /* NULL when absent */
const char *object_annotation(const struct object *object, const char *key);
/* By kind, namespace, name: the order of a snapshot. */
int object_compare(const struct object *a, const struct object *b);
/* "VirtualService/default/reviews", for messages. */
const char *object_id(struct arena *arena, const struct object *object);
