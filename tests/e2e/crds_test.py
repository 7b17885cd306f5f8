#!/usr/bin/env python3
"""The CustomResourceDefinitions at a real API server: they install, refuse what is wrong with a word that helps, serve all versions and
short names, and `kubectl get` and `kubectl explain` show what an admin wants to know."""
import glob
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh  # noqa: E402
import tap  # noqa: E402

FOLDER = os.path.join(mesh.ROOT, "crds")

# kind: a spec that is sound
SOUND = {
    "DestinationRule": {"host": "a", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
    "EnvoyFilter": {"configPatches": [{"applyTo": "CLUSTER", "match": {"cluster": {"service": "a"}},
                                       "patch": {"operation": "MERGE", "value": {"x": [1]}}}]},
    "Gateway": {"selector": {"istio": "ingressgateway"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"},
                                                                      "hosts": ["*"]}]},
    "ProxyConfig": {"concurrency": 0, "image": {"imageType": "distroless"}},
    "ServiceEntry": {"hosts": ["example.com"], "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}], "resolution": "DNS"},
    "Sidecar": {"egress": [{"hosts": ["./*"]}]},
    "VirtualService": {"hosts": ["a"], "gateways": ["mesh"], "http": [{"timeout": "5s", "route": [{"destination": {"host": "a"},
        "weight": 100}]}]},
    "WorkloadEntry": {"address": "10.0.0.1", "ports": {"http": 8080}},
    "WorkloadGroup": {"template": {"network": "n"}, "probe": {"httpGet": {"port": 80}}},
    "AuthorizationPolicy": {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/x"]}}]}]},
    "PeerAuthentication": {"mtls": {"mode": "STRICT"}, "selector": {"matchLabels": {"app": "a"}},
                           "portLevelMtls": {"80": {"mode": "DISABLE"}}},
    "RequestAuthentication": {"jwtRules": [{"issuer": "i", "jwks_uri": "https://i/keys"}, {"issuer": "j", "jwksUri": "https://j/keys"}]},
    "Telemetry": {"tracing": [{"randomSamplingPercentage": 12.5}]},
    "WasmPlugin": {"url": "oci://registry/a:1"},
    "TrafficExtension": {"lua": {"inlineCode": "-- nothing"}},
}

# what is wrong, kind, spec, what the server says of it
WRONG = [
    ("an unknown field", "VirtualService", {"hosts": ["a"], "htp": []}, 'unknown field "spec.htp"'),
    ("an unknown field far down", "Telemetry", {"metrics": [{"overrides": [{"match": {"metrics": "x"}}]}]},
     'unknown field "spec.metrics[0].overrides[0].match.metrics"'),
    ("a text for a list", "VirtualService", {"hosts": "a"}, 'spec.hosts: Invalid value: "string"'),
    ("a text for a number", "VirtualService", {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}, "weight": "ninety"}]}]},
     'spec.http[0].route[0].weight: Invalid value: "string"'),
    ("a number for a text", "WorkloadEntry", {"address": 10}, 'spec.address: Invalid value: "integer"'),
    ("a number below zero", "WorkloadEntry", {"address": "10.0.0.1", "weight": -1}, "spec.weight: Invalid value: -1"),
    ("a number too large", "Sidecar", {"egress": [{"hosts": ["*/*"], "port": {"number": 4294967296}}]},
     "spec.egress[0].port.number: Invalid value"),
    ("a port that is none", "ServiceEntry", {"hosts": ["a.b"], "ports": [{"number": 65536, "name": "x"}]}, "port must be between 1-65535"),
    ("a percentage over 100", "Telemetry", {"tracing": [{"randomSamplingPercentage": 101}]}, "should be less than or equal to 100"),
    ("a share over 100", "DestinationRule", {"host": "a", "trafficPolicy": {"loadBalancer": {"warmup": {"duration": "1s",
        "minimumPercent": 101}}}},
     "spec.trafficPolicy.loadBalancer.warmup.minimumPercent: Invalid value"),
    ("a route to nowhere", "VirtualService", {"hosts": ["a"], "http": [{"route": [{"weight": 1}]}]},
     "spec.http[0].route[0].destination: Required value"),
    ("a word that is no choice", "Sidecar", {"outboundTrafficPolicy": {"mode": "ALLOW"}}, 'supported values: "REGISTRY_ONLY", "ALLOW_ANY"'),
    ("two of a choice", "WorkloadGroup", {"template": {}, "probe": {"httpGet": {"port": 1}, "tcpSocket": {"port": 1}}},
     "must validate one and only one schema (oneOf)"),
    ("a required field left out", "WasmPlugin", {"sha256": ""}, "spec.url: Required value"),
    ("no spec", "ServiceEntry", None, "spec: Required value"),
    ("a duration that is none", "RequestAuthentication", {"jwtRules": [{"timeout": "5 s"}]}, "must be a valid duration greater than 1ms"),
    ("a duration of nothing", "Telemetry", {"metrics": [{"reportingInterval": "0s"}]}, "must be a valid duration greater than 1ms"),
    ("a list that is too long", "AuthorizationPolicy", {"rules": [{"from": [{"source": {"serviceAccounts": ["a"] * 17}}]}]},
     "must have at most 16 items"),
    ("a text that is too long", "WorkloadEntry", {"address": "a" * 257}, "256"),
    ("a name twice", "ServiceEntry", {"hosts": ["a.b"], "ports": [{"number": 1, "name": "x"}, {"number": 2, "name": "x"}]},
     "spec.ports[1]: Duplicate value"),
    ("a selector and a target", "AuthorizationPolicy", {"selector": {}, "targetRefs": [{"kind": "Service", "name": "a"}]},
     "only one of targetRefs or selector can be set"),
    ("ports without a selector", "PeerAuthentication", {"portLevelMtls": {"80": {}}}, "portLevelMtls requires selector"),
    ("an address that nobody gave", "WorkloadEntry", {"weight": 1}, "Address is required"),
    ("an endpoint without an address", "ServiceEntry", {"hosts": ["a.b"], "resolution": "STATIC", "endpoints": [{"weight": 1}]},
     "Address is required"),
    ("a relative socket", "WorkloadEntry", {"address": "unix://a"}, "UDS must be an absolute path"),
    ("neither of two that one is needed of", "TrafficExtension", {"phase": "AUTHN"}, "exactly one of wasm or lua must be set"),
]


