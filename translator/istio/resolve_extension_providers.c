/*
 * MeshConfig's extensionProviders: of those that decide about requests, for policies with action CUSTOM. What is wrong
 * with one makes it invalid as a whole: who names it refuses, rather than ask something else than was meant.
 */
#include "base/text.h"
#include "crds/check.h"
#include "crds/command_operator.h"
#include "proto/build.h"
#include "translator/istio/istio_parts.h"
#include "translator/istio/mesh_config.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define PROVIDER(name) ISTIO__MESH__V1ALPHA1__MESH_CONFIG__EXTENSION_PROVIDER__PROVIDER_##name
#define PORT_MAX 65535
#define TIMEOUT_MS_DEFAULT 600000
#define BODY_BYTES_MAX (64 * 1024 * 1024) /* a proxy buffers as much for each request */
#define FIELD_BYTES_MAX 256

typedef istio_mesh_config_extension_provider_envoy_external_authorization_http_provider http_provider;
typedef istio_mesh_config_extension_provider_envoy_external_authorization_grpc_provider grpc_provider;
typedef istio_mesh_config_extension_provider_envoy_external_authorization_request_body request_body;

/* The one that is read. */
struct reading {
	struct draft *draft;
	const struct object *object;
	const char *path; /* "data.mesh.extensionProviders[0].envoyExtAuthzHttp" */
	struct authz_provider *out;
};

/* What both kinds say. */
struct settings {
	const char *service, *status_on_error;
	uint32_t port;
	const google_duration *timeout;
	bool is_fail_open, is_route_cache_cleared;
	const request_body *body;
};
#define SETTINGS(message)                                                                                              \
	{                                                                                                              \
		.service = (message)->service, .status_on_error = (message)->status_on_error, .port = (message)->port, \
		.timeout = (message)->timeout, .is_fail_open = (message)->fail_open,                                   \
		.is_route_cache_cleared = (message)->clear_route_cache,                                                \
		.body = (message)->include_request_body_in_check,                                                      \
	}

__attribute__((format(printf, 3, 4))) static void mistake(struct reading *in, const char *field, const char *format,
                                                          ...)
{
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(in->draft->arena, format, args);
	va_end(args);
	in->out->is_valid = false;
	report_add(in->draft->report, in->object, REPORT_ERROR, REASON_INVALID_VALUE,
	           arena_printf(in->draft->arena, "%s.%s", in->path, field),
	           "%s; policies that name the provider refuse what their rules match", message);
}

/* ---- what both kinds say ---- */

static bool is_status(uint64_t status)
{
	static const struct {
		uint64_t first, last;
	} known[] = {{100, 100}, {200, 208}, {226, 226}, {300, 305}, {307, 308}, {400, 417},
	             {421, 424}, {426, 426}, {428, 429}, {431, 431}, {500, 508}, {510, 511}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (status >= known[i].first && status <= known[i].last)
			return true;
	return false;
}

/* HOST or NAMESPACE/HOST. */
static void read_service(struct reading *in, const struct settings *from)
{
	const char *slash = strchr(from->service, '/'), *host = slash ? slash + 1 : from->service;
	if (!*host || slash == from->service || strchr(host, '/')) {
		mistake(in, "service", "\"%s\" is neither HOST nor NAMESPACE/HOST", from->service);
		return;
	}
	char *lower = arena_strdup(in->draft->arena, host);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	in->out->host = lower;
	if (slash)
		in->out->namespace = arena_strndup(in->draft->arena, from->service, (size_t)(slash - from->service));
}

static void read_status(struct reading *in, const struct settings *from)
{
	uint64_t status = 0;
	if (text_is_empty(from->status_on_error))
		return;
	if (text_parse_uint(from->status_on_error, UINT32_MAX, &status) && is_status(status))
		in->out->status_on_error = (uint32_t)status;
	else
		mistake(in, "statusOnError", "\"%s\" is no status of HTTP, like \"403\"", from->status_on_error);
}

static void read_body(struct reading *in, const request_body *body)
{
	if (!body)
		return;
	if (body->max_request_bytes == 0 || body->max_request_bytes > BODY_BYTES_MAX)
		mistake(in, "includeRequestBodyInCheck.maxRequestBytes", "%u is not from 1 to %d",
		        body->max_request_bytes, BODY_BYTES_MAX);
	in->out->body = (struct authz_body){body->max_request_bytes, body->allow_partial_message, body->pack_as_bytes};
}

static void read_settings(struct reading *in, const struct settings *from)
{
	struct authz_provider *out = in->out;
	read_service(in, from);
	if (from->port == 0 || from->port > PORT_MAX)
		mistake(in, "port", "%u is no port number", from->port);
	out->port = from->port;
	out->timeout_ms = from->timeout ? build_duration_get_ms(from->timeout) : TIMEOUT_MS_DEFAULT;
	if (out->timeout_ms < 1)
		mistake(in, "timeout", "at least 1ms is needed");
	out->is_fail_open = from->is_fail_open;
	out->is_route_chosen_again = from->is_route_cache_cleared;
	read_status(in, from);
	read_body(in, from->body);
}

/* ---- HTTP ---- */

static void read_path_prefix(struct reading *in, const char *prefix)
{
	in->out->path_prefix = prefix;
	if (*prefix && *prefix != '/')
		mistake(in, "pathPrefix", "\"%s\" must begin with \"/\"", prefix);
	for (const char *c = prefix; *c; c++) {
		if (isgraph((unsigned char)*c) && *c != '?' && *c != '#')
			continue;
		mistake(in, "pathPrefix", "\"%s\" has a character that no path has", prefix);
		break;
	}
}

/* What is left without a "*" at one of the ends. */
static bool is_header_pattern(const char *value)
{
	char name[FIELD_BYTES_MAX];
	size_t n = strlen(value);
	if (n == 0 || n >= sizeof name)
		return false;
	bool is_suffix = value[0] == '*', is_prefix = !is_suffix && value[n - 1] == '*';
	size_t kept = n - (is_suffix || is_prefix);
	memcpy(name, value + is_suffix, kept);
	name[kept] = '\0';
	return check_is_header_name(name);
}

static struct strings header_patterns(struct reading *in, const char *field, char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_header_pattern(values[i]))
			mistake(in, arena_printf(in->draft->arena, "%s[%zu]", field, i),
			        "\"%s\" is neither a header's name nor one with a \"*\" at the start or the end",
			        values[i]);
	return (struct strings){(const char *const *)values, n};
}

