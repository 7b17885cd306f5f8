/* Where a request comes from, as principals of Envoy's RBAC. */
#include "base/text.h"
#include "translator/envoy/authz_matchers.h"
#include "translator/envoy/emit_parts.h"
#include "translator/envoy/rbac.h"

#include <string.h>

#define ID(name) ENVOY__CONFIG__RBAC__V3__PRINCIPAL__IDENTIFIER_##name

static envoy_rbac_principal *principal(struct arena *arena,
                                       Envoy__Config__Rbac__V3__Principal__IdentifierCase identifier_case)
{
	envoy_rbac_principal *out = envoy_rbac_principal_new(arena);
	out->identifier_case = identifier_case;
	return out;
}

static envoy_rbac_principal *any(struct arena *arena)
{
	envoy_rbac_principal *out = principal(arena, ID(ANY));
	out->any = true;
	return out;
}

static envoy_rbac_principal * not(struct arena * arena, envoy_rbac_principal *id)
{
	envoy_rbac_principal *out = principal(arena, ID(NOT_ID));
	out->not_id = id;
	return out;
}

static envoy_rbac_principal *all(struct arena *arena)
{
	envoy_rbac_principal *out = principal(arena, ID(AND_IDS));
	out->and_ids = envoy_rbac_principal_set_new(arena);
	return out;
}

static envoy_rbac_principal *metadata(struct arena *arena, envoy_metadata_matcher *matcher)
{
	envoy_rbac_principal *out = principal(arena, ID(METADATA));
	out->metadata = matcher;
	return out;
}

/* ---- one value each ---- */

static envoy_rbac_principal *spiffe_id(struct arena *arena, const struct authz_term *term, const char *value)
{
	envoy_rbac_principal *out = principal(arena, ID(AUTHENTICATED));
	out->authenticated = envoy_rbac_principal_authenticated_new(arena);
	out->authenticated->principal_name = authz_spiffe_id(arena, term->attribute, value);
	return out;
}

static envoy_rbac_principal *remote_ip(struct arena *arena, const struct authz_term *term, const char *value)
{
	(void)term;
	envoy_rbac_principal *out = principal(arena, ID(REMOTE_IP));
	out->remote_ip = cidr_range(arena, value);
	return out;
}

static envoy_rbac_principal *source_ip(struct arena *arena, const struct authz_term *term, const char *value)
{
	(void)term;
	envoy_rbac_principal *out = principal(arena, ID(DIRECT_REMOTE_IP));
	out->direct_remote_ip = cidr_range(arena, value);
	return out;
}

static envoy_rbac_principal *header(struct arena *arena, const struct authz_term *term, const char *value)
{
	envoy_rbac_principal *out = principal(arena, ID(HEADER));
	out->header = authz_header(arena, term->name, value, false);
	return out;
}

static envoy_rbac_principal *header_element(struct arena *arena, const struct authz_term *term, const char *value)
{
	envoy_rbac_principal *out = principal(arena, ID(HEADER));
	out->header = authz_header_element(arena, term->name, value);
	return out;
}

/* ISSUER/SUBJECT: an issuer may be a URL, so the last "/" counts. A "*" at the start goes on over it, and so does one
 * at the end. */
static envoy_rbac_principal *request_principal(struct arena *arena, const struct authz_term *term, const char *value)
{
	(void)term;
	const char *slash = strrchr(value, '/');
	const char *issuer = slash ? arena_strndup(arena, value, (size_t)(slash - value)) : value;
	const char *subject = slash ? slash + 1 : "";
	if (!slash && value[0] == '*') {
		issuer = "*";
		subject = value;
	} else if (!slash && text_has_suffix(value, "*")) {
		subject = "*";
	}
	envoy_rbac_principal *out = all(arena);
	BUILD_ADD(arena, out->and_ids, ids,
	          metadata(arena, authz_claim_text(arena, "iss", authz_text(arena, issuer, false))));
	BUILD_ADD(arena, out->and_ids, ids,
	          metadata(arena, authz_claim_text(arena, "sub", authz_text(arena, subject, false))));
	return out;
}

