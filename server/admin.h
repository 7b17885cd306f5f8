#pragma once
/*
 * The admin pages: health, metrics and what weftd has in mind, over http.h. See admin_endpoints. They only look: no
 * request changes anything.
 */
#include "base/error.h"
#include "server/identity/cert_service.h"
#include "server/identity/door.h"
#include "server/identity/keeper.h"
#include "server/jwks/jwks_keeper.h"
#include "server/pipeline.h"
#include "server/xds/server.h"

struct admin_endpoint {
	const char *path;  /* "/readyz" */
	const char *query; /* "?proxy=ID", or "" */
	const char *help;
};

#define ADMIN_ENDPOINTS 10
extern const struct admin_endpoint admin_endpoints[ADMIN_ENDPOINTS];

struct admin;

struct admin_options {
	const char *address;       /* HOST:PORT as option_parse_address takes it */
	struct pipeline *pipeline; /* borrowed; must outlive the server */
	struct keeper *keeper;     /* borrowed; NULL: no authority */
	struct jwks_keeper *jwks;  /* borrowed; NULL: no keys are fetched */
	struct door *door;         /* both borrowed; NULL: no TLS port */
	struct cert_service *certs;
	struct xds_server *xds; /* borrowed; NULL: proxies cannot connect, so not ready */
};

/* Binds and starts; fails when the address is taken. */
struct admin *admin_new(const struct admin_options *options, struct error *error);
void admin_free(struct admin *admin); /* NULL is fine */
unsigned admin_port(const struct admin *admin);
/* Any thread. The xDS server is about to go: from now on /readyz is 503, and no page asks it any more. Returns when
 * none does. */
void admin_set_draining(struct admin *admin);
