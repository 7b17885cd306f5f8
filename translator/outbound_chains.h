#pragma once
/*
 * Where a sidecar's listener sends what is not HTTP, or is not looked into: by the TLS routes of a port that speaks
 * TLS, by the TCP routes of any other; without one, to the service itself.
 *
 * TLS routes are told apart by the name in the handshake, and all that speak of the service count. A handshake for
 * another name goes past the mesh. Of TCP routes the first that takes every address ends the list. What a route says of
 * the client and the port is decided here, as in Istio; a match without destinationSubnets is for the addresses of the
 * service.
 */
#include "translator/chain_list.h"
#include "translator/visible_rules.h"

/* One port of a service at one listener. */
struct outbound_port {
	const struct scope_service *service;
	const struct service_port *port;
	struct strings subnets; /* the service's address ranges, where the listener is for every address; none: any */
	bool is_told_by_name;   /* of TLS: nothing but the name in the handshake says that the service is meant */
};

/* The rules with such routes that concern the view's sidecars. */
struct visible_rules outbound_rules(const struct scope_draft *draft);
void outbound_chains_add(const struct scope_draft *draft, const struct visible_rules *rules,
                         const struct outbound_port *from, struct chain_list *list);
