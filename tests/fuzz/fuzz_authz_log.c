/*
 * Lines of an access log, and the paths in them: what is read has an address and, of HTTP, a path whose normal form is
 * normal; what is not read has a reason.
 */
#include "cli/authz_log.h"
#include "translator/authz_path.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct authz_path_rules all = {true, true, true};
	struct arena *arena = arena_new();
	struct authz_log_line line;
	struct error error = {""};
	if (!authz_log_read(arena, (const char *)data, n, &line, &error)) {
		assert(error.message[0]);
	} else {
		assert(line.address && *line.address && line.request.port <= 65535);
		assert(!line.request.is_http || (line.request.method && line.request.path && line.request.host));
		if (line.request.is_http && line.request.path[0] == '/') {
			const char *path = authz_path(arena, line.request.path, &all);
			assert(path[0] == '/' || path[0] == '\0');
			assert(!strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./") &&
			       !strchr(path, '\\') && !strchr(path, '?'));
		}
	}
	arena_free(arena);
	return 0;
}
