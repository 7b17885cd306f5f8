#pragma once
/*
 * The endpoints of one service port while they are gathered from several objects; sealed, they are sorted, each
 * address and port once, with their digest.
 *
 *     struct endpoint_list list = {0};
 *     endpoint_list_add(arena, &list, &endpoint, identity);
 *     endpoint_list_seal(draft, &list, &port);                fills port->endpoints, n_endpoints, endpoints_digest
 */
#include "base/vec.h"
#include "translator/model.h"

struct draft;

struct endpoint_item {
	struct endpoint endpoint;
	struct digest identity;
};

struct endpoint_list {
	VEC(struct endpoint_item) items;
};

/*
 * Adds labels that say where the endpoint is (region, zone, sub-zone, network, and the node of a pod, or ""), so that
 * subsets can be chosen by place. They win over the workload's own. Before endpoint_identity.
 */
void endpoint_add_topology(struct arena *arena, struct endpoint *endpoint, const char *node);
/* The digest of what an endpoint has from its workload: all but address, port, weight, health and mutual TLS. */
struct digest endpoint_identity(const struct endpoint *endpoint);

/* Room for n more. */
void endpoint_list_reserve(struct arena *arena, struct endpoint_list *list, size_t n);
void endpoint_list_add(struct arena *arena, struct endpoint_list *list, const struct endpoint *endpoint,
                       struct digest identity);
/* Of two with one address and port the healthier stays. Who refuses mutual TLS on its port does not take it. */
void endpoint_list_seal(const struct draft *draft, struct endpoint_list *list, struct service_port *port);
