#!/usr/bin/env python3
"""The capture itself: what it says of plaintext, of TLS 1.2 and of TLS 1.3 between two pods."""
import contextlib
import os
import subprocess

import tap

import capture
import mesh
import pods

MARKER = "s3cret-marker"


def captured(cluster, traffic):
    under_way = capture.Capture("br0", cluster.on_node())
    traffic()
    return under_way.stop(MARKER)


@contextlib.contextmanager
def tls_server(cluster, pod, version):
    """openssl's server, sending back what it gets, the other way round."""
    key, cert = os.path.join(cluster.folder, "key.pem"), os.path.join(cluster.folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=x"],
                   check=True, capture_output=True)
    os.chmod(key, 0o644)
    server = mesh.Process(f"server{version}", [*pod.enter("exec"), "openssl", "s_server", f"-tls{version}", "-accept", "7443", "-key", key, "-cert", cert, "-rev",
                                               "-alpn", "istio,h2"], cluster.folder, env=cluster.env)
    try:
        mesh.wait_for("openssl's server", lambda: pod.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7443")[0] == 0)
        yield
    finally:
        server.stop()


def tls_client(pod, address):
    done = subprocess.run([*pod.enter("exec"), "openssl", "s_client", "-connect", f"{address}:7443", "-servername", "b.example", "-alpn", "istio", "-quiet", "-no_ign_eof"],
                          input=f"{MARKER}\n", env=pod.cluster.env, capture_output=True, text=True, timeout=20)
    return done.stdout


if os.geteuid() != 0:
    tap.report(True, "capture", " # SKIP a capture needs root")
    tap.done()

with pods.Cluster() as cluster:
    a, b = cluster.pod("a", sidecar=None), cluster.pod("b", sidecar=None)
    mesh.wait_for("the application", lambda: b.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9000")[0] == 0)
    for protocol, port in ("http1", 8080), ("http2", 8080), ("grpc", 8081), ("tcp", 9000):
        with tap.case(f"{protocol} as it is: a flow that is not TLS, and the marker in it"):
            flows = captured(cluster, lambda: a.ask(protocol, f"{b.ip}:{port}", n=20, connections=1, marker=MARKER))
            assert len(flows) == 1 and flows[0]["to"] == f"{b.ip}:{port}", flows
            assert flows[0]["has_marker"] and not flows[0]["is_all_tls"] and flows[0]["tls"] is None and not flows[0]["has_hole"], flows
    with tap.case("10,000 requests: every frame is seen"):
        flows = captured(cluster, lambda: a.ask("http1", f"{b.ip}:8080", n=10000, connections=4, marker=MARKER))
        assert len(flows) == 4 and not any(flow["has_hole"] for flow in flows) and sum(flow["bytes"] for flow in flows) > 10000 * 200, flows
    for flag, version in ("1_2", "1.2"), ("1_3", "1.3"):
        with tap.case(f"TLS {version}: as negotiated, with SNI and ALPN; the marker is not to be seen"), tls_server(cluster, b, flag):
            flows = captured(cluster, lambda: tls_client(a, b.ip))
            assert len(flows) == 1, flows
            tls = flows[0]["tls"]
            assert (tls["version"], tls["sni"], tls["alpn"]) == (version, "b.example", ["istio"]) and tls["cipher"], flows
            assert flows[0]["is_all_tls"] and not flows[0]["has_marker"] and flows[0]["bytes"] > 500, flows
    with tap.case("a stream that turns from TLS to plaintext is not all TLS"):
        head = bytes.fromhex("160303000401000000")
        assert None in capture.records(head + b"GET / HTTP/1.1") and None not in capture.records(head + head)
tap.done()
