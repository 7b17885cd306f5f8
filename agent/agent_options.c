#include "agent/agent_options.h"

#include "base/text.h"
#include "ca/spiffe_id.h"

#include <arpa/inet.h>
#include <string.h>

#define AT(field) offsetof(struct agent_options, field)

static const struct option_row rows[] = {
    {"control-plane", OPTION_ADDRESS, AT(control_plane), "HOST:PORT", "weftd.istio-system.svc:15012",
     "WEFT_CONTROL_PLANE", "Where certificates and configuration come from: weftd's port with TLS."},
    {"server-name", OPTION_STRING, AT(server_name), "NAME", NULL, "WEFT_SERVER_NAME",
     "The DNS name that the control plane's certificate must have. Without it: the host of --control-plane."},
    {"roots", OPTION_STRING, AT(roots_file), "FILE", "/var/run/secrets/istio/root-cert.pem", "WEFT_ROOTS",
     "PEM of the roots that vouch for the control plane, read anew for each request. In a pod: the ConfigMap "
     "istio-ca-root-cert, mounted."},
    {"token-file", OPTION_STRING, AT(token_file), "FILE", "/var/run/secrets/tokens/istio-token", "WEFT_TOKEN_FILE",
     "The service account's token, by which the first certificate is asked for, read anew for each request."},
    {"trust-domain", OPTION_STRING, AT(trust_domain), "NAME", "cluster.local", "TRUST_DOMAIN",
     "The mesh's trust domain: the certificate must be for spiffe://NAME/ns/NAMESPACE/sa/SERVICE-ACCOUNT."},
    {"ttl", OPTION_DURATION, AT(ttl_s), "DURATION", NULL, "SECRET_TTL",
     "How long the certificate is asked to live; without it as long as the control plane has it (24h, unless it was "
     "told "
     "otherwise). A new one, with a new key, is asked for at half of that."},
    {"key-type", OPTION_CHOICE, AT(key_type), "p256|rsa2048", "p256", "WEFT_KEY_TYPE",
     "The kind of key. It stays in this process and Envoy's."},
    {"role", OPTION_CHOICE, AT(role), "sidecar|router", "sidecar", "WEFT_ROLE",
     "Whether Envoy stands beside a workload or is a gateway."},
    {"pod-name", OPTION_STRING, AT(pod_name), "NAME", NULL, "POD_NAME", "The pod's name."},
    {"namespace", OPTION_NAME, AT(pod_namespace), "NAMESPACE", NULL, "POD_NAMESPACE", "The pod's namespace."},
    {"service-account", OPTION_STRING, AT(service_account), "NAME", "default", "SERVICE_ACCOUNT",
     "The pod's service account."},
    {"instance-ip", OPTION_STRING, AT(instance_ip), "ADDRESS[,ADDRESS]", NULL, "INSTANCE_IP",
     "The pod's addresses, the first one its own."},
    {"domain", OPTION_STRING, AT(domain), "NAME", "cluster.local", "WEFT_DOMAIN", "The DNS domain of the cluster."},
    {"labels-file", OPTION_STRING, AT(labels_file), "FILE", NULL, "WEFT_LABELS_FILE",
     "The pod's labels as the downward API writes them, a KEY=\"VALUE\" a line. Without it: "
     "./etc/istio/pod/labels, if it is there."},
    {"cluster", OPTION_STRING, AT(cluster_id), "NAME", "Kubernetes", "ISTIO_META_CLUSTER_ID",
     "The cluster that this is in."},
    {"network", OPTION_STRING, AT(network), "NAME", NULL, "ISTIO_META_NETWORK", "The network that this is in."},
    {"socket", OPTION_STRING, AT(socket_path), "PATH", "./var/run/secrets/workload-spiffe-uds/socket",
     "WORKLOAD_IDENTITY_SOCKET_PATH", "The Unix socket on which Envoy gets its secrets; only its owner may connect."},
    {"socket-owner", OPTION_NUMBER, AT(socket_owner), "UID", NULL, "WEFT_SOCKET_OWNER",
     "The user to whom the socket and the bootstrap are given, and as whom Envoy runs, when the agent runs as root. "
     "Without it: the agent's own user."},
    {"bootstrap", OPTION_STRING, AT(bootstrap_file), "FILE", "./etc/istio/proxy/envoy-rev.json", "WEFT_BOOTSTRAP",
     "Where Envoy's bootstrap is written."},
    {"envoy", OPTION_STRING, AT(envoy_path), "PATH", "envoy", "WEFT_ENVOY",
     "The program; without a slash it is looked for in PATH."},
    {"no-envoy", OPTION_FLAG, AT(is_without_envoy), NULL, NULL, "WEFT_NO_ENVOY",
     "Only keep the identity: write the bootstrap, serve secrets, but start no Envoy."},
    {"admin-address", OPTION_ADDRESS, AT(admin_address), "HOST:PORT", "127.0.0.1:15000", "WEFT_ENVOY_ADMIN_ADDRESS",
     "Envoy's admin interface."},
    {"stats-address", OPTION_ADDRESS, AT(stats_address), "HOST:PORT", "0.0.0.0:15090", "WEFT_STATS_ADDRESS",
     "Where Envoy serves /stats/prometheus."},
    {"status-address", OPTION_ADDRESS, AT(status_address), "HOST:PORT", "0.0.0.0:15021", "WEFT_STATUS_ADDRESS",
     "Where the agent serves its pages (see ENDPOINTS)."},
    {"drain-seconds", OPTION_SECONDS, AT(drain_s), "SECONDS", "5", "WEFT_DRAIN_SECONDS",
     "How long Envoy's connections get to end when the agent stops, at most 3600."},
    {"concurrency", OPTION_NUMBER, AT(concurrency), "NUMBER", "2", "WEFT_CONCURRENCY",
     "Envoy's worker threads; 0: one a processor."},
    {"log-level", OPTION_LEVEL, AT(log_level), "LEVEL", "info", "WEFT_LOG_LEVEL",
     "The least level that is logged: debug, info, warn or error."},
    {"log-format", OPTION_FORMAT, AT(is_log_json), "FORMAT", "text", "WEFT_LOG_FORMAT",
     "text, or json: one object a line. The log goes to standard error."},
    {"help", OPTION_HELP, 0, NULL, NULL, NULL, "Print this page and exit."},
    {"version", OPTION_VERSION, 0, NULL, NULL, NULL, "Print the version and exit."},
};

