#!/usr/bin/env python3
"""A PeerAuthentication or RequestAuthentication that is wrong between pods: with a former form that one holds, without one what it may have kept out stays out."""
import json
import os

import tap

import issuer
import mesh
import pods
import raw

HTTP, TCP = 8080, 9000  # of the application
HOST = "server.default"
KEPT = 4  # connections that the client's sidecar may have
OBJECT = """
apiVersion: security.istio.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: default}}
spec: {spec}
---
"""


def written(kind, name, spec):
    return OBJECT.format(kind=kind, name=name, spec=json.dumps(spec))


class Ring:
    def __init__(self, cluster):
        self.cluster = cluster
        self.server, self.client, self.plain = cluster.pod("server"), cluster.pod("client"), cluster.pod("plain", sidecar=None)
        self.other = cluster.pod("second")
        cluster.service("server", [self.server])
        cluster.wait_ready()
        mesh.wait_for("the service", lambda: self.mutual() and self.plaintext())

    def status(self, lines=""):
        """By the client, over mutual TLS."""
        return raw.ask(self.client, (self.cluster.services["server"], 80), f"GET / HTTP/1.1\r\nhost: {HOST}\r\n{lines}\r\n".encode())

    def mutual(self):
        return self.status() == 200

    def plaintext(self, pod=None, port=HTTP):
        pod = pod or self.server
        if port == HTTP:
            return raw.ask(self.plain, (pod.ip, port), b"GET / HTTP/1.1\r\nhost: server\r\n\r\n") == 200
        with raw.connect(self.plain, (pod.ip, port)) as connection:
            try:
                connection.sendall(b"hello\n")
                return connection.recv(100).endswith(b" hello\n")
            except ConnectionError:
                return False

    def is_strict(self):
        return self.mutual() and not self.plaintext() and not self.plaintext(port=TCP)

    def is_permissive(self):
        return self.mutual() and self.plaintext() and self.plaintext(port=TCP)

    def rows(self, name):
        return {row["severity"]: row["message"] for row in json.loads(self.cluster.admin("/debug/report")) if (row["object"] or row["file"] or "").endswith(name)}

    def set(self, text):
        with self.cluster.changed(quiet_s=0.1):
            self.cluster.write("policies.yaml", text)
        self.renew()

    def renew(self):
        """A connection between sidecars is kept, and the answer that says it is to end is the last by the policies of its time."""
        for _ in range(KEPT):
            self.status()

    def set_unpushed(self, text, name):
        """What changes nothing for any proxy; until the row about it is there."""
        self.cluster.write("policies.yaml", text)
        mesh.wait_for(f"the row about {name}", lambda: self.rows(name).get("error"))
        self.cluster.wait_synced()

    def clear(self):
        self.set("")
        assert self.is_permissive()


def peers(name, spec):
    return written("PeerAuthentication", name, spec)


SERVER = {"matchLabels": {"app": "server"}}
STRICT = {"selector": SERVER, "mtls": {"mode": "STRICT"}}
PEER_MISTAKES = {
    "a mode that is none": peers("bad", {**STRICT, "mtls": {"mode": "Strict"}}),
    "an unknown field": peers("bad", {"selector": SERVER, "mtsl": {"mode": "STRICT"}}),
    "a selector that selects nothing": peers("bad", {**STRICT, "selector": {"matchLabels": {"app": "serv*"}}}),
    "a port that is none": peers("bad", {**STRICT, "portLevelMtls": {"0": {"mode": "DISABLE"}}}),
    "no name": peers("bad", STRICT).replace("name: bad, ", ""),
    "no apiVersion": peers("bad", STRICT).replace("apiVersion: security.istio.io/v1\n", ""),
    "a version that there is not": peers("bad", STRICT).replace("istio.io/v1", "istio.io/v7"),
    "no YAML": peers("bad", STRICT).replace("}", "]"),
}


def check_peers(ring):
    for name, text in PEER_MISTAKES.items():
        with tap.case(f"PeerAuthentication, {name}, and no former form: no plaintext"):
            ring.set(text)
            assert ring.is_strict()
            report = json.loads(ring.cluster.admin("/debug/report"))
            assert any(row["severity"] == "error" for row in report), report
            assert any(row["severity"] == "warning" and "no former form" in row["message"] for row in report), report
            ring.clear()
    with tap.case("PeerAuthentication: what is wrong in one for some workloads is nothing to the others"):
        ring.set(PEER_MISTAKES["a mode that is none"])
        assert ring.is_strict() and ring.plaintext(ring.other)
        ring.clear()
    with tap.case("PeerAuthentication: a change that is wrong leaves the former form in force, STRICT or PERMISSIVE"):
        ring.set(peers("good", STRICT))
        assert ring.is_strict()
        ring.set_unpushed(peers("good", {**STRICT, "mtls": {"mode": "Permissive"}}), "good")
        assert ring.is_strict()
        ring.set(peers("good", {**STRICT, "mtls": {"mode": "PERMISSIVE"}}))
        assert ring.is_permissive()
        ring.set_unpushed(peers("good", {**STRICT, "mtls": {"mode": "strict"}}), "good")
        assert ring.is_permissive()
    with tap.case("PeerAuthentication: after a restart there is no former form any more"):
        ring.cluster.daemon.stop()
        with ring.cluster.changed():
            ring.cluster.weftd()
        assert ring.is_strict()
        ring.clear()


