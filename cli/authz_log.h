#pragma once
/*
 * One line of a proxy's access log (JSON, in the default format) as the request that it was.
 */
#include "base/error.h"
#include "cli/authz_request.h"

struct authz_log_line {
	struct authz_request request;
	const char *address; /* of the workload that took it */
};

#define AUTHZ_LOG_LINE_MAX 65536 /* bytes */

/* Lives in the arena. False: it is no such line, or not of something that came in: what goes out has no
 * source_principal, not even null. */
bool authz_log_read(struct arena *arena, const char *s, size_t n, struct authz_log_line *line, struct error *error);
