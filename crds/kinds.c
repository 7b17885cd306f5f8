#include "crds/kinds.h"

#include "crds/check.h"
#include "crds/close.h"
#include "proto/istio.h"
#include "proto/kubernetes.h"

#include <string.h>

#define NETWORKING "networking.istio.io"
#define SECURITY "security.istio.io"
#define TELEMETRY "telemetry.istio.io"
#define EXTENSIONS "extensions.istio.io"
#define NETWORKING_VERSIONS                                                                                            \
	{                                                                                                              \
		"v1", "v1beta1", "v1alpha3"                                                                            \
	}
#define SECURITY_VERSIONS                                                                                              \
	{                                                                                                              \
		"v1", "v1beta1"                                                                                        \
	}
#define CATEGORIES(group)                                                                                              \
	{                                                                                                              \
		"istio-io", group "-istio-io"                                                                          \
	}

static const struct kind_crd crd_networking = {
    .categories = CATEGORIES("networking"),
};
static const struct kind_crd crd_security = {
    .categories = CATEGORIES("security"),
};
static const struct kind_crd crd_extensions = {
    .categories = CATEGORIES("extensions"),
};
static const struct kind_crd crd_service_entry = {
    .categories = CATEGORIES("networking"),
    .columns =
        {
            {"Hosts", ".spec.hosts", "Names of the service."},
            {"Location", ".spec.location", "Whether the service is part of the mesh."},
            {"Resolution", ".spec.resolution", "How the endpoints are found."},
        },
};
static const struct kind_crd crd_workload_entry = {
    .categories = CATEGORIES("networking"),
    .columns =
        {
            {"Address", ".spec.address", "Address of the workload."},
        },
};
static const struct kind_crd crd_virtual_service = {
    .categories = CATEGORIES("networking"),
    .columns =
        {
            {"Gateways", ".spec.gateways", "Gateways that the routes are for."},
            {"Hosts", ".spec.hosts", "Hosts that the routes are for."},
        },
};
static const struct kind_crd crd_destination_rule = {
    .categories = CATEGORIES("networking"),
    .columns =
        {
            {"Host", ".spec.host", "Service that the rule is for."},
        },
};
static const struct kind_crd crd_authorization_policy = {
    .categories = CATEGORIES("security"),
    .columns =
        {
            {"Action", ".spec.action", "What happens to requests that match."},
        },
};
static const struct kind_crd crd_peer_authentication = {
    .categories = CATEGORIES("security"),
    .columns =
        {
            {"Mode", ".spec.mtls.mode", "Whether traffic must be mutual TLS."},
        },
};
static const struct kind_crd crd_telemetry = {
    .categories = CATEGORIES("telemetry"),
    .storage_version = "v1alpha1",
};

