#include "token/token_refusal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const labels[TOKEN_REASONS] = {
    [TOKEN_GOOD] = "good",
    [TOKEN_TOO_LARGE] = "too_large",
    [TOKEN_MALFORMED] = "malformed",
    [TOKEN_ALGORITHM] = "algorithm",
    [TOKEN_UNKNOWN_KEY] = "unknown_key",
    [TOKEN_SIGNATURE] = "signature",
    [TOKEN_EXPIRED] = "expired",
    [TOKEN_NOT_YET_VALID] = "not_yet_valid",
    [TOKEN_ISSUER] = "issuer",
    [TOKEN_AUDIENCE] = "audience",
    [TOKEN_SUBJECT] = "subject",
};

const char *token_refusal_label(enum token_reason reason)
{
	assert(reason < TOKEN_REASONS);
	return labels[reason];
}

bool token_refusal_set(struct token_refusal *refusal, enum token_reason reason, const char *format, ...)
{
	char message[ERROR_MAX + 4]; /* one that is too long is still too long for error_set, which marks it */
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	refusal->reason = reason;
	return error_set(&refusal->error, "%s", message);
}
