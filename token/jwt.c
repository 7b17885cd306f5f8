#include "token/jwt.h"

#include "base/clock.h"
#include "base/json.h"
#include "token/base64url.h"
#include "token/jwt_signature.h"

#include <string.h>

#define PART_MAX 100 /* of what a token says in a message */

/* ---- taking it apart ---- */

static const struct json *parse_part(struct arena *arena, const char *s, size_t n, const char *what,
                                     struct token_refusal *refusal)
{
	struct error error;
	size_t n_bytes = 0;
	const unsigned char *bytes = base64url_decode(arena, s, n, &n_bytes);
	const struct json *json = bytes ? json_parse(arena, (const char *)bytes, n_bytes, &error) : NULL;
	if (json && json->type == JSON_OBJECT)
		return json;
	token_refusal_set(refusal, TOKEN_MALFORMED, "the token's %s not %s", what,
	                  !bytes ? "base64url" : "a JSON object");
	return NULL;
}

/* Absent is good; *value is left alone then. */
static bool read_string(const struct json *object, const char *name, const char **value, struct token_refusal *refusal)
{
	const struct json *member = json_get(object, name);
	if (!member)
		return true;
	*value = json_get_string(object, name);
	return *value || token_refusal_set(refusal, TOKEN_MALFORMED, "the token's \"%s\" is %s, not a string", name,
	                                   json_type_name(member->type));
}

/* NumericDate (RFC 7519, 2): seconds since 1970, perhaps with a fraction. */
static bool read_time(const struct json *claims, const char *name, int64_t *value, struct token_refusal *refusal)
{
	const struct json *member = json_get(claims, name);
	if (!member)
		return true;
	if (member->type == JSON_INT && member->integer >= 0 && member->integer <= CLOCK_MAX_S)
		*value = member->integer;
	else if (member->type == JSON_DOUBLE && member->number >= 0 && member->number <= (double)CLOCK_MAX_S)
		*value = (int64_t)member->number;
	else
		return token_refusal_set(refusal, TOKEN_MALFORMED, "the token's \"%s\" is not a time", name);
	return true;
}

static bool read_header(struct jwt *jwt, const struct json *header, struct token_refusal *refusal)
{
	const char *name = NULL;
	if (!read_string(header, "alg", &name, refusal) || !read_string(header, "kid", &jwt->kid, refusal))
		return false;
	if (json_get(header, "crit"))
		return token_refusal_set(refusal, TOKEN_MALFORMED,
		                         "the token has extensions that must be understood (\"crit\")");
	jwt->algorithm = name ? jwt_algorithm_find(name) : NULL;
	return jwt->algorithm || token_refusal_set(refusal, TOKEN_ALGORITHM,
	                                           "tokens signed with \"%.*s\" are not taken (" JWT_ALGORITHMS ")",
	                                           PART_MAX, name ? name : "");
}

static bool read_claims(struct jwt *jwt, const struct json *claims, struct token_refusal *refusal)
{
	jwt->claims = claims;
	jwt->expires_s = jwt->not_before_s = jwt->issued_s = INT64_MIN;
	if (!read_string(claims, "iss", &jwt->issuer, refusal) || !read_string(claims, "sub", &jwt->subject, refusal) ||
	    !read_time(claims, "exp", &jwt->expires_s, refusal) ||
	    !read_time(claims, "nbf", &jwt->not_before_s, refusal) ||
	    !read_time(claims, "iat", &jwt->issued_s, refusal))
		return false;
	return jwt->expires_s != INT64_MIN ||
	       token_refusal_set(refusal, TOKEN_MALFORMED, "the token has no end (\"exp\")");
}

static bool split(const char *s, size_t n, const char **first_dot, const char **second_dot)
{
	*first_dot = memchr(s, '.', n);
	*second_dot = *first_dot ? memchr(*first_dot + 1, '.', n - (size_t)(*first_dot + 1 - s)) : NULL;
	return *second_dot && !memchr(*second_dot + 1, '.', n - (size_t)(*second_dot + 1 - s));
}

const struct jwt *jwt_parse(struct arena *arena, const char *s, size_t n, struct token_refusal *refusal)
{
	const char *first = NULL, *second = NULL;
	struct jwt *jwt = ARENA_NEW(arena, struct jwt);
	if (n > JWT_BYTES_MAX) {
		token_refusal_set(refusal, TOKEN_TOO_LARGE, "the token has %zu bytes; at most %u are taken", n,
		                  JWT_BYTES_MAX);
		return NULL;
	}
	if (!split(s, n, &first, &second)) {
		token_refusal_set(refusal, TOKEN_MALFORMED,
		                  "the token is not a signed JSON Web Token (three parts with dots between)");
		return NULL;
	}
	const struct json *header = parse_part(arena, s, (size_t)(first - s), "header is", refusal);
	if (!header || !read_header(jwt, header, refusal))
		return NULL;
	const struct json *claims = parse_part(arena, first + 1, (size_t)(second - first - 1), "claims are", refusal);
	if (!claims || !read_claims(jwt, claims, refusal))
		return NULL;
	jwt->signed_part = s;
	jwt->n_signed_part = (size_t)(second - s);
	jwt->signature = base64url_decode(arena, second + 1, n - jwt->n_signed_part - 1, &jwt->n_signature);
	if (jwt->signature && jwt->n_signature)
		return jwt;
	token_refusal_set(refusal, TOKEN_MALFORMED, "the token's signature is not base64url");
	return NULL;
}

