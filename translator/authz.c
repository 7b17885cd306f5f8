#include "translator/authz.h"

static const struct {
	bool is_http, is_of_source;
} attributes[AUTHZ_ATTRIBUTES] = {
    [AUTHZ_HOST] = {.is_http = true},
    [AUTHZ_METHOD] = {.is_http = true},
    [AUTHZ_PATH] = {.is_http = true},
    [AUTHZ_PRINCIPAL] = {.is_of_source = true},
    [AUTHZ_REQUEST_PRINCIPAL] = {true, true},
    [AUTHZ_SERVICE_ACCOUNT] = {.is_of_source = true},
    [AUTHZ_NAMESPACE] = {.is_of_source = true},
    [AUTHZ_TRUST_DOMAIN] = {.is_of_source = true},
    [AUTHZ_REMOTE_IP] = {.is_of_source = true},
    [AUTHZ_SOURCE_IP] = {.is_of_source = true},
    [AUTHZ_HEADER] = {true, true},
    [AUTHZ_HEADER_ELEMENT] = {true, true},
    [AUTHZ_AUDIENCE] = {true, true},
    [AUTHZ_PRESENTER] = {true, true},
    [AUTHZ_CLAIM] = {true, true},
};

bool authz_attribute_is_http(enum authz_attribute attribute)
{
	return attributes[attribute].is_http;
}

bool authz_attribute_is_of_source(enum authz_attribute attribute)
{
	return attributes[attribute].is_of_source;
}

static bool has(const struct authz_policies *policies, enum authz_action action, bool is_dry_run)
{
	for (size_t i = 0; i < policies->n; i++)
		if (policies->v[i]->action == action && policies->v[i]->is_dry_run == is_dry_run)
			return true;
	return false;
}

bool authz_has_enforced(const struct authz_policies *policies, enum authz_action action)
{
	return has(policies, action, false);
}

bool authz_has_dry_run(const struct authz_policies *policies, enum authz_action action)
{
	return has(policies, action, true);
}

bool authz_has(const struct authz_policies *policies, enum authz_action action)
{
	return authz_has_enforced(policies, action) || authz_has_dry_run(policies, action);
}

void digest_add_authz(struct digest_state *state, const struct authz_policies *policies)
{
	digest_add_u64(state, policies->n);
	for (size_t i = 0; i < policies->n; i++)
		digest_add_digest(state, policies->v[i]->digest);
	digest_add_digest(state, policies->provider ? policies->provider->digest : (struct digest){{0, 0}});
}
