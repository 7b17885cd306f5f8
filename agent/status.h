#pragma once
/*
 * The agent's pages, over http/http.h: readiness and figures. They only look.
 */
#include "agent/workload_identity.h"
#include "base/error.h"

struct status_endpoint {
	const char *path, *help;
};

#define STATUS_ENDPOINTS 3
extern const struct status_endpoint status_endpoints[STATUS_ENDPOINTS];

struct status;

struct status_options {
	const char *address;       /* HOST:PORT */
	const char *admin_address; /* Envoy's; NULL: there is no Envoy to ask */
	struct workload_identity *identity;
	struct sds *sds;
};

struct status *status_new(const struct status_options *options, struct error *error);
void status_free(struct status *status); /* NULL is fine */
unsigned status_port(const struct status *status);
void status_set_draining(struct status *status); /* any thread: not ready from now on */

/* What /healthz/ready says, when the identity is so and Envoy ready or not (envoy: NULL when ready). */
bool status_judge(const struct workload_identity_status *identity, const char *envoy, bool is_draining,
                  struct error *reason);
