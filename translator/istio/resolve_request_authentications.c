/*
 * RequestAuthentications: each for the workloads that it selects in its namespace, or in the whole mesh when it is of
 * the root namespace. All of a workload count together. Keys that are not in the object come with the snapshot
 * (key_sets.h), if somebody has fetched them.
 */
#include "base/text.h"
#include "proto/build.h"
#include "token/jwks_sift.h"
#include "translator/istio/policy_targets.h"

#include <string.h>
#include <strings.h>

#define DISCOVERY_PATH "/.well-known/openid-configuration" /* OpenID Connect Discovery 1.0, 4 */
#define TIMEOUT_MS 5000                                    /* of fetching keys, where nothing is said */

/* ---- keys ---- */

static bool is_http_url(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static int64_t timeout_of(const istio_jwt_rule *rule)
{
	int64_t ms = build_duration_get_ms(rule->timeout);
	return ms > 0 ? ms : TIMEOUT_MS;
}

/* Where the keys are that the rule does not bring along; false: that cannot be said. */
static bool source_of(struct arena *arena, const istio_jwt_rule *rule, struct key_source *source)
{
	*source = (struct key_source){.url = rule->jwks_uri, .timeout_ms = timeout_of(rule)};
	if (!text_is_empty(rule->jwks_uri))
		return true;
	size_t n = strlen(rule->issuer);
	if (n > 0 && rule->issuer[n - 1] == '/')
		n--;
	source->is_discovery = true;
	source->url = arena_printf(arena, "%.*s" DISCOVERY_PATH, (int)n, rule->issuer);
	return is_http_url(source->url);
}

/* What of the object's own keys proxies can use. None is broken: that was looked at when the object was decoded. */
static const char *own_keys(struct arena *arena, const char *jwks)
{
	struct jwks_sifted sifted;
	struct error error;
	bool is_set = jwks_sift(arena, jwks, strlen(jwks), JWKS_ANY, &sifted, &error);
	return is_set && sifted.n_keys ? sifted.s : NULL;
}

/* OpenID Connect Discovery 1.0, 4.3: the two must be the same. Where they are not the keys still count, as in Istio:
 * proxies compare each token's issuer with the rule's. */
static void report_issuer(struct draft *draft, const struct object *object, const istio_jwt_rule *rule, size_t i,
                          const struct key_set *set)
{
	if (set->issuer && !text_equal(set->issuer, rule->issuer))
		report_add(
		    draft->report, object, REPORT_WARNING, REASON_NO_EFFECT,
		    arena_printf(draft->arena, "spec.jwtRules[%zu].issuer", i),
		    "the OpenID configuration there is that of \"%s\"; tokens that name it are refused, since only "
		    "those of \"%s\" are taken",
		    set->issuer, rule->issuer);
}

/* *digest: of keys that are not part of the object. */
static const char *keys_of(struct draft *draft, const struct object *object, const istio_jwt_rule *rule, size_t i,
                           struct digest *digest)
{
	struct key_source source;
	if (object->is_stand_in)
		return NULL;
	if (!text_is_empty(rule->jwks))
		return own_keys(draft->arena, rule->jwks);
	if (!source_of(draft->arena, rule, &source)) {
		report_add(
		    draft->report, object, REPORT_WARNING, REASON_NO_EFFECT,
		    arena_printf(draft->arena, "spec.jwtRules[%zu].issuer", i),
		    "\"%s\" is no URL, so its keys cannot be found, and every token of it is refused; add jwks or "
		    "jwksUri",
		    rule->issuer);
		return NULL;
	}
	VEC_PUSH(draft->arena, &draft->key_sources, source);
	const struct key_set *set = key_sets_get(draft->snapshot->key_sets, &source);
	if (!set || !set->keys)
		return NULL;
	report_issuer(draft, object, rule, i, set);
	*digest = set->digest;
	return set->keys;
}

/* ---- rules ---- */

#define STRINGS(message, field) ((struct strings){(const char *const *)(message)->field, (message)->n_##field})

static const struct token_header *headers_of(struct arena *arena, const istio_jwt_rule *rule)
{
	struct token_header *headers = ARENA_NEW_N(arena, struct token_header, rule->n_from_headers);
	for (size_t i = 0; i < rule->n_from_headers; i++)
		headers[i] = (struct token_header){rule->from_headers[i]->name, rule->from_headers[i]->prefix};
	return headers;
}

static const struct claim_header *claim_headers_of(struct arena *arena, const istio_jwt_rule *rule)
{
	struct claim_header *headers = ARENA_NEW_N(arena, struct claim_header, rule->n_output_claim_to_headers);
	for (size_t i = 0; i < rule->n_output_claim_to_headers; i++)
		headers[i] = (struct claim_header){rule->output_claim_to_headers[i]->claim,
		                                   rule->output_claim_to_headers[i]->header};
	return headers;
}

static struct digest digest_of_rule(const struct object *object, size_t i, struct digest keys)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_digest(&state, object->digest);
	digest_add_u64(&state, i);
	digest_add_digest(&state, keys);
	return digest_final(&state);
}

