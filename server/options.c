#include "server/options.h"

#include "base/environment.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#define AT(field) offsetof(struct options, field)

const struct option_row options_table[OPTIONS_COUNT] = {
    {"config", OPTION_PATHS, AT(config_paths), "PATH", NULL, "WEFT_CONFIG",
     "A folder or file of configuration: Kubernetes YAML or JSON with objects of the kinds below. Folders are read "
     "recursively and watched: a change takes effect at once. May be given several times. In the environment, paths "
     "are "
     "separated by colons."},
    {"kubeconfig", OPTION_STRING, AT(kubeconfig), "FILE", NULL, "WEFT_KUBECONFIG",
     "Read the objects from the API server that this kubeconfig names, and watch them; with --config, from both (files "
     "win). When neither is given: from the files that KUBECONFIG lists, else from the cluster that weftd runs in, as "
     "the "
     "pod's service account."},
    {"context", OPTION_STRING, AT(context), "NAME", NULL, "WEFT_CONTEXT",
     "The kubeconfig's context, instead of its current one."},
    {"mesh", OPTION_STRING, AT(mesh_path), "FILE", NULL, "WEFT_MESH",
     "The mesh's settings (Istio's MeshConfig) as YAML. Without it they come from ConfigMap \"istio\", key \"mesh\", "
     "in the root namespace, or are the defaults."},
    {"root-namespace", OPTION_NAME, AT(root_namespace), "NAMESPACE", "istio-system", "WEFT_ROOT_NAMESPACE",
     "The namespace whose configuration applies to the whole mesh."},
    {"xds-address", OPTION_ADDRESS, AT(xds_address), "HOST:PORT", "127.0.0.1:15010", "WEFT_XDS_ADDRESS",
     "Where proxies connect (xDS over gRPC, plaintext: whoever reaches it can read the mesh's configuration). "
     "0.0.0.0:15010 is every interface; port 0 lets the system choose."},
    {"tls-address", OPTION_ADDRESS, AT(tls_address), "HOST:PORT", NULL, "WEFT_TLS_ADDRESS",
     "Where proxies connect with TLS, and prove who they are: the same services and what is served to proven callers "
     "only. Istio's port for it is 15012."},
    {"max-connection-seconds", OPTION_SECONDS, AT(max_connection_s), "SECONDS", "1800", "WEFT_MAX_CONNECTION_SECONDS",
     "With --tls-address: how long a proxy's connection lasts before it is asked to connect anew, so that its "
     "certificate is looked at again, at most 3600; 0 is for ever. Its configuration stays in force meanwhile. It "
     "should "
     "be less than half of what certificates live: on a connection that outlives its certificate nothing new begins."},
    {"admin-address", OPTION_ADDRESS, AT(admin_address), "HOST:PORT", "127.0.0.1:15014", "WEFT_ADMIN_ADDRESS",
     "Where health, metrics and debug pages are served (HTTP, see ENDPOINTS)."},
    {"port-file", OPTION_STRING, AT(port_file), "FILE", NULL, "WEFT_PORT_FILE",
     "Once listening, write the real ports to FILE as {\"xds\":15010,\"tls\":15012,\"admin\":15014,\"pid\":1} (tls "
     "with "
     "--tls-address); it is removed at the end. For scripts that use port 0."},
    {"drain-seconds", OPTION_SECONDS, AT(drain_s), "SECONDS", "5", "WEFT_DRAIN_SECONDS",
     "How long proxies get to leave when weftd stops, at most 3600."},
    {"stalled-seconds", OPTION_SECONDS, AT(stalled_s), "SECONDS", "60", "WEFT_STALLED_SECONDS",
     "A proxy that does not read what it is sent for so long is disconnected, at most 3600; 0 is the default."},
    {"relist-seconds", OPTION_SECONDS, AT(relist_s), "SECONDS", "900", "WEFT_RELIST_SECONDS",
     "How often, and up to half as long again, everything is listed at the API server and compared though it is "
     "watched, "
     "at most 3600."},
    {"stale-seconds", OPTION_SECONDS, AT(stale_s), "SECONDS", "60", "WEFT_STALE_SECONDS",
     "When nothing was heard of a kind at the API server for so long, weftd is no longer ready (/readyz); what proxies "
     "have stays in force. At most 3600."},
    {"ca-dir", OPTION_STRING, AT(ca_dir), "FOLDER", NULL, "WEFT_CA_DIR",
     "A folder with the certificate authority to sign with: ca-cert.pem, ca-key.pem, root-cert.pem and, where "
     "something "
     "is between, cert-chain.pem; or tls.crt, tls.key, ca.crt. It is read again when it changes. Without this option "
     "/etc/cacerts is used if it is there, then Secret \"cacerts\" in the root namespace, then a self-signed root in "
     "Secret \"istio-ca-secret\" or in --state-dir."},
    {"state-dir", OPTION_STRING, AT(state_dir), "FOLDER", NULL, "WEFT_STATE_DIR",
     "A folder of weftd's own, where a self-signed root is kept when no API server keeps it, and the key of \"weft "
     "token create\"; made if it is not there. Back it up: another root cuts off every proxy. Whoever can read it can "
     "be any workload."},
    {"tls-name", OPTION_HOSTS, AT(tls_names), "HOST", NULL, "WEFT_TLS_NAME",
     "A further host name for weftd's own certificate, besides localhost and the names of Services weftd and istiod in "
     "the root namespace. May be given several times; in the environment, separated by commas."},
    {"workload-cert-ttl", OPTION_DURATION, AT(cert_ttl_s), "DURATION", "24h", "WEFT_WORKLOAD_CERT_TTL",
     "How long a certificate lives unless its request says otherwise, such as 24h, 90m, 20s."},
    {"max-workload-cert-ttl", OPTION_DURATION, AT(cert_ttl_max_s), "DURATION", "90d", "WEFT_MAX_WORKLOAD_CERT_TTL",
     "A request for a certificate that should live longer is refused."},
    {"token-jwks", OPTION_STRING, AT(token_keys), "FILE", NULL, "WEFT_TOKEN_JWKS",
     "A JSON Web Key Set: the keys of --token-issuer, whose service accounts' tokens are then believed without asking "
     "anybody (so one that is bound to a pod is believed after the pod is gone, until it ends). It is read again when "
     "it changes. Other tokens are looked up at the API server, if there is one."},
    {"token-issuer", OPTION_STRING, AT(token_issuer), "URL", NULL, "WEFT_TOKEN_ISSUER",
     "With --token-jwks: whose keys these are, as tokens name their issuer."},
    {"token-audience", OPTION_STRING, AT(token_audience), "AUDIENCE", "istio-ca", "WEFT_TOKEN_AUDIENCE",
     "For whom a token must be meant."},
    {"control-socket", OPTION_STRING, AT(control_socket), "PATH", NULL, "WEFT_CONTROL_SOCKET",
     "The Unix socket (mode 0600) by which \"weft ca\" looks at the authority and rotates its root. The default is "
     "control.sock in --state-dir, else /run/weft/control.sock if it can be made."},
    {"log-level", OPTION_LEVEL, AT(log_level), "LEVEL", "info", "WEFT_LOG_LEVEL",
     "The least level that is logged: debug, info, warn or error."},
    {"log-format", OPTION_FORMAT, AT(is_log_json), "FORMAT", "text", "WEFT_LOG_FORMAT",
     "text, or json: one object a line. The log goes to standard error."},
    {"help", OPTION_HELP, 0, NULL, NULL, NULL, "Print this page and exit."},
    {"version", OPTION_VERSION, 0, NULL, NULL, NULL, "Print the version and exit."},
};

