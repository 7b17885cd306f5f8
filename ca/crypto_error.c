#include "ca/crypto_error.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

bool crypto_error_set(struct error *error, const char *format, ...)
{
	char what[ERROR_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	unsigned long code = ERR_peek_error(); /* the first: what follows are its callers */
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	if (reason)
		error_set(error, "%s: %s", what, reason);
	else if (code)
		error_set(error, "%s: OpenSSL error %lx", what, code);
	else
		error_set(error, "%s", what);
	ERR_clear_error();
	return false;
}

void crypto_error_clear(void)
{
	ERR_clear_error();
}
