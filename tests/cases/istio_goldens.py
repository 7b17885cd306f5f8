"""Istio's own golden rows (core_goldens.json): which lie within weft's features, their inputs as files, and what to leave out when comparing.

A row is covered unless `left_for_later` gives a reason. The reasons are features, never single rows.
"""
import ipaddress
import json
import re

# Kinds that weft does not read yet: the row is about them.
LATER_KINDS = {
    "HTTPRoute": "Gateway API", "Sidecar": "the Sidecar kind", "EnvoyFilter": "EnvoyFilter",
    "Ingress": "Kubernetes Ingress", "WasmPlugin": "extensions", "Telemetry": "telemetry",
}
# What the input does not show, by the name of Istio's test.
LATER_TESTS = [
    (r"InferencePool", "inference pools (Gateway API extension)"),
    (r"Redis", "Redis filters"),
    (r"CredentialSocket", "external SDS providers"),
    (r"TestHttpProxyListenerPerWorkload", "the HTTP_PROXY_PORT listener"),
    (r"TestSidecarDynamicDNSClusters", "dynamic DNS"),
    (r"LocalityLB", "locality load balancing"),
    (r"TestInboundClustersLocalhostDefaultEndpoint|TestSidecarInboundListenerFilters", "the Sidecar kind"),
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
    return None


def instances_of(row, hostname):
    instances = [json.loads(text) for text in row["goInstances"]]
    instances = [json.loads(instance) if isinstance(instance, str) else instance for instance in instances]
    return [instance for instance in instances if instance["service"]["hostname"] == hostname]


def is_kubernetes(service, instances):
    """Headless, or with endpoints that lack some of its ports: no ServiceEntry says that, a Service does."""
    names = {instance["servicePort"]["name"] for instance in instances}
    return bool(instances) and service["hostname"].endswith(KUBERNETES_DOMAIN) and (
        RESOLUTION[service["Resolution"]] == "NONE" or names != {port["name"] for port in service["ports"]})


def has_odd_instances(row):
    """Instances made in Go that are not the same for all of their service's ports, where that makes a difference."""
    for text in row["goServices"]:
        service = json.loads(text)
        instances = instances_of(row, service["hostname"])
        if not instances or is_kubernetes(service, instances):
            continue
        ports = {port["name"]: [] for port in service["ports"]}
        for instance in instances:
            ports[instance["servicePort"]["name"]].append(instance["endpoint"]["Addresses"])
        is_dns = RESOLUTION[service["Resolution"]].startswith("DNS")
        if RESOLUTION[service["Resolution"]] == "NONE" or not all(ports.values()) or (is_dns and len({str(at) for at in ports.values()}) > 1):
            return True
    return False


KUBERNETES_DOMAIN = ".svc.cluster.local"
RESOLUTION = {0: "STATIC", 1: "DNS", 2: "NONE", 3: "DNS_ROUND_ROBIN"}
PROTOCOL = {"unknown": "", "UnsupportedProtocol": ""}


def port_of(port):
    return {"number": port["port"], "name": port["name"], "protocol": PROTOCOL.get(port["protocol"], port["protocol"])}


def metadata_of(service, order, namespace):
    return {"name": f"go-service-{order}", "namespace": namespace, "creationTimestamp": service["creationTime"].split(".")[0].rstrip("Z") + "Z"}


def kubernetes_objects(service, instances, order):
    """One of Istio's in-memory services, with its instances, as the Service and EndpointSlices that would make it."""
    name, namespace = service["hostname"][: -len(KUBERNETES_DOMAIN)].split(".")
    ports = []
    for port in map(port_of, service["ports"]):
        ports.append({"name": port["name"], "port": port["number"], "protocol": "TCP"})
        if port["protocol"]:
            ports[-1]["appProtocol"] = port["protocol"].lower()
    cluster_ip = "None" if RESOLUTION[service["Resolution"]] == "NONE" else service.get("defaultAddress")
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {**metadata_of(service, order, namespace), "name": name},
           "spec": {"clusterIP": cluster_ip, "ports": ports}}
    for i, instance in enumerate(instances):
        for address in instance["endpoint"]["Addresses"]:
            family = "IPv6" if ":" in address else "IPv4"
            yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
                   "metadata": {"name": f"{name}-{i}-{family.lower()}", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
                   "ports": [{"name": instance["servicePort"]["name"], "port": instance["endpoint"]["EndpointPort"]}],
                   "endpoints": [{"addresses": [address]}]}


