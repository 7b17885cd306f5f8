#pragma once
/*
 * A JSON Web Token that names a service account (RFC 7515, RFC 7519; Kubernetes' own claims), taken apart and believed
 * or not. Pure: keys, time and what is wanted are the caller's.
 *
 *     const struct jwt *jwt = jwt_parse(arena, s, n, &refusal);             what it says; nothing of it is proved
 *     const struct jwt_policy policy = {keys, "https://issuer", "istio-ca", clock};
 *     if (jwt && jwt_check(jwt, &policy, &account, &refusal)) …             the account is proved
 *
 * There are exactly three parts, each with one spelling, and an algorithm from a closed list: never none, never a
 * symmetric one. The key decides which algorithm it may be used with, not the token. Keys that the header brings along
 * (jwk, jku, x5c, x5u) are not looked at; extensions that must be understood (crit) are not.
 */
#include "base/clock.h"
#include "token/jwks.h"
#include "token/service_account.h"
#include "token/token_refusal.h"

#define JWT_BYTES_MAX (16u << 10)
#define JWT_AUDIENCES_MAX 32
#define JWT_LEEWAY_S 30 /* by so much may clocks differ */

struct json;
struct jwt_algorithm;

struct jwt {
	const struct jwt_algorithm *algorithm;
	const char *kid;    /* NULL: it names no key */
	const char *issuer; /* NULL: none */
	const char *subject;
	int64_t expires_s;
	int64_t not_before_s, issued_s; /* INT64_MIN: it does not say */
	const struct json *claims;
	const char *signed_part; /* borrowed from what was parsed */
	size_t n_signed_part;
	const unsigned char *signature;
	size_t n_signature;
};

struct jwt_policy {
	const struct jwks *keys;
	const char *issuer;   /* whose keys these are */
	const char *audience; /* one of the token's */
	const struct clock *clock;
};

/* s is borrowed for as long as the result lives. */
const struct jwt *jwt_parse(struct arena *arena, const char *s, size_t n, struct token_refusal *refusal);
/* Issuer, signature, times, audience, subject, in this order. On failure *account is left alone. */
bool jwt_check(const struct jwt *jwt, const struct jwt_policy *policy, struct service_account *account,
               struct token_refusal *refusal);
/* Times alone: whom it makes no sense to believe, whoever may have signed it. */
bool jwt_check_times(const struct jwt *jwt, const struct clock *clock, struct token_refusal *refusal);
