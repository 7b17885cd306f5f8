#pragma once
/*
 * Why a certificate was not given: a reason from a closed list, fit for a metric's label, and words for people.
 *
 *     struct refusal refusal;
 *     if (!csr_check_identity(csr, &caller, &refusal))
 *         count(refusal_label(refusal.reason)), answer(refusal_is_ours(refusal.reason) ? internal : invalid,
 * refusal.error.message);
 *
 * The words may go back to the caller: they name what was asked, never a key.
 */
#include "base/error.h"

#include <stdbool.h>

enum refusal_reason {
	REFUSAL_NONE,
	REFUSAL_TOO_LARGE,           /* the request's bytes */
	REFUSAL_MALFORMED,           /* neither PEM nor DER of one request */
	REFUSAL_KEY_TYPE,            /* neither EC nor RSA */
	REFUSAL_KEY_CURVE,           /* an EC key on a curve that is not taken, or not by its name */
	REFUSAL_KEY_SIZE,            /* RSA: too small or too large */
	REFUSAL_KEY_EXPONENT,        /* RSA */
	REFUSAL_SIGNATURE_ALGORITHM, /* of the request: MD5, SHA-1, or unknown */
	REFUSAL_SIGNATURE,           /* no proof that the caller has the key */
	REFUSAL_OTHER_IDENTITY,      /* asks for somebody else's name */
	REFUSAL_EXTRA_NAMES,         /* asks for names beside its own */
	REFUSAL_ASKS_FOR_CA,         /* wants to sign certificates */
	REFUSAL_LIFETIME,            /* longer than the maximum */
	REFUSAL_SIGNER_EXPIRED,      /* or not yet valid */
	REFUSAL_SIGNING,             /* OpenSSL could not */
	REFUSAL_RECHECK,             /* what was signed is not what was meant */
	REFUSAL_REASONS,             /* how many there are */
};

struct refusal {
	enum refusal_reason reason;
	struct error error;
};

/* lower_snake_case, one for each reason. */
const char *refusal_label(enum refusal_reason reason);
/* Whether the fault is the authority's: the same request may succeed elsewhere or later. */
bool refusal_is_ours(enum refusal_reason reason);
/* false */
__attribute__((format(printf, 3, 4))) bool refusal_set(struct refusal *refusal, enum refusal_reason reason,
                                                       const char *format, ...);