static bool is_header_text(const char *value)
{
	for (; *value; value++)
		if (iscntrl((unsigned char)*value) && *value != '\t')
			return false;
	return true;
}

static void read_added_headers(struct reading *in, const http_provider *from)
{
	size_t n = from->n_include_additional_headers_in_check;
	struct header_value *headers = ARENA_NEW_N(in->draft->arena, struct header_value, n);
	for (size_t i = 0; i < n; i++) { /* decoded maps are sorted */
		headers[i] = (struct header_value){from->include_additional_headers_in_check[i]->key,
		                                   from->include_additional_headers_in_check[i]->value};
		if (!check_is_header_name(headers[i].name) || !is_header_text(headers[i].value))
			mistake(in, "includeAdditionalHeadersInCheck", "\"%s: %s\" is no header", headers[i].name,
			        headers[i].value);
		else if (!command_operators_are_known(headers[i].value))
			report_add(in->draft->report, in->object, REPORT_WARNING, REASON_INVALID_VALUE,
			           arena_printf(in->draft->arena, "%s.includeAdditionalHeadersInCheck", in->path),
			           "\"%s\" has a command operator that proxies may not know: the value is sent as it "
			           "stands; write \"%%%%\" for the sign itself",
			           headers[i].value);
	}
	in->out->added_headers = headers;
	in->out->n_added_headers = n;
}

/* Together with the field's former name. */
static void read_request_headers(struct reading *in, const http_provider *from)
{
	size_t n = from->n_include_request_headers_in_check, n_former = from->n_include_headers_in_check;
	struct strings headers =
	    header_patterns(in, "includeRequestHeadersInCheck", from->include_request_headers_in_check, n);
	struct strings former = header_patterns(in, "includeHeadersInCheck", from->include_headers_in_check, n_former);
	const char **all = ARENA_NEW_N(in->draft->arena, const char *, n + n_former);
	for (size_t i = 0; i < n; i++)
		all[i] = headers.v[i];
	for (size_t i = 0; i < n_former; i++)
		all[n + i] = former.v[i];
	in->out->request_headers = (struct strings){all, n + n_former};
}

