#include "cli/authz_decide.h"

#include "base/text.h"
#include "base/vec.h"
#include "cli/authz_claims.h"
#include "cli/authz_condition.h"
#include "cli/authz_entry.h"
#include "proto/pack.h"
#include "translator/authz_path.h"
#include "translator/envoy/names.h"

#include <string.h>

#define ACTION(name) ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__##name

struct decision_draft {
	struct arena *arena;
	const struct authz_request *request;
	struct authz_verdict verdict;
	VEC(struct authz_opinion) opinions;
	bool is_decided;
};

/* ---- filters ---- */

static const char *action_name(const envoy_rbac *rbac, bool is_asking)
{
	if (is_asking)
		return "CUSTOM";
	return rbac->action == ACTION(DENY) ? "DENY" : rbac->action == ACTION(LOG) ? "AUDIT" : "ALLOW";
}

/* The first rule that is met, in the order of names, as the proxy finds it; NULL: none. */
static const char *ask(struct decision_draft *draft, const envoy_rbac *rbac, bool is_dry_run, bool is_asking)
{
	const char *first = NULL;
	for (size_t i = 0; rbac && i < rbac->n_policies; i++) {
		const struct authz_condition *condition =
		    authz_condition_of_policy(draft->arena, draft->request, rbac->policies[i]->value);
		struct authz_opinion opinion = {
		    .name = rbac->policies[i]->key,
		    .action = action_name(rbac, is_asking),
		    .is_dry_run = is_dry_run,
		    .is_met = condition->is_met,
		    .words = condition->is_met ? NULL : authz_condition_words(draft->arena, condition),
		};
		VEC_PUSH(draft->arena, &draft->opinions, opinion);
		if (opinion.is_met && !first)
			first = opinion.name;
	}
	return first;
}

static void decide(struct decision_draft *draft, enum authz_decision decision, const char *by)
{
	if (draft->is_decided)
		return;
	draft->is_decided = decision != AUTHZ_ALLOWED;
	draft->verdict.decision = decision;
	draft->verdict.by = by;
}

/* Both filters, of HTTP and of TCP, say the same. */
static void pass(struct decision_draft *draft, const envoy_rbac *rules, const envoy_rbac *shadow, const char *prefix)
{
	const char *met = ask(draft, rules, false, false);
	bool is_asking = strcmp(prefix, NAME_EXT_AUTHZ_METADATA) == 0;
	const char *shadow_met = ask(draft, shadow, !is_asking, is_asking);
	if (rules && rules->action == ACTION(DENY) && met)
		decide(draft, AUTHZ_DENIED, met);
	else if (rules && rules->action == ACTION(ALLOW))
		decide(draft, met ? AUTHZ_ALLOWED : AUTHZ_DENIED, met);
	if (is_asking && shadow_met)
		decide(draft, AUTHZ_ASKED, shadow_met);
}

#define UNPACK(arena, type, any) ((const type *)unpack_own((arena), type##_type(), (any)->value.data, (any)->value.len))

static void pass_http(struct decision_draft *draft, const envoy_http_connection_manager *hcm)
{
	for (size_t i = 0; i < hcm->n_http_filters; i++) {
		if (strcmp(hcm->http_filters[i]->name, NAME_HTTP_RBAC) != 0)
			continue;
		const envoy_http_rbac *rbac = UNPACK(draft->arena, envoy_http_rbac, hcm->http_filters[i]->typed_config);
		pass(draft, rbac->rules, rbac->shadow_rules, rbac->shadow_rules_stat_prefix);
	}
}

/* What the filters before those of access control make of the token. */
static const struct json *claims_of(struct arena *arena, const envoy_http_connection_manager *hcm,
                                    const struct json *claims)
{
	for (size_t i = 0; claims && i < hcm->n_http_filters; i++)
		if (strcmp(hcm->http_filters[i]->name, NAME_JWT_AUTHN) == 0)
			return authz_claims(
			    arena, claims, UNPACK(arena, envoy_jwt_authentication, hcm->http_filters[i]->typed_config));
	return claims;
}

static void pass_tcp(struct decision_draft *draft, const envoy_filter_chain *chain)
{
	for (size_t i = 0; i < chain->n_filters; i++) {
		if (strcmp(chain->filters[i]->name, NAME_NETWORK_RBAC) != 0)
			continue;
		const envoy_network_rbac *rbac =
		    UNPACK(draft->arena, envoy_network_rbac, chain->filters[i]->typed_config);
		pass(draft, rbac->rules, rbac->shadow_rules, rbac->shadow_rules_stat_prefix);
	}
}

static struct authz_path_rules path_rules(const envoy_http_connection_manager *hcm)
{
	return (struct authz_path_rules){
	    .is_slash_decoded =
	        hcm->path_with_escaped_slashes_action ==
	        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__PATH_WITH_ESCAPED_SLASHES_ACTION__UNESCAPE_AND_FORWARD,
	    .is_normalized = hcm->normalize_path && hcm->normalize_path->value,
	    .is_merge_slashes = hcm->merge_slashes,
	};
}

struct authz_verdict authz_decide(struct arena *arena, const struct authz_proxy *proxy,
                                  const struct authz_request *request)
{
	struct authz_request asked = *request;
	asked.ip = asked.ip ? asked.ip : proxy->address;
	asked.host = asked.host ? asked.host : asked.ip;
	const struct authz_entry entry = authz_enter(arena, proxy, &asked);
	struct authz_request seen = *entry.seen;
	struct decision_draft draft = {.arena = arena, .request = &seen};
	draft.verdict.listener = entry.listener ? entry.listener->name : NULL;
	draft.verdict.note = entry.note;
	if (!entry.chain) {
		draft.verdict.decision = AUTHZ_REFUSED;
		draft.verdict.refusal = entry.refusal;
		return draft.verdict;
	}
	if (seen.is_http) {
		const envoy_http_connection_manager *hcm =
		    UNPACK(arena, envoy_http_connection_manager,
		           authz_chain_filter(entry.chain, NAME_HTTP_CONNECTION_MANAGER)->typed_config);
		const struct authz_path_rules rules = path_rules(hcm);
		seen.path = authz_path(arena, request->path, &rules);
		seen.claims = claims_of(arena, hcm, request->claims);
		pass_http(&draft, hcm);
	} else {
		pass_tcp(&draft, entry.chain);
	}
	draft.verdict.path = seen.path;
	draft.verdict.opinions = draft.opinions.v;
	draft.verdict.n_opinions = draft.opinions.n;
	return draft.verdict;
}
