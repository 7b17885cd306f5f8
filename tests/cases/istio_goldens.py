"""Istio's own golden rows (core_goldens.json): which lie within weft's features, their inputs as files, and what to leave out when comparing.

A row is covered unless `left_for_later` gives a reason. The reasons are features, never single rows.
"""
import json
import re

# Kinds that weft does not read yet: the row is about them.
LATER_KINDS = {
    "HTTPRoute": "Gateway API", "Sidecar": "the Sidecar kind", "PeerAuthentication": "mutual TLS", "EnvoyFilter": "EnvoyFilter",
    "Ingress": "Kubernetes Ingress", "WasmPlugin": "extensions", "Telemetry": "telemetry",
}
# What the input does not show, by the name of Istio's test.
LATER_TESTS = [
    (r"InferencePool", "inference pools (Gateway API extension)"),
    (r"Redis", "Redis filters"),
    (r"CredentialSocket", "external SDS providers"),
    (r"TestHttpProxyListenerPerWorkload", "the HTTP_PROXY_PORT listener"),
    (r"TestSidecarDynamicDNSClusters", "dynamic DNS"),
    (r"OSCACert", "DestinationRule TLS"),
    (r"TestSlowStartConfig|TestWarmup", "warm-up (slow start)"),
    (r"LocalityLB", "locality load balancing"),
    (r"TestGatewayServices/overlapping_SNI_match|httpsRedirect_on_https", "gateway TLS"),
    (r"TestOutboundListenerAccessLogs|TestListenerAccessLog|TestAccessLogPatch", "access logs (listener filters and JSON formats)"),
    (r"TestInboundClustersPassThroughBindIPs|dual-stack", "dual stack"),
    (r"TestVirtualListeners_TrafficRedirectionEnabled", "MeshConfig's traffic redirection mode"),
]


def left_for_later(row):
    """The reason why the row is not compared yet, or None."""
    for text in row["configs"] + [text for texts in row["k8s"].values() for text in texts]:
        kind = re.search(r"^kind: (\w+)", text, re.M).group(1)
        if kind in LATER_KINDS:
            return LATER_KINDS[kind]
    for pattern, reason in LATER_TESTS:
        if re.search(pattern, row["test"]):
            return reason
    if any("internal.istio.io/gateway-service" in text for text in row["configs"]):
        return "Gateway API (the annotation of its generated Gateways)"
    if has_odd_instances(row):
        return "instances that no API object makes"
    if any(":" in ip for ip in row["proxy"]["ips"]):
        return "dual stack"
    if '"inboundTrafficPolicy":{"mode":"LOCALHOST"}' in row["mesh"] and row["kind"] == "clusters":
        return "inbound traffic to 127.0.0.1 (MeshConfig's inboundTrafficPolicy)"
    if row["proxy"]["metadata"].get("INTERCEPTION_MODE", "REDIRECT") != "REDIRECT":
        return "interception mode " + row["proxy"]["metadata"]["INTERCEPTION_MODE"]
    if "ExternalName" in row["test"] and row["kind"] != "clusters" and any("tls" in t for t in row["configs"]):
        return "TLS routes"
    return None


def instances_of(row):
    instances = [json.loads(text) for text in row["goInstances"]]
    return [json.loads(instance) if isinstance(instance, str) else instance for instance in instances]


def has_odd_instances(row):
    """Instances made in Go that serve some of their service's ports only, or that belong to a service without endpoints of its own."""
    for instance in instances_of(row):
        service = instance["service"]
        ports = {other["servicePort"]["name"] for other in instances_of(row) if other["service"]["hostname"] == service["hostname"]}
        if service["Resolution"] == 2 or ports != {port["name"] for port in service["ports"]}:
            return True
    return False


RESOLUTION = {0: "STATIC", 1: "DNS", 2: "NONE", 3: "DNS_ROUND_ROBIN"}
PROTOCOL = {"unknown": "", "UnsupportedProtocol": ""}


