#!/usr/bin/env python3
"""AuthorizationPolicies of Istio's own tests become the filters that Istio makes of them, equal as protos, and a real Envoy loads them."""
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml
from google.protobuf import json_format
from envoy.config.listener.v3 import listener_components_pb2
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2 as http_ext_authz
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac
from envoy.extensions.filters.network.ext_authz.v3 import ext_authz_pb2 as network_ext_authz
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as network_rbac
from envoy.extensions.path.match.uri_template.v3 import uri_template_match_pb2

import tap
from golden import envoy_load

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = os.path.join(ROOT, "..", "shared", "istio", "cases")
WEFT = os.path.join(os.environ.get("WEFT_BIN", os.path.join(ROOT, "build", "test", "bin")), "weft")
NODE = "sidecar~10.0.0.9~httpbin-1.foo~foo.svc.cluster.local"
LABELS = {"app": "httpbin", "version": "v1"}
KNOWN = [http_ext_authz, http_rbac, network_ext_authz, network_rbac, uri_template_match_pb2]  # what an Any may hold
CATCH_ALL = {"http": "virtualInbound-catchall-http", "tcp": "virtualInbound"}
ACCESS_CONTROL = re.compile(r"^envoy\.filters\.(http|network)\.(rbac|ext_authz)$")

AUTHORIZER = """
apiVersion: v1
kind: Service
metadata: {name: my-custom-ext-authz, namespace: foo}
spec: {clusterIP: 10.96.0.9, ports: [{name: grpc, port: 9000}]}
"""
HOST = "my-custom-ext-authz.foo.svc.cluster.local"
HEADERS = ["x-prefix-*", "*-suffix"]
GRPC = {"service": f"foo/{HOST}", "port": 9000, "timeout": "0.002s", "failOpen": True, "statusOnError": "403",
        "includeRequestBodyInCheck": {"maxRequestBytes": 4096, "allowPartialMessage": True}}
HTTP = {"service": f"foo/{HOST}", "port": 9000, "timeout": "10s", "pathPrefix": "/check", "failOpen": True, "statusOnError": "403",
        "includeRequestHeadersInCheck": ["x-custom-id", *HEADERS], "includeAdditionalHeadersInCheck": {"x-header-2": "value-2", "x-header-1": "value-1"},
        "includeRequestBodyInCheck": {"maxRequestBytes": 2048, "allowPartialMessage": True, "packAsBytes": True},
        "headersToUpstreamOnAllow": ["Authorization", *HEADERS], "headersToDownstreamOnDeny": ["Set-cookie", *HEADERS],
        "headersToDownstreamOnAllow": ["Set-cookie", *HEADERS]}
# The providers called "default", as far as what is wanted tells them.
PROVIDERS = {
    "meshConfigGRPC": {"envoyExtAuthzGrpc": GRPC},
    "meshConfigGRPCNoNamespace": {"envoyExtAuthzGrpc": {"service": HOST, "port": 9000, "failOpen": True, "statusOnError": "403"}},
    "meshConfigHTTP": {"envoyExtAuthzHttp": HTTP},
    "meshConfigInvalid": {"envoyExtAuthzHttp": {**HTTP, "port": 999999, "statusOnError": "not a status", "pathPrefix": "check"}},
}


def mesh_of(row):
    mesh = {}
    if row["trustDomain"]:
        mesh = {"trustDomain": row["trustDomain"], "trustDomainAliases": row["aliases"]}
    if row["meshConfig"]:
        mesh["extensionProviders"] = [{"name": "default", **PROVIDERS[row["meshConfig"]]}]
    return yaml.safe_dump(mesh)


def translate(row, folder):
    policies, mesh = os.path.join(folder, "policies.yaml"), os.path.join(folder, "mesh.yaml")
    with open(os.path.join(CASES, "files", row["input"]), encoding="utf-8") as file, open(policies, "w", encoding="utf-8") as out:
        out.write(file.read() + "\n---" + AUTHORIZER)
    with open(mesh, "w", encoding="utf-8") as out:
        out.write(mesh_of(row))
    done = subprocess.run([WEFT, "translate", "--config", policies, "--mesh", mesh, "--node", NODE, "--meta", json.dumps({"LABELS": LABELS})],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def filters_of(result, transport):
    """The filters of access control in the chain that takes what no service names."""
    chains = [chain for listener in result["listeners"] for chain in listener["filterChains"] if chain.get("name") == CATCH_ALL[transport]]
    found = chains[0]["filters"]
    if transport == "http":
        found = found[0]["typedConfig"]["httpFilters"]
    return [one for one in found if ACCESS_CONTROL.match(one["name"])]


def message(transport, tree):
    kind = hcm.HttpFilter if transport == "http" else listener_components_pb2.Filter
    return json_format.ParseDict(tree, kind())


def compare(row):
    transport = row["key"].split("/")[0]
    want = []
    for name in row["want"]:
        with open(os.path.join(CASES, "files", name), encoding="utf-8") as file:
            want.append(message(transport, yaml.safe_load(file)))
    with tempfile.TemporaryDirectory() as folder:
        result = translate(row, folder)
    got = [message(transport, tree) for tree in filters_of(result, transport)]
    assert len(want) == len(got), f"{len(want)} filters wanted, {len(got)} made"
    for one, other in zip(want, got):
        if one != other:
            lines = [json_format.MessageToJson(each, sort_keys=True).splitlines() for each in (one, other)]
            first = next((i for i, (a, b) in enumerate(zip(*lines)) if a != b), min(map(len, lines)))
            raise AssertionError("\n".join(f"{who}: " + " ".join(text.strip() for text in each[max(0, first - 12):first + 8])
                                           for who, each in zip(("Istio", "weft"), lines)))
    envoy_load.validate(result)


def main():
    index = os.path.join(CASES, "index.json")
    if not os.path.exists(index):
        tap.report(True, "Istio's policies", " # SKIP the folder with Istio's cases (../shared/istio/cases) is not here")
        tap.done()
    with open(index, encoding="utf-8") as file:
        rows = json.load(file)["authz"]
    for row in rows:
        if sys.argv[1:] and not any(name in row["key"] for name in sys.argv[1:]):
            continue
        with tap.case(row["key"]):
            compare(row)
    tap.done()


if __name__ == "__main__":
    main()
