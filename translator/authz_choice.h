#pragma once
/*
 * Whom the CUSTOM policies of a workload ask. There must be one whom all of them name, and its service must be one that
 * the workload's proxy can reach: else nobody is asked, and all that the policies' rules match is refused.
 */
#include "translator/model.h"

enum authz_choice_state {
	AUTHZ_NOT_ASKED,         /* there is no policy of CUSTOM */
	AUTHZ_CHOSEN,            /* the only state with a provider */
	AUTHZ_RIVALS,            /* `policy` and `rival` name different ones */
	AUTHZ_UNDEFINED,         /* the mesh has none of the name */
	AUTHZ_INVALID,           /* the mesh's settings of it are wrong, as they were told */
	AUTHZ_SERVICE_NOT_FOUND, /* nobody has the host, or not in the namespace */
	AUTHZ_SERVICE_AMBIGUOUS, /* several namespaces have the host, and none is said */
	AUTHZ_PORT_NOT_FOUND,
	AUTHZ_SERVICE_BY_ADDRESS, /* reached where the client dialled, and nobody dials it */
	AUTHZ_SERVICE_NOT_SEEN,   /* by the workload's namespace: its proxies have no cluster for it, or another's */
};

struct authz_choice {
	enum authz_choice_state state;
	const struct authz_provider *provider;
	const struct service_port *port;           /* where it is; with a provider only */
	const struct authz_policy *policy, *rival; /* the first one of CUSTOM, and the first that names another; NULL */
};

/* Of model_authz's policies for a workload of the namespace. After the model's services are sorted. */
struct authz_choice authz_choose(const struct model *model, const char *namespace,
                                 const struct authz_policies *policies);

/* The policies for a workload, with whom they ask; they live in the arena. */
struct authz_policies authz_of(struct arena *arena, const struct model *model, const char *namespace,
                               const struct labels *labels);