def requests(name, *rules, **spec):
    return written("RequestAuthentication", name, {"selector": SERVER, "jwtRules": rules, **spec})


def check_requests(ring):
    key, second = issuer.Key("k"), issuer.Key("s")
    good, forged = ({"issuer": "idp", "jwks": json.dumps(issuer.jwks(key))}, issuer.Key("k").token({"iss": "idp", "sub": "ann"}))
    sound = requests("sound", {"issuer": "second", "jwks": json.dumps(issuer.jwks(second))})
    tokens = {"valid": key.token({"iss": "idp", "sub": "ann"}), "forged": forged, "none": None, "no token at all": "nonsense", "another's": second.token({"iss": "second", "sub": "bob"})}
    in_header = lambda token, header="authorization: Bearer ": f"{header}{token}\r\n" if token else ""
    got = lambda **how: {name: ring.status(in_header(token, **how)) for name, token in tokens.items()}
    all_refused = dict.fromkeys(tokens, 401)
    only_none = {**all_refused, "none": 200}
    no_belief = {
        "keys that are none": requests("bad", {**good, "jwks": "{}"}),
        "an audience that is none": requests("bad", {**good, "audiences": [""]}),
        "a wrong type": requests("bad", {**good, "jwksUri": 3}),
        "a version that there is not": requests("bad", good).replace("istio.io/v1", "istio.io/v7"),
    }
    for name, text in no_belief.items():
        with tap.case(f"RequestAuthentication, {name}, and no former form: no token is believed, and none is no mistake"):
            ring.set(text)
            assert got() == only_none, got()
            assert ring.rows("RequestAuthentication/default/bad").keys() == {"error", "warning"}, ring.rows("bad")
            ring.set("")
    with tap.case("RequestAuthentication, wrong keys: tokens are refused where it looks for them; another one's stay believed"):
        ring.set(requests("bad", {**good, "jwks": "{}", "fromHeaders": [{"name": "x-token"}]}) + sound)
        assert got(header="x-token: ") == only_none, got(header="x-token: ")
        assert got() == {**only_none, "another's": 200}, got()
        ring.set("")
    no_places = {
        "an unknown field": requests("bad", {**good, "fromHeader": [{"name": "x-token"}]}),
        "a place that is none": requests("bad", {**good, "fromParams": [""]}),
        "a header that is none": requests("bad", {**good, "outputClaimToHeaders": [{"header": "x sub", "claim": "sub"}]}),
        "no list": requests("bad", jwtRules={"issuer": "idp"}),
        "no YAML": requests("bad", good).replace("}", "]"),
    }
    for name, text in no_places.items():
        with tap.case(f"RequestAuthentication, {name}, and no former form: it cannot be told what it refuses, so all is"):
            ring.set(text)
            assert got() == all_refused, got()
            assert ring.plaintext(port=TCP) and ("YAML" in name or ring.plaintext(ring.other)), "it is for HTTP, and for its workloads"
            ring.set("")
    with tap.case("RequestAuthentication: a change that is wrong leaves the former form in force"):
        ring.set(requests("good", good) + sound)
        want = {**only_none, "valid": 200, "another's": 200}
        assert got() == want, got()
        for wrong in {**good, "jwks": "{}"}, {**good, "fromHeader": []}:
            ring.set_unpushed(requests("good", wrong) + sound, "good")
            assert got() == want, got()
    with tap.case("RequestAuthentication: after a restart there is no former form any more"):
        ring.cluster.daemon.stop()
        with ring.cluster.changed():
            ring.cluster.weftd()
        ring.renew()
        assert got() == all_refused, got()
        ring.set("")
        assert got() == dict.fromkeys(tokens, 200), got()


if os.geteuid() != 0:
    tap.report(True, "policies", " # SKIP pods are network namespaces: needs root")
    tap.done()
with pods.Cluster() as cluster:
    cluster.weftd()
    ring = Ring(cluster)
    check_peers(ring)
    check_requests(ring)
    with tap.case("no proxy refused anything"):
        assert not cluster.nacks(), cluster.nacks()
tap.done()
