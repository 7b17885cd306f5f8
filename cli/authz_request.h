#pragma once
/*
 * A request (or a connection, of which less is known) as a proxy sees it, for `weft authz`.
 */
#include "base/arena.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct authz_header {
	const char *name, *value;
};

struct authz_request {
	bool is_http;
	const char *principal;              /* the peer's SPIFFE id; NULL: plaintext */
	const char *method, *path, *host;   /* HTTP; the path as the proxy compares it, without the query */
	const struct authz_header *headers; /* several of one name count as one, with commas between */
	size_t n_headers;
	uint32_t port; /* of the workload */
	const char *source_ip, *remote_ip,
	    *ip;                   /* the peer's, the client's as trusted proxies say, the workload's; NULL */
	const char *server_name;   /* in the TLS handshake; NULL */
	const struct json *claims; /* of a token that was believed; NULL: none */
	bool is_logged;            /* a proxy took it: whatever is not known of it was as the proxy wanted it */
};

/* The value of a header, or of ":method", ":path", ":authority"; NULL: there is none. */
const char *authz_request_header(struct arena *arena, const struct authz_request *request, const char *name);