/* ---- values ---- */

bool options_parse_address(const char *address, char host[OPTIONS_HOST_MAX], uint16_t *port, struct error *error)
{
	const char *colon = strrchr(address, ':');
	uint64_t number = 0;

	if (!colon)
		return error_set(error, "\"%s\" has no port: write HOST:PORT, such as 127.0.0.1:15010", address);
	if (!text_parse_uint(colon + 1, UINT16_MAX, &number))
		return error_set(error, "\"%s\": the port must be a number from 0 to 65535", address);

	const char *start = address;
	size_t n = (size_t)(colon - address);
	bool is_bracketed = n >= 2 && start[0] == '[' && start[n - 1] == ']';
	if (is_bracketed) {
		start++;
		n -= 2;
	} else if (memchr(start, ':', n)) {
		return error_set(error, "\"%s\": write an IPv6 address in brackets, such as [::1]:15010", address);
	}
	if (!n)
		return error_set(error,
		                 "\"%s\" has no host: 0.0.0.0%s is every interface, 127.0.0.1%s this machine only",
		                 address, colon, colon);
	if (n >= OPTIONS_HOST_MAX)
		return error_set(error, "the host is longer than %d bytes", OPTIONS_HOST_MAX - 1);
	memcpy(host, start, n);
	host[n] = '\0';
	struct in6_addr ipv6;
	if (is_bracketed && inet_pton(AF_INET6, host, &ipv6) != 1)
		return error_set(error, "\"%s\": what stands in brackets is no IPv6 address", address);
	*port = (uint16_t)number;
	return true;
}

bool options_is_loopback(const char *address)
{
	char host[OPTIONS_HOST_MAX];
	uint16_t port;
	struct error error;
	struct in_addr ipv4;

	if (!options_parse_address(address, host, &port, &error))
		return false;
	if (inet_pton(AF_INET, host, &ipv4) == 1)
		return ntohl(ipv4.s_addr) >> 24 == 127;
	return !strcmp(host, "localhost") || !strcmp(host, "::1");
}

