#pragma once
/*
 * The model in parts, by who reads them. Output that reads only parts whose digests did not change did not change
 * either, and is carried over from one model to the next without looking at anything else:
 *
 *     a workload class's output   its key, policies
 *     a sidecar's clusters        its view's key, services (policies are part of it, and so on downwards), peers
 *     a sidecar's listeners       its view's key, services, connections
 *     everything but endpoints    its view's key, routes, peers
 *     load assignments            its view's key, services, endpoints: of each service its own
 *     secrets                     its view's key, routes, secrets
 *     a gateway's listeners       its view's key, routes, access
 *
 * Each of policies, services, routes contains the one before, and routes contains connections. Who lets output read
 * something new of the model adds it to the part that the output is said to read here.
 */
#include "translator/model.h"

struct model_digests {
	struct digest policies;    /* the mesh's settings and destination policies */
	struct digest services;    /* services; with their endpoints where more than load assignments is made of them */
	struct digest routes;      /* rules and gateways */
	struct digest connections; /* rules with TLS or TCP routes for sidecars */
	struct digest peers; /* who the services' endpoints are: the one thing of static endpoints that clusters read */
	struct digest access;           /* by themselves: policies of access control */
	struct digest secrets;          /* by themselves: secrets and what the mesh trusts */
	const struct digest *endpoints; /* of model->services[i], all its ports */
	size_t n_endpoints;
};

/* `endpoints` lives in the arena. */
struct model_digests model_digests_of(struct arena *arena, const struct model *model);
