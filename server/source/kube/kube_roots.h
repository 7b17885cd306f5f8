#pragma once
/*
 * The ConfigMap with the mesh's roots in every namespace, where pods find whom to trust before they have a certificate:
 * istio-ca-root-cert, key root-cert.pem, label istio.io/config: "true", as with Istio. A state machine without I/O, as
 * kube_watch.h; one replica runs it, that which holds the lease.
 *
 * - What stands there is known from a list and a watch of the ConfigMaps of this name, in all namespaces; when the
 * watch ends, they are listed again. Without knowing nothing is written.
 * - Where it is missing or otherwise it is applied (server-side apply: what others have added stays), in every
 * namespace that the namespaces' watch knows. At most KUBE_ROOTS_PER_S a second, in a burst KUBE_ROOTS_BURST.
 * - A refusal (a namespace on its way out) is not tried again before the next list.
 */
#include "base/clock.h"
#include "server/source/kube/kube_http.h"
#include "server/source/kube/kube_watch.h"

#define KUBE_ROOTS_NAME "istio-ca-root-cert"
#define KUBE_ROOTS_KEY "root-cert.pem"
#define KUBE_ROOTS_PER_S 20
#define KUBE_ROOTS_BURST 40
#define KUBE_ROOTS_CALLS_MAX 4
#define KUBE_ROOTS_PAUSE_S 5      /* after a failure nothing is written for so long */
#define KUBE_ROOTS_BACKOFF_MS 500 /* after a list or watch that failed; doubled with each, */
#define KUBE_ROOTS_BACKOFF_MAX_MS 10000
#define KUBE_ROOTS_WATCH_S 300
#define KUBE_ROOTS_TIMEOUT_MS 10000
#define KUBE_ROOTS_BYTES_MAX (2u << 20) /* of one ConfigMap */

struct kube_roots;

struct kube_roots_stats {
	uint64_t writes, failures;
};

struct kube_roots *kube_roots_new(const struct kube_watch *namespaces, const struct clock *clock);
void kube_roots_free(struct kube_roots *roots); /* NULL is fine */
/* The bundle that should stand there; copied. */
void kube_roots_set(struct kube_roots *roots, const char *pem, size_t n);
/* Whether this replica writes. Who no longer does reads to the end of the watch, and then nothing. */
void kube_roots_lead(struct kube_roots *roots, bool is_leader);

/* What is to be read now: a list or a watch (timeout_ms 0), or NULL: ask again at *at_ns. */
const struct kube_request *kube_roots_read(struct kube_roots *roots, int64_t *at_ns);
bool kube_roots_body(struct kube_roots *roots, const char *s, size_t n); /* false: end it */
void kube_roots_read_ended(struct kube_roots *roots, const struct kube_response *response);

/* What is to be written now, and in which namespace (the caller's to free). */
const struct kube_request *kube_roots_write(struct kube_roots *roots, char **namespace, int64_t *at_ns);
/* What to say in the log, or NULL; until the next call. */
const char *kube_roots_written(struct kube_roots *roots, const char *namespace, const struct kube_response *response);
void kube_roots_stats(const struct kube_roots *roots, struct kube_roots_stats *stats);
