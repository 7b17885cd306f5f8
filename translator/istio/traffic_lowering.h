#pragma once
/*
 * Istio's TrafficPolicy to the model's: resolve_traffic_policy.c. Inheritance is worked out on Istio's messages, part
 * by part (connection pool, outlier detection, load balancer, TLS), and what comes out is lowered:
 *
 *   a port's settings replace the whole policy for that port: parts they leave out go to the mesh's defaults;
 *   a subset's parts replace the destination's (those of the port, where it has its own); its own port settings, all of
 * it.
 */
#include "translator/istio/istio_parts.h"

/* The policies by port: ports in order, then the one for all others (port 0). The inputs may be NULL: nothing said. */
struct destination_subset traffic_lower_whole(struct draft *draft, const istio_traffic_policy *policy);
struct destination_subset traffic_lower_subset(struct draft *draft, const istio_traffic_policy *policy,
                                               const istio_subset *subset);

/* Rows for what is not valid or not supported in one TrafficPolicy; path: "spec.trafficPolicy". Once an object. */
void traffic_check(struct draft *draft, const struct object *object, const istio_traffic_policy *policy,
                   const char *path);

struct keepalive
traffic_lower_keepalive(const istio_connection_pool_settings_tcp_settings_tcp_keepalive *in); /* or NULL */
void traffic_digest_keepalive(struct digest_state *state, const struct keepalive *keepalive);

/* ---- resolve_load_balancer.c: that part alone; `in` may be NULL ---- */

struct load_balancer traffic_lower_lb(struct arena *arena, const istio_load_balancer_settings *in);
void traffic_digest_lb(struct digest_state *state, const struct load_balancer *lb);

/* ---- resolve_tls.c: that part alone; `in` may be NULL ---- */

struct client_tls traffic_lower_tls(struct arena *arena, const istio_client_tls_settings *in);
void traffic_digest_tls(struct digest_state *state, const struct client_tls *tls);
void traffic_check_tls(struct draft *draft, const struct object *object, const istio_client_tls_settings *in,
                       const char *path);

/* A field that is valid and not done yet. */
struct later_field {
	const char *name;
	bool is_set;
};
/* A NotSupported row for each of the fields under the path that is set. */
void traffic_report_later(struct draft *draft, const struct object *object, enum report_severity severity,
                          const char *path, const struct later_field *fields, size_t n);
void traffic_check_lb(struct draft *draft, const struct object *object, const istio_load_balancer_settings *in,
                      const char *path);
