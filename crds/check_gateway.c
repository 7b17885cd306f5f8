#include "base/map.h"
#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"

#include <string.h>

#define MODE(name) ISTIO__NETWORKING__V1ALPHA3__SERVER_TLSSETTINGS__TLSMODE__##name
#define TLS_CERTIFICATES_MAX 2 /* one of each kind of key */

/* Set by the translation of the Gateway API: such names have dots, and "~" stands for "no namespace". */
static const char annotation_semantics[] = "internal.istio.io/gateway-semantics";

static bool is_converted(const struct check *check)
{
	return text_equal(object_annotation(check->object, annotation_semantics), "gateway");
}

static void check_host_name(struct check *check, const char *host)
{
	struct error error;
	if (strcmp(host, "*") != 0 && !strchr(host, '.'))
		check_error(check, NULL, "\"%s\" is a short name; a gateway needs whole host names", host);
	if (!hostname_check_wildcard(host, &error) && !hostname_is_ip(host))
		check_error(check, NULL, "%s", error.message);
	if (strchr(host, '*') && strlen(host) > 1 && !text_has_prefix(host, "*."))
		check_error(check, NULL, "\"%s\" is a partial wildcard; only \"*.\" and a name is possible", host);
}

/* "host" or "namespace/host". */
static void check_host(struct check *check, const char *host)
{
	const char *slash = strchr(host, '/');
	if (!slash) {
		check_host_name(check, host);
		return;
	}
	size_t n = (size_t)(slash - host);
	bool is_any = n == 1 && (host[0] == '*' || host[0] == '.' || (host[0] == '~' && is_converted(check)));
	if (!is_any && !hostname_is_label(host, n))
		check_error(check, NULL, "\"%.*s\" is neither \"*\" nor \".\" nor a namespace", (int)n, host);
	check_host_name(check, slash + 1);
}

static void check_hosts(struct check *check, const istio_server *server)
{
	if (server->n_hosts == 0)
		check_error(check, "hosts", "at least one host is required");
	for (size_t i = 0; i < server->n_hosts; i++) {
		check_enter_at(check, "hosts", i);
		check_host(check, server->hosts[i]);
		check_leave(check);
	}
}

static void check_server_port(struct check *check, const istio_server *server)
{
	const istio_port *port = server->port;
	check_enter(check, "port");
	if (!check_protocol_find(port->protocol))
		check_error(check, "protocol", "protocol \"%s\" is not supported", port->protocol);
	bool is_unix = text_has_prefix(server->bind, CHECK_UNIX_PREFIX);
	if (port->number > 0 || !is_unix)
		check_port(check, "number", port->number);
	if (port->number > 0 && is_unix)
		check_error(check, "number", "a Unix socket has no port number");
	if (port->target_port > 0)
		check_error(check, "targetPort", "has no effect on gateways");
	if (text_is_empty(port->name))
		check_error(check, "name", "a port needs a name");
	check_leave(check);
}

static void check_bind(struct check *check, const istio_server *server)
{
	if (text_has_prefix(server->bind, CHECK_UNIX_PREFIX))
		check_unix_address(check, "bind", server->bind + strlen(CHECK_UNIX_PREFIX));
	else if (!text_is_empty(server->bind))
		check_ip(check, "bind", server->bind);
}

/* A field of the settings and whether it is set, for the rules about what goes together. */
struct tls_field {
	const char *name;
	bool is_set;
};

static void check_mesh_tls(struct check *check, const istio_server_tls_settings *tls)
{
	const struct tls_field fields[] = {
	    {"serverCertificate", !text_is_empty(tls->server_certificate)},
	    {"privateKey", !text_is_empty(tls->private_key)},
	    {"caCertificates", !text_is_empty(tls->ca_certificates)},
	    {"tlsCertificates", tls->n_tls_certificates > 0},
	    {"credentialName", !text_is_empty(tls->credential_name)},
	    {"credentialNames", tls->n_credential_names > 0},
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].is_set)
			check_error(check, fields[i].name,
			            "not possible in mode ISTIO_MUTUAL: the mesh's own are used");
}

static void check_certificate(struct check *check, const char *certificate, const char *key)
{
	if (text_is_empty(certificate))
		check_error(check, "serverCertificate", "a server certificate (or credentialName) is required");
	if (text_is_empty(key))
		check_error(check, "privateKey", "a private key (or credentialName) is required");
}

/* Files instead of a credential: all of them are needed. */
static void check_tls_files(struct check *check, const istio_server_tls_settings *tls)
{
	if (tls->mode != MODE(SIMPLE) && text_is_empty(tls->ca_certificates))
		check_error(check, "caCertificates", "certificates of the clients' authority are required");
	if (tls->n_tls_certificates > TLS_CERTIFICATES_MAX)
		check_warn(check, "tlsCertificates", "at most %d certificates are used", TLS_CERTIFICATES_MAX);
	for (size_t i = 0; i < tls->n_tls_certificates; i++) {
		check_enter_at(check, "tlsCertificates", i);
		check_certificate(check, tls->tls_certificates[i]->server_certificate,
		                  tls->tls_certificates[i]->private_key);
		check_leave(check);
	}
	if (tls->n_tls_certificates == 0)
		check_certificate(check, tls->server_certificate, tls->private_key);
}

static bool has_credential(const istio_server_tls_settings *tls)
{
	return !text_is_empty(tls->credential_name) || tls->n_credential_names > 0;
}

static void check_tls_sources(struct check *check, const istio_server_tls_settings *tls)
{
	bool has_files = !text_is_empty(tls->server_certificate) && !text_is_empty(tls->private_key);
	int n = has_files + !text_is_empty(tls->credential_name) + (tls->n_credential_names > 0) +
	        (tls->n_tls_certificates > 0);
	if (n > 1)
		check_error(check, NULL,
		            "only one of credentialName, credentialNames, tlsCertificates and "
		            "serverCertificate with privateKey is possible");
}

