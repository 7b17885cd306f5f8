#pragma once
/*
 * The small things that the model (model.h) is made of: protocols, labels, places, who sees what, where a thing comes
 * from.
 */
#include "crds/object.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- protocols and addresses ---- */

enum protocol {
	PROTOCOL_AUTO, /* unknown: the proxy looks at the first bytes */
	PROTOCOL_HTTP,
	PROTOCOL_HTTP2,
	PROTOCOL_GRPC,
	PROTOCOL_GRPC_WEB,
	PROTOCOL_HTTPS,
	PROTOCOL_TLS,
	PROTOCOL_TCP,
	PROTOCOL_MONGO,
	PROTOCOL_REDIS,
	PROTOCOL_MYSQL,
	PROTOCOL_UDP, /* never proxied */
	PROTOCOL_COUNT,
};

/* What a listener must do: HTTP (1 or 2, gRPC), TCP (also TLS passed through), or sniff. */
enum transport { TRANSPORT_AUTO, TRANSPORT_HTTP, TRANSPORT_TCP, TRANSPORT_NONE };

enum transport protocol_transport(enum protocol protocol);
bool protocol_is_tls(enum protocol protocol);   /* HTTPS, TLS: the name in the handshake can be read */
bool protocol_is_http2(enum protocol protocol); /* HTTP2, GRPC, (not GRPC-Web) */
const char *protocol_name(enum protocol protocol);

struct strings {
	const char *const *v;
	size_t n;
};

struct labels {
	const struct label *v; /* sorted by key */
	size_t n;
};

bool labels_match(const struct labels *selector, const struct labels *labels); /* an empty selector matches all */

struct locality {
	const char *region, *zone, *sub_zone; /* "" when unknown */
};

/* Which namespaces see a thing. */
struct visibility {
	bool is_public;            /* every namespace */
	struct strings namespaces; /* else exactly these; none: nobody */
};

bool visibility_allows(const struct visibility *visibility, const char *namespace);
/* Some namespace may see both. */
bool visibility_overlaps(const struct visibility *a, const struct visibility *b);

/* Of HTTP. */
struct header_value {
	const char *name, *value;
};

/* The object a thing came from. */
struct source_ref {
	const struct object *object; /* for report rows; NULL when made by weft */
	const char *path; /* "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews", or NULL */
};