def definitions(rig):
    listed = rig.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    return {one["spec"]["names"]["kind"]: one for one in listed}


def manifest(crd, version, name, spec):
    document = {"apiVersion": f"{crd['spec']['group']}/{version}", "kind": crd["spec"]["names"]["kind"], "metadata": {"name": name}}
    return json.dumps(document if spec is None else {**document, "spec": spec})


def storage_version(crd):
    return next(version["name"] for version in crd["spec"]["versions"] if version["storage"])


def test_install(rig):
    with tap.case("kubectl apply installs them, and once more changes nothing"):
        rig.kubectl("apply", "-f", FOLDER)
        lines = rig.kubectl("apply", "-f", FOLDER).splitlines()
        assert len(lines) == len(glob.glob(os.path.join(FOLDER, "*.yaml"))) and all(line.endswith(" unchanged") for line in lines), lines
    with tap.case("kubectl apply --server-side takes them as well"):
        rig.kubectl("apply", "--server-side", "--force-conflicts", "-f", FOLDER)
    with tap.case("each is established, and its schema is structural"):
        rig.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        for kind, crd in definitions(rig).items():
            conditions = {one["type"]: one for one in crd["status"]["conditions"]}
            assert conditions["Established"]["status"] == "True" and "NonStructuralSchema" not in conditions, f"{kind}: {conditions}"


def test_versions(rig, crds):
    assert set(crds) == set(SOUND), set(crds) ^ set(SOUND)
    for kind, crd in sorted(crds.items()):
        versions = [version["name"] for version in crd["spec"]["versions"]]
        with tap.case(f"{kind}: written and read in {', '.join(versions)}"):
            resource = f"{crd['spec']['names']['plural']}.{{}}.{crd['spec']['group']}"
            for written in versions:
                rig.kubectl("apply", "--validate=strict", "-f", "-", stdin=manifest(crd, written, f"by-{written}", SOUND[kind]))
                for version in versions:
                    read = json.loads(rig.kubectl("get", resource.format(version), f"by-{written}", "-o", "json"))
                    assert read["spec"] == SOUND[kind] and read["apiVersion"].endswith(f"/{version}"), read
    with tap.case("short names, and all of them at once by category"):
        for kind, crd in crds.items():
            for short in crd["spec"]["names"].get("shortNames", []):
                assert json.loads(rig.kubectl("get", short, "-o", "json"))["items"][0]["kind"] == kind, short
        names = rig.kubectl("get", "istio-io", "-o", "name").splitlines()
        assert {name.split(".", 1)[0] for name in names} == {crd["spec"]["names"]["singular"] for crd in crds.values()}, names


