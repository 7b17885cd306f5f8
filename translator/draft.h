#pragma once
/*
 * The model while it is being made. resolve.c makes one draft, each dialect's parts append to its arrays in any order,
 * and resolve.c then sorts them as model.h says and fills the model's maps. So no part sorts what it adds, and a part
 * may read only what an earlier one added (the order is the table in resolve.c: mesh, services, then all that names
 * them).
 *
 * Everything lives in `arena`; strings of objects are borrowed, since the snapshot outlives the model.
 */
#include "base/vec.h"
#include "translator/model.h"
#include "translator/snapshot.h"

struct istio_settings;

struct draft {
	struct arena *arena;
	const struct snapshot *snapshot;
	struct model *model;   /* mesh is final after resolve_mesh; arrays and maps only after all parts ran */
	struct report *report; /* &model->report */
	VEC(const struct service *) services;
	VEC(const struct destination_policy *) policies;
	VEC(const struct peer_authentication *)
	peer_authentications; /* without namespace: the mesh's; without
	                         selector: the namespace's; one of each */
	VEC(const struct authz_policy *) authz_policies;
	VEC(const struct request_authentication *) request_authentications;
	VEC(struct key_source) key_sources; /* with doubles */
	VEC(const struct route_rule *) rules;
	VEC(const struct gateway *) gateways;
	VEC(const struct secret *) secrets; /* comes sorted: by namespace, name */
	VEC(const struct workload *) workloads;
	struct istio_settings *istio; /* istio/'s own; see istio/istio_parts.h */
};

/* Says that a proxy at this address serves the port, whether it is ready or not: see model_served_ports. */
void draft_add_served(struct draft *draft, const char *address, const struct service *service,
                      const struct service_port *port, uint32_t target_port);

/* After the last peer authentication: the model answers from now on what workloads take, as services need to know. */
void draft_seal_mtls(struct draft *draft);

/* Of all but the endpoints; for service->digest, once the other fields are final. */
struct digest service_digest(const struct service *service);

/* Parts of digests. Order counts: sort first where the order of the source does not matter. */
void digest_add_bool(struct digest_state *state, bool value);
void digest_add_i64(struct digest_state *state, int64_t value);
void digest_add_strings(struct digest_state *state, const struct strings *strings);
void digest_add_labels(struct digest_state *state, const struct labels *labels);
void digest_add_visibility(struct digest_state *state, const struct visibility *visibility);
void digest_add_source(struct digest_state *state, const struct source_ref *source); /* its path: what output shows */
