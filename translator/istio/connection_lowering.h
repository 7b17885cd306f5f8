#pragma once
/*
 * The TLS and TCP routes of a VirtualService to connection_routes of the model (resolve_connection_routes.c).
 */
#include "translator/istio/istio_parts.h"

/* Fills the rule's `tls` and `tcp`. */
void connection_lower_routes(struct draft *draft, const struct object *object, const istio_virtual_service *in,
                             struct route_rule *rule);
