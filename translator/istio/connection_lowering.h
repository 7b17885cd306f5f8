#pragma once
/*
 * The TLS and TCP routes of a VirtualService to connection_routes of the model (resolve_connection_routes.c).
 */
#include "translator/istio/istio_parts.h"

/*
 * Names in handshakes times subnets, of all matches of one VirtualService: what a proxy must look up. Matches beyond
 * are left out.
 */
#define CONNECTION_PAIRS_MAX 10000

/* Fills the rule's `tls` and `tcp`. */
void connection_lower_routes(struct draft *draft, const struct object *object, const istio_virtual_service *in,
                             struct route_rule *rule);

/* Rows about what is taken by earlier routes; the rules come in their order of precedence. */
void connection_check_conflicts(struct draft *draft, const struct route_rule *const *rules, size_t n);