const struct option_table agent_options_table = {rows, sizeof rows / sizeof rows[0]};

#define SOCKET_PATH_MAX 107 /* sun_path */

static bool check_addresses(const char *list, struct error *error)
{
	while (*list) {
		char address[INET6_ADDRSTRLEN];
		struct in6_addr parsed;
		size_t n = strcspn(list, ",");
		if (n >= sizeof address)
			return error_set(error, "\"%s\" is no IP address", list);
		memcpy(address, list, n);
		address[n] = '\0';
		if (inet_pton(AF_INET, address, &parsed) != 1 && inet_pton(AF_INET6, address, &parsed) != 1)
			return error_set(error, "\"%s\" is no IP address", address);
		list += n + (list[n] == ',');
	}
	return true;
}

static bool check(const struct agent_options *options, struct error *error)
{
	static const struct {
		size_t at;
		const char *what;
	} needed[] = {
	    {AT(pod_namespace), "which namespace is this in? Set POD_NAMESPACE, or give --namespace"},
	    {AT(pod_name), "which pod is this? Set POD_NAME, or give --pod-name"},
	    {AT(instance_ip), "which address does it have? Set INSTANCE_IP, or give --instance-ip"},
	};
	struct spiffe_id id;
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (!*(const char *const *)(const void *)((const char *)options + needed[i].at))
			return error_set(error, "%s", needed[i].what);
	if (strlen(options->socket_path) > SOCKET_PATH_MAX)
		return error_set(error, "--socket: the path of a Unix socket has at most %d bytes", SOCKET_PATH_MAX);
	if (!check_addresses(options->instance_ip, error))
		return error_wrap(error, "--instance-ip");
	return spiffe_id_make(options->trust_domain, options->pod_namespace, options->service_account, &id, error);
}

enum options_outcome agent_options_parse(int argc, char *const *argv, char *const *environment,
                                         struct agent_options *options, struct error *error)
{
	int rest = argc;
	memset(options, 0, sizeof *options);
	options->socket_owner = -1;
	enum options_outcome outcome =
	    option_read(&agent_options_table, &(struct option_input){argc, argv, environment}, options, &rest, error);
	if (outcome != OPTIONS_RUN)
		return outcome;
	options->envoy_arguments = argv + rest;
	return check(options, error) ? OPTIONS_RUN : OPTIONS_USAGE;
}
