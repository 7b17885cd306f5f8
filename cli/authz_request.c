#include "cli/authz_request.h"

#include <string.h>
#include <strings.h>

const char *authz_request_header(struct arena *arena, const struct authz_request *request, const char *name)
{
	const struct authz_header pseudo[] = {
	    {":method", request->method}, {":path", request->path}, {":authority", request->host}};
	const char *value = NULL;
	if (!request->is_http)
		return NULL;
	for (size_t i = 0; i < sizeof pseudo / sizeof pseudo[0]; i++)
		if (strcmp(name, pseudo[i].name) == 0)
			return pseudo[i].value;
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			value = value ? arena_printf(arena, "%s,%s", value, request->headers[i].value)
			              : request->headers[i].value;
	return value;
}