def test_refusals(rig, crds):
    for name, kind, spec, want in WRONG:
        with tap.case(f"refused: {name} ({kind})"):
            text = manifest(crds[kind], storage_version(crds[kind]), "wrong", spec)
            code, out, errors = rig.kubectl("apply", "--validate=strict", "--dry-run=server", "-f", "-", stdin=text, check=False)
            assert code != 0, f"accepted: {out}"
            assert want in errors, errors


CONDITION = {"type": "Accepted", "status": "False", "reason": "InvalidValue", "message": "spec.hosts: …", "observedGeneration": 1,
             "lastTransitionTime": "2026-01-01T00:00:00Z"}


def apply_status(rig, path, manager, condition):
    body = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "seen"},
            "status": {"conditions": [condition]}}
    return rig.request("PATCH", f"{path}/status?fieldManager={manager}", body, "application/apply-patch+yaml")


def test_status(rig, crds):
    path = "/apis/networking.istio.io/v1/namespaces/default/virtualservices/seen"
    rig.apply(manifest(crds["VirtualService"], "v1", "seen", SOUND["VirtualService"]))
    with tap.case("conditions of two writers stand side by side, one a type"):
        apply_status(rig, path, "one", CONDITION)
        apply_status(rig, path, "two", {**CONDITION, "type": "Reconciled", "status": "True"})
        found = {one["type"]: one["status"] for one in apply_status(rig, path, "one",
                                                                    {**CONDITION, "reason": "Other"})["status"]["conditions"]}
        assert found == {"Accepted": "False", "Reconciled": "True"}, found
    with tap.case("a status changes neither spec nor generation, and keeps what the schema does not know"):
        before = rig.get(path)
        rig.request("PATCH", f"{path}/status", {"spec": {"hosts": ["other"]}, "status": {"observedGeneration": 1, "weft": {"a": 1}}},
                    "application/merge-patch+json")
        after = rig.get(path)
        assert after["spec"] == before["spec"] and after["metadata"]["generation"] == before["metadata"]["generation"]
        assert after["status"]["weft"] == {"a": 1} and len(after["status"]["conditions"]) == 2, after["status"]
    with tap.case("kubectl get vs shows what it is for and whether it is accepted"):
        head, line = rig.kubectl("get", "vs", "seen").splitlines()
        assert head.split() == ["NAME", "GATEWAYS", "HOSTS", "ACCEPTED", "REASON", "AGE"], head
        assert line.split()[:5] == ["seen", '["mesh"]', '["a"]', "False", "Other"], line
    with tap.case("every kind has the columns of its state, the last its age"):
        for kind, crd in crds.items():
            head = rig.kubectl("get", f"{crd['spec']['names']['plural']}.{crd['spec']['group']}").splitlines()[0].split()
            assert head[-3:] == ["ACCEPTED", "REASON", "AGE"], f"{kind}: {head}"


def test_explain(rig, crds):
    for kind, crd in sorted(crds.items()):
        plural, api_version = crd["spec"]["names"]["plural"], f"{crd['spec']['group']}/{storage_version(crd)}"
        with tap.case(f"kubectl explain {kind.lower()}.spec says what each field is"):
            for at in (".spec", "", ".status", ".status.conditions"):
                text = rig.kubectl("explain", f"--api-version={api_version}", plural + at)
                assert "<no description>" not in text and "<empty>" not in text and "FIELDS:" in text, text
    with tap.case("kubectl explain virtualservice.spec.http says what each field is"):
        text = rig.kubectl("explain", "virtualservice.spec.http")
        assert "<no description>" not in text and "<empty>" not in text and text.count("\t<") >= 16, text
    with tap.case("kubectl explain says what each choice means"):
        text = rig.kubectl("explain", "peerauthentication.spec.mtls.mode")
        assert "STRICT: Mutual TLS and nothing else." in " ".join(text.split()), text


def main():
    if not os.access(kube.KUBE, os.X_OK):
        tap.report(True, "Kubernetes", f" # SKIP {kube.KUBE} is not here")
        tap.done()
    with tempfile.TemporaryDirectory() as folder:
        rig = kube.Rig(folder, "none")
        try:
            test_install(rig)
            crds = definitions(rig)
            test_versions(rig, crds)
            test_refusals(rig, crds)
            test_status(rig, crds)
            test_explain(rig, crds)
        finally:
            rig.stop()
    tap.done()


if __name__ == "__main__":
    main()
