#pragma once
/*
 * What a rule of an AuthorizationPolicy becomes in the model. Everything lives in the arena or in the object.
 */
#include "proto/istio.h"
#include "translator/authz.h"

struct authz_lowering {
	struct arena *arena;
	const char *namespace;               /* the policy's: of service accounts without one */
	const struct strings *trust_domains; /* of the mesh: its own first */
};

struct authz_rule authz_lower_rule(const struct authz_lowering *in, const istio_authorization_rule *rule);
