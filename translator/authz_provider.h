#pragma once
/*
 * Services outside that decide: whom policies of CUSTOM (authz.h) ask about each request or connection that their rules
 * match. The mesh's settings name them; which one a workload asks is for authz_choice.h to say.
 */
#include "base/digest.h"
#include "translator/model_terms.h"

/* How much of a request's body it is told. */
struct authz_body {
	uint32_t most; /* bytes; 0: nothing */
	bool is_cut;   /* a longer one is cut there, else refused */
	bool is_raw;   /* as bytes, else as UTF-8 */
};

struct authz_provider {
	const char *name;
	bool is_valid;         /* else what is said of it cannot be done, and nothing below is set */
	bool is_grpc;          /* else HTTP, by which nothing can be asked about connections */
	const char *namespace; /* of the service; NULL: whose the host is, which must be one */
	const char *host;
	uint32_t port;
	int64_t timeout_ms;
	bool is_fail_open;          /* no answer is a yes */
	bool is_route_chosen_again; /* after a yes, since it may have changed headers */
	uint32_t status_on_error;   /* of HTTP, what no answer looks like to the client; 0: 403 */
	struct authz_body body;
	/* HTTP. Headers are names, "name*" or "*name". */
	const char *path_prefix;        /* "": none */
	struct strings request_headers; /* that it is told besides host, method, path, length, authorization */
	const struct header_value *added_headers; /* to what it is told; by name */
	size_t n_added_headers;
	struct strings upstream_headers; /* of its yes, that the request goes on with */
	struct strings denied_headers; /* of its no, that the client gets besides status, length, challenge, location */
	struct strings allowed_headers; /* of its yes, that the client gets with the response */
	struct digest digest;
};