/* Proxies take tokens out of headers and parameters only. */
static void report_kept_cookie(struct draft *draft, const struct object *object, const istio_jwt_rule *rule, size_t i)
{
	if (rule->n_from_cookies && !rule->forward_original_token)
		report_add(draft->report, object, REPORT_INFO, REASON_NOT_SUPPORTED,
		           arena_printf(draft->arena, "spec.jwtRules[%zu].fromCookies", i),
		           "a token in a cookie reaches the workload, as if forwardOriginalToken were true");
}

static struct jwt_rule lower_rule(struct draft *draft, const struct object *object, const istio_jwt_rule *rule,
                                  size_t i)
{
	report_kept_cookie(draft, object, rule, i);
	struct digest keys_digest = {{0}};
	const char *keys = keys_of(draft, object, rule, i, &keys_digest);
	return (struct jwt_rule){
	    .issuer = rule->issuer,
	    .audiences = STRINGS(rule, audiences),
	    .headers = headers_of(draft->arena, rule),
	    .n_headers = rule->n_from_headers,
	    .params = STRINGS(rule, from_params),
	    .cookies = STRINGS(rule, from_cookies),
	    .is_token_forwarded = rule->forward_original_token,
	    .payload_header = rule->output_payload_to_header,
	    .claim_headers = claim_headers_of(draft->arena, rule),
	    .n_claim_headers = rule->n_output_claim_to_headers,
	    .word_claims = STRINGS(rule, space_delimited_claims),
	    .keys = keys,
	    .digest = digest_of_rule(object, i, keys_digest),
	};
}

/* For an object of which it cannot be told what it refuses: refuses all. */
static struct jwt_rule closed_rule(const struct object *object)
{
	return (struct jwt_rule){
	    .issuer = "",
	    .payload_header = "",
	    .is_required = true,
	    .digest = digest_of_rule(object, 0, (struct digest){{0}}),
	};
}

static const struct request_authentication *lower(struct draft *draft, const struct object *object)
{
	const istio_request_authentication *policy = (const istio_request_authentication *)object->message;
	const struct policy_targets targets = {
	    .selector = policy->selector,
	    .target_ref = policy->targetref,
	    .target_refs = policy->targetrefs,
	    .n_target_refs = policy->n_targetrefs,
	};
	bool is_closed = object->is_stand_in && policy->n_jwt_rules == 0;
	size_t n_rules = is_closed ? 1 : policy->n_jwt_rules;
	struct jwt_rule *rules = ARENA_NEW_N(draft->arena, struct jwt_rule, n_rules);
	if (is_closed)
		rules[0] = closed_rule(object);
	for (size_t i = 0; i < policy->n_jwt_rules; i++)
		rules[i] = lower_rule(draft, object, policy->jwt_rules[i], i);
	struct request_authentication *out = ARENA_NEW(draft->arena, struct request_authentication);
	*out = (struct request_authentication){
	    .name = object->name,
	    .namespace = object->namespace,
	    .selectors = policy_targets_lower(draft, object, &targets),
	    .rules = rules,
	    .n_rules = n_rules,
	    .source = {.object = object},
	};
	return out;
}

void resolve_request_authentications(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_REQUEST_AUTHENTICATION];
	for (size_t i = 0; i < objects->n; i++)
		VEC_PUSH(draft->arena, &draft->request_authentications, lower(draft, objects->v[i]));
}