def service_entry(text, instances, order):
    """One of Istio's in-memory services, with its instances, as the ServiceEntry that would make it."""
    service = json.loads(text)
    endpoints = {}
    for instance in instances:
        if instance["service"]["hostname"] != service["hostname"]:
            continue
        endpoint = instance["endpoint"]
        for address in endpoint["Addresses"] or []:
            key = (address, endpoint["Locality"]["Label"], endpoint["LbWeight"])
            one = endpoints.setdefault(key, {"address": address, "ports": {}})
            one["ports"][instance["servicePort"]["name"]] = endpoint["EndpointPort"]
            if endpoint["Labels"]:
                one["labels"] = endpoint["Labels"]
            if endpoint["Locality"]["Label"]:
                one["locality"] = endpoint["Locality"]["Label"]
            if endpoint["LbWeight"]:
                one["weight"] = endpoint["LbWeight"]
    addresses = (service.get("clusterVIPs") or {}).get("Addresses") or {}
    vips = [vip for vips in addresses.values() for vip in vips] or [service.get("defaultAddress", "0.0.0.0")]
    spec = {"hosts": [service["hostname"]], "resolution": RESOLUTION[service["Resolution"]],
            "location": "MESH_EXTERNAL" if service["MeshExternal"] else "MESH_INTERNAL",
            "ports": [{"number": port["port"], "name": port["name"], "protocol": PROTOCOL.get(port["protocol"], port["protocol"])} for port in service["ports"] or []]}
    vips = [vip for vip in vips if vip not in ("0.0.0.0", "")]
    if vips:
        spec["addresses"] = vips
    if endpoints:
        spec["endpoints"] = list(endpoints.values())
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "spec": spec,
            "metadata": {"name": f"go-service-{order}", "namespace": service["Attributes"]["Namespace"] or "default",
                         "creationTimestamp": service["creationTime"].split(".")[0].rstrip("Z") + "Z"}}


def input_text(row):
    """The row's inputs as one YAML stream: YAML as it stands, services of Go as JSON."""
    parts = list(row["configs"]) + [text for texts in row["k8s"].values() for text in texts]
    parts += [json.dumps(service_entry(text, instances_of(row), order)) for order, text in enumerate(row["goServices"])]
    return "\n---\n".join(parts) + "\n"


def node(row):
    proxy = row["proxy"]
    metadata = {key: value for key, value in proxy["metadata"].items()}
    metadata.setdefault("NAMESPACE", proxy["configNamespace"])
    metadata["INSTANCE_IPS"] = ",".join(proxy["ips"])
    if proxy["labels"]:
        metadata.setdefault("LABELS", proxy["labels"])
    return f"{proxy['type']}~{proxy['ips'][0]}~{proxy['id']}~{proxy['dnsDomain']}", metadata


# ---- what is left out when comparing, each with its reason ----

ISTIO_FILTERS = {"istio.metadata_exchange", "istio.alpn", "istio.stats", "istio_authn", "envoy.filters.http.grpc_stats"}


def is_tls_chain(chain):
    match = chain.get("filterChainMatch", {})
    return match.get("transportProtocol") == "tls" or "transportSocket" in chain


def meaning(value, row):
    """A resource without what only Istio has, without what weft gets in a later step (mutual TLS, telemetry), and without
    what only the way in which Istio's tests make their inputs explains. None: not compared at all."""
    value, kind = json.loads(json.dumps(value)), row["kind"]
    if kind == "listeners" and value.get("name") == "virtualInbound" and row["goServices"] and not row["goInstances"]:
        return None  # the test's proxy has instances that its inputs do not show
    if kind == "listeners":
        value.pop("listenerFilters", None)  # inspectors and their port lists: they follow from the chains, TLS among them
        if value.get("name") == "virtualInbound":
            value["filterChains"] = [chain for chain in value.get("filterChains", []) if not is_tls_chain(chain)]
    strip(value)
    strip_test_inputs(value, row)
    if kind == "clusters":
        for field in ("transportSocketMatches", "transportSocket", "filters", "cleanupInterval"):
            value.pop(field, None)  # mutual TLS; metadata exchange; dynamic forward proxy
        if value.get("connectTimeout") == "10.000000001s":  # how Istio's tests mark "the mesh's default"
            value["connectTimeout"] = "10s"
    return value


def strip(value):
    if isinstance(value, list):
        value[:] = [item for item in value if not (isinstance(item, dict) and item.get("name") in ISTIO_FILTERS)]
        for item in value:
            strip(item)
    elif isinstance(value, dict):
        value.pop("tracing", None)  # telemetry
        if value.get("transportProtocol") == "raw_buffer":
            value.pop("transportProtocol")  # "not TLS" means nothing where there is no TLS
        for key, item in list(value.items()):
            strip(item)
        if value.get("filterChainMatch") == {}:
            value.pop("filterChainMatch")


def strip_test_inputs(value, row):
    """What the inputs of Istio's tests leave empty that a real cluster always fills."""
    if isinstance(value, list):
        for item in value:
            strip_test_inputs(item, row)
    elif isinstance(value, dict):
        if row["goServices"] and {"host", "name", "namespace"} <= set(value):
            value.update(name="", namespace="")  # services made in Go have no name
        for key, item in value.items():
            if key == "config" and isinstance(item, str):
                value[key] = re.sub(r"/namespaces/[^/]*/", "/namespaces//", item)  # nor have the rules a namespace
            elif isinstance(item, str) and not row["k8s"] and not row["goServices"]:
                value[key] = item.replace(".svc.cluster.local", "")  # nor has the configuration store a domain
            strip_test_inputs(item, row)