/* RFC 1123 label, which is what a namespace is. */
static bool is_namespace(const char *s)
{
	size_t n = strlen(s);
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	return n > 0 && n <= 63 && strspn(s, letters) == n && s[0] != '-' && s[n - 1] != '-';
}

static bool set_path(struct options *options, const char *value, struct error *error)
{
	if (!*value)
		return error_set(error, "the path is empty");
	if (options->n_config_paths == OPTIONS_PATHS_MAX)
		return error_set(error, "more than %d paths: put the files into one folder", OPTIONS_PATHS_MAX);
	options->config_paths[options->n_config_paths++] = value;
	return true;
}

/* TEMPLATE_DNS_MAX holds our own names too. */
static bool set_host(struct options *options, const char *value, struct error *error)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t n = strlen(value);
	if (!n || n > 253 || strspn(value, letters) != n)
		return error_set(error, "\"%s\" is no host name: lower-case letters, digits, \"-\" and \".\"", value);
	if (options->n_tls_names == OPTIONS_TLS_NAMES_MAX)
		return error_set(error, "more than %d names", OPTIONS_TLS_NAMES_MAX);
	options->tls_names[options->n_tls_names++] = value;
	return true;
}

static bool set_format(bool *is_json, const char *value, struct error *error)
{
	*is_json = !strcmp(value, "json");
	return *is_json || !strcmp(value, "text") || error_set(error, "\"%s\" is neither text nor json", value);
}

static bool set_seconds(int64_t *seconds, const char *value, struct error *error)
{
	uint64_t number = 0;
	if (!text_parse_uint(value, OPTIONS_SECONDS_MAX, &number))
		return error_set(error, "\"%s\" is no whole number from 0 to %d", value, OPTIONS_SECONDS_MAX);
	*seconds = (int64_t)number;
	return true;
}

/* Seconds of one "30m" at *at, which moves behind it; -1: it is none. */
static int64_t duration_part(const char **at)
{
	static const struct {
		char letter;
		int64_t s;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int64_t number = 0;

	for (; **at >= '0' && **at <= '9' && number <= OPTIONS_DURATION_MAX_S; (*at)++)
		number = number * 10 + (**at - '0');
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (**at != units[i].letter)
			continue;
		(*at)++;
		return number <= OPTIONS_DURATION_MAX_S ? number * units[i].s : INT64_MAX / 2;
	}
	return -1;
}

bool options_parse_duration(const char *s, int64_t *seconds, struct error *error)
{
	int64_t sum = 0;

	for (const char *at = s; *at && sum >= 0 && sum <= OPTIONS_DURATION_MAX_S;) {
		bool is_number = *at >= '0' && *at <= '9';
		int64_t part = is_number ? duration_part(&at) : -1;
		sum = part < 0 ? -1 : sum + part;
	}
	if (sum <= 0 || sum > OPTIONS_DURATION_MAX_S)
		return error_set(error, "\"%s\" is no duration up to ten years, such as 24h, 90d or 1h30m", s);
	*seconds = sum;
	return true;
}

static bool option_set(const struct option_row *option, struct options *options, const char *value, struct error *error)
{
	void *at = (char *)options + option->at;
	char host[OPTIONS_HOST_MAX];
	uint16_t port;

	switch (option->type) {
	case OPTION_PATHS:
		return set_path(options, value, error);
	case OPTION_STRING:
		if (!*value)
			return error_set(error, "the value is empty");
		*(const char **)at = value;
		return true;
	case OPTION_NAME:
		if (!is_namespace(value))
			return error_set(
			    error, "\"%s\" is no namespace: lower-case letters, digits and \"-\", at most 63", value);
		*(const char **)at = value;
		return true;
	case OPTION_ADDRESS:
		if (!options_parse_address(value, host, &port, error))
			return false;
		*(const char **)at = value;
		return true;
	case OPTION_LEVEL:
		return log_level_parse(value, at) ||
		       error_set(error, "\"%s\" is none of debug, info, warn, error", value);
	case OPTION_FORMAT:
		return set_format(at, value, error);
	case OPTION_SECONDS:
		return set_seconds(at, value, error);
	case OPTION_DURATION:
		return options_parse_duration(value, at, error);
	case OPTION_HOSTS:
		return set_host(options, value, error);
	case OPTION_HELP:
	case OPTION_VERSION:
		break;
	}
	return error_set(error, "this option takes no value"); /* the caller has seen to that */
}

/* ---- where values come from ---- */