const struct kind_info kinds[KIND_COUNT] = {
    [KIND_SERVICE] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "Service",
            .plural = "services",
            .short_names = {"svc"},
            .message = &k8s__io__api__core__v1__service__descriptor,
            .is_open = true,
            .check = check_service,
        },
    [KIND_ENDPOINT_SLICE] =
        {
            .group = "discovery.k8s.io",
            .versions = {"v1"},
            .kind = "EndpointSlice",
            .plural = "endpointslices",
            .message = &k8s__io__api__discovery__v1__endpoint_slice__descriptor,
            .is_open = true,
            .check = check_endpoint_slice,
        },
    [KIND_ENDPOINTS] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "Endpoints",
            .plural = "endpoints",
            .short_names = {"ep"},
            .message = &k8s__io__api__core__v1__endpoints__descriptor,
            .is_from_files_only = true, /* a cluster mirrors them as EndpointSlices */
            .is_open = true,
            .check = check_endpoints,
        },
    [KIND_POD] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "Pod",
            .plural = "pods",
            .short_names = {"po"},
            .message = &k8s__io__api__core__v1__pod__descriptor,
            .is_open = true,
        },
    [KIND_NAMESPACE] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "Namespace",
            .plural = "namespaces",
            .short_names = {"ns"},
            .message = &k8s__io__api__core__v1__namespace__descriptor,
            .is_cluster_scoped = true,
            .is_open = true,
        },
    [KIND_NODE] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "Node",
            .plural = "nodes",
            .short_names = {"no"},
            .message = &k8s__io__api__core__v1__node__descriptor,
            .is_cluster_scoped = true,
            .is_open = true,
        },
    [KIND_CONFIG_MAP] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "ConfigMap",
            .plural = "configmaps",
            .short_names = {"cm"},
            .message = &k8s__io__api__core__v1__config_map__descriptor,
            .only_name = "istio", /* the MeshConfig */
            .is_open = true,
            .check = check_config_map,
        },
    [KIND_SECRET] =
        {
            .group = "",
            .versions = {"v1"},
            .kind = "Secret",
            .plural = "secrets",
            .message = &k8s__io__api__core__v1__secret__descriptor,
            .field_selector = "type!=kubernetes.io/service-account-token,type!=helm.sh/release.v1",
            .may_be_forbidden = true,
            .is_open = true,
            .check = check_secret,
        },
    [KIND_SERVICE_ENTRY] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "ServiceEntry",
            .plural = "serviceentries",
            .short_names = {"se"},
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__service_entry__descriptor,
            .crd = &crd_service_entry,
            .check = check_service_entry,
        },
    [KIND_WORKLOAD_ENTRY] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "WorkloadEntry",
            .plural = "workloadentries",
            .short_names = {"we"},
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__workload_entry__descriptor,
            .crd = &crd_workload_entry,
            .check = check_workload_entry,
        },
    [KIND_GATEWAY] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "Gateway",
            .plural = "gateways",
            .short_names = {"gw"},
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__gateway__descriptor,
            .crd = &crd_networking,
            .check = check_gateway,
        },
    [KIND_VIRTUAL_SERVICE] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "VirtualService",
            .plural = "virtualservices",
            .short_names = {"vs"},
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__virtual_service__descriptor,
            .crd = &crd_virtual_service,
            .check = check_virtual_service,
        },
    [KIND_DESTINATION_RULE] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "DestinationRule",
            .plural = "destinationrules",
            .short_names = {"dr"},
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__destination_rule__descriptor,
            .crd = &crd_destination_rule,
            .check = check_destination_rule,
        },
    [KIND_SIDECAR] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "Sidecar",
            .plural = "sidecars",
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__sidecar__descriptor,
            .is_unread = true,
            .crd = &crd_networking,
        },
    [KIND_WORKLOAD_GROUP] =
        {
            .group = NETWORKING,
            .versions = NETWORKING_VERSIONS,
            .kind = "WorkloadGroup",
            .plural = "workloadgroups",
            .short_names = {"wg"},
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__workload_group__descriptor,
            .is_unread = true,
            .crd = &crd_networking,
        },
    [KIND_ENVOY_FILTER] =
        {
            .group = NETWORKING,
            .versions = {"v1alpha3"},
            .kind = "EnvoyFilter",
            .plural = "envoyfilters",
            .spec_field = "spec",
            .message = &istio__networking__v1alpha3__envoy_filter__descriptor,
            .is_unread = true,
            .crd = &crd_networking,
        },
    [KIND_PROXY_CONFIG] =
        {
            .group = NETWORKING,
            .versions = {"v1beta1"},
            .kind = "ProxyConfig",
            .plural = "proxyconfigs",
            .spec_field = "spec",
            .message = &istio__networking__v1beta1__proxy_config__descriptor,
            .is_unread = true,
            .crd = &crd_networking,
        },
    [KIND_AUTHORIZATION_POLICY] =
        {
            .group = SECURITY,
            .versions = SECURITY_VERSIONS,
            .kind = "AuthorizationPolicy",
            .plural = "authorizationpolicies",
            .short_names = {"ap"},
            .spec_field = "spec",
            .message = &istio__security__v1beta1__authorization_policy__descriptor,
            .may_be_dry_run = true,
            .crd = &crd_authorization_policy,
            .check = check_authorization_policy,
            .close = close_authorization_policy,
        },
    [KIND_PEER_AUTHENTICATION] =
        {
            .group = SECURITY,
            .versions = SECURITY_VERSIONS,
            .kind = "PeerAuthentication",
            .plural = "peerauthentications",
            .short_names = {"pa"},
            .spec_field = "spec",
            .message = &istio__security__v1beta1__peer_authentication__descriptor,
            .crd = &crd_peer_authentication,
            .check = check_peer_authentication,
            .close = close_peer_authentication,
        },
    [KIND_REQUEST_AUTHENTICATION] =
        {
            .group = SECURITY,
            .versions = SECURITY_VERSIONS,
            .kind = "RequestAuthentication",
            .plural = "requestauthentications",
            .short_names = {"ra"},
            .spec_field = "spec",
            .message = &istio__security__v1beta1__request_authentication__descriptor,
            .crd = &crd_security,
            .check = check_request_authentication,
            .close = close_request_authentication,
        },
    [KIND_TELEMETRY] =
        {
            .group = TELEMETRY,
            .versions = {"v1", "v1alpha1"},
            .kind = "Telemetry",
            .plural = "telemetries",
            .short_names = {"telemetry"},
            .spec_field = "spec",
            .message = &istio__telemetry__v1alpha1__telemetry__descriptor,
            .is_unread = true,
            .crd = &crd_telemetry,
        },
    [KIND_WASM_PLUGIN] =
        {
            .group = EXTENSIONS,
            .versions = {"v1alpha1"},
            .kind = "WasmPlugin",
            .plural = "wasmplugins",
            .spec_field = "spec",
            .message = &istio__extensions__v1alpha1__wasm_plugin__descriptor,
            .is_unread = true,
            .crd = &crd_extensions,
        },
    [KIND_TRAFFIC_EXTENSION] =
        {
            .group = EXTENSIONS,
            .versions = {"v1alpha1"},
            .kind = "TrafficExtension",
            .plural = "trafficextensions",
            .spec_field = "spec",
            .message = &istio__extensions__v1alpha1__traffic_extension__descriptor,
            .is_unread = true,
            .crd = &crd_extensions,
        },
};

