#pragma once
/*
 * The proxy of a workload as far as it decides who comes in: the listeners that it is sent. A pod that a Gateway
 * selects (by more than an empty selector, which is for all gateways) is a gateway; all others have a sidecar.
 */
#include "base/error.h"
#include "cli/load.h"
#include "proto/envoy.h"

struct authz_proxy {
	bool is_gateway;
	const char *address; /* the pod's first */
	const envoy_listener *const
	    *listeners; /* a sidecar's one for what comes in; all of a gateway's, by address, port */
	size_t n_listeners;
};

/* By "NAMESPACE/POD". */
const struct workload *authz_proxy_find(const struct model *model, const char *name, struct error *error);
/* The very bytes that the workload's proxy gets, read back; they live in the arena. */
const struct authz_proxy *authz_proxy_of(struct arena *arena, const struct load *load, const struct workload *workload);