/* Suites that Envoy's TLS library knows; others it would refuse, so they are left out. */
static const char *const cipher_suites[] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
};

bool check_is_cipher_suite(const char *name)
{
	for (size_t i = 0; i < sizeof cipher_suites / sizeof cipher_suites[0]; i++)
		if (strcmp(cipher_suites[i], name) == 0)
			return true;
	return false;
}

static void check_ciphers(struct check *check, const istio_server_tls_settings *tls)
{
	struct map seen = {0};
	for (size_t i = 0; i < tls->n_cipher_suites; i++) {
		check_enter_at(check, "cipherSuites", i);
		if (!check_is_cipher_suite(tls->cipher_suites[i]))
			check_warn(check, NULL, "\"%s\" is not a cipher suite, left out", tls->cipher_suites[i]);
		else if (map_put(check->arena, &seen, tls->cipher_suites[i], tls->cipher_suites[i]))
			check_warn(check, NULL, "\"%s\" is listed twice", tls->cipher_suites[i]);
		check_leave(check);
	}
	bool is_old =
	    tls->min_protocol_version == ISTIO__NETWORKING__V1ALPHA3__SERVER_TLSSETTINGS__TLSPROTOCOL__TLSV1_0 ||
	    tls->min_protocol_version == ISTIO__NETWORKING__V1ALPHA3__SERVER_TLSSETTINGS__TLSPROTOCOL__TLSV1_1;
	if (is_old && tls->n_cipher_suites == 0)
		check_warn(check, "minProtocolVersion", "below TLSV1_2 needs cipherSuites: the default ones are newer");
}

void check_server_tls(struct check *check, const istio_server_tls_settings *tls)
{
	check_ciphers(check, tls);
	if (tls->mode == MODE(ISTIO_MUTUAL)) {
		check_mesh_tls(check, tls);
		return;
	}
	bool is_terminating = tls->mode != MODE(PASSTHROUGH) && tls->mode != MODE(AUTO_PASSTHROUGH);
	bool has_any = !text_is_empty(tls->ca_crl) || !text_is_empty(tls->server_certificate) ||
	               !text_is_empty(tls->private_key) || !text_is_empty(tls->ca_certificates) ||
	               tls->n_tls_certificates > 0 || has_credential(tls);
	if (!is_terminating && has_any)
		check_warn(check, "mode", "passing TLS through uses no certificates; they are left out");
	check_tls_sources(check, tls);
	if (is_terminating && has_credential(tls))
		return;
	if (is_terminating)
		check_tls_files(check, tls);
	if (!text_is_empty(tls->ca_crl) && !text_is_empty(tls->credential_name))
		check_error(check, "caCrl", "not possible with credentialName: the credential holds its own");
	if (!text_is_empty(tls->ca_crl) && tls->mode == MODE(SIMPLE))
		check_error(check, "caCrl", "not possible in mode SIMPLE, where clients show no certificate");
}

/* Whether TLS settings and the port's protocol go together. */
static void check_port_tls(struct check *check, const istio_server *server)
{
	const istio_server_tls_settings *tls = server->tls;
	const struct check_protocol *protocol = check_protocol_find(server->port->protocol);
	if (protocol->is_tls && !tls)
		check_error(check, "tls", "protocol %s needs TLS settings", server->port->protocol);
	if (protocol->is_tls || !tls)
		return;
	bool is_redirect_only = (tls->mode == MODE(PASSTHROUGH) || tls->mode == MODE(AUTO_PASSTHROUGH)) &&
	                        text_is_empty(tls->ca_certificates) && text_is_empty(tls->private_key) &&
	                        text_is_empty(tls->server_certificate);
	if (!protocol->is_http)
		check_error(check, "tls", "protocol %s takes no TLS settings: use TLS or HTTPS",
		            server->port->protocol);
	else if (!is_redirect_only)
		check_error(check, "tls", "a plaintext HTTP port takes no TLS settings but httpsRedirect");
}

static void check_server(struct check *check, const istio_server *server)
{
	check_hosts(check, server);
	check_bind(check, server);
	if (server->tls) {
		check_enter(check, "tls");
		check_server_tls(check, server->tls);
		check_leave(check);
	}
	if (!server->port) {
		check_error(check, "port", "a port is required");
		return;
	}
	check_server_port(check, server);
	const struct check_protocol *protocol = check_protocol_find(server->port->protocol);
	if (protocol)
		check_port_tls(check, server);
	if (server->tls && server->tls->https_redirect && !(protocol && protocol->is_http)) {
		check_enter(check, "tls");
		check_warn(check, "httpsRedirect", "has an effect on HTTP servers only");
		check_leave(check);
	}
}

void check_gateway(struct check *check, const ProtobufCMessage *message)
{
	const istio_gateway *gateway = (const istio_gateway *)message;
	if (!hostname_is_label_string(check->object->name) && !is_converted(check))
		check_error(check, NULL, "a gateway's name \"%s\" must be one DNS label, without dots",
		            check->object->name);
	if (gateway->n_servers == 0)
		check_error(check, "servers", "at least one server is required");
	struct map port_names = {0};
	for (size_t i = 0; i < gateway->n_servers; i++) {
		const istio_server *server = gateway->servers[i];
		check_enter_at(check, "servers", i);
		check_server(check, server);
		if (server->port && map_put(check->arena, &port_names, server->port->name, server->port)) {
			check_enter(check, "port");
			check_error(check, "name", "port name \"%s\" is taken by another server", server->port->name);
			check_leave(check);
		}
		check_leave(check);
	}
}
