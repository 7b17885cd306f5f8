#pragma once
/*
 * A request of a proxy, read once into one shape for both forms: bytes of a peer, so every part has a cap and is
 * checked.
 *
 *     state of the world   `names` is all that the proxy wants of the type from now on
 *     delta                `names` are added, `gone` are no longer wanted, `claims` say what it holds since before
 */
#include "base/error.h"
#include "proto/google.h"
#include "translator/model.h"
#include "translator/resource.h"

#define REQUEST_NAMES_MAX 65536     /* names in one request, and of one subscription */
#define REQUEST_NAME_BYTES_MAX 2048 /* of one resource name */
#define REQUEST_NODE_ID_BYTES_MAX 1024
#define REQUEST_METADATA_BYTES_MAX 65536 /* of a node's metadata, as sent */

enum request_form { REQUEST_SOTW, REQUEST_DELTA };

struct request_claim {
	const char *name, *version;
};

struct request {
	const char *type_url;
	enum resource_type type;       /* RESOURCE_TYPE_COUNT: one that we do not serve */
	const char *node_id;           /* NULL: no node in it */
	const google_struct *metadata; /* NULL: none */
	const char *nonce;             /* "" */
	const char *error;             /* what the proxy says against the last response; NULL: nothing */
	struct strings names, gone;
	const struct request_claim *claims;
	size_t n_claims;
};

/* Everything lives in the arena. False when it is malformed or too large: the stream must end. */
bool request_parse(struct arena *arena, enum request_form form, const uint8_t *data, size_t n, struct request *request,
                   struct error *error);