static envoy_rbac_principal *(*const builders[AUTHZ_ATTRIBUTES])(struct arena *, const struct authz_term *,
                                                                 const char *) = {
    [AUTHZ_PRINCIPAL] = spiffe_id,           [AUTHZ_REQUEST_PRINCIPAL] = request_principal,
    [AUTHZ_SERVICE_ACCOUNT] = spiffe_id,     [AUTHZ_NAMESPACE] = spiffe_id,
    [AUTHZ_TRUST_DOMAIN] = spiffe_id,        [AUTHZ_REMOTE_IP] = remote_ip,
    [AUTHZ_SOURCE_IP] = source_ip,           [AUTHZ_HEADER] = header,
    [AUTHZ_HEADER_ELEMENT] = header_element,
};

/* Where a match closes; see rbac.h. */
static envoy_rbac_principal *(*const closing_builders[AUTHZ_ATTRIBUTES])(struct arena *, const struct authz_term *,
                                                                         const char *) = {
    [AUTHZ_HEADER] = header_element,
};

/* Claims that take all values in one matcher. */
static const char *const claims[AUTHZ_ATTRIBUTES] = {[AUTHZ_AUDIENCE] = "aud", [AUTHZ_PRESENTER] = "azp"};

/* ---- terms ---- */

static envoy_rbac_principal *any_of(struct arena *arena, const struct authz_term *term, const struct strings *values,
                                    bool is_closing)
{
	if (term->attribute == AUTHZ_CLAIM)
		return metadata(arena, authz_claim(arena, &term->path, values));
	if (claims[term->attribute])
		return metadata(arena, authz_claim(arena, &(struct strings){&claims[term->attribute], 1}, values));
	if (values->n == 1 && term->attribute == AUTHZ_REQUEST_PRINCIPAL)
		return request_principal(arena, term, values->v[0]);
	envoy_rbac_principal *(*build)(struct arena *, const struct authz_term *, const char *) =
	    is_closing ? closing_builders[term->attribute] : NULL;
	if (!build)
		build = builders[term->attribute];
	envoy_rbac_principal *out = principal(arena, ID(OR_IDS));
	out->or_ids = envoy_rbac_principal_set_new(arena);
	for (size_t i = 0; i < values->n; i++)
		BUILD_ADD(arena, out->or_ids, ids, build(arena, term, values->v[i]));
	return out;
}

/* NULL: it cannot be said of the transport. */
static envoy_rbac_principal *all_of(struct arena *arena, const struct authz_terms *terms, enum authz_action action,
                                    enum rbac_transport transport)
{
	envoy_rbac_principal *out = all(arena);
	for (size_t i = 0; i < terms->n; i++) {
		const struct authz_term *term = &terms->v[i];
		if (transport == RBAC_TCP && authz_attribute_is_http(term->attribute)) {
			if (action == AUTHZ_ALLOW)
				return NULL;
			continue;
		}
		if (term->values.n)
			BUILD_ADD(arena, out->and_ids, ids, any_of(arena, term, &term->values, action != AUTHZ_ALLOW));
		if (term->not_values.n)
			BUILD_ADD(arena, out->and_ids, ids, not(arena, any_of(arena, term, &term->not_values, false)));
	}
	if (!out->and_ids->n_ids)
		BUILD_ADD(arena, out->and_ids, ids, any(arena));
	return out;
}

bool rbac_add_principals(struct arena *arena, envoy_rbac_policy *policy, const struct authz_rule *rule,
                         enum authz_action action, enum rbac_transport transport)
{
	for (size_t i = 0; i < rule->n_sources; i++) {
		envoy_rbac_principal *one = all_of(arena, &rule->sources[i], action, transport);
		if (!one)
			return false;
		BUILD_ADD(arena, policy, principals, one);
	}
	return true;
}

void rbac_permit_nobody(struct arena *arena, envoy_rbac_policy *policy)
{
	BUILD_ADD(arena, policy, principals, not(arena, any(arena)));
}
