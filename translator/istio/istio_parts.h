#pragma once
/*
 * The Istio front end from the inside: what its resolve_*.c share. It lowers Kubernetes' Services, EndpointSlices,
 * Pods, Nodes, Namespaces and Istio's networking kinds into the draft; nothing outside this folder includes this header
 * but resolve.c.
 *
 * Each part walks its kind in the snapshot once. A mistake becomes a row of draft->report with the field's path; the
 * rest of the object stays in force.
 */
#include "proto/istio.h"
#include "translator/draft.h"

/* The parts, in the order in which they run (istio.c). */
void resolve_mesh(struct draft *draft);
void resolve_secrets(struct draft *draft);
void resolve_workloads(struct draft *draft);
void resolve_services(struct draft *draft);
void resolve_service_entries(struct draft *draft);
void resolve_destination_rules(struct draft *draft);
void resolve_virtual_services(struct draft *draft);
void resolve_peer_authentications(struct draft *draft);
void resolve_extension_providers(struct draft *draft);
void resolve_authorization_policies(struct draft *draft);
void resolve_request_authentications(struct draft *draft);
void resolve_gateways(struct draft *draft);

/* The front end's entry: runs the parts. */
void resolve_istio(struct draft *draft);
/* Says what only the finished model shows: rows of the report, nothing else. */
void review_istio(struct draft *draft);
void review_policies(struct draft *draft);       /* of access control */
void review_routing_claims(struct draft *draft); /* routes by tokens that nobody reads */

/* What MeshConfig says that only the front end needs. */
enum istio_export { EXPORT_SERVICE, EXPORT_VIRTUAL_SERVICE, EXPORT_DESTINATION_RULE, EXPORT_COUNT };

struct workloads;

/* What the parts hand on to each other; resolve_mesh and resolve_workloads fill it. */
struct istio_settings {
	const struct workloads *workloads;              /* workloads.h */
	struct strings default_export_to[EXPORT_COUNT]; /* none: public */
	struct map authz_providers;           /* name -> struct authz_provider; of those that decide about requests */
	const istio_mesh_config *mesh_config; /* as decoded, never NULL: for settings that no draft field carries yet */
};

/*
 * The host that `host` means in an object of the namespace: a short name ("reviews") becomes
 * "reviews.NAMESPACE.svc.DOMAIN"; "*", wildcards, IP addresses and names with a dot stay. Lower case.
 */
const char *istio_host_fqdn(struct draft *draft, const char *host, const char *namespace);

/*
 * exportTo: "." the object's namespace, "*" everybody, "~" nobody, else a namespace. An empty list: the mesh's default
 * for the kind. Values that are no namespace name give a report row at `field` ("spec.exportTo") and are left out.
 */
struct visibility istio_visibility(struct draft *draft, const struct object *object, enum istio_export kind,
                                   const char *field, char *const *export_to, size_t n);

/* "/apis/networking.istio.io/v1/namespaces/NS/virtual-service/NAME": what Istio writes into metadata.istio.config. */
struct source_ref istio_source(struct draft *draft, const struct object *object, const char *kind_in_path);

struct labels istio_labels_sorted(struct label *v, size_t n); /* sorts v; keys are unique */
/* The map field of any message as struct labels: ISTIO_LABELS(arena, subset, labels). */
#define ISTIO_LABELS(arena, message, field)                                                                            \
	__extension__({                                                                                                \
		__typeof__(message) labels_m = (message);                                                              \
		struct label *labels_v = ARENA_NEW_N((arena), struct label, labels_m->n_##field);                      \
		for (size_t labels_i = 0; labels_i < labels_m->n_##field; labels_i++)                                  \
			labels_v[labels_i] =                                                                           \
			    (struct label){labels_m->field[labels_i]->key, labels_m->field[labels_i]->value};          \
		istio_labels_sorted(labels_v, labels_m->n_##field);                                                    \
	})

/* exportTo values that mean something: a namespace or one of ".", "*", "~". */
bool istio_is_export_to(const char *value);

/* ---- protocol.c ---- */

/* A protocol by Istio's name ("HTTP", "grpc-web", "TLS", …), any case. False when there is no such protocol. */
bool istio_protocol_parse(const char *name, enum protocol *protocol);
/*
 * What a service port speaks. `transport` is Kubernetes' "TCP", "UDP", "SCTP" (NULL: TCP); app_protocol and port name
 * may be NULL. Order: UDP; well-known ports without a hint; appProtocol; the name up to its first "-".
 */
enum protocol istio_protocol_select(uint32_t port, const char *transport, const char *port_name,
                                    const char *app_protocol);
