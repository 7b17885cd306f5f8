#!/usr/bin/env python3
"""Mutual TLS between pods as one sees it from outside: what is on the wire, who the application is told its caller is, who is let in."""
import contextlib
import glob
import os
import shutil
import subprocess

import tap

import capture
import mesh
import pods

MARKER = "s3cret-marker"
EXAMPLE = os.path.join(mesh.ROOT, "examples", "strict-mtls")
EXAMPLE_PORTS = [("http", 80, 8080, "http1"), ("tcp-reports", 9000, 9000, "tcp")]
POLICY = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: default, namespace: {namespace}}}
spec: {{mtls: {{mode: {mode}}}}}
"""
# A client that waits for the server to speak shows no TLS: what is asked of a port that takes both waits as long as this says.
MESH_CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "protocolDetectionTimeout: 1s"}
"""
PORT_POLICY = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: hello, namespace: default}
spec: {selector: {matchLabels: {app: hello}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}, 9000: {mode: PERMISSIVE}}}
"""


@contextlib.contextmanager
def captured(cluster, into):
    """The flows to any application during the block, by the port of the application."""
    under_way = capture.Capture("br0", cluster.on_node())
    yield
    for flow in under_way.stop(MARKER):
        port = int(flow["to"].rsplit(":", 1)[1])
        if port < 15000:
            into.setdefault(port, []).append(flow)


def is_answered(tally, n):
    return sum(tally["answers"].values()) == n and not tally["errors"]


def expect_tls(flows):
    assert flows and all(flow["tls"] and flow["tls"]["version"] == "1.3" and flow["is_all_tls"] and not flow["has_marker"] for flow in flows), flows


def openssl(*arguments, text=None):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, input=text)
    return done.returncode, done.stdout + done.stderr


def check_presented(cluster, plain, pod):
    """The chain that a pod's sidecar shows to whoever comes, looked at with openssl."""
    shown = plain.run("openssl", "s_client", "-connect", f"{pod.ip}:8080", "-showcerts", "-alpn", "istio", user="exec")[1]
    blocks = [part.split("-----END CERTIFICATE-----")[0] for part in shown.split("-----BEGIN CERTIFICATE-----")[1:]]
    chain = ["-----BEGIN CERTIFICATE-----" + block + "-----END CERTIFICATE-----\n" for block in blocks]
    assert chain, shown
    leaf = os.path.join(cluster.folder, "leaf.pem")
    with open(leaf, "w", encoding="utf-8") as out:
        out.write("".join(chain))
    code, out = openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", cluster.roots(), "-untrusted", leaf, leaf)
    assert code == 0, out
    out = openssl("x509", "-in", leaf, "-noout", "-subject", "-ext", "subjectAltName,keyUsage,extendedKeyUsage,basicConstraints")[1]
    assert f"URI:{pod.id}\n" in out and out.count("URI:") == 1 and "DNS:" not in out and "CA:FALSE" in out, out
    assert "Digital Signature, Key Encipherment" in out and "TLS Web Server Authentication, TLS Web Client Authentication" in out, out
    assert openssl("x509", "-in", leaf, "-noout", "-checkend", str(24 * 3600))[0] == 1, "it lives longer than 24 hours"
    assert openssl("x509", "-in", leaf, "-noout", "-checkend", str(23 * 3600))[0] == 0, "it lives much shorter than 24 hours"