/* ---- believing it ---- */

static bool check_signature(const struct jwt *jwt, const struct jwks *jwks, struct token_refusal *refusal)
{
	size_t n = 0, n_tried = 0;
	const struct jwks_key *keys = jwks_keys(jwks, &n);
	for (size_t i = 0; i < n; i++) {
		bool is_named = !jwt->kid || (keys[i].kid && strcmp(keys[i].kid, jwt->kid) == 0);
		if (!is_named || !jwt_algorithm_fits(jwt->algorithm, &keys[i]))
			continue;
		n_tried++;
		if (jwt_signature_is_good(jwt, keys[i].key))
			return true;
	}
	if (n_tried)
		return token_refusal_set(refusal, TOKEN_SIGNATURE, "the token's signature is not its issuer's");
	return token_refusal_set(refusal, TOKEN_UNKNOWN_KEY, "the token is signed with a key (%.*s) that is not known",
	                         PART_MAX, jwt->kid ? jwt->kid : "without an id");
}

bool jwt_check_times(const struct jwt *jwt, const struct clock *clock, struct token_refusal *refusal)
{
	int64_t now_s = clock_wall_ns(clock) / CLOCK_S;
	if (now_s >= jwt->expires_s + JWT_LEEWAY_S)
		return token_refusal_set(refusal, TOKEN_EXPIRED, "the token ended %lld s ago",
		                         (long long)(now_s - jwt->expires_s));
	if (jwt->not_before_s != INT64_MIN && now_s < jwt->not_before_s - JWT_LEEWAY_S)
		return token_refusal_set(refusal, TOKEN_NOT_YET_VALID, "the token begins in %lld s",
		                         (long long)(jwt->not_before_s - now_s));
	if (jwt->issued_s != INT64_MIN && now_s < jwt->issued_s - JWT_LEEWAY_S)
		return token_refusal_set(refusal, TOKEN_NOT_YET_VALID, "the token was issued %lld s in the future",
		                         (long long)(jwt->issued_s - now_s));
	return true;
}

static bool has_audience(const struct json *claims, const char *audience)
{
	const struct json *member = json_get(claims, "aud");
	if (!member)
		return false;
	if (member->type == JSON_STRING)
		return strcmp(member->string.s, audience) == 0;
	if (member->type != JSON_ARRAY || member->array.n > JWT_AUDIENCES_MAX)
		return false;
	for (size_t i = 0; i < member->array.n; i++)
		if (member->array.v[i]->type == JSON_STRING && strcmp(member->array.v[i]->string.s, audience) == 0)
			return true;
	return false;
}

/* What Kubernetes says beside the subject must be the same account. */
static bool agrees(const struct json *claims, const struct service_account *account)
{
	const struct json *kubernetes = json_get(claims, "kubernetes.io");
	if (!kubernetes)
		return true;
	const char *ns = json_get_string(kubernetes, "namespace");
	const char *name = json_get_string(json_get(kubernetes, "serviceaccount"), "name");
	return text_equal(ns, account->ns) && text_equal(name, account->name);
}

static bool check_subject(const struct jwt *jwt, struct service_account *account, struct token_refusal *refusal)
{
	struct error error;
	struct service_account found;
	if (!jwt->subject)
		return token_refusal_set(refusal, TOKEN_SUBJECT, "the token has no subject (\"sub\")");
	if (!service_account_parse(jwt->subject, &found, &error))
		return token_refusal_set(refusal, TOKEN_SUBJECT, "the token's subject: %s", error.message);
	if (!agrees(jwt->claims, &found))
		return token_refusal_set(refusal, TOKEN_SUBJECT,
		                         "the token's subject and its claim \"kubernetes.io\" name two accounts");
	*account = found;
	return true;
}

bool jwt_check(const struct jwt *jwt, const struct jwt_policy *policy, struct service_account *account,
               struct token_refusal *refusal)
{
	if (!text_equal(jwt->issuer, policy->issuer))
		return token_refusal_set(refusal, TOKEN_ISSUER, "the token is of the issuer \"%.*s\", not \"%s\"",
		                         PART_MAX, jwt->issuer ? jwt->issuer : "", policy->issuer);
	if (!check_signature(jwt, policy->keys, refusal) || !jwt_check_times(jwt, policy->clock, refusal))
		return false;
	if (!has_audience(jwt->claims, policy->audience))
		return token_refusal_set(refusal, TOKEN_AUDIENCE, "the token is not meant for \"%s\"",
		                         policy->audience);
	return check_subject(jwt, account, refusal);
}
