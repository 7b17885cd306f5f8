/*
 * Protocol selection (https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/): a port
 * says what it speaks by appProtocol or by its name, "http" or "http-anything"; without a word the proxy looks at the
 * first bytes, except on ports whose servers talk first.
 */
#include "translator/istio/istio_parts.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum protocol protocol;
} names[] = {
    {"http", PROTOCOL_HTTP},         {"http_proxy", PROTOCOL_HTTP}, {"http2", PROTOCOL_HTTP2}, {"grpc", PROTOCOL_GRPC},
    {"grpc-web", PROTOCOL_GRPC_WEB}, {"https", PROTOCOL_HTTPS},     {"tls", PROTOCOL_TLS},     {"tcp", PROTOCOL_TCP},
    {"mongo", PROTOCOL_MONGO},       {"redis", PROTOCOL_REDIS},     {"mysql", PROTOCOL_MYSQL}, {"udp", PROTOCOL_UDP},
};

/* Kubernetes' own names for appProtocol (KEP-3726). */
static const struct {
	const char *name;
	enum protocol protocol;
} app_protocols[] = {
    {"kubernetes.io/h2c", PROTOCOL_HTTP2},
    {"kubernetes.io/ws", PROTOCOL_HTTP},
    {"kubernetes.io/wss", PROTOCOL_HTTPS},
};

/* Here the server speaks first, so that waiting for the client's first bytes would hang: SMTP, DNS, MySQL, MongoDB. */
static const uint32_t server_first_ports[] = {25, 53, 3306, 27017};

static bool parse_prefix(const char *name, size_t n, enum protocol *protocol)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i].name) == n && strncasecmp(names[i].name, name, n) == 0) {
			*protocol = names[i].protocol;
			return true;
		}
	return false;
}

bool istio_protocol_parse(const char *name, enum protocol *protocol)
{
	return parse_prefix(name, strlen(name), protocol);
}

static bool parse_hint(const char *hint, enum protocol *protocol)
{
	static const char grpc_web[] = "grpc-web";
	if (strncasecmp(hint, grpc_web, sizeof grpc_web - 1) == 0) { /* the one name with a "-" in it */
		*protocol = PROTOCOL_GRPC_WEB;
		return true;
	}
	if (!parse_prefix(hint, strcspn(hint, "-"), protocol))
		return false;
	if (*protocol == PROTOCOL_UDP) /* a TCP port all the same */
		*protocol = PROTOCOL_TCP;
	return true;
}

static bool is_server_first(uint32_t port)
{
	for (size_t i = 0; i < sizeof server_first_ports / sizeof server_first_ports[0]; i++)
		if (server_first_ports[i] == port)
			return true;
	return false;
}

enum protocol istio_protocol_select(uint32_t port, const char *transport, const char *port_name,
                                    const char *app_protocol)
{
	if (!text_is_empty(transport) && strcmp(transport, "TCP") != 0)
		return PROTOCOL_UDP; /* UDP and SCTP: not ours */
	enum protocol protocol;
	if (!text_is_empty(app_protocol)) {
		for (size_t i = 0; i < sizeof app_protocols / sizeof app_protocols[0]; i++)
			if (strcmp(app_protocols[i].name, app_protocol) == 0)
				return app_protocols[i].protocol;
		if (parse_hint(app_protocol, &protocol))
			return protocol;
	} else if (!text_is_empty(port_name) && parse_hint(port_name, &protocol)) {
		return protocol;
	}
	return is_server_first(port) ? PROTOCOL_TCP : PROTOCOL_AUTO;
}
