#pragma once
/*
 * One HTTPRoute of a VirtualService to one http_route of the model, in three files: resolve_http_routes.c (the action
 * and where it goes), resolve_http_match.c (which requests), resolve_http_policies.c (headers, retries, faults, CORS).
 *
 * Each function is pure but for the arena and the report. What is wrong is reported and left out; what Istio accepts
 * and weft does not do yet is reported as NotSupported. A match that cannot be kept whole is dropped, never widened: it
 * would catch requests that the user did not mean.
 */
#include "translator/istio/istio_parts.h"

/* What is being lowered, for the rows of the report. */
struct http_lowering {
	struct draft *draft;
	const struct object *object;
	size_t route; /* index in spec.http */
};

/* A row about spec.http[route].PART; part may be NULL. */
__attribute__((format(printf, 5, 6))) void http_complain(struct http_lowering *lowering, enum report_severity severity,
                                                         enum report_reason reason, const char *part,
                                                         const char *format, ...);

/* False: nothing of the route can be in force (a delegate, no action). */
bool http_lower_route(struct http_lowering *lowering, const istio_http_route *in, struct http_route *out);

/* False: the match is dropped. part: "match[2]". */
bool http_lower_match(struct http_lowering *lowering, const istio_http_match_request *in, const char *part,
                      struct http_match *out);
/* False: not set, or not valid (reported). A regex "*" means that the thing is there at all. */
bool http_lower_string_match(struct http_lowering *lowering, const istio_string_match *in, const char *part,
                             struct string_match *out);

/*
 * Pseudo headers and Host cannot be changed as headers: they are left out, and what sets :authority or Host on a
 * request is given as *authority (NULL: nothing; authority NULL: a response).
 */
struct header_operations http_lower_headers(struct http_lowering *lowering, const istio_headers_header_operations *in,
                                            const char *part, const char **authority);
struct retry_policy http_lower_retries(struct http_lowering *lowering, const istio_http_retry *in);
struct fault http_lower_fault(struct http_lowering *lowering, const istio_http_fault_injection *in);
const struct cors_policy *http_lower_cors(struct http_lowering *lowering, const istio_cors_policy *in);

/* "mesh", "name" (of the object's namespace), "./name", "namespace/name", "name.namespace.svc.DOMAIN" to
 * "namespace/name". NULL for mesh. */
const char *istio_gateway_name(struct draft *draft, const char *name, const char *namespace);

/*
 * Who is there to be named, made once a resolve: hosts of services, subsets of policies, gateways. The check gives a
 * row for each name in the object that nobody has; it changes nothing, since what is missing may come later.
 */
struct references;
struct references *references_new(struct draft *draft);
void references_check(struct references *known, const struct object *object, const istio_virtual_service *in);
