#pragma once
/*
 * Why a token was not believed: a reason from a closed list, fit for a metric's label, and words for people. The words
 * may go back to whoever showed the token: they never have the token, nor its signature.
 *
 *     struct token_refusal refusal;
 *     if (!jwt_check(jwt, &policy, &account, &refusal))
 *         count(token_refusal_label(refusal.reason)), answer(refusal.error.message);
 */
#include "base/error.h"

#include <stdbool.h>

enum token_reason {
	TOKEN_GOOD,
	TOKEN_TOO_LARGE,
	TOKEN_MALFORMED,   /* no JSON Web Token of three parts, or its claims are not what they should be */
	TOKEN_ALGORITHM,   /* of its signature: none, symmetric, or unknown */
	TOKEN_UNKNOWN_KEY, /* none that is trusted fits */
	TOKEN_SIGNATURE,   /* not by the key that it names */
	TOKEN_EXPIRED,
	TOKEN_NOT_YET_VALID, /* begins later, or was issued in the future */
	TOKEN_ISSUER,        /* another than the one whose keys these are */
	TOKEN_AUDIENCE,      /* meant for others */
	TOKEN_SUBJECT,       /* not a service account's, or two names in one token */
	TOKEN_REASONS,       /* how many there are */
};

struct token_refusal {
	enum token_reason reason;
	struct error error;
};

/* lower_snake_case, one for each reason. */
const char *token_refusal_label(enum token_reason reason);
/* false */
__attribute__((format(printf, 3, 4))) bool token_refusal_set(struct token_refusal *refusal, enum token_reason reason,
                                                             const char *format, ...);
