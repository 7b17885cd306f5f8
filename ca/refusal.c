#include "ca/refusal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *label;
	bool is_ours;
} reasons[REFUSAL_REASONS] = {
    [REFUSAL_NONE] = {"none", false},
    [REFUSAL_TOO_LARGE] = {"too_large", false},
    [REFUSAL_MALFORMED] = {"malformed", false},
    [REFUSAL_KEY_TYPE] = {"key_type", false},
    [REFUSAL_KEY_CURVE] = {"key_curve", false},
    [REFUSAL_KEY_SIZE] = {"key_size", false},
    [REFUSAL_KEY_EXPONENT] = {"key_exponent", false},
    [REFUSAL_SIGNATURE_ALGORITHM] = {"signature_algorithm", false},
    [REFUSAL_SIGNATURE] = {"signature", false},
    [REFUSAL_OTHER_IDENTITY] = {"other_identity", false},
    [REFUSAL_EXTRA_NAMES] = {"extra_names", false},
    [REFUSAL_ASKS_FOR_CA] = {"asks_for_ca", false},
    [REFUSAL_LIFETIME] = {"lifetime", false},
    [REFUSAL_SIGNER_EXPIRED] = {"signer_expired", true},
    [REFUSAL_SIGNING] = {"signing", true},
    [REFUSAL_RECHECK] = {"recheck", true},
};

const char *refusal_label(enum refusal_reason reason)
{
	assert(reason < REFUSAL_REASONS);
	return reasons[reason].label;
}

bool refusal_is_ours(enum refusal_reason reason)
{
	assert(reason < REFUSAL_REASONS);
	return reasons[reason].is_ours;
}

bool refusal_set(struct refusal *refusal, enum refusal_reason reason, const char *format, ...)
{
	char message[ERROR_MAX + 4]; /* one that is too long is still too long for error_set, which marks it */
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	refusal->reason = reason;
	return error_set(&refusal->error, "%s", message);
}
