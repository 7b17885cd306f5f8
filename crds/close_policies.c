/* One function for each kind that keeps somebody out. */
#include "base/json.h"
#include "crds/close.h"
#include "proto/build.h"

#include <string.h>

#define ACTION(name) ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__##name
#define MODE(name) ISTIO__SECURITY__V1BETA1__PEER_AUTHENTICATION__MUTUAL_TLS__MODE__##name
#define N_PATHS(paths) (sizeof(paths) / sizeof(paths)[0])

/* Of what is in them a policy's targets say enough, or it is taken to be for all. */
#define PATHS_OF_TARGETS "metadata", "spec.selector", "spec.targetRef", "spec.targetRefs"

bool close_authorization_policy(const struct close *close, ProtobufCMessage *message)
{
	istio_authorization_policy *policy = (istio_authorization_policy *)message;
	const struct json *action = close->spec ? json_get(close->spec, "action") : NULL;
	const char *name = !action ? "ALLOW" : action->type == JSON_STRING ? action->string.s : "";
	if (strcmp(name, "AUDIT") == 0)
		return false;
	close_targets(
	    &(struct close_targets){&policy->selector, &policy->targetref, policy->targetrefs, &policy->n_targetrefs});
	bool is_allow = strcmp(name, "ALLOW") == 0;
	policy->action = is_allow ? ACTION(ALLOW) : ACTION(DENY);
	policy->action_detail_case = ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION_DETAIL__NOT_SET;
	policy->n_rules = 0;
	if (!is_allow)
		BUILD_ADD(close->arena, policy, rules, istio_authorization_rule_new(close->arena));
	return true;
}

bool close_peer_authentication(const struct close *close, ProtobufCMessage *message)
{
	static const char *const of_workloads[] = {PATHS_OF_TARGETS};
	istio_peer_authentication *policy = (istio_peer_authentication *)message;
	bool is_open = policy->mtls && (policy->mtls->mode == MODE(PERMISSIVE) || policy->mtls->mode == MODE(DISABLE));
	if (is_open && policy->n_port_level_mtls == 0 &&
	    close_is_only_about(close, of_workloads, N_PATHS(of_workloads)))
		return false;
	close_selector(policy->selector);
	policy->mtls = istio_peer_authentication_mutual_tls_new(close->arena);
	policy->mtls->mode = MODE(STRICT);
	policy->n_port_level_mtls = 0;
	return true;
}

bool close_request_authentication(const struct close *close, ProtobufCMessage *message)
{
	/* what says which tokens are believed; not where they are, nor what becomes of them */
	static const char *const of_belief[] = {
	    PATHS_OF_TARGETS,
	    "spec.jwtRules[].issuer",
	    "spec.jwtRules[].audiences",
	    "spec.jwtRules[].jwksUri",
	    "spec.jwtRules[].jwks",
	    "spec.jwtRules[].timeout",
	    "spec.jwtRules[].spaceDelimitedClaims",
	};
	istio_request_authentication *policy = (istio_request_authentication *)message;
	bool is_told = close_is_only_about(close, of_belief, N_PATHS(of_belief));
	if (is_told && policy->n_jwt_rules == 0)
		return false;
	close_targets(
	    &(struct close_targets){&policy->selector, &policy->targetref, policy->targetrefs, &policy->n_targetrefs});
	if (!is_told)
		policy->n_jwt_rules = 0;
	for (size_t i = 0; i < policy->n_jwt_rules; i++) {
		istio_jwt_rule *rule = policy->jwt_rules[i];
		rule->jwks = rule->jwks_uri = (char *)(uintptr_t) "";
		rule->n_audiences = rule->n_space_delimited_claims = 0;
	}
	return true;
}
