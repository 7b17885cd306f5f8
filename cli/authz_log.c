#include "cli/authz_log.h"

#include "base/option.h"

#include <string.h>

/* "10.1.0.1:8080" or "[::1]:8080". */
static bool read_address(struct arena *arena, const char *s, const char **address, uint32_t *port)
{
	char host[OPTION_HOST_MAX];
	uint16_t number = 0;
	struct error ignored;
	if (!s || !option_parse_address(s, host, &number, &ignored))
		return false;
	*address = arena_strdup(arena, host);
	*port = number;
	return true;
}

/* The client's address, of those that the proxies before noted, is the last but the trusted ones: there are none. */
static const char *remote_ip(const struct json *object, const char *source_ip)
{
	const char *forwarded = json_get_string(object, "x_forwarded_for");
	const char *comma = forwarded ? strrchr(forwarded, ',') : NULL;
	return comma ? comma + 1 + strspn(comma + 1, " ") : forwarded ? forwarded : source_ip;
}

bool authz_log_read(struct arena *arena, const char *s, size_t n, struct authz_log_line *line, struct error *error)
{
	if (n > AUTHZ_LOG_LINE_MAX)
		return error_set(error, "has more than %d bytes", AUTHZ_LOG_LINE_MAX);
	const struct json *object = json_parse(arena, s, n, error);
	if (!object)
		return error_wrap(error, "is no JSON (as proxies write it with accessLogEncoding: JSON)");
	if (object->type != JSON_OBJECT)
		return error_set(error, "is no JSON object");
	if (!json_get(object, "source_principal"))
		return error_set(error, "has no source_principal: nobody came in, or the log is of another format");
	const char *source_ip = NULL;
	uint32_t source_port = 0;
	*line = (struct authz_log_line){0};
	struct authz_request *request = &line->request;
	if (!read_address(arena, json_get_string(object, "downstream_local_address"), &line->address, &request->port))
		return error_set(error, "has no downstream_local_address");
	if (read_address(arena, json_get_string(object, "downstream_remote_address"), &source_ip, &source_port))
		request->source_ip = source_ip;
	request->method = json_get_string(object, "method");
	request->path = json_get_string(object, "path");
	request->host = json_get_string(object, "authority");
	request->principal = json_get_string(object, "source_principal");
	request->server_name = json_get_string(object, "requested_server_name");
	request->remote_ip = remote_ip(object, source_ip);
	request->is_http = request->method && request->path;
	request->is_logged = true;
	if (request->is_http && !request->host)
		request->host = "";
	return true;
}
