#pragma once
/*
 * What a rule of Envoy's RBAC asks of a request, with what the request answers: a tree that says not only whether it is
 * met, but what was looked at, what was seen and what was wanted.
 */
#include "cli/authz_request.h"
#include "proto/envoy.h"

enum authz_condition_type { AUTHZ_IS, AUTHZ_ALL_OF, AUTHZ_ANY_OF, AUTHZ_NOT };

struct authz_condition {
	enum authz_condition_type type;
	bool is_met;
	/* AUTHZ_IS */
	const char *subject; /* "path"; NULL: anything meets it */
	const char *seen;    /* NULL: there is none */
	const char *wanted;  /* "/public/x", "/public/x*" */
	/* the others; NOT has one */
	const struct authz_condition *const *parts;
	size_t n_parts;
};

/* Some principal, and some permission. */
const struct authz_condition *authz_condition_of_policy(struct arena *arena, const struct authz_request *request,
                                                        const envoy_rbac_policy *policy);
/* Why it is not met, such as: path is /x, not /a or /b*. Only for one that is not. */
const char *authz_condition_words(struct arena *arena, const struct authz_condition *condition);
