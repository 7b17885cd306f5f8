#include "base/text.h"
#include "translator/address.h"
#include "translator/istio/gateway_lowering.h"

#include <ctype.h>
#include <string.h>

#define PORT_MAX 65535

void server_complain(const struct server_lowering *lowering, enum report_severity severity, enum report_reason reason,
                     const char *part, const char *format, ...)
{
	struct arena *arena = lowering->draft->arena;
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(arena, format, args);
	va_end(args);
	report_add(lowering->draft->report, lowering->object, severity, reason,
	           arena_printf(arena, "%s%s%s", lowering->path, part ? "." : "", part ? part : ""), "%s", message);
}

static const char *lower_case(struct arena *arena, const char *s)
{
	char *out = arena_strdup(arena, s);
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

/* "host", "ns/host", "./host", "*" "/host". Nobody's: "~/host". */
static struct gateway_host lower_host(const struct server_lowering *lowering, const char *in)
{
	struct arena *arena = lowering->draft->arena;
	const char *slash = strchr(in, '/');
	if (!slash)
		return (struct gateway_host){.namespace = "*", .host = lower_case(arena, in)};
	struct gateway_host out = {.host = lower_case(arena, slash + 1)};
	out.namespace = arena_strndup(arena, in, (size_t)(slash - in));
	if (text_equal(out.namespace, "."))
		out.namespace = lowering->object->namespace;
	return out;
}

static void lower_hosts(const struct server_lowering *lowering, const istio_server *in, struct gateway_server *out)
{
	VEC(struct gateway_host) hosts = {0};
	for (size_t i = 0; i < in->n_hosts; i++)
		VEC_PUSH(lowering->draft->arena, &hosts, lower_host(lowering, in->hosts[i]));
	out->hosts = hosts.v;
	out->n_hosts = hosts.n;
}

/* TLS settings of a plaintext port say no more than that requests are to come by HTTPS. */
static bool lower_tls(const struct server_lowering *lowering, const istio_server *in, struct gateway_server *out)
{
	bool is_tls = out->protocol == PROTOCOL_HTTPS || out->protocol == PROTOCOL_TLS;
	out->is_https_redirect = in->tls && in->tls->https_redirect;
	if (is_tls && in->tls) {
		gateway_lower_tls(lowering, in->tls, &out->tls);
		return true;
	}
	if (is_tls) {
		server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "tls",
		                "protocol %s needs TLS settings; the server is left out", protocol_name(out->protocol));
		return false;
	}
	if (protocol_transport(out->protocol) == TRANSPORT_NONE) {
		server_complain(lowering, REPORT_WARNING, REASON_NOT_SUPPORTED, "port.protocol",
		                "%s servers are not supported; the server is left out", protocol_name(out->protocol));
		return false;
	}
	return true;
}

static bool lower_server(const struct server_lowering *lowering, const istio_server *in, struct gateway_server *out)
{
	*out = (struct gateway_server){0};
	if (!in->port || in->port->number == 0 || in->port->number > PORT_MAX) {
		server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "port.number",
		                "a server needs a port from 1 to %d; the server is left out", PORT_MAX);
		return false;
	}
	if (!istio_protocol_parse(in->port->protocol, &out->protocol)) {
		server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "port.protocol",
		                "\"%s\" is no protocol; the server is left out", in->port->protocol);
		return false;
	}
	if (!lower_tls(lowering, in, out))
		return false;
	if (in->bind[0] == '/' || in->bind[0] == '@') {
		server_complain(lowering, REPORT_WARNING, REASON_NOT_SUPPORTED, "bind",
		                "Unix sockets are not supported yet; the server is left out");
		return false;
	}
	out->port = in->port->number;
	out->port_name = in->port->name;
	out->bind = in->bind[0] ? address_canonical(lowering->draft->arena, in->bind) : NULL;
	lower_hosts(lowering, in, out);
	if (out->n_hosts == 0)
		server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "hosts",
		                "without hosts no route can attach");
	return true;
}

static struct digest gateway_digest(const struct object *object)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, "gateway");
	digest_add_digest(&state, object->digest);
	return digest_final(&state);
}

static const struct gateway *lower_gateway(struct draft *draft, const struct object *object)
{
	const istio_gateway *in = (const istio_gateway *)object->message;
	struct gateway *out = ARENA_NEW(draft->arena, struct gateway);
	VEC(struct gateway_server) servers = {0};
	for (size_t i = 0; i < in->n_servers; i++) {
		struct server_lowering lowering = {draft, object, arena_printf(draft->arena, "spec.servers[%zu]", i)};
		struct gateway_server server;
		if (!lower_server(&lowering, in->servers[i], &server))
			continue;
		server.place = (uint32_t)i;
		VEC_PUSH(draft->arena, &servers, server);
	}
	*out = (struct gateway){
	    .name = object->name,
	    .namespace = object->namespace,
	    .selector = ISTIO_LABELS(draft->arena, in, selector),
	    .servers = servers.v,
	    .n_servers = servers.n,
	    .created_s = object->created_s,
	    .source = istio_source(draft, object, "gateway"),
	    .digest = gateway_digest(object),
	};
	return out;
}

void resolve_gateways(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_GATEWAY];
	for (size_t i = 0; i < objects->n; i++)
		VEC_PUSH(draft->arena, &draft->gateways, lower_gateway(draft, objects->v[i]));
	gateway_check_conflicts(draft);
	gateway_check_secrets(draft);
}
