#pragma once
/*
 * Access control: who may send what to a workload. A part of the model (model.h), with its rules for digests and
 * sorting.
 *
 * For each request the policies of a workload are asked: those of CUSTOM leave the answer to a service outside, then
 * any that DENY refuses it, then one that ALLOW must take it, if there are any. AUDIT changes nothing but the log.
 */
#include "base/digest.h"
#include "translator/authz_provider.h"
#include "translator/model_terms.h"

enum authz_action { AUTHZ_ALLOW, AUTHZ_DENY, AUTHZ_AUDIT, AUTHZ_CUSTOM };

/* What of a request or connection is looked at. */
enum authz_attribute {
	/* where it goes */
	AUTHZ_HOST,
	AUTHZ_METHOD,
	AUTHZ_PATH, /* without the query; a value with {*} or {**} is a template of segments */
	AUTHZ_PORT,
	AUTHZ_DESTINATION_IP,
	AUTHZ_SERVER_NAME,     /* in the TLS handshake */
	AUTHZ_FILTER_METADATA, /* of the proxy's filter `name`, its member path[0]; a value [x] is for lists */
	/* where it comes from */
	AUTHZ_PRINCIPAL,         /* of the peer's certificate, without "spiffe://" */
	AUTHZ_REQUEST_PRINCIPAL, /* of the token: ISSUER/SUBJECT */
	AUTHZ_SERVICE_ACCOUNT,   /* NAMESPACE/SERVICE-ACCOUNT, no wildcards */
	AUTHZ_NAMESPACE,         /* of the peer's certificate */
	AUTHZ_TRUST_DOMAIN,      /* the same */
	AUTHZ_REMOTE_IP,         /* the client's, as trusted proxies say */
	AUTHZ_SOURCE_IP,         /* the peer's */
	AUTHZ_HEADER,            /* `name`; several of it are one text, with commas between */
	AUTHZ_HEADER_ELEMENT,    /* one of the texts between the commas */
	AUTHZ_AUDIENCE,          /* of the token: aud, */
	AUTHZ_PRESENTER,         /* azp, */
	AUTHZ_CLAIM,             /* the claim at `path` */
	AUTHZ_ATTRIBUTES,
};

/* Whether it is known of HTTP requests only, not of connections. */
bool authz_attribute_is_http(enum authz_attribute attribute);
bool authz_attribute_is_of_source(enum authz_attribute attribute);

/*
 * Some value must be the attribute's, and no not_value. "text" is itself, "text*" what begins so, "*text" what ends so,
 * "*" what is there; of addresses a value is an address or a subnet.
 */
struct authz_term {
	enum authz_attribute attribute;
	const char *name;    /* "" */
	struct strings path; /* none */
	struct strings values, not_values;
	uint32_t condition; /* for rows: 1 + its place among the rule's conditions; 0: of a source or an operation */
};

/* All must hold. */
struct authz_terms {
	const struct authz_term *v;
	size_t n;
};

/* One of the sources and one of the operations must hold; there is at least one of each, which may be without terms. */
struct authz_rule {
	const struct authz_terms *sources, *operations;
	size_t n_sources, n_operations;
};

struct authz_policy {
	const char *name, *namespace;
	enum authz_action action;
	bool is_dry_run;                       /* what it would do is only counted */
	const char *provider_name;             /* CUSTOM: whom to ask; else NULL */
	const struct authz_provider *provider; /* NULL: the mesh has none of the name */
	struct workload_selectors selectors;
	const struct authz_rule *rules; /* none: nothing matches */
	size_t n_rules;
	int64_t created_s;
	struct source_ref source;
	struct digest digest;
};

/* Those for one workload: the root namespace's, which are for the whole mesh, then its own namespace's; by name. */
struct authz_policies {
	const struct authz_policy *const *v;
	size_t n;
	const struct authz_provider *provider; /* whom those of CUSTOM ask; NULL: nobody can be, they refuse */
};

/* Whether one of them has the action: any, one that is enforced, one that is a dry run. */
bool authz_has(const struct authz_policies *policies, enum authz_action action);
bool authz_has_enforced(const struct authz_policies *policies, enum authz_action action);
bool authz_has_dry_run(const struct authz_policies *policies, enum authz_action action);
/* All that output reads of them. */
void digest_add_authz(struct digest_state *state, const struct authz_policies *policies);
