"""Loads what `weft translate` printed into a real Envoy with --mode validate.

Validation reads a bootstrap file, so what would come over ADS is put in as static resources: route tables into their
connection managers, load assignments into their clusters. Nothing else is changed.
"""
import copy
import json
import os
import subprocess
import tempfile

# The cluster of every agent's bootstrap, from which secrets come.
AGENT = {"name": "sds-grpc", "type": "STATIC", "typedExtensionProtocolOptions": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicitHttpConfig": {"http2ProtocolOptions": {}}}},
    "loadAssignment": {"clusterName": "sds-grpc", "endpoints": [{"lbEndpoints": [{"endpoint": {"address": {"pipe": {"path": "./agent.sock"}}}}]}]}}
# And what it says of the size of expressions.
RUNTIME = {"layers": [{"name": "bootstrap", "staticLayer": {"re2.max_program_size.error_level": 1024}}]}
ENVOY = os.environ.get("WEFT_ENVOY") or os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build", "envoy")


def _inline_routes(value, routes, missing):
    if isinstance(value, list):
        for item in value:
            _inline_routes(item, routes, missing)
    elif isinstance(value, dict):
        if "rds" in value:
            name = value.pop("rds")["routeConfigName"]
            if name in routes:
                value["routeConfig"] = copy.deepcopy(routes[name])
            else:
                missing.append(name)
                value["routeConfig"] = {"name": name}
        for item in value.values():
            _inline_routes(item, routes, missing)


def _fetch_from_agent(value):
    """Secrets that come over ADS: Envoy has no such stream yet when it reads static resources."""
    if isinstance(value, list):
        for item in value:
            _fetch_from_agent(item)
    elif isinstance(value, dict):
        if "ads" in value.get("sdsConfig", {}):
            value["sdsConfig"] = {"resourceApiVersion": "V3", "apiConfigSource": {
                "apiType": "GRPC", "transportApiVersion": "V3", "grpcServices": [{"envoyGrpc": {"clusterName": AGENT["name"]}}]}}
        for item in value.values():
            _fetch_from_agent(item)


def bootstrap(result):
    """A bootstrap with everything in `result`; asserts that every name that is referred to is there."""
    result = copy.deepcopy(result)
    _fetch_from_agent(result)
    routes = {route["name"]: route for route in result["routes"]}
    endpoints = {assignment["clusterName"]: assignment for assignment in result["endpoints"]}
    listeners, clusters, missing = copy.deepcopy(result["listeners"]), copy.deepcopy(result["clusters"]), []
    _inline_routes(listeners, routes, missing)
    for cluster in clusters:
        if cluster.get("type") == "EDS":
            name = cluster.pop("edsClusterConfig").get("serviceName") or cluster["name"]
            cluster["type"] = "STATIC"
            if name not in endpoints:
                missing.append(name)
            cluster["loadAssignment"] = copy.deepcopy(endpoints.get(name, {"clusterName": name}))
            for locality in cluster["loadAssignment"].get("endpoints", []):  # a host name is a DNS cluster's business
                locality.pop("priority", None)
    assert not missing, f"named, but not sent: {missing}"
    # Route tables that no listener here names (a listener may be another view's) are loaded too.
    used = json.dumps(listeners)
    for name, route in routes.items():
        if f'"name": "{name}"' not in used:
            listeners.append({"name": f"only-to-load-{name}", "address": {"socketAddress": {"address": "127.0.0.1", "portValue": 0}}, "bindToPort": False, "filterChains": [
                {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typedConfig": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "statPrefix": "x", "routeConfig": route, "httpFilters": [{"name": "envoy.filters.http.router", "typedConfig": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}]}]})
    return {"node": {"id": "golden", "cluster": "golden"}, "layeredRuntime": RUNTIME, "staticResources": {"listeners": listeners, "clusters": [AGENT] + clusters}}


def validate(result):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "bootstrap.json")
        with open(file, "w", encoding="utf-8") as out:
            json.dump(bootstrap(result), out)
        command = [ENVOY, "-c", file, "--mode", "validate", "-l", "warning", "--disable-hot-restart"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-3000:]