/* Groups whose other kinds weft is to read too, so that one it does not know is worth a word. */
static const char *const known_groups[] = {
    EXTENSIONS, "gateway.networking.k8s.io", NETWORKING, SECURITY, TELEMETRY,
};

/* "v1" of "" and of "apps/v1"; *n is the length of the group. */
static const char *split(const char *api_version, size_t *n)
{
	const char *slash = strchr(api_version, '/');
	*n = slash ? (size_t)(slash - api_version) : 0;
	return slash ? slash + 1 : api_version;
}

static bool is_group(const char *group, const char *api_version, size_t n)
{
	return strlen(group) == n && memcmp(group, api_version, n) == 0;
}

static bool has_version(const struct kind_info *info, const char *version)
{
	for (size_t i = 0; i < sizeof info->versions / sizeof info->versions[0] && info->versions[i]; i++)
		if (strcmp(info->versions[i], version) == 0)
			return true;
	return false;
}

const struct kind_info *kind_find(const char *api_version, const char *kind_name, enum kind *kind)
{
	size_t n = 0;
	const char *version = split(api_version, &n);
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (strcmp(kinds[i].kind, kind_name) != 0 || !is_group(kinds[i].group, api_version, n) ||
		    !has_version(&kinds[i], version))
			continue;
		*kind = (enum kind)i;
		return &kinds[i];
	}
	return NULL;
}

bool kind_is_known_group(const char *api_version)
{
	size_t n = 0;
	split(api_version, &n);
	for (size_t i = 0; i < sizeof known_groups / sizeof known_groups[0]; i++)
		if (is_group(known_groups[i], api_version, n))
			return true;
	return false;
}
