#include "crds/check.h"

/* Modes are an enum: what is none of them, the codec has refused. */
void check_peer_authentication(struct check *check, const ProtobufCMessage *message)
{
	const istio_peer_authentication *policy = (const istio_peer_authentication *)message;
	const istio_type_workload_selector *selector = policy->selector;
	check_policy_selector(check, selector);
	if (policy->n_port_level_mtls == 0 && check_is_written(check, "portLevelMtls"))
		check_error(check, "portLevelMtls", "names no port: leave it out");
	if (policy->n_port_level_mtls > 0 && (!selector || selector->n_match_labels == 0))
		check_error(
		    check, "portLevelMtls",
		    "ports are those of workloads: a policy for a whole namespace or mesh cannot have them; give "
		    "it a selector with labels");
	for (size_t i = 0; i < policy->n_port_level_mtls; i++)
		check_port(check, "portLevelMtls", policy->port_level_mtls[i]->key);
}
