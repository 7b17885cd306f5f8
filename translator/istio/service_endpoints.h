#pragma once
/*
 * The endpoints of Kubernetes Services: from EndpointSlices, or from the Endpoints object where a service has no slice
 * (written by hand, or by old controllers), and from the WorkloadEntries that the Service selects as if they were pods.
 *
 * Not-ready addresses are no endpoints, but the proxies there already serve the ports (draft_add_served): they learn
 * them before they get traffic.
 */
#include "translator/istio/workloads.h"

/* A Service while it is resolved. Its TCP ports are final before endpoints are added. */
struct service_draft {
	struct draft *draft;
	const struct object *object;
	const k8s_service_spec *spec;
	struct service *service;
	struct service_port *ports;
	struct endpoint_list *lists;  /* one a port */
	bool is_publishing_not_ready; /* not-ready addresses are endpoints all the same */
	bool is_draining_kept;        /* what shuts down stays an endpoint, draining */
};

struct slice_ref {
	const char *namespace, *service;
	const k8s_endpoint_slice *slice;
	size_t order; /* in the snapshot */
};

/* All EndpointSlices by namespace and service. */
struct slice_index {
	struct slice_ref *v;
	size_t n;
};

struct slice_index slice_index_new(struct draft *draft);
/* Fills the ports' endpoints. */
void service_endpoints_resolve(struct service_draft *sd, const struct slice_index *slices);
/* No has_ flag set, 0 or above 65535: no port number. */
bool service_port_is_valid(bool has, int32_t number);
