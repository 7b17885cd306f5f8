#include "agent/bootstrap.h"

#include "agent/sds_secret.h"
#include "proto/codec.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#define XDS_CLUSTER "xds-grpc"
#define SDS_CLUSTER "sds-grpc" /* what the control plane calls it in the configuration it sends */
#define STATS_CLUSTER "prometheus_stats"

static void add_string(struct text *out, const char *s)
{
	text_add_json_string(out, s, strlen(s));
}

static void add_address(struct text *out, const char *address)
{
	char host[OPTION_HOST_MAX];
	uint16_t port = 0;
	struct error error;
	bool is_good = option_parse_address(address, host, &port, &error);
	assert(is_good); /* the options saw to that */
	text_add(out, "{\"socketAddress\": {\"address\": ");
	add_string(out, host);
	text_printf(out, ", \"portValue\": %u}}", port);
}

static bool is_ip(const char *host)
{
	struct in6_addr address;
	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

const char *bootstrap_server_name(const struct agent_options *options, char host[OPTION_HOST_MAX])
{
	uint16_t port;
	struct error error;
	if (options->server_name)
		return options->server_name;
	bool is_good = option_parse_address(options->control_plane, host, &port, &error);
	assert(is_good);
	return host;
}

/* ---- secrets ---- */

static const char grpc_source[] =
    "\"resourceApiVersion\": \"V3\", \"initialFetchTimeout\": \"0s\", \"apiConfigSource\": {\"apiType\": \"GRPC\", "
    "\"transportApiVersion\": \"V3\", \"setNodeOnFirstMessageOnly\": true, \"grpcServices\": [{\"envoyGrpc\": "
    "{\"clusterName\": \"" SDS_CLUSTER "\"}}]}";

static void add_secret(struct text *out, const char *name)
{
	text_printf(out, "{\"name\": \"%s\", \"sdsConfig\": {%s}}", name, grpc_source);
}

/* ---- clusters ---- */

/* A connection that says nothing for 30 s is asked whether it is there: the control plane's machine may just be gone.
 */
static void add_http2(struct text *out)
{
	text_printf(out,
	            "\"typedExtensionProtocolOptions\": {\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\": "
	            "{\"@type\": \"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\", "
	            "\"explicitHttpConfig\": {\"http2ProtocolOptions\": {\"initialStreamWindowSize\": %u, "
	            "\"initialConnectionWindowSize\": %u, \"connectionKeepalive\": {\"interval\": \"30s\", "
	            "\"timeout\": \"10s\"}}}}}",
	            BOOTSTRAP_WINDOW, BOOTSTRAP_WINDOW);
}

static void add_endpoint(struct text *out, const char *cluster)
{
	text_printf(out,
	            "\"loadAssignment\": {\"clusterName\": \"%s\", \"endpoints\": [{\"lbEndpoints\": [{\"endpoint\": "
	            "{\"address\": ",
	            cluster);
}

#define ENDPOINT_END "}}]}]}"

static void add_tls(struct text *out, const struct agent_options *options)
{
	char host[OPTION_HOST_MAX];
	const char *name = bootstrap_server_name(options, host);
	text_add(out,
	         "\"transportSocket\": {\"name\": \"envoy.transport_sockets.tls\", \"typedConfig\": {\"@type\": "
	         "\"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\", \"sni\": ");
	add_string(out, name);
	text_add(out, ", \"commonTlsContext\": {\"tlsParams\": {\"tlsMinimumProtocolVersion\": \"TLSv1_2\", "
	              "\"tlsMaximumProtocolVersion\": \"TLSv1_3\"}, \"alpnProtocols\": [\"h2\"], "
	              "\"tlsCertificateSdsSecretConfigs\": [");
	add_secret(out, SDS_CERTIFICATE);
	text_add(out,
	         "], \"combinedValidationContext\": {\"defaultValidationContext\": {\"matchTypedSubjectAltNames\": "
	         "[{\"sanType\": ");
	add_string(out, is_ip(name) ? "IP_ADDRESS" : "DNS");
	text_add(out, ", \"matcher\": {\"exact\": ");
	add_string(out, name);
	text_add(out, "}}]}, \"validationContextSdsSecretConfig\": ");
	add_secret(out, SDS_ROOTS);
	text_add(out, "}}}}");
}

static void add_xds_cluster(struct text *out, const struct agent_options *options)
{
	char host[OPTION_HOST_MAX];
	uint16_t port;
	struct error error;
	bool is_good = option_parse_address(options->control_plane, host, &port, &error);
	assert(is_good);
	text_printf(out,
	            "{\"name\": \"" XDS_CLUSTER "\", \"type\": \"%s\", \"dnsLookupFamily\": \"ALL\", "
	            "\"connectTimeout\": \"5s\", \"circuitBreakers\": {\"thresholds\": "
	            "[{\"priority\": \"DEFAULT\", \"maxConnections\": 100000, \"maxPendingRequests\": 100000, "
	            "\"maxRequests\": 100000}]}, \"upstreamConnectionOptions\": {\"tcpKeepalive\": {\"keepaliveTime\": "
	            "60}}, ",
	            is_ip(host) ? "STATIC" : "STRICT_DNS");
	add_endpoint(out, XDS_CLUSTER);
	add_address(out, options->control_plane);
	text_add(out, ENDPOINT_END ", ");
	add_tls(out, options);
	text_add(out, ", ");
	add_http2(out);
	text_add(out, "}");
}

static void add_sds_cluster(struct text *out, const struct agent_options *options)
{
	text_add(out, "{\"name\": \"" SDS_CLUSTER "\", \"type\": \"STATIC\", \"connectTimeout\": \"1s\", ");
	add_endpoint(out, SDS_CLUSTER);
	text_add(out, "{\"pipe\": {\"path\": ");
	add_string(out, options->socket_path);
	text_add(out, "}}" ENDPOINT_END ", ");
	add_http2(out);
	text_add(out, "}");
}

static void add_stats_cluster(struct text *out, const struct agent_options *options)
{
	text_add(out, "{\"name\": \"" STATS_CLUSTER "\", \"type\": \"STATIC\", \"connectTimeout\": \"1s\", ");
	add_endpoint(out, STATS_CLUSTER);
	add_address(out, options->admin_address);
	text_add(out, ENDPOINT_END "}");
}

/* ---- the whole ---- */

static void add_stats_listener(struct text *out, const struct agent_options *options)
{
	text_add(out, "{\"name\": \"prometheus\", \"ignoreGlobalConnLimit\": true, \"address\": ");
	add_address(out, options->stats_address);
	text_add(
	    out,
	    ", \"filterChains\": [{\"filters\": [{\"name\": \"envoy.filters.network.http_connection_manager\", "
	    "\"typedConfig\": {\"@type\": \"type.googleapis.com/envoy.extensions.filters.network."
	    "http_connection_manager.v3.HttpConnectionManager\", \"statPrefix\": \"stats\", \"routeConfig\": "
	    "{\"virtualHosts\": [{\"name\": \"stats\", \"domains\": [\"*\"], \"routes\": [{\"match\": {\"path\": "
	    "\"/stats/prometheus\", \"headers\": [{\"name\": \":method\", \"stringMatch\": {\"exact\": \"GET\"}}]}, "
	    "\"route\": {\"cluster\": \"" STATS_CLUSTER "\"}}]}]}, \"httpFilters\": [{\"name\": "
	    "\"envoy.filters.http.router\", \"typedConfig\": {\"@type\": \"type.googleapis.com/"
	    "envoy.extensions.filters.http.router.v3.Router\"}}]}}]}]}");
}

/*
 * Policies mean all texts of a header as one, as Istio says. Else an ALLOW of "user" lets in who says "user" in one
 * line and "root" in the next. What a DENY looks for is found in each of them either way (translator/envoy/rbac.h).
 */
#define HEADERS_AS_ONE "\"envoy.reloadable_features.rbac_match_headers_individually\": false"

static void add_limits(struct text *out)
{
	text_printf(out,
	            "\"overloadManager\": {\"resourceMonitors\": [{\"name\": "
	            "\"envoy.resource_monitors.global_downstream_max_connections\", \"typedConfig\": {\"@type\": "
	            "\"type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3."
	            "DownstreamConnectionsConfig\", \"maxActiveDownstreamConnections\": \"%d\"}}]},\n"
	            "\"layeredRuntime\": {\"layers\": [{\"name\": \"bootstrap\", \"staticLayer\": "
	            "{\"re2.max_program_size.error_level\": 1024, " HEADERS_AS_ONE "}}, {\"name\": \"admin\", "
	            "\"adminLayer\": {}}]}",
	            BOOTSTRAP_CONNECTIONS_MAX);
}

void bootstrap_print(const struct agent_options *options, const envoy_node *node, struct text *out)
{
	text_add(out, "{\"node\": ");
	codec_print(&node->base, 0, out);
	text_add(out, ",\n\"admin\": {\"ignoreGlobalConnLimit\": true, \"address\": ");
	add_address(out, options->admin_address);
	text_add(out,
	         "},\n\"dynamicResources\": {\"adsConfig\": {\"apiType\": \"DELTA_GRPC\", \"transportApiVersion\": "
	         "\"V3\", \"setNodeOnFirstMessageOnly\": true, \"grpcServices\": [{\"envoyGrpc\": {\"clusterName\": "
	         "\"" XDS_CLUSTER "\"}}]}");
	text_add(out,
	         ", \"cdsConfig\": {\"ads\": {}, \"resourceApiVersion\": \"V3\", \"initialFetchTimeout\": \"0s\"}");
	text_add(out,
	         ", \"ldsConfig\": {\"ads\": {}, \"resourceApiVersion\": \"V3\", \"initialFetchTimeout\": \"0s\"}},\n");
	text_add(out, "\"staticResources\": {\"clusters\": [\n");
	add_xds_cluster(out, options);
	text_add(out, ",\n");
	add_sds_cluster(out, options);
	text_add(out, ",\n");
	add_stats_cluster(out, options);
	text_add(out, "\n], \"listeners\": [\n");
	add_stats_listener(out, options);
	text_add(out, "\n]},\n");
	add_limits(out);
	text_add(out, "}\n");
}
