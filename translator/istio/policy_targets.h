#pragma once
/*
 * Which workloads a policy is for: those that its selector chooses, or the gateways that its targetRefs name.
 */
#include "translator/istio/istio_parts.h"

#define POLICY_TARGETS_LABEL_GATEWAY "gateway.networking.k8s.io/gateway-name" /* of proxies that are made for one */

struct policy_targets {
	const istio_type_workload_selector *selector;    /* NULL: all of the namespace */
	const istio_policy_target_reference *target_ref; /* NULL: none */
	istio_policy_target_reference *const *target_refs;
	size_t n_target_refs;
};

/* A target that nothing in a mesh of sidecars is gives a row. */
struct workload_selectors policy_targets_lower(struct draft *draft, const struct object *object,
                                               const struct policy_targets *targets);