def example():
    """examples/strict-mtls exactly as it stands, and what a cluster adds: the pods."""
    with pods.Cluster() as cluster:
        for file in glob.glob(os.path.join(EXAMPLE, "*.yaml")):
            shutil.copy(file, cluster.config)
        cluster.weftd()
        client, orders, plain = cluster.pod("client"), cluster.pod("orders"), cluster.pod("plain", sidecar=None)
        cluster.endpoints("orders", [orders], ports=EXAMPLE_PORTS)
        cluster.wait_ready()
        cluster.services["orders"] = "10.96.0.10"  # HTTP goes by its host, whatever the address
        mesh.wait_for("orders", lambda: is_answered(client.ask("http1", "orders:80"), 1))
        with tap.case("example: the wire has TLS 1.3 and no plaintext, for HTTP/1.1 and HTTP/2"):
            flows = {}
            with captured(cluster, flows):
                for protocol in "http1", "http2":
                    tally = client.ask(protocol, "orders:80", n=100, marker=MARKER, fresh=True)
                    assert is_answered(tally, 100), tally
            expect_tls(flows[8080])
        with tap.case("example: the application reads who its caller is"):
            xfcc = client.ask("http1", "orders:80")["last"]["xfcc"]
            assert f"URI={client.id}" in xfcc and f"By={orders.id}" in xfcc, xfcc
        with tap.case("example: a name that the caller made up does not get through"):
            code, out = client.run("curl", "-s", "-H", "x-forwarded-client-cert: URI=spiffe://cluster.local/ns/kube-system/sa/admin", "-H", "host: orders",
                                   f"http://{cluster.services['orders']}/", user="exec")
            assert code == 0 and "kube-system" not in out and client.id in out, out
        with tap.case("example: a client without a sidecar is refused, but at the excepted port"):
            tally = plain.ask("http1", f"{orders.ip}:8080", n=4)
            assert not tally["answers"] and sum(tally["errors"].values()) == 4, tally
            tally = plain.ask("tcp", f"{orders.ip}:9000", n=4)
            assert is_answered(tally, 4), tally
        with tap.case("example: openssl verifies the chain that orders shows: its one name, its uses, 24 hours"):
            check_presented(cluster, plain, orders)
        with tap.case("example: no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


def set_mode(cluster, mode):
    """For the whole mesh, until every proxy has it."""
    with cluster.changed():
        cluster.write("policy.yaml", POLICY.format(namespace="istio-system", mode=mode))


def matrix(cluster, client, plain, mode):
    """Every protocol, from inside and from outside the mesh; with what it is on the wire."""
    set_mode(cluster, mode)
    flows = {}
    with captured(cluster, flows):
        for name, port, target, protocol in pods.PORTS:
            with tap.case(f"{mode}: {protocol} by port {name} from inside the mesh is answered"):
                tally = client.ask(protocol, f"hello:{port}", n=20, fresh=True, marker=MARKER)
                assert is_answered(tally, 20), tally
    for name, port, target, protocol in pods.PORTS:
        with tap.case(f"{mode}: on the wire {protocol} by port {name} is {'plaintext' if mode == 'DISABLE' else 'TLS 1.3'}"):
            if mode == "DISABLE":
                assert flows[target] and not any(flow["tls"] for flow in flows[target]) and any(flow["has_marker"] for flow in flows[target]), flows[target]
            else:
                expect_tls(flows[target])
        with tap.case(f"{mode}: {protocol} to port {target} from outside the mesh is {'refused' if mode == 'STRICT' else 'answered'}"):
            tally = plain.ask(protocol, f"v1:{target}", n=4, fresh=True)
            if mode == "STRICT":
                assert not tally["answers"] and sum(tally["errors"].values()) == 4, tally
            else:
                assert is_answered(tally, 4), tally


def switch(cluster, client):
    """PERMISSIVE, STRICT, PERMISSIVE, twice, with traffic flowing on connections that stay and on ones that do not."""
    with contextlib.ExitStack() as stack:
        loads = {name: stack.enter_context(client.load(protocol, f"hello:{port}", rate=200, connections=4)) for name, port, _, protocol in pods.PORTS}
        loads |= {f"{name}, each on a new connection": stack.enter_context(client.load(protocol, f"hello:{port}", rate=20, connections=2, fresh=True))
                  for name, port, _, protocol in pods.PORTS}
        for load in loads.values():
            load.flow(20)
        for mode in "PERMISSIVE", "STRICT", "PERMISSIVE", "STRICT", "PERMISSIVE":
            with tap.case(f"under load: {mode}"):
                set_mode(cluster, mode)
                for load in loads.values():
                    load.flow(100)
        for name, load in loads.items():
            with tap.case(f"under load: nothing on port {name} was lost"):
                load.check(name)


def modes():
    with pods.Cluster() as cluster:
        cluster.write("mesh.yaml", MESH_CONFIG)
        cluster.write("policy.yaml", POLICY.format(namespace="istio-system", mode="STRICT"))
        cluster.weftd()
        client, plain = cluster.pod("client"), cluster.pod("plain", sidecar=None)
        servers = [cluster.pod(name, account="hello", labels={"app": "hello"}) for name in ("v1", "v2")]
        cluster.service("hello", servers)
        cluster.wait_ready()
        mesh.wait_for("both", lambda: len(client.ask("http1", "hello:80", n=8, fresh=True)["answers"]) == 2)
        set_mode(cluster, "DISABLE")
        matrix(cluster, client, plain, "PERMISSIVE")
        matrix(cluster, client, plain, "DISABLE")  # between the two, so that no connection is older than its mode
        matrix(cluster, client, plain, "STRICT")
        with tap.case("a port's own mode stands above its workload's, and that above the mesh's"):
            with cluster.changed():
                cluster.write("port-policy.yaml", PORT_POLICY)
            for target, protocol, is_open in (8080, "http1", True), (9000, "tcp", True), (8081, "grpc", False), (7001, "tcp", False):
                tally = plain.ask(protocol, f"v1:{target}", n=4, fresh=True)
                assert bool(tally["answers"]) == is_open and bool(tally["errors"]) != is_open, (target, tally)
        with cluster.changed():
            cluster.remove("port-policy.yaml")
        switch(cluster, client)
        with tap.case("no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


if os.geteuid() != 0:
    tap.report(True, "mutual TLS", " # SKIP pods are network namespaces: needs root")
    tap.done()
example()
modes()
tap.done()