static void set_defaults(struct options *options)
{
	struct error error;

	memset(options, 0, sizeof *options);
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct option_row *option = &options_table[i];
		bool is_set = !option->default_value || option_set(option, options, option->default_value, &error);
		assert(is_set);
	}
}

/* Cuts in place: the environment block is ours, and values must outlive the parsing. */
static bool set_list(const struct option_row *option, struct options *options, char *list, struct error *error)
{
	const char *separator = option->type == OPTION_PATHS ? ":" : ",";
	for (char *path; (path = strsep(&list, separator));) {
		if (*path && !option_set(option, options, path, error))
			return false;
	}
	return true;
}

static bool read_environment(char *const *environment, struct options *options, struct error *error)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct option_row *option = &options_table[i];
		char *value = option->environment ? environment_get(environment, option->environment) : NULL;
		if (!value)
			continue;
		bool is_list = option->type == OPTION_PATHS || option->type == OPTION_HOSTS;
		bool is_set =
		    is_list ? set_list(option, options, value, error) : option_set(option, options, value, error);
		if (!is_set)
			return error_wrap(error, "environment variable %s", option->environment);
	}
	return true;
}

static const struct option_row *option_find(const char *name, size_t n)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		if (strlen(options_table[i].name) == n && !strncmp(options_table[i].name, name, n))
			return &options_table[i];
	}
	return NULL;
}

/* The option that argument i names, with its value; i moves past both. */
static const struct option_row *next_option(int argc, char *const *argv, int *i, const char **value,
                                            struct error *error)
{
	const char *argument = argv[(*i)++];

	if (!text_has_prefix(argument, "--") || !argument[2]) {
		error_set(error, "unexpected argument \"%s\": options begin with --", argument);
		return NULL;
	}
	const char *equals = strchr(argument, '=');
	size_t n = equals ? (size_t)(equals - argument) - 2 : strlen(argument + 2);
	const struct option_row *option = option_find(argument + 2, n);
	if (!option) {
		error_set(error, "unknown option %.*s", (int)n + 2, argument);
		return NULL;
	}
	*value = equals ? equals + 1 : NULL;
	if (!option->argument && *value) {
		error_set(error, "--%s takes no value", option->name);
		return NULL;
	}
	if (option->argument && !*value) {
		if (*i >= argc) {
			error_set(error, "--%s needs a value: --%s %s", option->name, option->name, option->argument);
			return NULL;
		}
		*value = argv[(*i)++];
	}
	return option;
}

static enum options_outcome read_arguments(int argc, char *const *argv, struct options *options, struct error *error)
{
	bool is_path_seen = false, is_host_seen = false;

	for (int i = 1; i < argc;) {
		const char *value = NULL;
		const struct option_row *option = next_option(argc, argv, &i, &value, error);
		if (!option)
			return OPTIONS_USAGE;
		if (option->type == OPTION_HELP)
			return OPTIONS_HELP;
		if (option->type == OPTION_VERSION)
			return OPTIONS_VERSION;
		if (option->type == OPTION_PATHS && !is_path_seen) {
			options->n_config_paths = 0; /* instead of the environment's, not besides them */
			is_path_seen = true;
		}
		if (option->type == OPTION_HOSTS && !is_host_seen) {
			options->n_tls_names = 0;
			is_host_seen = true;
		}
		if (!option_set(option, options, value, error)) {
			error_wrap(error, "--%s", option->name);
			return OPTIONS_USAGE;
		}
	}
	return OPTIONS_RUN;
}

enum options_outcome options_parse(int argc, char *const *argv, char *const *environment, struct options *options,
                                   struct error *error)
{
	set_defaults(options);
	bool is_environment_good = read_environment(environment, options, error);
	struct error argument_error;
	enum options_outcome outcome = read_arguments(argc, argv, options, &argument_error);

	if (outcome == OPTIONS_HELP || outcome == OPTIONS_VERSION)
		return outcome;
	if (outcome == OPTIONS_USAGE) {
		*error = argument_error;
		return outcome;
	}
	if (!is_environment_good)
		return OPTIONS_USAGE;
	if (options->cert_ttl_s > options->cert_ttl_max_s) {
		error_set(error, "--workload-cert-ttl is longer than --max-workload-cert-ttl");
		return OPTIONS_USAGE;
	}
	options->is_kube = options->kubeconfig || options->context || !options->n_config_paths;
	if (options->is_kube && !options->kubeconfig && !environment_get(environment, "KUBECONFIG") &&
	    !environment_get(environment, "KUBERNETES_SERVICE_HOST")) {
		error_set(
		    error,
		    "where is the configuration? --config PATH is a folder or file of Kubernetes YAML, "
		    "--kubeconfig FILE an API server (weftd does not run in a cluster, and KUBECONFIG is not set)");
		return OPTIONS_USAGE;
	}
	return OPTIONS_RUN;
}
