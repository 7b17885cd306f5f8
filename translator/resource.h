#pragma once
/*
 * What a proxy is sent: resources (serialised once, counted, shared by every stream and generation) and sets of them.
 *
 * `body` is the content of a google.protobuf.Any: field 1 (type URL) and field 2 (value), ready to be put behind a tag
 * and a length in any response. Immutable after resource_new; any thread may ref and unref.
 */
#include "base/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum resource_type {
	RESOURCE_CLUSTER,
	RESOURCE_ENDPOINTS,
	RESOURCE_SECRET,
	RESOURCE_LISTENER,
	RESOURCE_ROUTE,
	RESOURCE_TYPE_COUNT,
};

struct resource_type_info {
	const char *type_url;
	const char *short_name; /* "CDS" */
	const char *plural;     /* "clusters": the key in `weft translate` */
	bool is_confidential;   /* may hold private keys: those are never printed (emit_redact) */
	bool is_by_name;        /* subscribed by name (EDS, SDS, RDS), else wildcard (CDS, LDS) */
};

extern const struct resource_type_info resource_types[RESOURCE_TYPE_COUNT];

struct resource {
	enum resource_type type;
	const char *name;
	struct digest version; /* of body */
	const uint8_t *body;
	size_t body_n;
	size_t value_at;       /* offset in body of the message's own bytes; they run to the end */
	_Atomic unsigned refs; /* private */
};

/* value: the packed message; copied. One reference is the caller's. */
struct resource *resource_new(enum resource_type type, const char *name, const void *value, size_t n);
struct resource *resource_ref(struct resource *resource);
void resource_unref(struct resource *resource);

/* Sorted by name, names unique. Immutable, counted. */
struct resource_set {
	enum resource_type type;
	struct resource **v;
	size_t n;
	struct digest version; /* of names and versions */
	size_t bytes;          /* sum of bodies */
	_Atomic unsigned refs; /* private */
};

/* Sorts v; of two with one name the first wins. Takes over the references in v (not the array itself). */
struct resource_set *resource_set_new(enum resource_type type, struct resource **v, size_t n);
struct resource_set *resource_set_ref(struct resource_set *set);
void resource_set_unref(struct resource_set *set);
struct resource *resource_set_get(const struct resource_set *set, const char *name); /* borrowed, or NULL */
