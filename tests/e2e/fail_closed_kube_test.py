#!/usr/bin/env python3
"""Policies that an API server let pass and that are wrong all the same: the others are in force, what they cover is closed, and their status says it."""
import json
import os
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import issuer  # noqa: E402
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402

kube.enter_network()

FRONT, BACK = 8080, 8081  # gateways, one for the policies that are sound and one for those that are not
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec: {{selector: {{istio: {name}}}, servers: [{{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec: {{hosts: ["*"], gateways: [{name}], http: [{{directResponse: {{status: 200, body: {{string: in}}}}}}]}}
---
"""
OBJECT = """
apiVersion: security.istio.io/v1
kind: {kind}
metadata: {{name: {name}}}
spec: {spec}
---
"""
KINDS = {"AuthorizationPolicy": "authorizationpolicies", "PeerAuthentication": "peerauthentications", "RequestAuthentication": "requestauthentications"}
NODE = "{role}~127.0.0.1~{name}-1.default~default.svc.cluster.local"


def written(kind, name, app, **spec):
    return OBJECT.format(kind=kind, name=name, spec=json.dumps({"selector": {"matchLabels": {"istio": app}}, **spec}))


class Cluster(kube.Cluster):
    def __init__(self):
        super().__init__()
        self.rig.apply("".join(GATEWAY.format(name=name, port=port) for name, port in (("front", FRONT), ("back", BACK))))
        self.start()

    def __enter__(self):
        self.front, self.back = (self.proxy("router", name) for name in ("front", "back"))
        self.workload = self.proxy("sidecar", "workload")
        self.front.wait_listening(FRONT)
        self.back.wait_listening(BACK)
        return self

    def start(self, **options):
        self.server = self.weftd(**options)

    def restart(self):
        self.server.stop()
        self.start(xds_port=self.server.xds_port, admin_port=self.server.admin_port)
        mesh_rig.wait_for("acknowledgements", lambda: len(self.server.proxies()) == 3 and self.server.is_acknowledged())

    def proxy(self, role, name):
        metadata = {"NAMESPACE": "default", "LABELS": {"istio": name}, "CLUSTER_ID": "Kubernetes"}
        return self.gateway(self.server, True, NODE.format(role=role, name=name), metadata, name)

    def ask(self, port, path="/", token=None):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
        return mesh_rig.get(request)[0]

    def condition(self, kind, name):
        return kube.condition(self.rig, kind.lower(), name)

    def wait_refused(self, kind, name):
        """Its condition says so, and so does the report, which says also that it is closed or which form is in force."""
        condition = mesh_rig.wait_for("the refusal", lambda: (c := self.condition(kind, name)) and c["status"] == "False" and c)
        rows = {row["severity"]: row["message"] for row in json.loads(self.server.get("/debug/report")[1]) if row["object"] == f"{kind}/default/{name}"}
        assert "error" in rows, rows
        return condition, rows

    def takes_plaintext(self):
        """Whether the workload's proxy has an inbound chain for it (with STRICT what comes without TLS goes nowhere)."""
        status, text = self.workload.get("/config_dump?resource=dynamic_listeners")
        assert status == 200, text
        chains = [chain for entry in json.loads(text)["configs"] for chain in entry["active_state"]["listener"]["filter_chains"]]
        return any("transport_socket" not in chain and chain.get("name") == "virtualInbound-catchall-http" for chain in chains)

    def let_all_pass(self):
        """As definitions do that somebody has installed with less in them."""
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        for plural in KINDS.values():
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.security.istio.io"
            patch = [{"op": "replace", "path": f"/spec/versions/{i}/schema/openAPIV3Schema/properties/spec", "value": anything} for i in range(len(self.rig.get(path)["spec"]["versions"]))]
            self.rig.request("PATCH", path, patch, "application/json-patch+json")
        wrong = written("PeerAuthentication", "probe", "nobody", mtls={"mode": "none of them"})
        mesh_rig.wait_for("the definitions", lambda: self.rig.kubectl("apply", "-f", "-", stdin=wrong, check=False)[0] == 0)
        self.rig.delete(wrong)


def check_hundred(cluster):
    allowed = lambda: [i for i in (0, 49, 50, 51, 98, 99) if cluster.ask(FRONT, f"/{i}") == 200]
    sound = [written("AuthorizationPolicy", f"p-{i}", "front", rules=[{"to": [{"operation": {"paths": [f"/{i}"]}}]}]) for i in range(99)]
    bad = lambda blocks: written("AuthorizationPolicy", "p-bad", "back", action="DENY", rules=[{"from": [{"source": {"ipBlocks": blocks}}]}])
    with tap.case("one bad policy among a hundred: the others are in force, its workloads are closed, report and status say so"):
        assert cluster.ask(FRONT) == 200 and cluster.ask(BACK) == 200
        cluster.rig.apply("".join([*sound[:50], bad(["10.0.0.300"]), *sound[50:]]))
        mesh_rig.wait_for("the policies", lambda: allowed() == [0, 49, 50, 51, 98])
        mesh_rig.wait_for("the workload to be closed", lambda: cluster.ask(BACK) == 403)
        condition, rows = cluster.wait_refused("AuthorizationPolicy", "p-bad")
        assert "10.0.0.300" in condition["message"] and "no former form" in rows["warning"], (condition, rows)
        mesh_rig.wait_for("the others' conditions", lambda: all((c := cluster.condition("AuthorizationPolicy", f"p-{i}")) and c["status"] == "True" for i in (0, 50, 98)))
    with tap.case("it is so after a restart, and ends when it is mended; a change that is wrong then leaves that form in force"):
        cluster.restart()
        assert cluster.ask(BACK) == 403 and allowed() == [0, 49, 50, 51, 98]
        cluster.rig.apply(bad(["10.9.9.9"]))
        mesh_rig.wait_for("the workload to be open", lambda: cluster.ask(BACK) == 200)
        cluster.rig.apply(bad(["10.0.0.300"]))
        _, rows = cluster.wait_refused("AuthorizationPolicy", "p-bad")
        assert "info" in rows and "warning" not in rows and cluster.ask(BACK) == 200, rows
    cluster.rig.delete(bad(["10.9.9.9"]))


def check_peers(cluster):
    peers = lambda mode: written("PeerAuthentication", "peers", "workload", mtls={"mode": mode})
    with tap.case("a PeerAuthentication with a mode that is none: no plaintext"):
        assert cluster.takes_plaintext()
        cluster.rig.apply(peers("Strict"))
        mesh_rig.wait_for("plaintext to be refused", lambda: not cluster.takes_plaintext())
        condition, rows = cluster.wait_refused("PeerAuthentication", "peers")
        assert "Strict" in condition["message"] and "no former form" in rows["warning"], (condition, rows)
        cluster.restart()
        assert not cluster.takes_plaintext()
    with tap.case("a PeerAuthentication whose change is wrong: the former form"):
        cluster.rig.apply(peers("PERMISSIVE"))
        mesh_rig.wait_for("plaintext to be taken", cluster.takes_plaintext)
        cluster.rig.apply(peers("Strict"))
        _, rows = cluster.wait_refused("PeerAuthentication", "peers")
        assert "info" in rows and cluster.takes_plaintext(), rows
        cluster.rig.delete(peers("PERMISSIVE"))


def check_requests(cluster):
    key = issuer.Key("k")
    good, forged = (one.token({"iss": "idp", "sub": "ann"}) for one in (key, issuer.Key("k")))
    keys = json.dumps(issuer.jwks(key))
    requests = lambda **rule: written("RequestAuthentication", "requests", "back", jwtRules=[{"issuer": "idp", **rule}])
    got = lambda: [cluster.ask(BACK, token=token) for token in (None, good, forged)]
    with tap.case("a RequestAuthentication with wrong keys: no token is believed; with a field that is none: everything is refused"):
        assert got() == [200, 200, 200], got()
        cluster.rig.apply(requests(jwks="{}"))
        mesh_rig.wait_for("tokens to be refused", lambda: got() == [200, 401, 401])
        condition, rows = cluster.wait_refused("RequestAuthentication", "requests")
        assert "kty" in condition["message"] and "no former form" in rows["warning"], (condition, rows)
        cluster.rig.apply(requests(jwks=keys, fromHeader=[]))
        mesh_rig.wait_for("all to be refused", lambda: got() == [401, 401, 401])
        cluster.restart()
        assert got() == [401, 401, 401], got()
    with tap.case("a RequestAuthentication whose change is wrong: the former form"):
        cluster.rig.apply(requests(jwks=keys))
        mesh_rig.wait_for("tokens to be believed", lambda: got() == [200, 200, 401])
        cluster.rig.apply(requests(jwks=keys, fromHeader=[]))
        _, rows = cluster.wait_refused("RequestAuthentication", "requests")
        assert "info" in rows and got() == [200, 200, 401], (rows, got())


with Cluster() as cluster:
    check_hundred(cluster)
    cluster.let_all_pass()
    check_peers(cluster)
    check_requests(cluster)
    with tap.case("no proxy refused anything"):
        nacks = [kind["nack"] for proxy in cluster.server.proxies() for kind in proxy["types"].values() if kind.get("nack")]
        assert not nacks, nacks
tap.done()
