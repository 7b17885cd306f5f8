#include "server/options.h"

#include "base/environment.h"

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
     "only. With --state-dir or --ca-dir the default is " OPTIONS_TLS_ADDRESS ", else there is no such port."},
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
     "A folder of weftd's own, where a self-signed root is kept when no API server keeps it, the key of \"weft token "
     "create\", and the public keys of token issuers as they were last; made if it is not there. Back it up: another "
     "root cuts off every proxy. Whoever can read it can be any workload."},
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
    {"jwks-refresh-seconds", OPTION_SECONDS, AT(jwks_refresh_s), "SECONDS", "1200", "WEFT_JWKS_REFRESH_SECONDS",
     "How often, a tenth more or less, the keys that RequestAuthentications name by jwksUri or issuer are fetched "
     "again, "
     "at most 3600; sooner after a failure. Keys that were fetched stay in force as long as there are no newer ones."},
    {"jwks-private-addresses", OPTION_FLAG, AT(is_jwks_private), NULL, NULL, "WEFT_JWKS_PRIVATE_ADDRESSES",
     "While keys are fetched, follow a redirect or an issuer's jwks_uri also to an address that is not public: "
     "loopback, "
     "link-local, the cluster's. Without it only to the scheme, host and port that the object names, which may have "
     "any "
     "address."},
    {"jwks-ca", OPTION_STRING, AT(jwks_ca), "FILE", NULL, "WEFT_JWKS_CA",
     "Root certificates (PEM) that are believed when keys are fetched, besides the system's."},
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

enum options_outcome options_parse(int argc, char *const *argv, char *const *environment, struct options *options,
                                   struct error *error)
{
	memset(options, 0, sizeof *options);
	enum options_outcome outcome =
	    option_read(&(struct option_table){options_table, OPTIONS_COUNT},
	                &(struct option_input){argc, argv, environment}, options, NULL, error);
	if (outcome != OPTIONS_RUN)
		return outcome;
	if (options->tls_names.n > OPTIONS_TLS_NAMES_MAX) {
		error_set(error, "--tls-name: more than %d names", OPTIONS_TLS_NAMES_MAX);
		return OPTIONS_USAGE;
	}
	if (options->cert_ttl_s > options->cert_ttl_max_s) {
		error_set(error, "--workload-cert-ttl is longer than --max-workload-cert-ttl");
		return OPTIONS_USAGE;
	}
	if (!options->tls_address && (options->state_dir || options->ca_dir))
		options->tls_address = OPTIONS_TLS_ADDRESS;
	options->is_kube = options->kubeconfig || options->context || !options->config_paths.n;
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
