#pragma once
/*
 * What a proxy does with a request, by the resources that it is sent: the filters of access control in the chain that
 * takes it, one after the other.
 */
#include "cli/authz_proxy.h"
#include "cli/authz_request.h"

enum authz_decision {
	AUTHZ_ALLOWED,
	AUTHZ_DENIED,
	AUTHZ_ASKED,   /* a service outside decides */
	AUTHZ_REFUSED, /* no chain takes the connection: plaintext where mutual TLS is wanted, a port that is closed */
};

/* One rule of a policy, as one filter has it. */
struct authz_opinion {
	const char *name; /* "ns[default]-policy[orders]-rule[0]", with what stands before and behind */
	const char *action;
	bool is_dry_run, is_met;
	const char *words; /* why it is not met; NULL: it is */
};

struct authz_verdict {
	enum authz_decision decision;
	const char *by;       /* the name of the rule; NULL: no rule */
	const char *path;     /* as it was compared */
	const char *listener; /* that took it; NULL: none */
	const char *refusal;  /* AUTHZ_REFUSED: why */
	const char *note;     /* what is not seen of the request as it was given; NULL */
	const struct authz_opinion *opinions;
	size_t n_opinions;
};

/* A request that says no address of the pod, or no host, has the pod's first address there. */
struct authz_verdict authz_decide(struct arena *arena, const struct authz_proxy *proxy,
                                  const struct authz_request *request);
