#pragma once
/*
 * Which of several replicas writes: the holder of a Lease (coordination.k8s.io/v1), by the rules of Kubernetes' own
 * leader election. A state machine without I/O, as kube_watch.h.
 *
 * - The holder renews it every KUBE_LEASE_RENEW_S. It counts itself as holder only for KUBE_LEASE_HOLD_S after the
 *   beginning of the last renewal that succeeded, which is less than the others wait.
 * - The others look every KUBE_LEASE_RETRY_S. The lease is free when its holder let go of it, or when it has not
 * changed for its duration by our own monotonic clock: no two machines' clocks are ever compared, so they may be wrong
 * or step.
 * - Whoever takes or renews it names the version that it saw, so of two only one succeeds.
 */
#include "base/clock.h"
#include "base/text.h"
#include "server/source/kube/kube_http.h"

#define KUBE_LEASE_DURATION_S 15
#define KUBE_LEASE_HOLD_S 10
#define KUBE_LEASE_RENEW_S 4
#define KUBE_LEASE_RETRY_S 2
#define KUBE_LEASE_TIMEOUT_MS 5000 /* of one request */

struct kube_lease;

struct kube_lease_options {
	const char *namespace, *name;
	const char *identity; /* of this replica: unlike any other's, and unlike its own after a restart */
	const struct clock *clock;
	unsigned seed; /* of the jitter */
};

struct kube_lease *kube_lease_new(const struct kube_lease_options *options);
void kube_lease_free(struct kube_lease *lease);

/* A request to start now, or NULL: ask again at *at_ns. Its functions are the caller's to set. Until the next call. */
const struct kube_request *kube_lease_next(struct kube_lease *lease, int64_t *at_ns);
void kube_lease_ended(struct kube_lease *lease, const struct kube_response *response);
/* A request that lets go of it, so that another may have it at once; NULL when it is not held. The last of all. */
const struct kube_request *kube_lease_release(struct kube_lease *lease);

bool kube_lease_is_held(const struct kube_lease *lease);