def service_entry(service, instances, order):
    """One of Istio's in-memory services, with its instances, as the ServiceEntry that would make it."""
    endpoints, ports = {}, {}
    for instance in instances:
        endpoint = instance["endpoint"]
        for address in endpoint["Addresses"] or []:
            # what an address serves it serves in each place and with each weight
            ports.setdefault(address, {})[instance["servicePort"]["name"]] = endpoint["EndpointPort"]
            one = endpoints.setdefault((address, endpoint["Locality"]["Label"], endpoint["LbWeight"]), {"address": address, "ports": ports[address]})
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
            "ports": [port_of(port) for port in service["ports"] or []]}
    vips = [vip for vip in vips if vip not in ("0.0.0.0", "")]
    if vips:
        spec["addresses"] = vips
    if endpoints:
        spec["endpoints"] = list(endpoints.values())
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "spec": spec,
            "metadata": metadata_of(service, order, service["Attributes"]["Namespace"] or "default")}


def go_objects(row):
    for order, text in enumerate(row["goServices"]):
        service = json.loads(text)
        instances = instances_of(row, service["hostname"])
        if is_kubernetes(service, instances):
            yield from kubernetes_objects(service, instances, order)
        else:
            yield service_entry(service, instances, order)


def input_text(row):
    """The row's inputs as one YAML stream: YAML as it stands, services of Go as JSON."""
    parts = list(row["configs"]) + [text for texts in row["k8s"].values() for text in texts]
    parts += map(json.dumps, go_objects(row))
    return "\n---\n".join(parts) + "\n"


def with_host_names(row):
    """The row with host names that an API object can have: those of some of Istio's tests are sentences or single words."""
    for text in row["goServices"]:
        name = json.loads(text)["hostname"]
        if "." not in name:
            pattern = re.compile(rf'(^|\||host: |"hostname": ?"){re.escape(name)}(?=$|;|"|\n)')
            row = renamed(row, pattern, rf"\g<1>{name.replace(' ', '-')}.example.org")
    return row


def renamed(value, pattern, name):
    if isinstance(value, str):
        return pattern.sub(name, value)
    if isinstance(value, list):
        return [renamed(item, pattern, name) for item in value]
    if isinstance(value, dict):
        return {key: renamed(item, pattern, name) for key, item in value.items()}
    return value


def mesh_of(row):
    """The row's mesh settings; what Istio's tests turn on by an environment variable is one of them."""
    if "dual_stack_enabled" not in row["test"]:
        return row["mesh"]
    mesh = json.loads(row["mesh"] or "{}")
    mesh.setdefault("defaultConfig", {})["proxyMetadata"] = {"ISTIO_DUAL_STACK": "true"}
    return json.dumps(mesh)


def node(row):
    proxy = row["proxy"]
    metadata = {key: value for key, value in proxy["metadata"].items()}
    metadata.setdefault("NAMESPACE", proxy["configNamespace"])
    metadata.setdefault("ISTIO_VERSION", "1.23.0")  # Istio's agents always say so
    metadata["INSTANCE_IPS"] = ",".join(proxy["ips"])
    if proxy["labels"]:
        metadata.setdefault("LABELS", proxy["labels"])
    return f"{proxy['type']}~{proxy['ips'][0]}~{proxy['id']}~{proxy['dnsDomain']}", metadata


# ---- what is left out when comparing, each with its reason ----

ISTIO_FILTERS = {"istio.metadata_exchange", "istio.alpn", "istio.stats", "istio_authn", "envoy.filters.http.grpc_stats", "envoy.filters.http.set_filter_state"}