static void read_http(struct reading *in, const http_provider *from)
{
	const struct settings settings = SETTINGS(from);
	struct authz_provider *out = in->out;
	read_settings(in, &settings);
	read_path_prefix(in, from->path_prefix);
	read_request_headers(in, from);
	read_added_headers(in, from);
	out->upstream_headers = header_patterns(in, "headersToUpstreamOnAllow", from->headers_to_upstream_on_allow,
	                                        from->n_headers_to_upstream_on_allow);
	out->denied_headers = header_patterns(in, "headersToDownstreamOnDeny", from->headers_to_downstream_on_deny,
	                                      from->n_headers_to_downstream_on_deny);
	out->allowed_headers = header_patterns(in, "headersToDownstreamOnAllow", from->headers_to_downstream_on_allow,
	                                       from->n_headers_to_downstream_on_allow);
}

static void read_grpc(struct reading *in, const grpc_provider *from)
{
	const struct settings settings = SETTINGS(from);
	in->out->is_grpc = true;
	read_settings(in, &settings);
}

/* ---- one, and all ---- */

static struct digest digest_of_provider(const struct authz_provider *provider)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, provider->name);
	digest_add_bool(&state, provider->is_valid);
	digest_add_bool(&state, provider->is_grpc);
	digest_add_str(&state, provider->namespace);
	digest_add_str(&state, provider->host);
	digest_add_u64(&state, provider->port);
	digest_add_i64(&state, provider->timeout_ms);
	digest_add_bool(&state, provider->is_fail_open);
	digest_add_bool(&state, provider->is_route_chosen_again);
	digest_add_u64(&state, provider->status_on_error);
	digest_add_u64(&state, provider->body.most);
	digest_add_bool(&state, provider->body.is_cut);
	digest_add_bool(&state, provider->body.is_raw);
	digest_add_str(&state, provider->path_prefix);
	digest_add_strings(&state, &provider->request_headers);
	digest_add_u64(&state, provider->n_added_headers);
	for (size_t i = 0; i < provider->n_added_headers; i++) {
		digest_add_str(&state, provider->added_headers[i].name);
		digest_add_str(&state, provider->added_headers[i].value);
	}
	digest_add_strings(&state, &provider->upstream_headers);
	digest_add_strings(&state, &provider->denied_headers);
	digest_add_strings(&state, &provider->allowed_headers);
	return digest_final(&state);
}

/* Of two with one name neither is believed. */
static void put(struct reading *in, const char *name_path)
{
	struct authz_provider *out = in->out, *former = map_get(&in->draft->istio->authz_providers, out->name);
	if (former) {
		report_add(in->draft->report, in->object, REPORT_ERROR, REASON_CONFLICT, name_path,
		           "another provider is called \"%s\"; policies that name it refuse what their rules match",
		           out->name);
		out->is_valid = false;
	}
	if (!out->is_valid)
		*out = (struct authz_provider){.name = out->name, .path_prefix = ""};
	out->digest = digest_of_provider(out);
	map_put(in->draft->arena, &in->draft->istio->authz_providers, out->name, out);
}

static void read_provider(struct draft *draft, const struct object *object,
                          const istio_mesh_config_extension_provider *from, size_t i)
{
	const char *path = arena_printf(draft->arena, MESH_CONFIG_FIELD ".extensionProviders[%zu]", i);
	const char *name_path = arena_printf(draft->arena, "%s.name", path);
	bool is_http = from->provider_case == PROVIDER(ENVOY_EXT_AUTHZ_HTTP);
	if (!is_http && from->provider_case != PROVIDER(ENVOY_EXT_AUTHZ_GRPC)) {
		report_add(draft->report, object, REPORT_INFO, REASON_NOT_SUPPORTED, path,
		           "weft acts on providers with envoyExtAuthzHttp or envoyExtAuthzGrpc only");
		return;
	}
	if (text_is_empty(from->name)) {
		report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, name_path,
		           "a name is required: without one no policy can ask the provider");
		return;
	}
	struct authz_provider *out = ARENA_NEW(draft->arena, struct authz_provider);
	*out = (struct authz_provider){.name = from->name, .is_valid = true, .path_prefix = ""};
	struct reading in = {
	    .draft = draft,
	    .object = object,
	    .path = arena_printf(draft->arena, "%s.%s", path, is_http ? "envoyExtAuthzHttp" : "envoyExtAuthzGrpc"),
	    .out = out,
	};
	if (is_http)
		read_http(&in, from->envoy_ext_authz_http);
	else
		read_grpc(&in, from->envoy_ext_authz_grpc);
	put(&in, name_path);
}

void resolve_extension_providers(struct draft *draft)
{
	const struct object *object = mesh_config_object(draft->snapshot);
	const istio_mesh_config *config = draft->istio->mesh_config;
	for (size_t i = 0; i < config->n_extension_providers; i++)
		read_provider(draft, object, config->extension_providers[i], i);
}
