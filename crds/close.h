#pragma once
/*
 * What takes the place of a refused object of which there is no former form (object_stand_in): it must keep out
 * whomever the object may have been meant to keep out, and as far as can be read leave alone what it was not for.
 *
 * There is one function a kind, which kinds.c names. It gets as much of the message as could be decoded, changes it to
 * what is in force, and says false when without the object nothing is open.
 */
#include "crds/object.h"
#include "proto/istio.h"

struct close {
	struct arena *arena;               /* of what is added to the message */
	const struct json *spec;           /* as written; NULL: none was */
	const struct codec_issues *issues; /* why it was refused; warnings among them */
};

/*
 * Whether nothing is wrong but what these paths are of, and what is in them: "metadata", "spec.mtls.mode",
 * "spec.jwtRules[].jwks" of any of the list.
 */
bool close_is_only_about(const struct close *close, const char *const *paths, size_t n);

/* Leaves of a selector what a workload can have: it rather selects more. NULL is fine. */
void close_selector(istio_type_workload_selector *selector);

/* Whom a policy is for, where that stands in its message. When it cannot be told, it is for all of its namespace. */
struct close_targets {
	istio_type_workload_selector **selector;
	istio_policy_target_reference **target_ref, **target_refs;
	size_t *n_target_refs;
};
void close_targets(const struct close_targets *targets);

/* The functions that kinds.c names. */

/* Of a policy that allows nothing is left, so that its workloads take only what others allow; any other denies all. */
bool close_authorization_policy(const struct close *close, ProtobufCMessage *message);
/* Mutual TLS only; nothing where it surely lets everybody in. */
bool close_peer_authentication(const struct close *close, ProtobufCMessage *message);
/*
 * Where it can be told in which places it looks for tokens and what it hands on, its rules without keys, so that each
 * token there is refused. Else no rules: every request is (translator/istio/resolve_request_authentications.c).
 */
bool close_request_authentication(const struct close *close, ProtobufCMessage *message);