def ports_at_no_address(row):
    """Ports that are not HTTP of services made in Go at "0.0.0.0". To Istio that is an IPv4 address and nothing more; to weft a service without an address."""
    services = [json.loads(text) for text in row["goServices"]]
    return {port["port"] for service in services if service.get("defaultAddress") == "0.0.0.0"
            for port in service["ports"] or [] if port_of(port)["protocol"] in ("", "TCP")}


def meaning(value, row):
    """A resource without what only Istio has, without what weft gets in a later step (telemetry), and without
    what only the way in which Istio's tests make their inputs explains. None: not compared at all."""
    value, kind = json.loads(json.dumps(value)), row["kind"]
    if kind == "listeners" and value.get("name") == "virtualInbound" and row["goServices"] and not row["goInstances"]:
        return None  # the test's proxy has instances that its inputs do not show
    if kind == "listeners" and value["address"]["socketAddress"]["portValue"] in ports_at_no_address(row):
        value.pop("additionalAddresses", None)
    if kind == "listeners" and value.get("name") == "virtualInbound":
        for one in value["listenerFilters"]:
            if one["name"].endswith("http_inspector"):
                one.pop("filterDisabled", None)  # Istio's looks at ports without HTTP chains, too
    elif kind == "listeners":
        value.pop("listenerFilters", None)  # inspectors and their port lists: they follow from the chains
        if value.get("name") != "virtualInbound":
            strip_raw_buffer(value)
    strip(value)
    strip_test_inputs(value, row)
    if kind == "listeners" and "accessLogFile" not in (row["mesh"] or ""):
        value.pop("accessLog", None)  # weft's log of what is refused, where the mesh asks for none
    if kind == "clusters":
        for field in ("filters", "cleanupInterval"):
            value.pop(field, None)  # metadata exchange; dynamic forward proxy
        if value.get("type") == "ORIGINAL_DST" and row["goInstances"]:
            value.pop("transportSocket", None)  # instances made in Go neither take mutual TLS nor refuse it, which no object can say
        strip_alpn(value.get("metadata", {}).get("filterMetadata", {}))
        if value.get("connectTimeout") == "10.000000001s":  # how Istio's tests mark "the mesh's default"
            value["connectTimeout"] = "10s"
    return value


def strip_alpn(metadata):
    """What an HTTP filter reads to choose the ALPN of requests: Istio's is its own, weft's one that a stock Envoy has."""
    metadata.pop("weft.alpn", None)
    metadata.get("istio", {}).pop("alpn_override", None)


def strip_raw_buffer(value):
    """"Not TLS" means nothing where no chain takes TLS."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        strip_raw_buffer(item)
    if isinstance(value, dict) and value.get("transportProtocol") == "raw_buffer":
        value.pop("transportProtocol")


def strip(value):
    if isinstance(value, list):
        value[:] = [item for item in value if not (isinstance(item, dict) and item.get("name") in ISTIO_FILTERS)]
        for item in value:
            strip(item)
    elif isinstance(value, dict):
        value.pop("tracing", None)  # telemetry
        if "addressPrefix" in value and "prefixLen" in value:  # host bits mean nothing
            network = ipaddress.ip_network(f"{value['addressPrefix']}/{value['prefixLen']}", strict=False)
            value["addressPrefix"] = str(network.network_address)
        if value.get("jsonFormatOptions") == {}:
            value.pop("jsonFormatOptions")
        if "sdsConfig" in value and value.get("name", "").startswith("file-"):
            value.pop("sdsConfig")  # of files: from Istio's agent; from weft, which names the files
        if "alpnProtocols" in value:  # who agrees to it must have Istio's own filter for metadata
            value["alpnProtocols"] = [name for name in value["alpnProtocols"] if name != "istio-peer-exchange"]
        if "matchSubjectAltNames" in value:  # of any type; the mesh's names are URIs
            value["matchTypedSubjectAltNames"] = [{"sanType": "URI", "matcher": name} for name in value.pop("matchSubjectAltNames")]
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
