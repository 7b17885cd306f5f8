#pragma once
/*
 * The workloads that stand behind services: Pods and WorkloadEntries, each lowered to the model once, with indexes to
 * find a pod by name or address and to walk one namespace. Endpoints take labels, locality and identity from here.
 *
 *     const struct workloads *workloads = draft->istio->workloads;     from resolve_workloads
 *     const struct workload_source *pod = workloads_pod(workloads, "default", "reviews-1");
 */
#include "proto/kubernetes.h"
#include "translator/istio/endpoint_list.h"
#include "translator/istio/istio_parts.h"

struct workload_source {
	const struct object *object; /* KIND_POD or KIND_WORKLOAD_ENTRY */
	const k8s_pod *pod;          /* NULL: a workload entry */
	const istio_workload_entry *entry;
	const struct workload *workload;
	struct endpoint endpoint; /* as it is in every service; address, port and weight are still to be set */
	struct digest identity;   /* endpoint_identity of it */
	bool is_ready;            /* pods: by the Ready condition; entries: always */
};

struct workloads {
	struct workload_source *pods; /* by namespace, name; without those that ended */
	size_t n_pods;
	struct workload_source *entries; /* by namespace, name */
	size_t n_entries;
	struct map pods_by_label, entries_by_label; /* private */
	struct map pods_by_address; /* pods on the host's network are left out where another has the address */
};

const struct workload_source *workloads_pod(const struct workloads *workloads, const char *namespace, const char *name);
const struct workload_source *workloads_pod_at(const struct workloads *workloads, const char *address);

/*
 * Those of a namespace that the selector matches, by name; an empty selector matches none. Found through the rarest of
 * the selector's labels, so a thousand selectors do not walk a thousand workloads each.
 */
struct workload_selection {
	const struct workload_source **v;
	size_t n;
};

struct workload_selection workloads_select_pods(struct arena *arena, const struct workloads *workloads,
                                                const char *namespace, const struct labels *selector);
struct workload_selection workloads_select_entries(struct arena *arena, const struct workloads *workloads,
                                                   const char *namespace, const struct labels *selector);

/* Whether a WorkloadEntry, inline ones too, takes mutual TLS: by the label that pods have, else if it has an account.
 */
bool workloads_is_mtls_entry(const istio_workload_entry *entry);
/* Of a WorkloadEntry, inline ones too: by its field, else by the label that pods have. */
struct locality workloads_locality_of_entry(struct arena *arena, const istio_workload_entry *entry);
