#pragma once
/*
 * Policies of access control as Envoy's RBAC: who (principals) may do what (permissions).
 *
 * What is known of HTTP requests only does not exist for connections: there an ALLOW loses the whole rule, so that it
 * does not allow more than was meant, and all others lose the term, so that they do not deny less.
 *
 * What an ALLOW looks for is taken as it stands. What all others look for closes, so it is found in all forms in which
 * an application may take it for that: one of a header's several texts, a host with a port, a path of characters that
 * no template of Envoy's takes.
 */
#include "proto/envoy.h"
#include "translator/authz.h"

enum rbac_transport { RBAC_HTTP, RBAC_TCP };

/* The terms of a rule's sources, and of its operations. False: the transport knows too little for the rule. */
bool rbac_add_principals(struct arena *arena, envoy_rbac_policy *policy, const struct authz_rule *rule,
                         enum authz_action action, enum rbac_transport transport);
bool rbac_add_permissions(struct arena *arena, envoy_rbac_policy *policy, const struct authz_rule *rule,
                          enum authz_action action, enum rbac_transport transport);

/* What never matches. */
void rbac_permit_nothing(struct arena *arena, envoy_rbac_policy *policy);
void rbac_permit_nobody(struct arena *arena, envoy_rbac_policy *policy);

/* What is in front of, or behind, the name of each policy. */
struct rbac_names {
	const char *prefix, *suffix;
};
/* The policies with this action that are (not) dry runs, as one; NULL when there are none. Of CUSTOM those with the
 * provider, as policies that deny. */
struct rbac_choice {
	enum authz_action action;
	bool is_dry_run;
	const char *provider; /* CUSTOM, else NULL */
	struct rbac_names names;
};
envoy_rbac *rbac_build(struct arena *arena, const struct authz_policies *policies, const struct rbac_choice *choice,
                       enum rbac_transport transport);

/* The filter that asks them: what is enforced, and what is only noted; NULL: none. What comes of it is in metadata and
 * statistics, under the prefix; of connections what is enforced is in statistics only, without. */
struct rbac_rules {
	envoy_rbac *enforced, *shadow;
	const char *prefix, *shadow_prefix; /* "" */
};
ProtobufCMessage *rbac_filter(struct arena *arena, enum rbac_transport transport, const struct rbac_rules *rules);
