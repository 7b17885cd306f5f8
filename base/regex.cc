extern "C" {
#include "base/regex.h"
}

#include <cstring>
#include <re2/re2.h>

/* The options Envoy compiles with: RE2's defaults (UTF-8, leftmost-first), and no words on standard error. */
static RE2::Options options()
{
	RE2::Options quiet;
	quiet.set_log_errors(false);
	return quiet;
}

extern "C" bool regex_check(const char *pattern, struct error *error)
{
	size_t n = strlen(pattern);
	if (n > REGEX_BYTES_MAX)
		return error_set(error, "the expression has %zu bytes, at most %d are allowed", n, REGEX_BYTES_MAX);
	RE2 re(re2::StringPiece(pattern, n), options());
	if (!re.ok())
		return error_set(error, "%s", re.error().c_str());
	if (re.ProgramSize() > REGEX_PROGRAM_MAX)
		return error_set(error, "the expression compiles to %d instructions, at most %d are allowed",
		                 re.ProgramSize(), REGEX_PROGRAM_MAX);
	return true;
}

extern "C" bool regex_matches(const char *pattern, const char *s)
{
	RE2 re(re2::StringPiece(pattern, strlen(pattern)), options());
	return re.ok() && RE2::FullMatch(re2::StringPiece(s, strlen(s)), re);
}
