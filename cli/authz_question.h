#pragma once
/*
 * What `weft authz check` is asked: a request, and whose proxy takes it. From options, or from a line of JSON whose
 * members are called as the options are; what a line leaves out is as in the options:
 *
 *     {"to": "shop/orders-1", "from": "cluster.local/ns/shop/sa/web", "port": 8080, "path": "/orders/1",
 *      "headers": {"x-role": ["user", "clerk"], "x-tier": "gold"}, "jwtClaims": {"sub": "ann"}, "sourceIp": "10.1.0.7"}
 *
 * Also method, host, remoteIp, serverName and tcp (true, false). Null is what the option means when it is not given.
 */
#include "base/error.h"
#include "cli/authz_request.h"

struct authz_question {
	const char *to;   /* NAMESPACE/POD; NULL: not said */
	const char *from; /* the caller's identity, with or without "spiffe://"; NULL: plaintext */
	struct authz_request request;
};

#define AUTHZ_QUESTION_BYTES_MAX 65536 /* of a line */

/* Lives in the arena, or where the defaults do. */
bool authz_question_read(struct arena *arena, const char *s, size_t n, const struct authz_question *defaults,
                         struct authz_question *question, struct error *error);
/* What follows from what was said: the peer's id, the client's address. False: it cannot be a request. */
bool authz_question_complete(struct arena *arena, struct authz_question *question, struct error *error);
