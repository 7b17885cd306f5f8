#include "base/json.h"
#include "base/text.h"
#include "crds/check.h"
#include "token/jwks_sift.h"

#include <string.h>

#define CLAIMS_MAX 64 /* of spaceDelimitedClaims, as in Istio's definitions */

/* What a key of each type must have (RFC 7518, 6; RFC 8037, 2); base64url but for the curve. */
static const struct key_type {
	const char *name, *members[4];
} key_types[] = {
    {"RSA", {"n", "e"}},
    {"EC", {"crv", "x", "y"}},
    {"OKP", {"crv", "x"}},
    {"oct", {"k"}},
};

static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi"};

static const struct key_type *find_key_type(const char *name)
{
	for (size_t i = 0; name && i < sizeof key_types / sizeof key_types[0]; i++)
		if (strcmp(key_types[i].name, name) == 0)
			return &key_types[i];
	return NULL;
}

static bool is_base64url(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
	return n > 0 && s[n + strspn(s + n, "=")] == '\0';
}

/* Whether it has what its type needs. */
static bool check_key(struct check *check, const struct json *key, size_t i)
{
	const char *name = json_get_string(key, "kty");
	const struct key_type *type = find_key_type(name);
	if (!type) {
		check_error(check, "jwks", "key %zu: its type (kty) must be RSA, EC, OKP or oct%s%s", i,
		            name ? ", not " : "", name ? name : "");
		return false;
	}
	bool is_whole = true;
	for (size_t j = 0; j < sizeof type->members / sizeof type->members[0] && type->members[j]; j++) {
		const char *value = json_get_string(key, type->members[j]);
		bool is_text = strcmp(type->members[j], "crv") == 0;
		is_whole &= !text_is_empty(value) && (is_text || is_base64url(value));
		if (text_is_empty(value))
			check_error(check, "jwks", "key %zu: %s keys need \"%s\"", i, type->name, type->members[j]);
		else if (!is_text && !is_base64url(value))
			check_error(check, "jwks", "key %zu: \"%s\" is not base64url", i, type->members[j]);
	}
	for (size_t j = 0; j < sizeof private_members / sizeof private_members[0]; j++)
		if (json_get(key, private_members[j])) {
			check_warn(check, "jwks",
			           "key %zu has its private part: only the public one is used, and whoever reads this "
			           "object can sign tokens",
			           i);
			break;
		}
	return is_whole;
}

/* What of it proxies can be given; nothing else looks whether a key is broken. */
static void check_usable(struct check *check, const char *jwks)
{
	struct jwks_sifted sifted;
	struct error error;
	if (!jwks_sift(check->arena, jwks, strlen(jwks), JWKS_TRIED, &sifted, &error))
		check_error(check, "jwks", "%s", error.message);
	else if (sifted.n_broken)
		check_error(check, "jwks", "%s", sifted.why.message);
	else if (!sifted.n_keys)
		check_warn(check, "jwks",
		           "has no key that proxies can use, so every token of this issuer is refused%s%s",
		           sifted.why.message[0] ? ": " : "", sifted.why.message);
	else if (sifted.why.message[0])
		check_warn(check, "jwks", "%s; it is left out", sifted.why.message);
}

/* A set of keys, or one key by itself (RFC 7517). */
static void check_jwks(struct check *check, const char *jwks)
{
	struct error error;
	const struct json *set = json_parse(check->arena, jwks, strlen(jwks), &error);
	if (!set || set->type != JSON_OBJECT) {
		check_error(check, "jwks", "is not a set of keys (JWKS): %s",
		            set ? "a JSON object is expected" : error.message);
		return;
	}
	const struct json *keys = json_get(set, "keys");
	if (keys && keys->type != JSON_ARRAY) {
		check_error(check, "jwks", "\"keys\" must be a list, not %s", json_type_name(keys->type));
		return;
	}
	bool is_whole = keys || check_key(check, set, 0);
	for (size_t i = 0; keys && i < keys->array.n; i++)
		is_whole &= check_key(check, keys->array.v[i], i);
	if (is_whole)
		check_usable(check, jwks);
}

/* Envoy takes any name but an empty one and one that would break the line. */
static void check_any_header(struct check *check, const char *field, const char *name)
{
	if (strpbrk(name, "\r\n"))
		check_error(check, field, "a header's name cannot have a line break");
}

static void check_headers_of_token(struct check *check, const istio_jwt_rule *rule)
{
	for (size_t i = 0; i < rule->n_from_headers; i++) {
		check_enter_at(check, "fromHeaders", i);
		if (text_is_empty(rule->from_headers[i]->name))
			check_error(check, "name", "must not be empty");
		check_any_header(check, "name", rule->from_headers[i]->name);
		check_leave(check);
	}
	check_any_header(check, "outputPayloadToHeader", rule->output_payload_to_header);
}

static void check_claim_headers(struct check *check, const istio_jwt_rule *rule)
{
	for (size_t i = 0; i < rule->n_output_claim_to_headers; i++) {
		const istio_claim_to_header *output = rule->output_claim_to_headers[i];
		check_enter_at(check, "outputClaimToHeaders", i);
		if (text_is_empty(output->claim))
			check_error(check, "claim", "must not be empty");
		if (text_is_empty(output->header))
			check_error(check, "header", "must not be empty");
		else if (!check_is_header_name(output->header))
			check_error(check, "header", "\"%s\" is not possible: letters, digits, \"-\" and \"_\" are",
			            output->header);
		check_leave(check);
	}
}

static void check_keys(struct check *check, const istio_jwt_rule *rule)
{
	bool has_uri = !text_is_empty(rule->jwks_uri), has_jwks = !text_is_empty(rule->jwks);
	if (text_is_empty(rule->issuer) && !has_uri)
		check_error(check, "issuer", "an issuer or a jwksUri is required");
	if (has_uri && has_jwks)
		check_error(check, "jwks", "only one of jwks and jwksUri is possible");
	if (has_uri)
		check_http_url(check, "jwksUri", rule->jwks_uri);
	if (has_jwks)
		check_jwks(check, rule->jwks);
}

static void check_rule(struct check *check, const istio_jwt_rule *rule)
{
	check_keys(check, rule);
	check_no_empty(check, "audiences", rule->audiences, rule->n_audiences);
	check_headers_of_token(check, rule);
	check_no_empty(check, "fromParams", rule->from_params, rule->n_from_params);
	check_no_empty(check, "fromCookies", rule->from_cookies, rule->n_from_cookies);
	check_claim_headers(check, rule);
	check_duration(check, "timeout", rule->timeout);
	if (rule->n_space_delimited_claims > CLAIMS_MAX)
		check_error(check, "spaceDelimitedClaims", "lists %zu claims, at most %d are possible",
		            rule->n_space_delimited_claims, CLAIMS_MAX);
	check_no_empty(check, "spaceDelimitedClaims", rule->space_delimited_claims, rule->n_space_delimited_claims);
}

void check_request_authentication(struct check *check, const ProtobufCMessage *message)
{
	const istio_request_authentication *policy = (const istio_request_authentication *)message;
	check_policy_targets(check, &(struct check_policy_targets){
	                                .selector = policy->selector,
	                                .target_ref = policy->targetref,
	                                .target_refs = policy->targetrefs,
	                                .n_target_refs = policy->n_targetrefs,
	                            });
	for (size_t i = 0; i < policy->n_jwt_rules; i++) {
		check_enter_at(check, "jwtRules", i);
		check_rule(check, policy->jwt_rules[i]);
		check_leave(check);
	}
}
